"""Half of a surrogate pair at each door that reads JSON: 4xx, never 500, and nothing is written."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from hub.config import GatewaySettings, Settings
from hub.connect.inbound import installed
from hub.control.keys import KeyRing
from hub.gateway.app import build
from hub.gateway.holders import Holders
from hub.gateway.inbound import GatewayHost, mount
from hub.gateway.ingest import Ingest
from hub.ingress.acknowledged import Acknowledged
from hub.registry.server.api import app as registry_app
from hub.registry.server.service import Registry
from hub.registry.server.users import Users
from tests.support.codecs import fixed_codec
from tests.support.gateway_app import ORG, Broker
from tests.support.memory_log import MemoryLog

INBOUND = "/inbound/national-portal/"
VALUE = b'{"masohoso": "a\\ud800", "refId": "\\udc00", "name": "\\ud800", "schema": "\\ud800"}'
NAME = b'{"\\ud800": 1}'
DEEP = b'{"a": [{"\\ud800": "x"}]}'


@pytest.mark.parametrize("body", [VALUE, NAME, DEEP])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (INBOUND + door, "application/json")
        for door in ("addtthcKhuyenMai", "nhanhsdvcqg", "nhantbthuedvcqg", "search/call")
    ]
    + [("/v1/events", "application/cloudevents+json"), ("/v1/organisations", "application/json")],
)
async def test_at_the_gateway(path: str, kind: str, body: bytes) -> None:
    settings = Settings(
        inbound={"national-portal": {"clients": ["127.0.0.1"]}}, gateway=GatewaySettings(admin_token=SecretStr("t"))
    )
    broker, codec = Broker(), fixed_codec()
    app = build(settings, Holders(GatewaySettings(), KeyRing([ORG])), Ingest(codec, broker, Acknowledged(8)), broker)
    mount(app, installed(settings), GatewayHost(codec, broker, lambda _: None, 10_000))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    key = "t" if path.endswith("organisations") else "hub_k"
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.post(path, content=body, headers={"content-type": kind, "x-api-key": key})
    assert 400 <= answer.status_code < 500, answer.text
    assert broker.lines == []


@pytest.mark.parametrize("body", [VALUE, NAME, DEEP])
async def test_at_the_registry(body: bytes) -> None:
    log = MemoryLog()
    users = Users({"operator": "pw"}, {"operator": "all"}, True)
    transport = httpx.ASGITransport(registry_app(Registry(log), users), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry", auth=("operator", "pw")) as client:
        for method, path in (("POST", "/subjects/t/versions"), ("POST", "/subjects/t"), ("PUT", "/mode")):
            answer = await client.request(method, path, content=body, headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500, answer.text
    assert log.records == []
