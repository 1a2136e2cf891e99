"""Connector and simulator, each against the golden messages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from hub.control.records import Subscriber
from hub.errors import Rejected, Retryable
from hub.untyped import JsonObject
from hub_connectors.webhook.portal import WebhookPortal, read_signers
from hub_connectors.webhook.settings import WebhookSettings
from hub_connectors.webhook.simulator.signature import fault, key_of
from hub_connectors.webhook.tests.site import GOLDEN, SECRET, provincial_site
from tests.support.golden import Golden, assert_headers

golden = Golden(GOLDEN)


def _transport(told: JsonObject, seen: list[httpx.Request]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        reply = told["exchange"][len(seen)]["reply"]
        seen.append(request)
        return httpx.Response(reply["status"], headers=reply.get("headers"), text=reply.get("text", ""))

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("name", golden.names("connector"))
async def test_connector_speaks_as_the_golden_messages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = golden.load(name)
    monkeypatch.setattr("time.time", lambda: told["now"] + 0.25)
    seen: list[httpx.Request] = []
    settings = WebhookSettings(url="http://portal.test/webhooks/hub")
    signers = read_signers(Subscriber(name="tinh", kind="webhook", secrets=told["secrets"]))
    portal = WebhookPortal(settings, signers, _transport(told, seen))
    await portal.open()
    outcome: Exception | None = None
    try:
        await portal.deliver(golden.items(told))
    except (Retryable, Rejected) as verdict:
        outcome = verdict
    finally:
        await portal.close()
    assert len(seen) == len(told["exchange"])
    for request, call in zip(seen, told["exchange"], strict=True):
        wanted = call["request"]
        assert (request.method, request.url.path) == (wanted["method"], wanted["path"])
        assert_headers(wanted["headers"], request.headers)
        assert request.content.decode() == wanted["body_text"]
    _check_verdict(told["verdict"], outcome)


def _check_verdict(wanted: Any, outcome: Exception | None) -> None:
    if wanted == "delivered":
        assert outcome is None
    elif "retryable" in wanted:
        assert isinstance(outcome, Retryable)
        assert outcome.kind == wanted["retryable"]
        assert outcome.retry_after == pytest.approx(wanted.get("retry_after"), abs=1)
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.reason == wanted["rejected"]


@pytest.mark.parametrize("name", golden.names("simulator"))
async def test_simulator_answers_as_the_golden_messages(name: str, tmp_path: Path) -> None:
    told = golden.load(name)
    secrets = told.get("simulator", {}).get("secrets", [told["secrets"]["signing"]])
    async with (
        provincial_site(tmp_path, secrets, tolerance_s=0) as site,
        httpx.AsyncClient(base_url=site.url, trust_env=False) as http,
    ):
        for call in told["exchange"]:
            wanted = call["request"]
            reply = await http.post(wanted["path"], headers=wanted["headers"], content=wanted["body_text"].encode())
            assert reply.status_code == call["reply"]["status"]
        if kept := told.get("kept"):
            found = site.rows("SELECT count(*), coalesce(sum(receptions), 0) FROM events")
            assert found == [(kept["events"], kept["receptions"])]


def test_published_vector_fits_library_and_simulator() -> None:
    told = golden.load("01_signature_vector")
    moment = datetime.fromtimestamp(told["timestamp"], UTC)
    assert Webhook(told["secret"]).sign(told["id"], moment, told["body_text"]) == told["signature"]
    headers = {
        "webhook-id": told["id"],
        "webhook-timestamp": str(told["timestamp"]),
        "webhook-signature": told["signature"],
    }
    body = told["body_text"].encode()
    assert fault(headers, body, [key_of(told["secret"])], 0) == ""
    assert fault(headers, body + b" ", [key_of(told["secret"])], 0) == "no signature fits"
    assert fault(headers, body, [key_of(told["secret"])], 300) == "webhook-timestamp is too far from now"
    assert told["secret"] == SECRET
