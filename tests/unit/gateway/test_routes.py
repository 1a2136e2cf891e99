"""The events' route: one, Starlette's own, and told of in the OpenAPI document as FastAPI tells of its own."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.routing import Route

from hub.config import GatewaySettings, Settings
from hub.control.keys import KeyRing
from hub.gateway.app import build
from hub.gateway.holders import Holders
from hub.gateway.ingest import Ingest
from hub.ingress.acknowledged import Acknowledged
from tests.support.codecs import fixed_codec
from tests.support.gateway_app import Broker, client


def test_one_route_takes_events_whatever_their_number() -> None:
    broker = Broker()
    app = build(
        Settings(), Holders(GatewaySettings(), KeyRing([])), Ingest(fixed_codec(), broker, Acknowledged(8)), broker
    )
    taking = [route for route in app.routes if getattr(route, "path", "") == "/v1/events"]
    assert [type(route) for route in taking] == [Route]


def test_the_document_tells_of_it_first_and_as_ever() -> None:
    async def read() -> dict[str, object]:
        async with client(Broker()) as http:
            return (await http.get("/openapi.json")).json()

    document = asyncio.run(read())
    paths = document["paths"]
    assert isinstance(paths, dict)
    assert next(iter(paths)) == "/v1/events"
    operation = paths["/v1/events"]["post"]
    assert list(operation) == ["tags", "summary", "operationId", "requestBody", "responses", "security"]
    assert (operation["operationId"], operation["tags"]) == ("post_events_v1_events_post", ["events"])
    assert next(iter(operation["responses"])) == "202"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_405(method: str) -> None:
    async def ask() -> httpx.Response:
        async with client(Broker()) as http:
            return await http.request(method, "/v1/events")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
