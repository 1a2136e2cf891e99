"""One event, whichever door it comes through: the same record of hub.ingress, or the same reason and field.

Each row names the doors that the event can come through; WHY_NOT says why not through the others.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import orjson
import pytest

from hub.avro.bodies import BODIES
from hub.avro.generic import encode_body
from hub.connect.source import Incoming
from hub.control.keys import digest
from hub.control.records import Organisation
from hub.deadletter.record import parse
from hub.errors import BadRecord
from hub.events.envelope import Envelope
from hub.events.families import BY_PUBLISHED, DOSSIER, PROCEDURE, SERVICE
from hub.gateway.inbound import GatewayHost
from hub.gateway.ingest import Ingest
from hub.ingress import cloudevents, record
from hub.ingress.record import Builder
from hub.intake.agency_record import Judge
from hub.kafka.batches import KeyedLine
from hub.kafka.topics import INGRESS
from hub.sources.role import event_record
from tests.support.codecs import IDS, fixed_codec
from tests.support.gateway_app import Broker, client

CODEC = fixed_codec()
SOURCE = "urn:vn:gov:H11.12:motcua"
ORG = Organisation(
    name="motcua", sources=(SOURCE,), agencies=("H11.12",), families=("dossier", "procedure", "service"),
    key_hashes=(digest("hub_k"),),
)  # fmt: skip
JOINT = ORG.model_copy(update={"agencies": ("G12",), "joint": True})
RECORDED = "2026-11-24T01:30:00.000Z"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CODE = "H11.12-261124-0001"
AT = 1_795_489_200_000

ALL = ("json", "avro", "topic", "source", "portal")
SPOKEN = ("json", "avro", "topic")
BYTES = ("avro", "topic")
TEXT = ("json",)
KAFKA = ("topic",)
WHY_NOT = {
    ALL: "",
    SPOKEN: "a connector of the hub's own needs no right and makes its attributes itself",
    BYTES: "the value is made by the hub itself, or is no bytes",
    TEXT: "only JSON can say it; the word of a newer schema and seconds are refused of the others by the core",
    KAFKA: "only a record of Kafka has a key",
}


@dataclass(frozen=True)
class Row:
    """wanted: (reason, field), or nothing of a good event. data: what differs from the least step. whole: all of it."""

    wanted: tuple[str, str] | None = None
    doors: tuple[str, ...] = ALL
    data: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    whole: Any = None
    value: bytes | None = None
    key: bytes | None = None
    organisation: Organisation = ORG
    told: dict[str, str] = field(default_factory=dict)
    """Extensions that the hub adds."""

    def datum(self) -> Any:
        least = {"dossier_code": CODE, "step": "RECEIVED", "occurred_at": AT}
        return least | self.data if self.whole is None else self.whole

    def head(self) -> dict[str, Any]:
        head = {"specversion": "1.0", "id": "e-1", "source": SOURCE, "type": DOSSIER.published} | self.attributes
        return {name: value for name, value in head.items() if value is not None}

    def bytes(self) -> bytes:
        name = BY_PUBLISHED.get(self.head().get("type", ""), DOSSIER).published_record
        return self.value or CODEC.with_head(name, encode_body(name, self.datum()))


ENTRY = {"procedure_code": "1.004194", "change": "PUBLISHED", "occurred_at": AT, "name": "Cấp phép xây dựng"}
OFFER = {"service_code": "1.004194.01", "change": "AMENDED", "occurred_at": AT, "level": 4, "channels": ["dvcqg"]}
FULL: dict[str, Any] = {
    "handler": {"name": "Nguyễn Thị Minh", "title": None, "department": "Một cửa"},
    "applicant": {"name": "Trần Văn Hùng", "kind": "BUSINESS", "identity_number": "060090001234"},
    "attachments": [{"id": "F-1", "name": "đơn.pdf", "url": "https://files.example.vn/F-1", "digitised": True}],
    "fees": [{"code": "LP01", "name": "Lệ phí", "amount_vnd": 15_000, "paid": True}],
    "transfer_limit": 1.5, "transfer_limit_unit": "Giờ", "due_at": AT + 86_400_000, "channel": "POST",
}  # fmt: skip
PROCEDURE_HEAD = {"type": PROCEDURE.published}
SERVICE_HEAD = {"type": SERVICE.published}
GOOD = Row().bytes()

ROWS: dict[str, Row] = {
    # good
    "least": Row(),
    "with everything": Row(data=FULL),
    "subject given": Row(attributes={"subject": CODE}),
    "time given": Row(attributes={"time": "2026-11-24T08:30:00+07:00"}),
    "causation": Row(attributes={"causationid": "e-0"}),
    "old form of the code": Row(data={"dossier_code": "000.00.12.H11-261124-0001"}),
    "day of eight digits": Row(data={"dossier_code": "H11.12-20261124-0092637"}),
    "office below": Row(data={"dossier_code": "H11.12.3-261124-0001"}),
    "nulls": Row(data={"note": None, "handler": None, "due_at": None}),
    "empty text and lists": Row(data={"note": "", "fees": [], "attachments": []}),
    "every length of text": Row(data={"note": "ấ" * 700, "abstract": "x" * 63, "remark": "x" * 64}),
    "not composed, and beyond the plane": Row(data={"note": "ệ 𐐷 \u0000"}),
    "largest numbers": Row(data={"rating": 2**31 - 1, "fees": [FULL["fees"][0] | {"amount_vnd": -(2**63)}]}),
    "a whole number for a fraction": Row(data={"transfer_limit": 3}),
    "a procedure": Row(whole=ENTRY, attributes=PROCEDURE_HEAD),
    "a procedure of its own agency": Row(whole=ENTRY | {"agency_code": "H11.12.1"}, attributes=PROCEDURE_HEAD),
    "a service": Row(whole=OFFER, attributes=SERVICE_HEAD),
    "another's dossier, by a joint organisation": Row(
        doors=SPOKEN, organisation=JOINT, told={"authagencies": "G12"}),
    "an extension": Row(attributes={"ordernumber": "7"}),
    "what only the hub may say": Row(
        doors=SPOKEN, attributes={"authid": "x", "origin": "x", "replayof": "x", "recordedtime": "x"}),
    "a word of a newer schema": Row(doors=("avro", "topic", "source", "portal"), data={"step": "UNKNOWN"}),
    # bad, whoever brings it
    "no code": Row(("missing_field", "data.dossier_code"), data={"dossier_code": ""}),
    "a code of nothing": Row(("code", "data.dossier_code"), data={"dossier_code": "12345"}),
    "a code of no day": Row(("code", "data.dossier_code"), data={"dossier_code": "H11.12-260231-0001"}),
    "no procedure's code": Row(
        ("missing_field", "data.procedure_code"), whole=ENTRY | {"procedure_code": ""}, attributes=PROCEDURE_HEAD),
    "no service's code": Row(
        ("missing_field", "data.service_code"), whole=OFFER | {"service_code": ""}, attributes=SERVICE_HEAD),
    "subject of another": Row(("key", "subject"), attributes={"subject": "H11.12-261124-0002"}),
    "unheard-of type": Row(("envelope", "type"), attributes={"type": "vn.hub.dossier.event"}),
    "too large": Row(("limit", "data"), data={"note": "x" * 1_048_000}),
    # bad by right
    "another's source": Row(("right", "source"), SPOKEN, attributes={"source": "urn:other"}),
    "another's dossier": Row(("right", "data.dossier_code"), SPOKEN, data={"dossier_code": "H11.13-261124-0001"}),
    "another's procedure": Row(
        ("right", "data.agency_code"), SPOKEN, whole=ENTRY | {"agency_code": "H11.13"}, attributes=PROCEDURE_HEAD),
    "agency of nothing": Row(
        ("code", "agency_code"), SPOKEN, whole=OFFER | {"agency_code": "?"}, attributes=SERVICE_HEAD),
    "another family": Row(
        ("right", "type"), SPOKEN, organisation=ORG.model_copy(update={"families": ("service",)})),
    # bad attributes
    "no id": Row(("envelope", "id"), SPOKEN, attributes={"id": None}),
    "no source": Row(("envelope", "source"), SPOKEN, attributes={"source": None}),
    "no type": Row(("envelope", "type"), SPOKEN, attributes={"type": None}),
    "another version": Row(("envelope", "specversion"), SPOKEN, attributes={"specversion": "0.3"}),
    "long id": Row(("limit", "id"), SPOKEN, attributes={"id": "x" * 1_025}),
    "control character": Row(("envelope", "id"), SPOKEN, attributes={"id": "a\tb"}),
    "no time": Row(("date", "time"), SPOKEN, attributes={"time": "yesterday"}),
    "long extension": Row(("limit", "ordernumber"), SPOKEN, attributes={"ordernumber": "x" * 1_025}),
    "a list for an id": Row(("envelope", "id"), TEXT, attributes={"id": []}),
    "data in base64": Row(("envelope", "data_base64"), TEXT, attributes={"data_base64": "AA=="}),
    "content of another kind": Row(("envelope", "datacontenttype"), TEXT, attributes={"datacontenttype": "text/xml"}),
    # bad bytes
    "wrong magic byte": Row(("magic_byte", ""), BYTES, value=b"\1" + GOOD[1:]),
    "unknown schema": Row(("schema_id", ""), BYTES, value=b"\0\0\0\3\xe7" + GOOD[5:]),
    "another record's schema": Row(
        ("schema_mismatch", ""), BYTES, value=b"\0" + IDS["vn.hub.Delivery"].to_bytes(4, "big") + GOOD[5:]),
    "cut short": Row(("truncated", ""), BYTES, value=GOOD[:-1]),
    "bytes after it": Row(("avro", ""), BYTES, value=GOOD + b"\0"),
    "not UTF-8": Row(("utf8", ""), BYTES, value=GOOD.replace(b"H11", b"H\xff1")),
    "a kind that is none": Row(("avro", ""), BYTES, value=GOOD.replace(CODE.encode() + b"\2", CODE.encode() + b"\x01")),
    "key of another": Row(("key", "key"), KAFKA, key=b"H11.12-261124-0002"),
    # bad JSON
    "a field that is not there": Row(("unknown_field", "data"), TEXT, data={"dosier_code": CODE}),
    "a field that is missing": Row(
        ("missing_field", "data.step"), TEXT, whole={"dossier_code": CODE, "occurred_at": AT}),
    "text for a number": Row(("type", "data.rating"), TEXT, data={"rating": "5"}),
    "true for a number": Row(("type", "data.rating"), TEXT, data={"rating": True}),
    "a number out of its bounds": Row(("type", "data.rating"), TEXT, data={"rating": 2**31}),
    "null where none may be": Row(("type", "data.correction"), TEXT, data={"correction": None}),
    "an unknown word": Row(("status", "data.step"), TEXT, data={"step": "Tiếp nhận"}),
    "the word of a newer schema, posted": Row(("status", "data.step"), TEXT, data={"step": "UNKNOWN"}),
    "no such day": Row(("date", "data.due_at"), TEXT, data={"due_at": "2026-02-30T08:00:00Z"}),
    "seconds": Row(("date", "data.due_at"), TEXT, data={"due_at": 1_795_489_200}),
    "a list for the data": Row(("type", "data"), TEXT, whole=[]),
}  # fmt: skip

Outcome = tuple[str, str, str] | KeyedLine
"""(reason, detail, field) or (key, value, headers)."""


def taken(outcome: Outcome) -> KeyedLine:
    key, value, headers = outcome
    assert isinstance(key, bytes), outcome
    assert isinstance(value, bytes), outcome
    assert isinstance(headers, list), outcome
    return key, value, headers


def through(door: str, row: Row) -> Outcome:
    try:
        return DOOR[door](row)
    except BadRecord as error:
        return error.reason, error.detail, error.field


def _posted(row: Row, binary: bool) -> Outcome:
    """Over the gateway's own HTTP application."""
    broker = Broker()
    if binary:
        head = {f"ce-{name}": quote(value) for name, value in row.head().items()}
        headers, content = head | {"content-type": "application/avro"}, row.bytes()
    else:
        headers = {"content-type": "application/cloudevents+json"}
        content = orjson.dumps(row.head() | {"data": row.datum()})

    async def once() -> httpx.Response:
        spoken = row.organisation.model_copy(update={"key_hashes": ORG.key_hashes})
        async with client(broker, CODEC, spoken) as http:
            return await http.post("/v1/events", content=content, headers=headers | {"traceparent": TRACE})

    (result,) = asyncio.run(once()).json()["results"]
    if result["status"] == "rejected":
        return result["reason"], result["detail"], result["field"]
    (line,) = broker.lines
    return line


