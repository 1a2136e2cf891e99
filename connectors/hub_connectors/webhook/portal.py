"""Delivers each event by its id as a webhook, signed after the Standard Webhooks specification."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
import orjson
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from hub.connect.http_call import Reply, check_status, send
from hub.connect.http_client import make_client
from hub.connect.portal import Answer, Item, Strategy
from hub.connect.subscriber_settings import read_secret, read_settings
from hub.control.records import Subscriber
from hub.errors import ConfigError, Rejected
from hub.events.families import BY_TYPE, NAMES
from hub_connectors.webhook.payload import as_json
from hub_connectors.webhook.settings import WebhookSettings

SECRET_PREFIX = "signing"


class WebhookPortal:
    """`Portal` of kind webhook. `transport` replaces the network in tests of network faults."""

    strategy = Strategy.EVENT_LOG
    max_fold = 1
    answered = 0
    families: tuple[str, ...] = NAMES

    def __init__(
        self,
        settings: WebhookSettings,
        signers: Sequence[Webhook],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self._signers = signers
        self._transport = transport
        self._guard = settings.guard
        self._url = httpx.URL(str(settings.url))
        self._common: list[tuple[bytes, bytes]] = []
        self._limits = {"timeout": httpx.Timeout(settings.timeout_s).as_dict()}
        self._http: httpx.AsyncClient | None = None

    async def open(self) -> None:
        self._http = make_client(self.settings.timeout_s, self._guard, self._transport)
        self._common = [*self._http.headers.raw, (b"Content-Type", b"application/json")]

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
        self._http = None

    async def deliver(self, items: Sequence[Item]) -> Answer:
        """Sends each item in order, stopping at the first that is not acknowledged with 2xx; the receiver knows what
        it has by webhook-id. 410 is Rejected (`gone`); other verdicts as in hub.connect.http_call."""
        answer = Answer()
        for item in items:
            reply = await self._post(item.envelope.id, self._body(item))
            if reply.status == 410:
                raise Rejected("gone", "HTTP 410: the receiver wants no more events at this address", 410)
            check_status(reply)
            answer = Answer(reply.status, reply.excerpt)
        return answer

    async def probe(self) -> None:
        """GET of the webhook's address: any answer below 500 (404 and 405 too) shows that the portal is there.

        Whether it would let us in is not shown: a webhook has no call that changes nothing.
        """
        reply = await self._call(self._client().build_request("GET", str(self.settings.url)))
        if reply.status >= 500 or reply.status == 429:
            check_status(reply)

    def _body(self, item: Item) -> str:
        event = BY_TYPE.get(item.envelope.type)
        if event is None:
            raise Rejected("unsupported", f"no webhook is defined for events of type {item.envelope.type}")
        data = as_json(event.record, item.data, self.settings.personal_data)
        whole = {
            "type": item.envelope.type,
            "timestamp": item.envelope.time or item.envelope.recordedtime,
            "data": data,
        }
        try:
            return orjson.dumps(whole).decode()
        except orjson.JSONEncodeError as error:
            raise Rejected("schema", f"cannot be written as JSON: {error}") from None

    async def _post(self, event_id: str, body: str) -> Reply:
        second = int(time.time())
        moment = datetime.fromtimestamp(second, UTC)
        headers = [
            *self._common,
            (b"webhook-id", event_id.encode()),
            (b"webhook-timestamp", b"%d" % second),
            (b"webhook-signature", " ".join(s.sign(event_id, moment, body) for s in self._signers).encode()),
        ]
        # Not by `build_request`, which parses the address and merges the headers anew for each event.
        return await self._call(
            httpx.Request("POST", self._url, headers=headers, content=body.encode(), extensions=dict(self._limits))
        )

    async def _call(self, request: httpx.Request) -> Reply:
        return await send(self._client(), request, self.settings.timeout_s, self.settings.max_answer_bytes)

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            raise RuntimeError("the connection is not open")
        return self._http


def portal(subscriber: Subscriber) -> WebhookPortal:
    """Entry point `hub.portals`: an unopened connection. ConfigError names the wrong field."""
    settings = read_settings(WebhookSettings, subscriber)
    settings.guard.check_literal(settings.url.host or "")
    return WebhookPortal(settings, read_signers(subscriber))


def read_signers(subscriber: Subscriber) -> list[Webhook]:
    """A signer for each secret whose name begins with `signing`, `signing` itself first."""
    names = sorted(name for name in subscriber.secrets if name.startswith(SECRET_PREFIX))
    signers = []
    for name in names or [SECRET_PREFIX]:
        try:
            signers.append(Webhook(read_secret(subscriber, name)))
        except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
            raise ConfigError(f"secrets.{name}", f"is no webhook secret (whsec_ and base64): {error}") from None
    return signers
