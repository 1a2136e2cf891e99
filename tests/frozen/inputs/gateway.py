"""The gateway's application in this process, over a broker that keeps what it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from hub.config import GatewaySettings, Settings
from hub.connect.inbound import installed
from hub.control.keys import KeyRing, digest
from hub.control.records import Organisation
from hub.gateway.app import build
from hub.gateway.holders import Holders
from hub.gateway.inbound import GatewayHost, mount
from hub.gateway.ingest import Ingest
from hub.gateway.sender import Sender
from hub.kafka.batches import KeyedLine
from tests.frozen.inputs import fixed

KEY, TOKEN = "hub_frozen-key", "frozen-operators-token"
SOURCE = "urn:vn:gov:H11.12:motcua"
ORGANISATION = Organisation(
    name="motcua", sources=(SOURCE,), agencies=("H11.12",), families=("dossier",), key_hashes=(digest(KEY),)
)
JSON, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
AVRO = "application/avro"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Broker(Sender):
    """Acknowledges at once, or fails with `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        nobody: Any = None
        super().__init__(nobody, "hub.ingress", 1 << 20)
        self.lines: list[KeyedLine] = []
        self.error = error

    async def send(self, lines: Sequence[KeyedLine], owner: str = "") -> None:
        if self.error:
            raise self.error
        self.lines += lines


def application(broker: Broker, inbound: Mapping[str, Any] | None = None, **gateway: Any) -> FastAPI:
    """Its limits are small, so that inputs are. inbound: settings of ways in that are called from outside."""
    own = {"max_body_bytes": 4_000, "max_batch": 3, "admin_token": SecretStr(TOKEN), **gateway}
    settings = Settings(gateway=GatewaySettings(**own), inbound=dict(inbound or {}))
    codec = fixed.codec()
    app = build(settings, Holders(GatewaySettings(), KeyRing([ORGANISATION])), Ingest(codec, broker), broker)
    mount(app, installed(settings), GatewayHost(codec, broker, lambda _: None, 4_000))
    return app


def client(app: FastAPI, key: str = KEY) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers={"x-api-key": key} if key else {})


def step(**fields: Any) -> dict[str, Any]:
    return {
        "dossier_code": "H11.12-260302-0001",
        "step": "RECEIVED",
        "occurred_at": "2026-03-02T08:15:00+07:00",
    } | fields


def event(data: Any = None, **attributes: Any) -> dict[str, Any]:
    """An event of the JSON format; an attribute that is None is left out."""
    made = {
        "specversion": "1.0",
        "id": "e-1",
        "source": SOURCE,
        "type": "vn.hub.dossier.step",
        "data": step() if data is None else data,
    } | attributes
    return {name: value for name, value in made.items() if value is not None}


def line(sent: KeyedLine, traced: bool = False) -> dict[str, Any]:
    """A record for hub.ingress in readable form; what hangs on the moment or on chance is not shown. traced: its trace
    hangs on neither."""
    key, value, headers = sent
    told = fixed.texts(headers)
    told |= {name: "(now)" for name in ("ce_recordedtime",) if name in told}
    if not traced and not told["ce_traceparent"].startswith(TRACE[:7]):
        told["ce_traceparent"] = "(made up)"
    return {"key": key.decode(), "headers": told, "value_sha": fixed.sha(value)}