def _topic(row: Row) -> Outcome:
    headers = [(f"ce_{name}", value.encode()) for name, value in row.head().items()]
    head, datum = row.head(), row.datum()
    family = BY_PUBLISHED.get(head.get("type", ""), DOSSIER)
    key = row.key if row.key is not None else datum[family.code].encode()
    _, made, value, sent = Judge(CODEC).ingress(row.organisation, key, row.bytes(), headers)
    return made, value, list(sent)


def _incoming(row: Row) -> Incoming:
    head = row.head()
    own = {name: head.pop(name, "") for name in ("id", "source", "type", "subject", "time", "causationid")}
    del head["specversion"]
    body = BODIES[BY_PUBLISHED.get(own["type"], DOSSIER).published_record]
    return Incoming(Envelope(**own, extensions=head), msgspec.convert(row.datum(), body.record))


def _source(row: Row) -> Outcome:
    topic, key, value, headers = event_record(_incoming(row), Builder(CODEC, None, RECORDED))
    if topic == INGRESS:
        assert key is not None
        assert value is not None
        return key, value, headers
    letter = parse(key, value, headers)
    return letter.reason, letter.detail, letter.field


def _portal(row: Row) -> Outcome:
    broker = Broker()
    assert asyncio.run(GatewayHost(CODEC, broker, lambda _: None, 1).accept([_incoming(row)], RECORDED)) == [True]
    (line,) = broker.lines
    return line


