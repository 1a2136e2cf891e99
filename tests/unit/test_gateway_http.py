"""The gateway's application without a broker: whatever is posted gets a 2xx or a 4xx, never a 500."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access.control import Organisation
from hub.access.keys import KeyRing, digest
from hub.config import Settings
from hub.errors import RegistryError
from hub.intake.app import build
from hub.intake.ingest import Ingest
from hub.intake.seen import Seen
from hub.intake.sender import BrokerAway, Line, Overloaded, Sender
from hub.wire.codec import Codec
from tests.support.codecs import IDS, fixed_codec
from tests.support.gateway import BATCH, STRUCTURED, event, step

SOURCE = "urn:vn:gov:H11.12:motcua"
ORG = Organisation(name="motcua", sources=(SOURCE,), agencies=("H11.12",), key_hashes=(digest("hub_k"),))


class Broker(Sender):
    """Acknowledges at once, or fails as told."""

    def __init__(self, error: Exception | None = None, max_bytes: int = 10**9) -> None:
        super().__init__(None, "hub.ingress", max_bytes)  # type: ignore[arg-type]
        self.lines: list[Line] = []
        self.error = error

    async def send(self, lines: Sequence[Line]) -> None:
        if self.error:
            raise self.error
        self.lines += lines


def client(broker: Broker, codec: Codec | None = None) -> httpx.AsyncClient:
    ingest = Ingest(codec or fixed_codec(), broker, Seen(8))
    app = build(Settings(), KeyRing([ORG]).holder, ingest, broker)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers={"x-api-key": "hub_k"})


def post(content: bytes, headers: dict[str, str], broker: Broker | None = None) -> httpx.Response:
    async def once() -> httpx.Response:
        async with client(broker or Broker()) as http:
            return await http.post("/v1/events", content=content, headers=headers)

    return asyncio.run(once())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)
NAMES = "id source type subject time specversion data datacontenttype traceparent data_base64 x X-Y"
ATTRIBUTES = st.sampled_from(NAMES.split())
NEARLY = st.builds(
    lambda base, changes, gone: {k: v for k, v in (base | changes).items() if k not in gone},
    st.builds(lambda: event(SOURCE)),
    st.dictionaries(ATTRIBUTES, ANYTHING, max_size=3),
    st.sets(ATTRIBUTES, max_size=1),
)
HEADERS = st.dictionaries(
    st.sampled_from([*["ce-id", "ce-source", "ce-type", "ce-specversion", "ce-time", "ce-x", "traceparent"]]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)  # fmt: skip
SLOW = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(st.lists(NEARLY | ANYTHING, max_size=5))
def test_any_batch_is_answered_event_by_event(batch: list[Any]) -> None:
    broker = Broker()
    answer = post(json.dumps(batch).encode(), BATCH, broker)
    assert answer.status_code in (200, 202, 400, 403, 413)
    if "results" in answer.json():
        results = answer.json()["results"]
        assert [r["index"] for r in results] == list(range(len(batch)))
        assert len(broker.lines) == sum(r["status"] == "accepted" for r in results)
        assert all(r["reason"] and r["detail"] for r in results if r["status"] == "rejected")
    else:
        assert answer.json()["code"] == "malformed"


@SLOW
@given(ANYTHING | NEARLY)
def test_any_json_is_answered(document: Any) -> None:
    assert post(json.dumps(document).encode(), STRUCTURED).status_code in (202, 400, 403, 413)


@SLOW
@given(st.binary(max_size=300), st.sampled_from([STRUCTURED, BATCH, {"content-type": "application/avro"}]), HEADERS)
def test_any_bytes_are_answered(body: bytes, kind: dict[str, str], headers: dict[str, str]) -> None:
    assert post(body, headers | kind).status_code in (202, 400, 403)


@SLOW
@given(st.binary(max_size=40), st.integers(0, 60))
def test_damaged_avro_is_answered(noise: bytes, at: int) -> None:
    value = fixed_codec().encode("vn.hub.DossierStep", step(occurred_at=1_795_483_800_000))
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": SOURCE, "ce-type": "vn.hub.dossier.step"}
    damaged = value[:at] + noise + value[at + len(noise) :]
    assert post(damaged, headers | {"content-type": "application/avro"}).status_code in (202, 400, 403)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BrokerAway("no"), 503, "unavailable"),
        (Overloaded("no"), 429, "overloaded"),
        (RegistryError("away"), 503, "unavailable"),
        (RuntimeError("a fault"), 500, "internal"),
    ],
)
def test_what_fails_behind_it(error: Exception, status: int, code: str) -> None:
    answer = post(json.dumps(event(SOURCE)).encode(), STRUCTURED, Broker(error))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("retry-after" in answer.headers) is (status in (429, 503))
    assert "a fault" not in answer.text


def test_what_was_not_acknowledged_is_no_duplicate_afterwards() -> None:
    async def tried() -> list[str]:
        broker = Broker(BrokerAway("no"))
        sent = event(SOURCE)
        out = []
        async with client(broker) as http:
            for error in (BrokerAway("no"), None, None):
                broker.error = error
                answer = await http.post("/v1/events", json=sent, headers=STRUCTURED)
                out.append(answer.json()["results"][0]["status"] if answer.is_success else "no")
        return out

    assert asyncio.run(tried()) == ["no", "accepted", "duplicate"]


def test_only_so_many_ids_are_remembered() -> None:
    seen = Seen(2)
    for id in ("a", "b", "c"):
        seen.acknowledged([("s", id, 1)])
    assert [("s", id, 1) in seen for id in ("a", "b", "c")] == [False, True, True]
    assert ("s", "c", 2) not in seen


def test_another_version_of_our_schema_is_looked_up() -> None:
    """Written with an id that is not ours: the codec's look-up says it is the same record."""
    own = fixed_codec()
    asked: list[int] = []

    def lookup(schema_id: int) -> Any:
        from hub.wire.codec import schema_json

        asked.append(schema_id)
        return schema_json("vn.hub.DossierStep")

    value = own.encode("vn.hub.DossierStep", step(occurred_at=1_795_483_800_000))
    value = value[:4] + b"\x63" + value[5:]

    async def sent() -> int:
        async with client(Broker(), Codec(IDS, lookup)) as http:
            headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": SOURCE, "ce-type": "vn.hub.dossier.step"}
            answer = await http.post(
                "/v1/events", content=value, headers=headers | {"content-type": "application/avro"}
            )
            return answer.status_code

    assert (asyncio.run(sent()), asked) == (202, [99])


def test_an_answer_of_rejections_does_not_repeat_personal_data() -> None:
    sent = event(SOURCE, step(applicant={"name": 912345678}))
    answer = post(json.dumps(sent).encode(), STRUCTURED)
    assert answer.json()["results"][0]["field"] == "data.applicant.name"
    assert "912345678" not in answer.text


def test_the_docs_page_tells_fields_and_answers_and_loads_nothing_from_elsewhere() -> None:
    async def read() -> str:
        async with client(Broker()) as http:
            return (await http.get("/docs")).text

    text = asyncio.run(read())
    for told in (
        "application/cloudevents-batch+json",
        "dossier_code",
        "MaHoSo",
        "RETURNED",
        "429",
        "/v1/organisations",
    ):
        assert told in text
    assert "<script" not in text
    assert "http://" not in text
    assert "https://" not in text
