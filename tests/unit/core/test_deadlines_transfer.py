"""The date of a transfer, told by the core's clock: once each, to whoever holds the dossier, and only while it does."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hub.avro.bodies import DOSSIER_DEADLINE_EVENT
from hub.control import subscriber_filter
from hub.control.records import Filter
from hub.core.deadline_clock import RESCAN_S, runs
from hub.events import families
from hub.kafka import topics
from hub.model.deadline_watch import TRANSFER, watches_of
from hub.stream.stage import Stored
from tests.support.core import CODE, CODEC, record, step
from tests.support.deadline_clock import DAY, FRI_8, HOUR, MON_8, THU_8, Hub, as_record, kinds

LOCAL = timezone(timedelta(hours=7))
W, D = "TRANSFER_WARNING", "TRANSFER_DUE"
IDENT = topics.DOSSIERS, CODE.encode()


def passed(hub: Hub, at: int = MON_8, to: str = "H11.05", id: str = "t", **terms: Any) -> Hub:
    hub.run(record(step("TRANSFERRED", at, transferred_to=to, **terms), id))
    return hub


def test_warning_and_due_of_the_holder_s_date_once_each() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    assert hub.at(THU_8 - 1) == []
    warning = hub.at(THU_8)
    assert [(e["kind"], e["seq"], e["occurred_at"]) for e in warning] == [(W, 2, THU_8)]
    assert hub.at(FRI_8 - 1) == []
    due = hub.at(FRI_8)
    assert [(e["kind"], e["seq"], e["due_at"], e["deadline_at"]) for e in due] == [(D, 3, FRI_8, FRI_8)]
    assert hub.at(FRI_8 + 1000) == []
    assert due[0]["id"] != warning[0]["id"]
    assert (hub.dossier().holder_agency_code, hub.dossier().hub_seq) == ("H11.05", 3)


def test_a_date_that_the_core_counted_from_the_limit() -> None:
    """Two working days from Monday 8:00: Wednesday 8:00."""
    hub = passed(Hub(), transfer_limit=2.0, transfer_limit_unit="Ngày làm việc")
    assert kinds(hub.at(MON_8 + DAY)) == [W]
    assert kinds(hub.at(MON_8 + 2 * DAY)) == [D]


def test_without_a_date_nothing_is_told() -> None:
    hub = passed(Hub())
    assert watches_of(hub.state[IDENT].headers).get(TRANSFER) is None
    assert hub.at(FRI_8 + 20 * DAY) == []


def test_both_dates_on_one_moment_are_told_under_ids_of_their_own() -> None:
    hub = Hub()
    hub.run(record(step("RECEIVED", MON_8, due_at=FRI_8), "r"))
    passed(hub, MON_8 + HOUR, step_due_at=FRI_8)
    told = hub.at(THU_8) + hub.at(FRI_8)
    assert sorted(kinds(told)) == sorted(["WARNING", W, "DUE", D])
    assert len({event["id"] for event in told}) == 4
    assert [event["seq"] for event in told] == [3, 4, 5, 6]


def test_nothing_once_it_was_passed_on_and_the_next_one_s_date_instead() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    hub.ask(MON_8)
    passed(
        hub, MON_8 + HOUR, "H11.06", "u", step_due_at=FRI_8 + 3 * DAY
    )  # Monday: its working day before is Saturday 10
    assert hub.at(FRI_8) == []
    assert kinds(hub.at(FRI_8 + DAY)) == [W]
    passed(hub, FRI_8 + DAY + HOUR, "H11.12", "v")  # given back, without a date
    assert hub.at(FRI_8 + 9 * DAY) == []


def test_the_giving_back_that_waits_before_the_question_wins() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    hub.renew()
    questions = hub.ask(FRI_8 + HOUR)
    assert len(questions) == 1
    passed(hub, FRI_8 - HOUR, "H11.12", "u")
    assert hub.answer(questions) == []


@pytest.mark.parametrize("end", ["FINISHED", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "RETURNED"])
def test_nothing_of_a_dossier_that_is_over(end: str) -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    hub.ask(MON_8)
    hub.run(record(step(end, MON_8 + HOUR), "e"))
    assert hub.at(FRI_8) == []
    assert not runs(hub.state[IDENT])


def test_another_date_is_told_anew_and_the_same_once_more_is_not() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    first = hub.at(THU_8)
    passed(hub, THU_8 + HOUR, id="same", step_due_at=FRI_8)
    assert hub.at(THU_8 + 2 * HOUR) == []
    new = FRI_8 + 7 * DAY
    passed(hub, THU_8 + 3 * HOUR, id="new", step_due_at=new)
    assert hub.at(FRI_8) == []
    then = hub.at(new - DAY) + hub.at(new)
    assert kinds(first + then) == [W, W, D]


def test_another_agency_with_the_same_date_is_told_anew_under_other_ids() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    first = hub.at(THU_8)
    passed(hub, THU_8 - HOUR, "H11.06", "u", step_due_at=FRI_8)
    second = hub.at(THU_8 + HOUR)
    assert kinds(first) == kinds(second) == [W]
    assert first[0]["id"] != second[0]["id"]
    assert kinds(hub.at(FRI_8)) == [D]


def test_while_papers_are_awaited_nothing_and_the_date_does_not_move() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    hub.ask(MON_8)
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + DAY), "a"))
    assert hub.at(FRI_8 + HOUR) == []
    hub.run(record(step("SUPPLEMENT_GIVEN", FRI_8 + HOUR), "b"))
    assert [(e["kind"], e["deadline_at"]) for e in hub.at(FRI_8 + 2 * HOUR)] == [(D, FRI_8)]


def test_no_warning_whose_time_was_over_when_it_was_passed_on() -> None:
    hub = passed(Hub(), step_due_at=MON_8 + 2 * HOUR)
    assert hub.at(MON_8 + HOUR) == []
    assert kinds(hub.at(MON_8 + 2 * HOUR)) == [D]


def test_down_over_both_moments_and_nothing_again_after_a_restart() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    hub.renew()
    first, again = hub.ask(FRI_8 + DAY), []
    hub.renew()
    again = hub.ask(FRI_8 + DAY + 5000)
    assert kinds(hub.answer([*first, *again])) == [D]
    hub.renew()
    assert hub.at(FRI_8 + 2 * DAY) == []


def test_a_state_of_the_program_before_is_taken_up_with_the_next_event() -> None:
    hub = passed(Hub(), step_due_at=FRI_8)
    stored = hub.state[IDENT]
    hub.state[IDENT] = Stored(stored.value, [(name, value) for name, value in stored.headers if name != TRANSFER])
    hub.renew()
    assert hub.at(THU_8) == []
    hub.run(record(step("IN_PROCESS", THU_8 + HOUR), "i"))
    assert kinds(hub.at(THU_8 + 2 * HOUR)) == [W]
    assert kinds(hub.at(FRI_8)) == [D]


def test_a_state_changed_by_another_owner_is_found_again() -> None:
    hub, other = Hub(), Hub()
    hub.ask(MON_8)
    other.state = hub.state
    passed(other, MON_8 + HOUR, step_due_at=FRI_8)
    assert kinds(hub.at(FRI_8 + int(RESCAN_S * 1000))) == [D]


def test_who_is_due_it() -> None:
    hub = passed(Hub(), step_due_at=FRI_8, agency_code="H11.12")
    (question,) = hub.ask(THU_8)
    (out,) = hub.run(as_record(question))
    data = CODEC.read(DOSSIER_DEADLINE_EVENT, out.value)
    for wanted, due in (
        (Filter(agencies=("H11.05",)), True),
        (Filter(agencies=("H11.12",)), True),
        (Filter(agencies=("H11.06",)), False),
        (Filter(types=(W,)), True),
        (Filter(types=("WARNING", "DUE")), False),
    ):
        assert subscriber_filter.due(wanted, families.DEADLINE.type, data) is due, wanted


def local(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=LOCAL).timestamp() * 1000)


# By hand for the land case of docs/joint.md, with its calendar on paper; one working day before each agency's date.
LAND_CASE = [
    ("2026-03-09 07:00", W, "H11.05"),  # due Mon 9 March 17:00: all eight hours of Monday; given back 16:30
    ("2026-03-17 07:00", W, "H11.06"),  # due Tue 17 March 17:00
    ("2026-03-17 17:00", D, "H11.06"),  # passed on Wed 18 March 10:00
    ("2026-03-19 10:00", W, "H11.45"),  # due Fri 20 March 10:00: 3 h of Friday, 3.5 + 1.5 h of Thursday; back 9:10
]


def test_the_land_case_drawn_by_hand() -> None:
    case = json.loads((Path(__file__).parents[2] / "data" / "joint_land_case.json").read_text("utf-8"))
    moments = [(local(own["at"]), own) for own in case["steps"] if own["dossier"] == case["parent"]]
    ticks = [(local(at), None) for at, _, _ in LAND_CASE]
    hub, found = Hub(), []
    for at, own in sorted(moments + ticks, key=lambda moment: moment[0]):
        if own is not None:
            facts = {n: local(v) if n.endswith("_at") else v for n, v in own.get("facts", {}).items()}
            hub.run(record(step(own["step"], at, case["parent"], **facts), f"{own['no']}"))
        for event in hub.at(at):
            holder = hub.dossier(case["parent"]).holder_agency_code
            found.append((datetime.fromtimestamp(event["occurred_at"] / 1000, LOCAL).strftime("%Y-%m-%d %H:%M"),
                          event["kind"], holder))  # fmt: skip
    assert found == LAND_CASE
    assert hub.dossier(case["parent"]).status == "RETURNED"
