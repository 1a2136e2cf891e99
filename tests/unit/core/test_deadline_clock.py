"""The core's clock and the answers of its step, without Kafka: each deadline told once, and only while it runs."""

from __future__ import annotations

import struct

import pytest

from hub.avro.bodies import DOSSIER_DEADLINE_EVENT
from hub.avro.personal import minimised
from hub.avro.records import DossierDeadlineEvent
from hub.config import CoreSettings, DeadlineSettings, Settings
from hub.control import subscriber_filter
from hub.control.records import Filter
from hub.core.deadline_clock import MAX_PER_TICK, RESCAN_S
from hub.delivery.entries import Raw
from hub.delivery.event_decoder import Decoder
from hub.events import families
from hub.events.envelope import read_headers
from hub.kafka import topics
from hub.model.deadline_watch import Watch, old_waits, unpack
from hub.projector.projection import rows
from hub.stream.stage import Record, Stored
from hub_connectors.kafka_topic.portal import KafkaTopicPortal
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.webhook.portal import WebhookPortal
from tests.support.core import CODE, CODEC, RECORDED, record, step
from tests.support.deadline_clock import DAY, FRI_8, HOUR, MON_8, THU_8, Hub, as_record, kinds, received
from tests.support.readmodel import Rec


def test_warning_and_due_once_each():
    hub = received(Hub())
    assert hub.at(THU_8 - 1) == []
    warning = hub.at(THU_8)
    assert [(e["kind"], e["seq"], e["occurred_at"], e["due_at"]) for e in warning] == [("WARNING", 2, THU_8, FRI_8)]
    assert warning[0]["time"] == "2026-01-08T01:00:00.000Z"
    assert hub.at(THU_8 + 1000) == []
    assert hub.at(FRI_8 - 1) == []
    due = hub.at(FRI_8)
    assert [(e["kind"], e["seq"], e["occurred_at"], e["deadline_at"]) for e in due] == [("DUE", 3, FRI_8, FRI_8)]
    assert hub.at(FRI_8 + 1000) == []
    assert due[0]["id"] != warning[0]["id"]
    assert hub.dossier().hub_seq == 3


def test_a_question_asked_twice_is_answered_once_and_with_the_same_id():
    """kill -9 after the question was written, or two owners for a moment."""
    hub = received(Hub())
    first = hub.ask(FRI_8)
    hub.renew()
    second = hub.ask(FRI_8 + 5000)
    assert [read_headers(q.headers).id for q in first] == [read_headers(q.headers).id for q in second]
    assert kinds(hub.answer([*first, *second])) == ["DUE"]
    assert kinds(hub.answer(second)) == []


def test_nothing_again_after_a_restart():
    hub = received(Hub())
    assert kinds(hub.at(THU_8)) == ["WARNING"]
    hub.renew()
    assert hub.at(THU_8 + 1) == []
    assert kinds(hub.at(FRI_8)) == ["DUE"]
    hub.renew()
    assert hub.at(FRI_8 + DAY) == []


def test_down_over_both_moments_tells_the_deadline_alone():
    hub = received(Hub())
    hub.renew()
    assert kinds(hub.at(FRI_8 + 2 * DAY)) == ["DUE"]
    assert hub.at(FRI_8 + 3 * DAY) == []


def test_what_is_over_for_too_long_is_not_told():
    hub = received(Hub(Settings(deadlines=DeadlineSettings(catch_up_days=2))))
    assert hub.at(FRI_8 + 2 * DAY + 1) == []


def test_the_step_that_waits_before_the_question_wins():
    """The dossier was finished while the core was down: its step stands in hub.ingress before the question."""
    hub = received(Hub())
    hub.renew()
    questions = hub.ask(FRI_8 + DAY)
    assert len(questions) == 1
    hub.run(record(step("FINISHED", FRI_8 - HOUR), "f"))
    assert hub.answer(questions) == []
    assert not hub.dead


