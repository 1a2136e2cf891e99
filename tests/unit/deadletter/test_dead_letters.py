"""Dead letters without Kafka: what is shown, what may go back and as what."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hub.admin.replay import Action, NotReplayable, Returns
from hub.admin.since import since_ms
from hub.avro.codec import Codec, head
from hub.control.records import Organisation
from hub.control.requests import Request
from hub.deadletter import masked_view, record
from hub.deadletter.filters import Filter
from hub.deadletter.reasons import REASONS, STAGES
from hub.deadletter.record import DeadLetter
from hub.errors import BadRecord, ConfigError
from hub.events.envelope import Envelope
from hub.intake.agency_record import Judge
from hub.stream.stage import Record
from tests.support.codecs import fixed_codec
from tests.support.core import DAY, RECORDED, T0, Core
from tests.support.core import record as core_record
from tests.support.core import step as steps

CODEC = fixed_codec()
CODE = "H11.12-261124-0001"
STEP = {
    "dossier_code": CODE,
    "step": "RECEIVED",
    "occurred_at": 1_795_483_800_000,
    "note": "Ông Nguyễn Văn A",
    "applicant": {"name": "Nguyễn Văn A", "phone": "0912345678"},
}
VALUE = CODEC.encode("vn.hub.DossierStep", STEP)
ORG = Organisation(name="one", sources=("urn:one",), agencies=("H11.12",), kafka_topic=True)


def letter(stage: str = "core", topic: str = "hub.ingress", reason: str = "date", **changes: Any) -> DeadLetter:
    """Through build and parse, as it stands in the topic."""
    envelope = Envelope("e-1", "urn:one", "vn.hub.dossier.step", CODE, hub_seq=changes.pop("hub_seq", 0))
    made: dict[str, Any] = {
        "stage": stage, "error": BadRecord(reason, "occurred_at: no such day", "occurred_at"), "topic": topic,
        "partition": 2, "offset": 17, "key": CODE.encode(), "value": VALUE, "headers": envelope.headers(),
    } | changes  # fmt: skip
    _, key, value, headers = record.build(**made)
    return record.parse(key, value, headers)


def returns(action: Action = "replay", *organisations: Organisation) -> Returns:
    copy: Any = SimpleNamespace(organisations={o.name: o for o in organisations})
    return Returns(action, Judge(CODEC), copy, "lan", "mended", "order-1")


def test_a_letter_comes_back_as_it_was_built() -> None:
    found = letter(subscriber="national")
    assert (found.stage, found.reason, found.field, found.topic) == ("core", "date", "occurred_at", "hub.ingress")
    assert (found.partition, found.offset, found.subscriber, found.event_id) == (2, 17, "national", "e-1")
    assert (found.key, found.value) == (CODE.encode(), VALUE)
    assert not [name for name, _ in found.headers if name.startswith("dl_")]


def test_the_same_failure_has_the_same_id() -> None:
    assert letter().id == letter().id
    assert letter().id != letter(offset=18).id


def test_a_letter_of_the_core_goes_back_with_id_headers_and_mark() -> None:
    found = letter()
    topic, key, value, headers = returns().record(found)
    assert (topic, key, value) == ("hub.ingress", CODE.encode(), VALUE)
    assert list(headers) == [*found.headers, ("ce_replayof", found.id.encode())]


def test_a_second_replay_carries_only_the_last_mark() -> None:
    once = returns().record(letter())
    twice = returns().record(letter(headers=once[3]))
    assert [name for name, _ in twice[3]].count("ce_replayof") == 1


def test_a_letter_of_an_agencys_topic_is_checked_again_with_the_rights_of_today() -> None:
    found = letter(stage="intake", topic="hub.ingress.one", reason="right")
    with pytest.raises(NotReplayable, match="refused again"):
        returns("replay", ORG.model_copy(update={"agencies": ("H11.13",)})).record(found)
    with pytest.raises(NotReplayable, match="refused again"):
        returns().record(found)  # the organisation is gone

    topic, key, _, headers = returns("replay", ORG).record(found)

    assert (topic, key) == ("hub.ingress", CODE.encode())
    told = dict(headers)
    assert (told["ce_authid"], told["ce_id"], told["ce_replayof"]) == (b"one", b"e-1", found.id.encode())
    assert told["ce_recordedtime"]


def test_an_undelivered_event_becomes_an_order_for_its_own_queue() -> None:
    found = letter(stage="deliver", topic="hub.events", reason="refused", subscriber="national", hub_seq=4)
    topic, key, value, _ = returns().record(found)
    order = Request.model_validate_json(value or b"")
    assert (topic, key) == ("hub.requests", CODE.encode())
    assert (order.action, order.subscriber, order.key, order.who, order.why) == (
        "replay", "national", CODE, "lan", "mended",
    )  # fmt: skip
    [pointer] = order.pointers
    assert (pointer.offset, pointer.hub_seq, pointer.event_id) == (17, 4, "e-1")
    skipped = Request.model_validate_json(returns("skip").record(found)[2] or b"")
    assert skipped.action == "skip"
    assert skipped.id != order.id


@pytest.mark.parametrize(
    ("found", "action", "why"),
    [
        (letter(stage="source", topic="", headers=[("ce_id", b"1"), ("ce_source", b"f")], value=b"a;b"), "replay",
         "correct it at its source"),
        (letter(headers=[]), "replay", "correct it at its source"),
        (letter(value=None), "replay", "correct it at its source"),
        (letter(stage="crash", topic="hub.events"), "replay", "only the hub itself"),
        (letter(), "skip", "nothing to skip"),
        (letter(stage="deliver", topic="hub.events"), "replay", "no dossier or no subscriber"),
    ],
)  # fmt: skip
def test_what_cannot_go_back_says_what_to_do(found: DeadLetter, action: Action, why: str) -> None:
    with pytest.raises(NotReplayable, match=why):
        returns(action, ORG).record(found)


def test_personal_data_is_hidden_unless_revealed() -> None:
    hidden = masked_view.document(letter(), CODEC, reveal=False)
    assert hidden["content"]["data"]["applicant"]["name"] == "N** V** A**"
    assert "0912345678" not in str(hidden)
    assert hidden["content"]["data"]["dossier_code"] == CODE
    assert masked_view.document(letter(), CODEC, reveal=True)["content"]["data"]["applicant"]["name"] == "Nguyễn Văn A"


def foreign(schema: Any) -> Codec:
    return Codec(CODEC.ids, lambda _: schema)


def test_personal_data_of_another_version_of_our_schema_is_hidden_too() -> None:
    fields = [
        {"name": "dossier_code", "type": "string"},
        {"name": "note", "type": "string"},
        {"name": "step", "type": {"type": "enum", "name": "StepKind", "symbols": ["RECEIVED"]}},
        {"name": "occurred_at", "type": "long"},
    ]
    old = {"type": "record", "name": "vn.hub.DossierStep", "fields": fields}
    value = head(500) + b"\x02x" + b"\x0cV\xc3\xb5 AB" + b"\x00\x02"
    hidden = masked_view.content(value, foreign(old), reveal=False)
    assert (hidden["record"], hidden["data"]["note"]) == ("vn.hub.DossierStep", "V** A**")
    assert hidden["data"]["applicant"] is None


def test_a_record_that_is_not_the_hubs_is_shown_only_on_demand() -> None:
    codec = foreign({"type": "record", "name": "n.Other", "fields": [{"name": "who", "type": "string"}]})
    value = head(500) + b"\x04An"
    hidden = masked_view.content(value, codec, reveal=False)
    assert hidden == {"record": "n.Other", "bytes": 8, "hidden": "not one of the hub's records; use --reveal"}
    assert masked_view.content(value, codec, reveal=True) == {"record": "n.Other", "data": {"who": "An"}}
    broken = masked_view.content(value[:-1], codec, reveal=False)
    assert (broken["bytes"], broken["not_decoded"].split(":")[0]) == (7, "truncated")


def test_bytes_that_cannot_be_decoded_are_shown_only_on_demand() -> None:
    row = "Nguyễn Văn A;0912345678".encode()
    assert "0912345678" not in str(masked_view.content(row, CODEC, reveal=False))
    assert masked_view.content(row, CODEC, reveal=False)["bytes"] == len(row)
    assert masked_view.content(row, CODEC, reveal=True)["text"] == row.decode()
    assert masked_view.content(b"\xff\xfe", CODEC, reveal=True)["base64"] == "//4="
    assert masked_view.content(None, CODEC, reveal=True) == {"bytes": 0}


def test_the_filter_admits_what_it_says() -> None:
    found = letter(subscriber="national")
    assert Filter().admits(found)
    assert Filter(frozenset({found.id}), "core", "date", "national", CODE).admits(found)
    for other in (
        Filter(frozenset({"x"})), Filter(stage="deliver"), Filter(reason="code"), Filter(subscriber="p"),
        Filter(dossier="H11.12-261124-0002"),
    ):  # fmt: skip
        assert not other.admits(found)


def test_since() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert since_ms("", now) == 0
    assert since_ms("90m", now) == int(datetime(2026, 11, 24, 10, 30, tzinfo=UTC).timestamp() * 1000)
    assert since_ms("2026-11-24T07:00:00+07:00") == 1_795_478_400_000
    assert since_ms("2026-11-24") == 1_795_478_400_000
    with pytest.raises(ConfigError, match="duration"):
        since_ms("yesterday")


def test_words_are_usable_as_labels() -> None:
    assert all(word.isidentifier() and word.islower() for word in (*STAGES, *REASONS))


def replayed(found: DeadLetter, offset: int) -> Record:
    topic, key, value, headers = returns().record(found)
    return Record(topic, 0, offset, RECORDED, key, value, list(headers))


def test_a_refused_event_is_not_taken_for_a_copy_when_it_is_replayed() -> None:
    """Refused because the dossier was returned; after the correction its replay is judged anew and taken in."""
    core = Core().steps(steps("RECEIVED", 0), steps("FINISHED", 2), steps("RETURNED", 3))
    core.run(core_record(steps("IN_PROCESS", 4), "late-work", offset=3))
    [dead] = core.dead
    assert (dead.event_id, dead.reason) == ("late-work", "transition")
    core.run(core_record(steps("RECEIVED", T0 + 7 * DAY // 2, correction=True), "mend", offset=4))
    before = len(core.events)

    out = core.run(replayed(dead, 5))

    assert [o.topic for o in out] == ["hub.events"]
    assert len(core.events) == before + 1
    assert core.run(replayed(dead, 6)) == []  # replayed twice it is a copy


def test_a_conflict_replayed_unchanged_is_refused_again() -> None:
    core = Core().steps(steps("RECEIVED", 0))
    core.run(core_record(steps("RECEIVED", 0, note="khác"), "e0", offset=1))
    [dead] = core.dead
    core.run(replayed(dead, 2))
    assert [found.reason for found in core.dead] == ["conflict", "conflict"]