DOOR = {
    "json": lambda row: _posted(row, binary=False),
    "avro": lambda row: _posted(row, binary=True),
    "topic": _topic,
    "source": _source,
    "portal": _portal,
}
BY_THE_DOOR = {"ce_recordedtime", "ce_traceparent", "ce_authid", "ce_authagencies"}


def test_there_are_sixty_events_and_each_door_has_good_and_bad_ones() -> None:
    assert len(ROWS) >= 60
    for door in ALL:
        assert {row.wanted is None for row in ROWS.values() if door in row.doors} == {True, False}


@pytest.mark.parametrize("name", ROWS)
def test_an_event_has_the_same_fate_at_every_door(name: str) -> None:
    row = ROWS[name]
    found = {door: through(door, row) for door in row.doors}
    if row.wanted is not None:
        for door, outcome in found.items():
            assert outcome[0] == row.wanted[0], (door, outcome)
            assert outcome[2] == row.wanted[1], (door, outcome)
        if row.doors != SPOKEN:  # where an attribute is missing, Kafka's words name the header
            words = {re.sub(r"has \d+ bytes", "has so many bytes", str(outcome[1])) for outcome in found.values()}
            assert len(words) == 1, found
        return
    lines = {door: taken(outcome) for door, outcome in found.items()}
    first = lines[row.doors[0]]
    assert first[0] == row.datum()[BY_PUBLISHED[row.head()["type"]].code].encode()
    assert first[1] == row.bytes()
    for door, (key, value, headers) in lines.items():
        assert (key, value) == first[:2], door
        assert {pair for pair in headers if pair[0] not in BY_THE_DOOR} == {
            pair for pair in first[2] if pair[0] not in BY_THE_DOOR
        }
        assert dict(headers)["ce_traceparent"]
        assert ("ce_authid" in dict(headers)) == (door in SPOKEN)
        assert row.told.items() <= {(n.removeprefix("ce_"), v.decode()) for n, v in headers}