@pytest.mark.parametrize("end", ["FINISHED", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED"])
def test_nothing_of_a_dossier_that_is_over(end: str):
    hub = received(Hub())
    hub.ask(MON_8)
    hub.run(record(step(end, MON_8 + HOUR), "e"))
    assert hub.at(FRI_8) == []


def test_a_moved_deadline_is_told_anew():
    hub = received(Hub())
    before = hub.at(THU_8) + hub.at(FRI_8)
    new = FRI_8 + 7 * DAY
    hub.run(record(step("IN_PROCESS", FRI_8 + HOUR, due_at=new, note="xin lỗi và hẹn lại"), "m"))
    assert hub.at(FRI_8 + 2 * HOUR) == []
    after = hub.at(new - DAY) + hub.at(new)
    assert kinds(before) == kinds(after) == ["WARNING", "DUE"]
    assert len({event["id"] for event in before + after}) == 4
    assert [event["due_at"] for event in after] == [new, new]


@pytest.mark.parametrize("told", [THU_8 - HOUR, FRI_8 + HOUR])
def test_an_apology_with_a_new_date_moves_the_deadline_before_it_and_after_it(told: int):
    hub = received(Hub())
    before = hub.at(told)
    new = FRI_8 + 7 * DAY  # Friday 16, and Thursday 15 is the working day before
    hub.run(record(step("RESCHEDULED", told, due_at=new, note="Phiếu xin lỗi số 12"), "m"))
    assert (hub.watch.due_at, hub.watch.since, hub.watch.deadline_at) == (new, told, new)
    assert hub.dossier().status == "ACCEPTED"
    assert kinds(before) == ([] if told < THU_8 else ["DUE"])
    assert kinds(hub.at(FRI_8 + 2 * HOUR)) == []
    assert kinds(hub.at(new - DAY) + hub.at(new)) == ["WARNING", "DUE"]


def test_an_apology_while_papers_are_awaited_does_not_end_the_wait():
    """Asked Tuesday, put off to Monday 12 on Wednesday, answered Thursday: one working day later, Tuesday 13."""
    hub = received(Hub())
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + DAY), "a"))
    hub.run(record(step("RESCHEDULED", MON_8 + 2 * DAY, due_at=MON_8 + 7 * DAY), "b"))
    assert (hub.dossier().status, hub.watch.runs) == ("SUPPLEMENT", False)
    assert hub.at(MON_8 + 7 * DAY) == []
    hub.run(record(step("SUPPLEMENT_GIVEN", MON_8 + 3 * DAY), "c"))
    assert hub.watch.deadline_at == MON_8 + 8 * DAY


def test_a_deadline_moved_nearer_is_told_at_its_time():
    hub = received(Hub())
    hub.ask(MON_8)
    hub.run(record(step("IN_PROCESS", MON_8 + HOUR, due_at=FRI_8 - DAY), "m"))
    assert kinds(hub.at(FRI_8 - 2 * DAY)) == ["WARNING"]
    assert kinds(hub.at(FRI_8 - DAY)) == ["DUE"]
    assert hub.at(FRI_8) == []


def test_the_same_date_sent_again_is_no_new_promise():
    hub = received(Hub())
    hub.ask(MON_8)
    hub.run(record(step("IN_PROCESS", MON_8 + HOUR, due_at=FRI_8), "i"))
    assert hub.watch.since == MON_8
    assert kinds(hub.at(THU_8)) == ["WARNING"]
    hub.run(record(step("IN_PROCESS", THU_8 + HOUR, due_at=FRI_8), "j"))
    assert hub.at(THU_8 + 2 * HOUR) == []


@pytest.mark.parametrize("wait", ["SUPPLEMENT", "PAYMENT"])
def test_waiting_stops_the_clock_and_the_answer_moves_the_deadline(wait: str):
    """Asked Tuesday 8:00 with three days left, answered Wednesday 8:00: due Saturday 10, which is worked, 8:00."""
    asked, answered = f"{wait}_REQUESTED", {"SUPPLEMENT": "SUPPLEMENT_GIVEN", "PAYMENT": "PAYMENT_MADE"}[wait]
    hub = received(Hub())
    hub.ask(MON_8)
    hub.run(record(step(asked, MON_8 + DAY), "a"))
    assert hub.at(FRI_8 + HOUR) == []
    hub.run(record(step(answered, MON_8 + 2 * DAY), "b"))
    assert (hub.watch.due_at, hub.watch.deadline_at) == (FRI_8, FRI_8 + DAY)
    assert kinds(hub.at(FRI_8)) == ["WARNING"]
    due = hub.at(FRI_8 + DAY)
    assert [(e["kind"], e["due_at"], e["deadline_at"]) for e in due] == [("DUE", FRI_8, FRI_8 + DAY)]


@pytest.mark.parametrize("wait", ["SUPPLEMENT", "PAYMENT"])
def test_passed_on_while_it_waits_the_clock_stands_still_until_the_answer(wait: str):
    """Asked Tuesday 8:00 with three days left, passed on Wednesday, answered Thursday 8:00: two days later than
    Friday 9, which are Saturday 10 (worked) and Monday 12, at 8:00."""
    asked, answered = f"{wait}_REQUESTED", {"SUPPLEMENT": "SUPPLEMENT_GIVEN", "PAYMENT": "PAYMENT_MADE"}[wait]
    hub = received(Hub())
    hub.run(record(step(asked, MON_8 + DAY), "a"))
    hub.run(record(step("TRANSFERRED", MON_8 + 2 * DAY, transferred_to="H11.05"), "t"))
    assert (hub.dossier().status, hub.dossier().status_at) == (wait, MON_8 + DAY)
    assert (hub.dossier().holder_agency_code, hub.events[-1].status) == ("H11.05", wait)
    assert (hub.watch.runs, hub.at(FRI_8 + HOUR)) == (False, [])
    hub.run(record(step(answered, MON_8 + 3 * DAY), "b"))
    assert (hub.dossier().status, hub.watch.deadline_at) == ("IN_PROCESS", MON_8 + 7 * DAY)


