"""The simulated provincial portal's HTTP face: one webhook address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub_connectors.webhook.simulator.ledger import Ledger
from hub_connectors.webhook.simulator.signature import fault

_STATES = {"dossier": "dossier_code", "procedure": "procedure_code", "service": "service_code"}


class WebhookReceiverApp:
    """Trusts messages signed with one of `keys`; none: takes all."""

    def __init__(self, ledger: Ledger, keys: Sequence[bytes], path: str, tolerance_s: float) -> None:
        self._ledger = ledger
        self._keys = keys
        self._tolerance_s = tolerance_s
        self.asgi = Starlette(routes=[Route(path, self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        if self._keys and (why := fault(request.headers, body, self._keys, self._tolerance_s)):
            return self._refuse(401, why)
        webhook_id = request.headers.get("webhook-id")
        if not webhook_id:
            return self._refuse(400, "webhook-id is missing")
        try:
            text = body.decode()
            kind, key, hub_seq = _read(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            return self._refuse(422, f"not {{type, timestamp, data}} of an event: {type(error).__name__}")
        self._ledger.receive(webhook_id, kind, key, hub_seq, text)
        return Response(status_code=204)

    def _refuse(self, status: int, reason: str) -> Response:
        self._ledger.refuse(status, reason)
        return PlainTextResponse(reason, status)


def _read(message: Any) -> tuple[str, str, int]:
    """(type, key, hub_seq); ValueError, KeyError or TypeError for another shape."""
    kind, data = message["type"], message["data"]
    if not isinstance(kind, str) or not isinstance(message["timestamp"], str):
        raise TypeError("type and timestamp must be strings")
    for state, code in _STATES.items():
        if state in data and isinstance(data[state], dict):
            return kind, str(data[state][code]), int(data["hub_seq"])
    raise KeyError("no dossier, procedure or service in data")
