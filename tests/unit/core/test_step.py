"""The core's step on lists and dictionaries: what follows from each event, and from each bad one."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hub.avro.bodies import DOSSIER_EVENT
from hub.avro.codec import Codec, head
from hub.avro.generic import schema_json
from hub.config import CoreSettings, Settings
from hub.core.processors import Processors
from hub.core.step import make_step
from hub.deadletter.reasons import REASONS
from hub.errors import RegistryError
from hub.events import families
from hub.events.envelope import derived_id, read_headers
from hub.kafka import topics
from hub.observe.metrics import EVENTS_DEAD_LETTERED, EVENTS_DUPLICATE
from tests.support.codecs import IDS
from tests.support.core import CODE, CODEC, DAY, RECORDED, SOURCE, T0, Core, record, step


def change(code="1.004194", kind="PUBLISHED", at=T0, **facts):
    return {"procedure_code": code, "change": kind, "occurred_at": at, **facts}


def transfer(limit, unit):
    return step("TRANSFERRED", 0, transferred_to="H11.19", transfer_limit=limit, transfer_limit_unit=unit)


def only_dead(core):
    assert not core.events
    (letter,) = core.dead
    assert letter.reason in REASONS
    assert letter.stage == "core"
    return letter


# --- what follows from an event ----------------------------------------------------------------------------------


def test_the_canonical_event_and_the_state():
    core = Core()
    datum = step("RECEIVED", 0, agency_code="000.00.12.H11", due_at=T0 + 9 * DAY, applicant={"name": "Trần Thị B"})
    core.run(record(datum, "e1"))
    (out,) = core.out
    envelope = read_headers(out.headers)
    assert (out.topic, out.key, out.partition) == (topics.EVENTS, CODE.encode(), None)
    assert (envelope.type, envelope.subject, envelope.hub_seq) == (families.DOSSIER.event.type, CODE, 1)
    assert envelope.id == derived_id(SOURCE, "e1", families.DOSSIER.event.type, "")
    assert (envelope.causationid, envelope.source) == ("e1", SOURCE)
    assert envelope.recordedtime == "2026-11-24T00:00:00.000Z"
    assert CODEC.name_of(out.value) == "vn.hub.DossierEvent"
    event = CODEC.read(DOSSIER_EVENT, out.value)
    assert (event.hub_seq, event.late, event.status) == (1, False, "ACCEPTED")
    assert event.step.agency_code == "H11.12"
    dossier = event.dossier
    assert (dossier.status, dossier.status_at, dossier.agency_code) == ("ACCEPTED", T0, "H11.12")
    assert dossier.applicant is not None
    assert dossier.applicant.name == "Trần Thị B"
    assert core.dossier() == dossier
    stored = core.state[topics.DOSSIERS, CODE.encode()]
    assert dict(stored.headers).keys() == {"hub_seq", "ring", "steps", "facts", "deadline", "dates"}
    assert dict(stored.headers)["hub_seq"] == b"1"


def test_one_state_record_a_key_and_chunk_numbers_without_gaps():
    core = Core()
    view = make_step(CODEC, Settings())
    records = [record(step("IN_PROCESS", n), f"e{n}", offset=n) for n in range(30)]
    outputs = view(records, core)
    assert [read_headers(o.headers).hub_seq for o in outputs.records] == list(range(1, 31))
    assert len(outputs.state) == 1


def test_the_same_chunk_on_the_same_state_gives_the_same_bytes():
    records = [
        record(step("RECEIVED", 1, note="Hồ sơ"), "a", offset=1),
        record(step("SUBMITTED", 0), "b", offset=2),
        record(step("SUBMITTED", 9), "c", offset=3),
        record(step("RECEIVED", 1), "d", offset=4)._replace(value=b"\x07"),
        record(change(), "p", families.PROCEDURE.published, offset=5),
    ]
    one, two = (make_step(CODEC, Settings())(records, Core()) for _ in range(2))
    assert one == two
    assert [o.topic for o in one.records] == [topics.EVENTS] * 2 + [topics.DEAD_LETTERS] * 2 + [topics.EVENTS]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.sets(st.integers(1, 11)))
def test_the_cut_into_chunks_does_not_matter(days, cuts):
    kinds = ["SUBMITTED", "RECEIVED", "IN_PROCESS", "FINISHED"]
    records = [record(step(kinds[d], d, remark=str(n)), f"e{n}", offset=n) for n, d in enumerate(days)]
    whole, parts = Core(), Core()
    whole.run(*records)
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(records)], strict=True):
        parts.run(*records[start:end])
    assert (whole.out, whole.state) == (parts.out, parts.state)


@settings(max_examples=60)
@given(st.permutations(range(6)))
def test_rows_in_any_order_lose_nothing_and_end_the_same(order):
    row = [
        step("SUBMITTED", 0, applicant={"name": "Lê C"}),
        step("RECEIVED", 0, due_at=T0 + DAY),
        step("SUPPLEMENT_REQUESTED", 1, due_at=None),
        step("SUPPLEMENT_GIVEN", 2, due_at=T0 + 5 * DAY),
        step("FINISHED", 3, attachments=[{"id": "r", "name": "GP", "result": True}]),
        step("RETURNED", 3, returned_at=T0 + 3 * DAY),
    ]
    core = Core()
    core.run(*(record(row[n], f"e{n}", offset=n) for n in order))
    assert not core.dead
    assert len(core.events) == 6
    state = core.dossier()
    assert (state.status, state.status_at, state.due_at) == ("RETURNED", T0 + 3 * DAY, T0 + 5 * DAY)
    assert core.events[-1].dossier == state


def test_a_late_event_is_marked():
    core = Core().steps(step("FINISHED", 5), step("IN_PROCESS", 2))
    assert [(e.late, e.status, e.dossier.status) for e in core.events] == [
        (False, "FINISHED", "FINISHED"),
        (True, "IN_PROCESS", "FINISHED"),
    ]


def test_keep_steps_is_a_setting():
    core = Core(Settings(core=CoreSettings(keep_steps=2)))
    core.steps(*(step("IN_PROCESS", n) for n in range(5, 9)), step("RETURNED", 1))
    assert (core.events[-1].late, core.dossier().status) == (True, "IN_PROCESS")


def test_text_becomes_nfc_and_blanks_null():
    core = Core().steps(step("RECEIVED", 0, abstract="Nguye\u0302\u0303n", remark="  ", agency_code=""))
    assert (core.dossier().abstract, core.dossier().remark) == ("Nguy\u1ec5n", None)
    assert core.events[0].step.abstract == "Nguy\u1ec5n"


def test_the_time_of_acceptance_falls_back_to_the_record_s():
    made = record(step("RECEIVED", 0), "e1")
    bare = made._replace(headers=[h for h in made.headers if h[0] not in ("ce_recordedtime", "ce_subject")])
    (out,) = Core().run(bare)
    envelope = read_headers(out.headers)
    assert (envelope.recordedtime, envelope.subject) == ("2026-11-24T00:00:00.000Z", CODE)


def test_a_writer_with_another_schema_id_of_the_same_record():
    foreign = Codec(IDS | {"vn.hub.DossierStep": 77}, lambda _: {})
    made = record(step("RECEIVED", 0), "e1")
    reader = Codec(IDS, lambda schema_id: schema_json("vn.hub.DossierStep"))
    value = foreign.with_head("vn.hub.DossierStep", (made.value or b"")[5:])
    outputs = make_step(reader, Settings())([made._replace(value=value)], Core())
    assert CODEC.decode(outputs.records[0].value)[1]["status"] == "ACCEPTED"


# --- copies ------------------------------------------------------------------------------------------------------


def test_the_same_event_again_is_dropped_and_counted():
    before = EVENTS_DUPLICATE.labels("core")._value.get()
    core = Core()
    core.run(record(step("RECEIVED", 0), "e1"), record(step("RECEIVED", 0), "e1", offset=1))
    core.run(record(step("RECEIVED", 0), "e1", offset=2))
    assert len(core.out) == 1
    assert EVENTS_DUPLICATE.labels("core")._value.get() == before + 2


def test_the_same_id_from_another_source_is_another_event():
    core = Core()
    core.run(record(step("RECEIVED", 0), "1"), record(step("IN_PROCESS", 1), "1", source="urn:other", offset=1))
    assert len(core.events) == 2


def test_the_same_id_with_other_content_is_a_conflict():
    core = Core()
    core.run(record(step("RECEIVED", 0), "e1"), record(step("RECEIVED", 0, remark="khác"), "e1", offset=1))
    (letter,) = core.dead
    assert (letter.reason, letter.field, letter.offset) == ("conflict", "id", 1)
    assert core.dossier().remark is None


def test_the_ring_knows_the_last_64():
    core = Core().steps(*(step("IN_PROCESS", n) for n in range(66)))
    assert len(dict(core.state[topics.DOSSIERS, CODE.encode()].headers)["ring"]) == 768
    core.run(record(step("IN_PROCESS", 2), "e2", offset=100))
    assert len(core.events) == 66
    core.run(record(step("IN_PROCESS", 1), "e1", offset=101))
    assert len(core.events) == 67  # beyond the ring: numbered again, with the same derived id
    ids = [read_headers(o.headers).id for o in core.out]
    assert ids[1] == ids[66]


def test_redelivery_of_everything_changes_nothing():
    core = Core().steps(step("SUBMITTED", 0), step("RECEIVED", 1), step("FINISHED", 2))
    state, count = dict(core.state), len(core.out)
    core.steps(step("SUBMITTED", 0), step("RECEIVED", 1), step("FINISHED", 2))
    assert (core.state, len(core.out)) == (state, count)


# --- bad input ---------------------------------------------------------------------------------------------------

GOOD = record(step("RECEIVED", 0, abstract="Xin cấp phép xây dựng"), "e1")
WHOLE = GOOD.value or b""


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "truncated"),
        (b"", "truncated"),
        (b"\x00\x00\x00", "truncated"),
        (WHOLE[:30], "truncated"),
        (WHOLE[:-1], "truncated"),
        (b"\x01" + WHOLE[1:], "magic_byte"),
        (b'{"dossier_code": "x"}', "magic_byte"),
        (b"\x00" + struct.pack(">I", 999) + WHOLE[5:], "schema_id"),
        (b"\x00" + struct.pack(">I", IDS["vn.hub.Delivery"]) + WHOLE[5:], "schema_mismatch"),
        (WHOLE.replace(b"Xin", b"X\xff\xfe"), "utf8"),
        (WHOLE + b"\x00", "avro"),
    ],
)
def test_bytes_that_are_no_event(value, reason):
    core = Core()
    core.run(GOOD._replace(value=value))
    letter = only_dead(core)
    assert letter.reason == reason
    assert (letter.value, letter.key, letter.headers) == (value, GOOD.key, tuple(GOOD.headers))
    assert (letter.topic, letter.partition, letter.offset, letter.at_ms) == (topics.INGRESS, 0, 0, RECORDED)
    assert not core.state


@pytest.mark.parametrize("cut", range(len(WHOLE)))
def test_cut_anywhere_it_is_a_dead_letter(cut):
    core = Core()
    core.run(GOOD._replace(value=WHOLE[:cut]))
    assert only_dead(core).reason == "truncated"


@pytest.mark.parametrize(
    ("datum", "reason", "field"),
    [
        (step("UNKNOWN", 0), "status", "step"),
        (step("RECEIVED", 0, code="H11.12-260231-0001"), "code", "dossier_code"),
        (step("RECEIVED", 0, code="12345"), "code", "dossier_code"),
        (step("RECEIVED", 0, agency_code="Sở Y tế"), "code", "agency_code"),
        (step("TRANSFERRED", 0, transferred_to="?"), "code", "transferred_to"),
        (step("RECEIVED", 0, procedure_code="1.4"), "code", "procedure_code"),
        (step("RECEIVED", 0, parent_code="12345"), "code", "parent_code"),
        (step("RECEIVED", 0, parent_code=CODE), "code", "parent_code"),
        (step("TRANSFERRED", 0, transfer_limit=3, transfer_limit_unit="Giờ"), "missing_field", "transferred_to"),
        (transfer(3, "Tuần"), "limit", "transfer_limit_unit"),
        (transfer(3, None), "limit", "transfer_limit_unit"),
        (transfer(None, "Ngày"), "limit", "transfer_limit"),
        (transfer(0, "Ngày"), "limit", "transfer_limit"),
        (transfer(float("nan"), "Ngày"), "limit", "transfer_limit"),
        (transfer(367, "Tháng"), "limit", "transfer_limit"),
        (transfer(1.25, "Tháng"), "limit", "transfer_limit"),
        (step("RECEIVED", RECORDED + 2 * DAY), "date", "occurred_at"),
        (step("RECEIVED", 1_767_571_200 + 10**9), "date", "occurred_at"),
        (step("RECEIVED", 0, due_at=0), "date", "due_at"),
        (step("RATED", 0), "missing_field", "rating"),
        (step("RATED", 0, rating=6), "limit", "rating"),
        (step("RESCHEDULED", 0), "missing_field", "due_at"),
        (step("RESCHEDULED", 0, due_at=T0, dossier_code="HS 1"), "code", "dossier_code"),
    ],
)
def test_steps_that_cannot_be_used(datum, reason, field):
    core = Core()
    core.run(record(datum, "e1"))
    letter = only_dead(core)
    assert (letter.reason, letter.field) == (reason, field)
    assert field in letter.detail


@pytest.mark.parametrize("key", [None, b"", b"H11.13-260105-0001", b"\xff"])
def test_the_key_must_be_the_dossier_code(key):
    core = Core()
    core.run(GOOD._replace(key=key))
    assert only_dead(core).reason == "key"


def test_the_subject_must_be_the_dossier_code():
    core = Core()
    headers = [(n, b"H11.13-260105-0001" if n == "ce_subject" else v) for n, v in GOOD.headers]
    core.run(GOOD._replace(headers=headers))
    assert only_dead(core).reason == "key"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [h for h in GOOD.headers if h[0] != "ce_id"],
        [(n, b"vn.hub.unheard.of" if n == "ce_type" else v) for n, v in GOOD.headers],
        [(n, b"\xff" if n == "ce_source" else v) for n, v in GOOD.headers],
        [*GOOD.headers, ("hub_seq", b"many")],
    ],
)
def test_envelopes_that_cannot_be_used(headers):
    core = Core()
    core.run(GOOD._replace(headers=headers))
    assert only_dead(core).reason == "envelope"


def test_work_after_the_result_was_returned_names_both_states():
    before = EVENTS_DEAD_LETTERED.labels("core", "transition")._value.get()
    core = Core().steps(step("RETURNED", 1), step("IN_PROCESS", 2))
    (letter,) = core.dead
    assert letter.reason == "transition"
    assert "IN_PROCESS (state IN_PROCESS, code 4)" in letter.detail
    assert "RETURNED (state RETURNED, code 10)" in letter.detail
    assert (core.dossier().status, core.dossier().hub_seq) == ("RETURNED", 1)
    assert EVENTS_DEAD_LETTERED.labels("core", "transition")._value.get() == before + 1


def test_a_dead_letter_uses_up_no_number_and_can_be_replayed():
    core = Core().steps(step("RETURNED", 1), step("FINISHED", 3), step("IN_PROCESS", 2, correction=True))
    (letter,) = core.dead
    core.run(GOOD._replace(value=letter.value, headers=letter.headers, offset=9))
    assert [e.hub_seq for e in core.events] == [1, 2, 3]
    assert core.dossier().status == "FINISHED"


def big(event_id, bytes_, at=0, **more):
    return record(step("RECEIVED", at, note="x" * bytes_, **more), event_id)


def test_an_event_just_under_the_limit_that_cannot_be_used_still_fits_as_a_dead_letter():
    core = Core()
    made = record(step("UNKNOWN", 0, note="x" * (topics.RECORD_LIMIT - 300)), "e1")
    assert topics.RECORD_LIMIT - 300 < len(made.value or b"") < topics.RECORD_LIMIT
    core.run(made)
    assert only_dead(core).value == made.value
    sent = core.out[0]
    assert len(sent.value or b"") + sum(len(n) + len(v) for n, v in sent.headers) < topics.DEAD_LETTER_LIMIT


def test_an_event_that_grows_over_the_limit_is_a_dead_letter():
    core = Core()
    core.run(big("e1", topics.RECORD_LIMIT - 300))
    assert only_dead(core).reason == "limit"
    assert not core.state


def test_a_state_that_grows_over_the_limit_refuses_the_event_and_stays():
    papers = [[{"id": f"{n}", "name": "y" * 400_000}] for n in range(2)]
    core = Core().steps(*(step("RECEIVED", n, attachments=p) for n, p in enumerate(papers)))
    (letter,) = core.dead
    assert letter.reason == "limit"
    assert [a.id for a in core.dossier().attachments] == ["0"]  # the event holds step and state
    core.steps(step("IN_PROCESS", 5), prefix="after")
    assert core.dossier().status == "IN_PROCESS"


def test_no_personal_value_stands_in_a_reason():
    core = Core()
    core.run(record(step("RECEIVED", 0, agency_code="?", applicant={"name": "Bí Mật"}, note="Bí Mật"), "e1"))
    assert "Bí Mật" not in only_dead(core).detail


def test_a_registry_that_is_away_is_no_bad_record():
    def away(_):
        raise RegistryError("away")

    value = b"\x00" + struct.pack(">I", 999) + WHOLE[5:]
    with pytest.raises(RegistryError):
        make_step(Codec(IDS, away), Settings())([GOOD._replace(value=value)], Core())


@pytest.mark.patches
def test_a_fault_of_the_program_is_not_caught(monkeypatch):
    monkeypatch.setattr("hub.model.facts.merge", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Core().run(GOOD)


# --- procedures and services -------------------------------------------------------------------------------------


def test_procedure_changes():
    core = Core()
    core.run(
        record(
            change(name="Cấp phép xây dựng", agency_code="000.00.00.H11", fee_vnd=75_000),
            "p1",
            families.PROCEDURE.published,
        ),
        record(change(kind="WITHDRAWN", at=T0 + 2 * DAY), "p2", families.PROCEDURE.published, offset=1),
        record(change(kind="AMENDED", at=T0 + DAY, fee_vnd=100_000), "p3", families.PROCEDURE.published, offset=2),
    )
    assert [(e.hub_seq, e.late, e.procedure.active) for e in core.events] == [
        (1, False, True),
        (2, False, False),
        (3, True, False),
    ]
    last = core.events[-1].procedure
    assert (last.agency_code, last.fee_vnd, last.changed_at) == ("H11", 100_000, T0 + 2 * DAY)
    core.run(
        record(change(kind="AMENDED", at=T0 + 3 * DAY, name="Tên mới"), "p4", families.PROCEDURE.published, offset=3)
    )
    renamed = structs.replace(last, name="Tên mới", hub_seq=4, changed_at=T0 + 3 * DAY)
    assert core.events[-1].procedure == renamed
    assert list(core.keys(topics.PROCEDURES)) == [b"1.004194"]


def test_service_changes():
    core = Core()
    datum = {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": T0, "level": 4, "channels": ["dvcqg"]}
    core.run(record(datum, "s1", families.SERVICE.published))
    core.run(
        record(
            {**datum, "occurred_at": T0 + 1, "channels": [], "whole_process": True}, "s2", families.SERVICE.published
        )
    )
    service = core.events[-1].service
    assert (service.active, service.level, service.whole_process) == (True, 4, True)
    assert service.channels == ("dvcqg",)


# Mức độ (NĐ 43/2011): 1 informs, 2 adds forms, 3 is filed online, 4 is paid and answered online too. Kinds
# (NĐ 42/2022): toàn trình, một phần. What is not filed online is no whole process, level 4 is nothing less. Level 3 may
# be either: a result by post makes it toàn trình (docs/field/services.md, grade I).
@pytest.mark.parametrize(
    ("level", "whole", "wrong"),
    [
        (1, True, "level"), (2, True, "level"), (3, True, ""), (4, True, ""),
        (1, False, ""), (2, False, ""), (3, False, ""), (4, False, "level"),
        (1, None, ""), (4, None, ""), (None, True, ""), (None, False, ""), (0, None, "level"), (5, True, "level"),
    ],
)  # fmt: skip
def test_level_and_kind_of_a_service_must_go_together(level, whole, wrong):
    core = Core()
    datum = {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": T0}
    core.run(record(datum | {"level": level, "whole_process": whole}, "s1", families.SERVICE.published))
    assert [(letter.reason, letter.field) for letter in core.dead] == ([("limit", wrong)] if wrong else [])
    assert len(core.events) == (0 if wrong else 1)


def test_a_contradiction_is_told_with_both_values_and_what_to_do():
    core = Core()
    datum = {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": T0}
    core.run(record(datum | {"level": 2, "whole_process": True}, "s1", families.SERVICE.published))
    core.run(record(datum | {"level": 4, "whole_process": False}, "s2", families.SERVICE.published))
    low, high = (letter.detail for letter in core.dead)
    assert low.startswith("level: 2 is not filed online (NĐ 43/2011/NĐ-CP), so it cannot be toàn trình")
    assert high.startswith("level: 4 is toàn trình (NĐ 42/2022/NĐ-CP); got một phần")
    assert all("send whole_process without level" in detail for detail in (low, high))


@pytest.mark.parametrize(
    ("datum", "type", "reason"),
    [
        (change("1004194"), families.PROCEDURE.published, "code"),
        (change(kind="UNKNOWN"), families.PROCEDURE.published, "status"),
        (change(at=RECORDED + 2 * DAY), families.PROCEDURE.published, "date"),
        ({"service_code": "1.004194", "change": "PUBLISHED", "occurred_at": T0}, families.SERVICE.published, "code"),
        (
            {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": T0, "level": 5},
            families.SERVICE.published,
            "limit",
        ),
    ],
)
def test_catalogue_changes_that_cannot_be_used(datum, type, reason):
    core = Core()
    core.run(record(datum, "e1", type))
    assert only_dead(core).reason == reason


def test_the_type_says_which_schema_must_come():
    core = Core()
    core.run(record(change(), "p1", families.PROCEDURE.published)._replace(headers=GOOD.headers))
    assert only_dead(core).reason == "schema_mismatch"


def test_the_records_that_the_core_reads_and_writes_are_those_of_the_table_of_families():
    known = Processors(CODEC, Settings(), None, None)
    assert set(known.by_type) == {family.published for family in families.FAMILIES}
    for type, processor in known.by_type.items():
        family = families.BY_PUBLISHED[type]
        assert (processor.field, processor.store) == (family.code, family.state_topic)
        assert processor.head == head(CODEC.ids[family.event.record])
        assert processor.published.name == family.published_record
        assert processor.own == head(CODEC.ids[family.published_record])
        code = {"dossier": CODE, "procedure": "1.004194", "service": "1.004194.01"}[family.name]
        assert processor.open(code, None).head == head(CODEC.ids[family.state_record])