def test_a_wait_of_no_working_time_leaves_the_deadline():
    """Asked Monday 18:00, answered Tuesday 6:00."""
    hub = received(Hub())
    hub.ask(MON_8)
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + 10 * HOUR), "a"))
    hub.run(record(step("SUPPLEMENT_GIVEN", MON_8 + 22 * HOUR), "b"))
    assert hub.watch.deadline_at == FRI_8
    assert kinds(hub.at(THU_8)) == ["WARNING"]
    assert kinds(hub.at(FRI_8)) == ["DUE"]


def test_a_new_date_with_the_answer_is_taken_as_it_is():
    hub = received(Hub())
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + DAY), "a"))
    hub.run(record(step("SUPPLEMENT_GIVEN", MON_8 + 2 * DAY, due_at=FRI_8 + 3 * DAY), "b"))
    assert hub.watch.deadline_at == FRI_8 + 3 * DAY


def test_a_new_date_given_while_it_waits_moves_by_the_rest_of_the_wait():
    """Asked Tuesday 6, on Wednesday asked again with Monday 12 as the new date, answered Thursday: Tuesday 13."""
    hub = received(Hub())
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + DAY), "a"))
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + 2 * DAY, due_at=MON_8 + 7 * DAY), "b"))
    hub.run(record(step("SUPPLEMENT_GIVEN", MON_8 + 3 * DAY), "c"))
    assert hub.watch.deadline_at == MON_8 + 8 * DAY


def test_waits_survive_that_their_steps_are_no_longer_kept():
    hub = received(Hub(Settings(core=CoreSettings(keep_steps=2))))
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + DAY), "a"))
    hub.run(record(step("SUPPLEMENT_GIVEN", MON_8 + 2 * DAY), "b"))
    assert hub.watch.deadline_at == FRI_8 + DAY
    for number in range(4):
        hub.run(record(step("IN_PROCESS", MON_8 + 2 * DAY + (number + 1) * HOUR), f"i{number}"))
        assert hub.watch.deadline_at == FRI_8 + DAY


def test_no_warning_whose_time_was_over_when_the_date_was_promised():
    hub = received(Hub(), due=MON_8 + 2 * HOUR)
    assert hub.at(MON_8 + HOUR) == []
    assert kinds(hub.at(MON_8 + 2 * HOUR)) == ["DUE"]


def test_without_a_date_nothing_is_asked():
    hub = Hub()
    hub.run(record(step("RECEIVED", MON_8), "r"))
    assert hub.at(FRI_8 + DAY) == []


def test_a_tick_looks_at_what_has_come_and_not_at_all_dossiers():
    hub = Hub()
    for number in range(50):
        code = f"H11.12-260105-{number:04d}"
        hub.run(record(step("RECEIVED", MON_8, code, due_at=FRI_8 + number * DAY), f"r{number}"))
    hub.ask(THU_8 - 1000)
    looked: list[bytes] = []
    own = hub.get

    def noting(store: str, key: bytes) -> Stored | None:
        looked.append(key)
        return own(store, key)

    hub.get = noting  # type: ignore[method-assign]
    assert hub.ask(THU_8 - 1) == []
    assert looked == []
    assert len(hub.ask(THU_8)) == 1
    assert len(looked) == 1


def test_after_a_long_stop_not_all_is_asked_at_once():
    hub = Hub()
    for number in range(MAX_PER_TICK + 5):
        hub.run(record(step("RECEIVED", MON_8, f"H11.12-260105-{number:05d}", due_at=FRI_8), f"r{number}"))
    hub.renew()
    assert [len(hub.ask(FRI_8 + n)) for n in range(3)] == [MAX_PER_TICK, 5, 0]


def test_a_state_changed_by_another_owner_is_found_again():
    hub, other = received(Hub()), Hub()
    scanned = MON_8 + HOUR
    hub.ask(scanned)
    other.state = hub.state
    other.run(record(step("IN_PROCESS", MON_8 + 1, due_at=scanned + 1000), "x"))
    assert hub.at(scanned + 2000) == []
    assert kinds(hub.at(scanned + int(RESCAN_S * 1000))) == ["DUE"]


