"""The gateway's application without a broker: whatever is posted gets a 2xx or a 4xx, never a 500."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from fastavro import _read_py
from fastavro.io.binary_decoder import BinaryDecoder
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hub.avro.codec import Codec
from hub.avro.generic import parsed
from hub.errors import BadRecord, BrokerAway, Overloaded, RegistryError
from hub.ingress.acknowledged import Acknowledged
from hub.model import codes
from tests.support.codecs import IDS, fixed_codec
from tests.support.gateway import BATCH, STRUCTURED, event, step
from tests.support.gateway_app import ORG, SOURCE, Broker, client


def post(content: bytes, headers: dict[str, str], broker: Broker | None = None) -> httpx.Response:
    async def once() -> httpx.Response:
        async with client(broker or Broker()) as http:
            return await http.post("/v1/events", content=content, headers=headers)

    return asyncio.run(once())


FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=20),
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
SLOW = settings(max_examples=150)
FEWER = settings(SLOW, max_examples=50)


def agrees(answer: httpx.Response, broker: Broker, count: int) -> list[dict[str, Any]]:
    """The status follows from what became of the `count` events (docs/intake.md), and the broker has those accepted."""
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [r["index"] for r in results] == list(range(count))
    refused = [r for r in results if r["status"] == "rejected"]
    assert len(broker.lines) == sum(r["status"] == "accepted" for r in results) == count - len(refused)
    assert all(r["reason"] and r["detail"] for r in refused)
    if len(refused) == count:
        of_reason = {"right": (403, "forbidden"), "limit": (413, "too_large")}
        answers = {of_reason.get(r["reason"], (400, "rejected")) for r in refused}
        expected = answers.pop() if len(answers) == 1 else (400, "rejected")
        assert (answer.status_code, answer.json()["code"]) == expected
    else:
        assert answer.status_code == (200 if refused else 202)
    return results


@SLOW
@given(st.lists(NEARLY | ANYTHING, min_size=1, max_size=5), st.none() | st.integers(0, 5))
def test_any_batch_is_answered_event_by_event(batch: list[Any], place: int | None) -> None:
    """A good event put in its midst is taken, whatever stands around it."""
    broker, good = Broker(), event(SOURCE)
    mixed = batch if place is None else [*batch[:place], good, *batch[place:]]
    results = agrees(post(json.dumps(mixed).encode(), BATCH, broker), broker, len(mixed))
    if place is not None:
        place = min(place, len(batch))
        assert results[place] == {"index": place, "id": good["id"], "status": "accepted"}


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"7", b'"x"', b"[", b"", b"[NaN]", b"[1e999]", b"\xff[]"])
def test_a_body_that_is_no_batch_is_malformed(body: bytes) -> None:
    answer = post(body, BATCH)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "results" not in answer.json()


@FEWER
@given(ANYTHING)
def test_json_that_is_no_event_is_refused_for_its_envelope(document: Any) -> None:
    if isinstance(document, dict):
        document = document | {"data": {}}  # or it would be refused for want of data
    answer = post(json.dumps(document).encode(), STRUCTURED)
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (400, "rejected", "envelope")


@SLOW
@given(NEARLY)
def test_nearly_an_event_is_answered_by_what_became_of_it(document: Any) -> None:
    broker = Broker()
    agrees(post(json.dumps(document).encode(), STRUCTURED, broker), broker, 1)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, 202, ""),
        ({"subject": "H11.12-261124-0001"}, 202, ""),
        ({"subject": "H11.12-261124-0002"}, 400, "key"),  # not the code that stands in data
        ({"subject": None}, 202, ""),  # null is left out (CloudEvents, JSON format 3.1)
        ({"id": None}, 400, "envelope"),
        ({"id": ""}, 400, "envelope"),
        ({"id": 7}, 202, ""),
        ({"source": "urn:vn:gov:H11.13:motcua"}, 403, "right"),
        ({"source": None}, 400, "envelope"),
        ({"type": "vn.hub.dossier.event"}, 400, "envelope"),  # what the hub publishes; agencies send .step
        ({"type": None}, 400, "envelope"),
        ({"specversion": "0.3"}, 400, "envelope"),
        ({"specversion": 1.0}, 400, "envelope"),  # the specification's value is a string
        ({"time": "yesterday"}, 400, "date"),
        ({"time": "2026-11-24T08:30:00+07:00"}, 202, ""),
        ({"traceparent": "no trace"}, 202, ""),  # W3C Trace Context: begun anew, not refused
        ({"x": "an extension"}, 202, ""),
        ({"x": [1]}, 400, "envelope"),
        ({"X-Y": "no name"}, 400, "envelope"),
        ({"datacontenttype": "text/plain"}, 400, "envelope"),
        ({"data_base64": "e30="}, 400, "envelope"),
        ({"data": None}, 400, "missing_field"),
        ({"data": step("H11.13-261124-0001")}, 403, "right"),
        ({"data": step("H11.12-26112-0001")}, 400, "code"),
        ({"x": "y" * 1_025}, 413, "limit"),
    ],
)
def test_each_fault_of_an_event_has_its_answer(changes: dict[str, Any], status: int, reason: str) -> None:
    broker = Broker()
    answer = post(json.dumps(event(SOURCE) | changes).encode(), STRUCTURED, broker)
    (result,) = agrees(answer, broker, 1)
    assert (answer.status_code, result.get("reason", "")) == (status, reason)


def is_json(body: bytes) -> bool:
    try:
        json.loads(body.decode(), parse_constant=lambda name: 1 / 0)
    except (ValueError, ZeroDivisionError):
        return False
    return True


@FEWER
@given(st.binary(max_size=300), st.sampled_from([STRUCTURED, BATCH]), HEADERS)
def test_bytes_that_are_no_json_are_malformed(body: bytes, kind: dict[str, str], headers: dict[str, str]) -> None:
    assume(not is_json(body))
    answer = post(body, headers | kind)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@FEWER
@given(st.binary(max_size=300), HEADERS)
def test_bytes_without_the_attributes_of_an_event_are_refused(body: bytes, headers: dict[str, str]) -> None:
    """None of the drawn types is one that agencies may send."""
    answer = post(body, headers | {"content-type": "application/avro"})
    assert (answer.status_code, answer.json()["code"]) == (400, "rejected")


ATTRIBUTES_OF_A_STEP = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": SOURCE, "ce-type": "vn.hub.dossier.step",
                        "content-type": "application/avro"}  # fmt: skip
AVRO = fixed_codec().encode("vn.hub.DossierStep", step(occurred_at=1_795_483_800_000))


class Strict(BinaryDecoder):
    """fastavro's decoder without what it lets through: it takes any byte for true, and -1 for the last symbol."""

    def read_long(self) -> int:
        number: int = super().read_long()
        if not -(2**63) <= number < 2**63:
            raise ValueError("more than 64 bits")
        return number

    def read_boolean(self) -> bool:
        return {b"\0": False, b"\1": True}[self.fo.read(1)]

    def read_enum(self) -> int:
        number = self.read_long()
        if number < 0:
            raise ValueError("no such symbol")
        return number

    def read_index(self) -> int:
        return {b"\0": 0, b"\2": 1}[self.fo.read(1)]

    def read_utf8(self, handle_unicode_errors: str = "strict") -> str:
        size = self.read_long()
        raw: bytes = self.fo.read(max(size, 0))
        if len(raw) != size:
            raise EOFError
        return raw.decode()