def test_one_bad_event_never_fails_its_batch() -> None:
    """All that can come in JSON from one sender, in one request, a good one behind each: each has its own verdict."""
    rows = [row for row in ROWS.values() if "json" in row.doors and row.organisation is ORG]
    events: list[Any] = []
    for number, row in enumerate(rows):
        good = Row(attributes={"id": f"good-{number}"})
        events += [row.head() | {"data": row.datum()}, good.head() | {"data": good.datum()}]
    broker = Broker()
    results = asyncio.run(Ingest(CODEC, broker).take_json(ORG, events))
    wanted = [(row.wanted or ("", "")) for row in rows]
    assert [(one.reason, one.field) for one in results[::2]] == wanted
    assert {one.status for one in results[1::2]} == {"accepted"}
    assert len(broker.lines) == sum(one.status == "accepted" for one in results) > len(rows)
    assert sum(reason != "" for reason, _ in wanted) > 25


def test_the_column_of_the_doors_has_a_reason() -> None:
    others = {row.doors for row in ROWS.values()} - set(WHY_NOT)
    assert others == {("avro", "topic", "source", "portal")}, "a word of a newer schema: nobody may post it in JSON"


@pytest.mark.patches
def test_what_holds_for_a_sender_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer: work per event where work per request would do fails here."""
    asked: list[str] = []

    def noted(name: str) -> Any:
        original = getattr(record, name)

        def call(*given: Any) -> Any:
            asked.append(name)
            return original(*given)

        return call

    for name in ("family_of", "dossier_proof"):
        monkeypatch.setattr(record, name, noted(name))
    events = [
        Row(data={"dossier_code": f"H11.12-261124-{number:04d}"}, attributes={"id": f"e-{number}"})
        for number in range(100)
    ]
    posted = [row.head() | {"data": row.datum()} for row in events]
    results = asyncio.run(Ingest(CODEC, Broker()).take_json(ORG, posted))
    assert [result.status for result in results] == ["accepted"] * 100
    assert asked == ["family_of", "dossier_proof"]


def test_what_was_asked_of_one_holds_for_no_other() -> None:
    """The cache is by type and source, and by agency: after a good event a bad one is refused as ever."""
    made = Builder(CODEC, ORG, RECORDED)
    bad = ("another's source", "another's dossier", "another's procedure", "a code of no day")
    for name in ("least", "a procedure", *bad, "least"):
        row = ROWS[name]
        posted = cloudevents.structured(row.head() | {"data": row.datum()})
        if row.wanted is None:
            assert made.of_json(posted, TRACE).id == "e-1"
        else:
            with pytest.raises(BadRecord) as caught:
                made.of_json(posted, TRACE)
            assert (caught.value.reason, caught.value.field) == row.wanted


def test_events_without_a_trace_get_one_each() -> None:
    made = Builder(CODEC, ORG, RECORDED)
    posted = cloudevents.structured(Row().head() | {"data": Row().datum()})
    found = [dict(made.of_json(posted, "").line[2])["ce_traceparent"].decode() for _ in range(2)]
    assert found[0] != found[1]
    assert all(cloudevents.TRACEPARENT.fullmatch(trace) for trace in found)


def test_a_connector_s_event_has_the_same_trace_when_it_comes_again() -> None:
    first, again = (dict(taken(_source(ROWS["least"]))[2])["ce_traceparent"] for _ in range(2))
    assert first == again
