"""Makes the gateway's application without a broker, and a client of it."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from hub.avro.codec import Codec
from hub.config import GatewaySettings, Settings
from hub.control.keys import KeyRing, digest
from hub.control.records import Organisation
from hub.gateway.app import build
from hub.gateway.holders import Holders
from hub.gateway.ingest import Ingest
from hub.gateway.sender import Sender
from hub.ingress.acknowledged import Acknowledged
from hub.kafka.batches import KeyedLine
from tests.support.codecs import fixed_codec

SOURCE = "urn:vn:gov:H11.12:motcua"
ORG = Organisation(name="motcua", sources=(SOURCE,), agencies=("H11.12",), key_hashes=(digest("hub_k"),))


class Broker(Sender):
    """Acknowledges at once, or fails as told."""

    def __init__(self, error: Exception | None = None, max_bytes: int = 10**9) -> None:
        super().__init__(None, "hub.ingress", max_bytes)
        self.lines: list[KeyedLine] = []
        self.error = error

    async def send(self, lines: Sequence[KeyedLine], owner: str = "") -> None:
        if self.error:
            raise self.error
        self.lines += lines


def client(broker: Broker, codec: Codec | None = None, organisation: Organisation = ORG) -> httpx.AsyncClient:
    """Speaks for that organisation, whose key is ORG's."""
    ingest = Ingest(codec or fixed_codec(), broker, Acknowledged(8))
    app = build(Settings(), Holders(GatewaySettings(), KeyRing([organisation])), ingest, broker)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers={"x-api-key": "hub_k"})
