"""Answers calls of the connector with the golden replies and checks each request against its golden one."""

from __future__ import annotations

import json

import httpx

from hub.untyped import JsonObject
from hub_connectors.national_portal.client import NationalPortalClient
from hub_connectors.national_portal.tests.site import GOLDEN
from tests.support.golden import Golden, assert_headers

golden = Golden(GOLDEN)
ADDRESS = "http://portal.test/XrdAdapter/RestService/forward/"
SESSION = "golden-session"


class Script(httpx.AsyncBaseTransport):
    """Answers with the golden replies, in order, and checks each request against its golden request."""

    def __init__(self, exchange: list[JsonObject]) -> None:
        self.left = list(exchange)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.left, f"a call more than the golden file has: {request.content!r}"
        call = self.left.pop(0)
        _check(golden.request(call["request"]), request)
        reply = call["reply"]
        text = json.dumps(reply["body"]).replace("<session>", SESSION) if "body" in reply else reply["text"]
        return httpx.Response(reply["status"], headers=reply.get("headers"), content=text.encode())


def _check(wanted: JsonObject, request: httpx.Request) -> None:
    body = json.loads(request.content)
    if "lines" in wanted:
        assert body["service"] == wanted["service"]
        assert [line["ThoiDiemXuLy"] for line in body["data"]] == wanted["lines"]
        return
    assert (request.method, request.url.path) == (wanted["method"], wanted["path"])
    assert dict(request.url.params) == wanted.get("query", {})
    assert_headers(wanted.get("headers", {}), request.headers, wanted.get("absent_headers", ()))
    expected = json.loads(json.dumps(wanted["body"]).replace("<session>", SESSION))
    assert body == expected


async def given_session(client: NationalPortalClient) -> None:
    """A session from before, so that the exchange begins with the call itself."""

    async def known() -> str:
        return SESSION

    await client._session.token(known)
