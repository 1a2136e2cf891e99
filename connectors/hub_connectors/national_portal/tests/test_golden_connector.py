"""The connector against the golden messages: it must send exactly these requests and read these replies."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from hub.errors import Rejected, Retryable
from hub_connectors.national_portal.client import NationalPortalClient
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.tests.site import CODES, GOLDEN
from hub_connectors.national_portal.wire import WORDS
from tests.support.golden import Golden, assert_headers

golden = Golden(GOLDEN)
ADDRESS = "http://portal.test/XrdAdapter/RestService/forward/"
SESSION = "golden-session"


class Script(httpx.AsyncBaseTransport):
    """Answers with the golden replies, in order, and checks each request against its golden request."""

    def __init__(self, exchange: list[dict[str, Any]]) -> None:
        self.left = list(exchange)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.left, f"a call more than the golden file has: {request.content!r}"
        call = self.left.pop(0)
        _check(golden.request(call["request"]), request)
        reply = call["reply"]
        text = json.dumps(reply["body"]).replace("<session>", SESSION) if "body" in reply else reply["text"]
        return httpx.Response(reply["status"], headers=reply.get("headers"), content=text.encode())


def _check(wanted: dict[str, Any], request: httpx.Request) -> None:
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


async def _run(name: str) -> tuple[Script, Any]:
    """(the script, what came of it): the answer, or the verdict that was raised."""
    told = golden.load(name)
    base = ADDRESS if told["settings"].get("mode") != "wrapper" else "http://portal.test"
    settings = NationalPortalSettings(adapter_url=base, username="binhthuan", **told["settings"])
    script = Script(told["exchange"])
    secret = "" if settings.mode == "wrapper" else "golden-password"
    portal = NationalPortal(settings, secret, script)
    await portal.open()
    try:
        client = portal._opened()
        if told.get("do") == "open_session":
            return script, await client._session.token(client.login)
        await _given_session(client)
        if told.get("do") == "probe":
            await portal.probe()
            return script, None
        return script, await portal.deliver(golden.items(told))
    except (Retryable, Rejected) as verdict:
        return script, verdict
    finally:
        await portal.close()


async def _given_session(client: NationalPortalClient) -> None:
    """A session from before, so that the exchange begins with the call itself."""

    async def known() -> str:
        return SESSION

    await client._session.token(known)


@pytest.mark.parametrize("name", golden.names("connector"))
async def test_speaks_as_the_golden_messages(name: str) -> None:
    told = golden.load(name)
    script, outcome = await _run(name)
    assert script.left == [], f"calls not made; outcome {outcome!r}"
    verdict = told["verdict"]
    if verdict == "delivered":
        assert not isinstance(outcome, Exception), repr(outcome)
        for key, value in told.get("detail", {}).items():
            assert outcome.detail[key] == value
    elif "retryable" in verdict:
        assert isinstance(outcome, Retryable)
        assert (outcome.kind, outcome.retry_after) == (verdict["retryable"], verdict.get("retry_after"))
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.reason == verdict["rejected"]


def test_status_codes_are_those_of_the_notes() -> None:
    assert WORDS["status"] == CODES