def code_in(value: bytes) -> str | None:
    """The dossier's code as fastavro alone reads it; None if these are not the bytes of one whole DossierStep."""
    body = io.BytesIO(value[5:])
    if value[:5] != AVRO[:5]:
        return None
    try:
        with patch.object(_read_py, "BinaryDecoder", Strict):
            datum = _read_py.schemaless_reader(body, parsed("vn.hub.DossierStep"), None)
    except Exception:  # fastavro raises whatever comes
        return None
    assert isinstance(datum, dict)
    return None if body.read() else datum["dossier_code"]


def answer_for(code: str | None) -> int:
    try:
        agency = codes.dossier(code or "").agency
    except BadRecord:
        return 400
    return 202 if codes.covers(ORG.agencies, agency) else 403


@SLOW
@given(st.binary(max_size=40), st.integers(0, 60))
@example(noise=b"\2", at=31)  # neither true nor false
@example(noise=b"\1", at=24)  # the symbol before the first
def test_damaged_avro_is_answered_by_what_can_be_read(noise: bytes, at: int) -> None:
    damaged = AVRO[:at] + noise + AVRO[at + len(noise) :]
    broker = Broker()
    answer = post(damaged, ATTRIBUTES_OF_A_STEP, broker)
    agrees(answer, broker, 1)
    assert answer.status_code == answer_for(code_in(damaged))
    assert [line[1] for line in broker.lines] == [damaged] * (answer.status_code == 202)


@pytest.mark.parametrize(
    ("damaged", "status", "reason"),
    [
        (AVRO, 202, ""),
        (b"", 400, "truncated"),
        (AVRO[:5], 400, "truncated"),
        (b"\x01" + AVRO[1:], 400, "magic_byte"),  # the wire format's first byte is zero
        (AVRO[:4] + b"\x63" + AVRO[5:], 400, "schema_id"),  # no schema has this id
        (AVRO[:-1], 400, "truncated"),
        (AVRO + b"\x00", 400, "avro"),
        (AVRO.replace(b"H11.12", b"H11.13"), 403, "right"),
        (AVRO.replace(b"H11.12", b"H11/12"), 400, "code"),
        (AVRO.replace(b"H11.12", b"H11.1\xff"), 400, "utf8"),
    ],
)
def test_each_damage_of_avro_has_its_answer(damaged: bytes, status: int, reason: str) -> None:
    broker = Broker()
    answer = post(damaged, ATTRIBUTES_OF_A_STEP, broker)
    (result,) = agrees(answer, broker, 1)
    assert (answer.status_code, result.get("reason", "")) == (status, reason)


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
    seen = Acknowledged(2)
    for id in ("a", "b", "c"):
        seen.acknowledged([("s", id, 1)])
    assert [("s", id, 1) in seen for id in ("a", "b", "c")] == [False, True, True]
    assert ("s", "c", 2) not in seen


def test_another_version_of_our_schema_is_looked_up() -> None:
    """Written with an id that is not ours: the codec's look-up says it is the same record."""
    own = fixed_codec()
    asked: list[int] = []

    def lookup(schema_id: int) -> Any:
        from hub.avro.generic import schema_json

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
