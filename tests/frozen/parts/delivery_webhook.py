"""A2: what a webhook subscriber (provincial portal) gets for each canonical event, and what its answers mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx

from hub.connect.portal import Item
from hub.control.records import Subscriber
from hub.errors import Rejected, Retryable
from hub_connectors.webhook.portal import WebhookPortal, read_signers
from hub_connectors.webhook.settings import WebhookSettings
from tests.frozen.inputs import canonical, fixed, wire

SECRET, OLD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_ZnJvemVuLW9sZC1zZWNyZXQtb2YtdGhlLW9yYWNsZQ=="
WHOLE = (
    "plain 2 RECEIVED",
    "joint handling 2 TRANSFERRED",
    "put off twice 2 RESCHEDULED",
    "every field 7 RETURNED",
    "procedures 1.009994 1 PUBLISHED",
    "services 1.004194.01 2 WITHDRAWN",
)
"""Events whose request is recorded as a whole; of the others what tells them apart."""

STATUSES = (200, 202, 204, 301, 400, 401, 403, 404, 405, 407, 408, 409, 410, 413, 418, 422, 425, 429, 500, 502, 503)


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return asyncio.run(_outputs())


async def _outputs() -> dict[str, Any]:
    events = canonical.every()
    return {
        "requests": {name: await _request(events[name]) for name in WHOLE},
        "every_event": {name: await _short(item) for name, item in events.items()},
        "during_rotation": await _request(events["plain 2 RECEIVED"], body=False, old=True),
        "probe": await _probe(),
        "answers": {str(status): await _answered(events["plain 2 RECEIVED"], status) for status in STATUSES},
        "about": _about(),
    }


def _portal(transport: httpx.AsyncBaseTransport | None = None, old: bool = False, **settings: Any) -> WebhookPortal:
    secrets = {"signing": SECRET} | ({"signing-old": OLD_SECRET} if old else {})
    subscriber = Subscriber(name="tinh", kind="webhook", secrets=secrets)
    given = WebhookSettings.model_validate({"url": "https://portal.example.vn/webhooks/hub", **settings})
    return WebhookPortal(given, read_signers(subscriber), transport)


async def _sent(items: Sequence[Item], old: bool = False, **settings: Any) -> list[httpx.Request]:
    transport = wire.script(httpx.Response(204))
    portal = _portal(transport, old, **settings)
    await portal.open()
    try:
        await portal.deliver(items)
    finally:
        await portal.close()
    return transport.requests


async def _request(item: Item, body: bool = True, old: bool = False) -> dict[str, Any]:
    (request,) = await _sent([item], old)
    return wire.told(request, body) | {"body_sha": fixed.sha(request.content)}


async def _short(item: Item) -> Any:
    """Id and hash of the body; and what a receiver without the right to personal data gets in its place."""
    try:
        (request,) = await _sent([item])
        (without,) = await _sent([item], personal_data=False)
    except Rejected as error:
        return f"rejected ({error.reason}): {error}"
    return {
        "webhook-id": request.headers["webhook-id"],
        "body_sha": fixed.sha(request.content),
        "body_sha_without_personal": fixed.sha(without.content),
        "withheld": " ".join(fixed.changed(json.loads(request.content)["data"], json.loads(without.content)["data"])),
    }


async def _probe() -> dict[str, Any]:
    transport = wire.script(httpx.Response(405))
    portal = _portal(transport)
    await portal.open()
    try:
        await portal.probe()
    finally:
        await portal.close()
    return wire.told(transport.requests[0])


async def _answered(item: Item, status: int) -> str:
    """What the hub makes of an answer with that status."""
    headers = {"retry-after": "7"} if status in (429, 503) else {}
    portal = _portal(wire.script(httpx.Response(status, headers=headers, text="said by the portal")))
    await portal.open()
    try:
        answer = await portal.deliver([item])
    except Retryable as error:
        return f"retryable ({error.kind}), after {error.retry_after}, status {error.status}: {error}"
    except Rejected as error:
        return f"rejected ({error.reason}), status {error.status}: {error}"
    finally:
        await portal.close()
    return f"delivered, status {answer.status}: {answer.text}"


def _about() -> dict[str, Any]:
    portal = _portal()
    return {"strategy": str(portal.strategy), "max_fold": portal.max_fold, "families": list(portal.families)}