def test_a_question_that_does_not_fit_is_dropped_or_dead():
    hub = received(Hub())
    (question,) = hub.ask(FRI_8)
    moved = as_record(question)
    other = CODEC.decode(moved.value)[1] | {"deadline_at": FRI_8 + 1}
    unknown = CODEC.decode(moved.value)[1] | {"kind": "UNKNOWN"}
    for datum in (other, unknown):
        made = hub.run(
            Record(moved.topic, 0, 0, RECORDED, moved.key, CODEC.encode(families.CLOCK_RECORD, datum), moved.headers)
        )
        assert made == []
    hub.run(Record(moved.topic, 0, 0, RECORDED, b"H11.12-260105-9999", moved.value, moved.headers))
    assert [letter.reason for letter in hub.dead] == ["key"]
    stranger = "H11.12-260105-7777"
    unheard = CODEC.decode(moved.value)[1] | {"dossier_code": stranger}
    headers = [(n, v) for n, v in moved.headers if n != "ce_subject"]
    value = CODEC.encode(families.CLOCK_RECORD, unheard)
    assert hub.run(Record(moved.topic, 0, 0, RECORDED, stranger.encode(), value, headers)) == []
    assert (topics.DOSSIERS, stranger.encode()) not in hub.state


def test_the_header_is_versioned():
    watch = Watch(FRI_8, MON_8, FRI_8 + DAY, True, 1)
    assert unpack(watch.pack()) == watch
    assert len(watch.pack()) == 26
    old = watch.pack() + struct.pack("<4q", MON_8, MON_8 + HOUR, THU_8, FRI_8)  # waits stood here once
    assert (unpack(old), old_waits(old)) == (watch, ((MON_8, MON_8 + HOUR), (THU_8, FRI_8)))
    with pytest.raises(ValueError, match="version 9"):
        unpack(b"\x09" + watch.pack()[1:])


# --- those who read hub.events --------------------------------------------------------------------------------------


def test_due_to_whom():
    hub = received(Hub())
    hub.run(record(step("IN_PROCESS", MON_8 + HOUR, agency_code="H11.12", procedure_code="1.004194"), "i"))
    (question,) = hub.ask(THU_8)
    (out,) = hub.run(as_record(question))
    data = CODEC.read(DOSSIER_DEADLINE_EVENT, out.value)
    assert families.BY_TYPE[families.DEADLINE.type].name == "deadline"
    assert families.BY_TYPE[families.DOSSIER.event.type].name == "dossier"
    for wanted, due in (
        (Filter(), True),
        (Filter(agencies=("H11",)), True),
        (Filter(agencies=("H11.13",)), False),
        (Filter(procedures=("1.004194",)), True),
        (Filter(types=("WARNING",)), True),
        (Filter(types=("DUE",)), False),
        (Filter(types=(families.DEADLINE.type,)), True),
        (Filter(types=(families.DOSSIER.event.type,)), False),
    ):
        assert subscriber_filter.due(wanted, families.DEADLINE.type, data) is due, wanted


def test_portals_without_that_family_neither_get_it_nor_miss_it():
    """Delivery and reconcile ask the same two questions; a state portal's dossier goes on with the next number."""
    hub = received(Hub())
    hub.at(THU_8)
    hub.run(record(step("FINISHED", FRI_8 - HOUR), "f"))
    raws = [Raw(o.topic, 0, n, RECORDED, o.key, o.value, o.headers) for n, o in enumerate(hub.out)]
    decoder = Decoder(CODEC)
    for taken, numbers in (
        (NationalPortal.families, [1, 3]),
        (WebhookPortal.families, [1, 3]),
        (KafkaTopicPortal.families, [1, 2, 3]),
    ):
        entries = [decoder.due_entry(raw, Filter(), taken) for raw in raws]
        assert [entry.hub_seq for entry in entries if entry is not None] == numbers
    item = decoder.item(raws[1])
    assert isinstance(item.data, DossierDeadlineEvent)
    assert (item.family, item.hub_seq, item.data.deadline.kind) == ("deadline", 2, "WARNING")
    assert minimised(item.data).dossier.dossier_code == CODE


def test_the_read_model_shows_it_in_the_dossier_s_row_of_events():
    hub = received(Hub())
    hub.at(THU_8)
    records = [Rec(o.topic, 0, n, o.key, o.value, o.headers) for n, o in enumerate(hub.out)]
    found = rows(records, CODEC)
    assert [found.events[CODE, seq].step for seq in (1, 2)] == ["RECEIVED", "WARNING"]
    assert found.events[CODE, 2].type == families.DEADLINE.type
    assert found.dossiers[CODE].hub_seq == 2
    assert found.dossiers[CODE].family == "dossier"


def test_agencies_may_not_send_the_clock_s_questions():
    assert families.CLOCK not in families.BY_PUBLISHED
