"""In any order of arrival the same end: status, facts, deadlines and what is told, for random lawful histories.

Cases by hand first, on a paper calendar of March 2026 (2 March is a Monday, no public holiday in the month; office
hours 7:00 to 11:30 and 13:30 to 17:00).
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro.document import document
from hub.config import CoreSettings, DeadlineSettings, Settings
from hub.core.step import make_step
from hub.demo.checker.sent import ORDER, statuses_of
from hub.kafka import topics
from hub.model.deadline_rules import rules
from hub.model.deadline_watch import DEADLINE, TRANSFER, Watch, watches_of
from hub.model.deadlines import Unit, due, paused
from hub.model.transitions import TRANSITIONS, WAITS
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub.reports.dossier_case import Measured, Period, Rules, measure
from hub.reports.figures_query import cases
from hub.stream.stage import Stored
from tests.support.core import CODE, CODEC, Core, record, step
from tests.support.deadline_clock import Hub
from tests.support.readmodel import Rec, project

LOCAL = timezone(timedelta(hours=7))


def march(day: int, hour: int = 7) -> int:
    return int(datetime(2026, 3, day, hour, tzinfo=LOCAL).timestamp() * 1000)


def watch_of(core: Core, header: str = DEADLINE) -> Watch | None:
    return watches_of(core.state[topics.DOSSIERS, CODE.encode()].headers).get(header)


def told(core: Core, *steps: dict[str, Any]) -> Core:
    """Each step under an id of its own, whatever its place in the order of arrival."""
    for one in steps:
        core.run(record(one, f"{one['step']}{one['occurred_at']}{one.get('due_at')}"))
    assert not core.dead
    return core


# Asked for papers Monday 16, given Tuesday 17: one working day. Asked for the fee Thursday 19, paid Friday 20: another.
# Due Friday 27 17:00; one working day later is Monday 30 17:00, two are Tuesday 31 17:00.
TWO_WAITS = (
    step("RECEIVED", march(9), due_at=march(27, 17)),
    step("SUPPLEMENT_REQUESTED", march(16)),
    step("SUPPLEMENT_GIVEN", march(17)),
    step("PAYMENT_REQUESTED", march(19)),
    step("PAYMENT_MADE", march(20)),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_two_waits_count_both_in_whatever_order_they_are_learned_of(order: tuple[int, ...]) -> None:
    watch = watch_of(told(Core(), *(TWO_WAITS[n] for n in order)))
    assert watch == Watch(march(27, 17), march(9), march(31, 17), True)


def test_a_wait_learned_of_while_another_goes_on_counts_at_once() -> None:
    """The case, B10: papers given late on Tuesday 17 while the fee is awaited since Thursday 19."""
    core = told(Core(), *(TWO_WAITS[n] for n in (0, 1, 3)))
    assert watch_of(core) == Watch(march(27, 17), march(9), march(27, 17), False)
    assert watch_of(told(core, TWO_WAITS[2])) == Watch(march(27, 17), march(9), march(30, 17), False)
    assert watch_of(told(core, TWO_WAITS[4])) == Watch(march(27, 17), march(9), march(31, 17), True)


# The receipt of Monday 9 promises Friday 27 17:00; papers asked for Monday 16 and given Tuesday 17: Monday 30 17:00.
# The step of Wednesday 18 only repeats the date of the receipt, as agencies do that send the whole dossier each time.
REPEATED = (
    step("RECEIVED", march(9), due_at=march(27, 17)),
    step("SUPPLEMENT_REQUESTED", march(16)),
    step("SUPPLEMENT_GIVEN", march(17)),
    step("IN_PROCESS", march(18), due_at=march(27, 17)),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_date_that_is_only_repeated_is_no_new_promise_though_the_receipt_comes_after_it(
    order: tuple[int, ...],
) -> None:
    watch = watch_of(told(Core(), *(REPEATED[n] for n in order)))
    assert watch == Watch(march(27, 17), march(9), march(30, 17), True)


# Friday 27, put off to Tuesday 31, and on Wednesday 18 back to Friday 27: promised anew on the 18th, and what was
# waited before (16 to 17) is in it.
BACK = (
    step("RECEIVED", march(9), due_at=march(27, 17)),
    step("SUPPLEMENT_REQUESTED", march(16)),
    step("SUPPLEMENT_GIVEN", march(17), due_at=march(31, 17)),
    step("IN_PROCESS", march(18), due_at=march(27, 17)),
    step("IN_PROCESS", march(19), due_at=march(27, 17)),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_a_date_that_another_came_between_is_a_new_promise(order: tuple[int, ...]) -> None:
    watch = watch_of(told(Core(), *(BACK[n] for n in order)))
    assert watch == Watch(march(27, 17), march(18), march(27, 17), True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_transfer_s_date_counts_from_the_last_transfer(order: tuple[int, ...]) -> None:
    """To the same agency by the same date again."""
    steps = (
        step("RECEIVED", march(9)),
        step("TRANSFERRED", march(10), transferred_to="H11.05", step_due_at=march(20, 17)),
        step("TRANSFERRED", march(12), transferred_to="H11.05", step_due_at=march(20, 17)),
    )
    watch = watch_of(told(Core(), *(steps[n] for n in order)), TRANSFER)
    assert watch == Watch(march(20, 17), march(12), march(20, 17), True)


def test_a_wait_that_has_dropped_out_of_the_kept_steps_still_began_when_it_began() -> None:
    """Papers asked for on Monday 16, a fee as well on Tuesday 17; paid on Thursday 19: one wait of three working days.
    Due Friday 27 17:00: Monday 30, Tuesday 31, Wednesday 1 April 17:00. Two steps are kept."""
    core = Core(Settings(core=CoreSettings(keep_steps=2)))
    told(core, step("RECEIVED", march(9), due_at=march(27, 17)), step("SUPPLEMENT_REQUESTED", march(16)))
    told(
        core,
        step("PAYMENT_REQUESTED", march(17)),
        step("RATED", march(18), rating=5),
        step("RATED", march(18, 9), rating=4),
    )
    told(core, step("PAYMENT_MADE", march(19)))
    assert watch_of(core) == Watch(march(27, 17), march(9), march(31, 17) + 24 * 3_600_000, True)


# --- what was told ---------------------------------------------------------------------------------------------------


def test_what_was_told_is_not_told_again_when_the_deadline_comes_back_to_it() -> None:
    """Due Friday 27 17:00 and told of it; put off to Tuesday 31; by a correction Friday 27 after all."""
    hub = Hub()
    told(hub, step("RECEIVED", march(9), due_at=march(27, 17)))
    assert [event["kind"] for event in hub.at(march(27, 8)) + hub.at(march(27, 17))] == ["WARNING", "DUE"]
    told(hub, step("RESCHEDULED", march(27, 16), due_at=march(31, 17)))
    assert hub.at(march(27, 18)) == []
    told(hub, step("RESCHEDULED", march(27, 17), due_at=march(27, 17)))
    assert watch_of(hub) == Watch(march(27, 17), march(27, 17), march(27, 17), True, 3)
    hub.renew()
    assert hub.at(march(28)) == []


def test_what_was_told_before_a_late_step_moved_the_deadline_stays_told_and_the_new_one_is_told_too() -> None:
    """Papers asked for on Monday 16 and given on Tuesday 17 become known after Friday 27 17:00: Monday 30 17:00."""
    hub = Hub()
    told(hub, step("RECEIVED", march(9), due_at=march(27, 17)))
    assert [(e["kind"], e["deadline_at"]) for e in hub.at(march(27, 17))] == [("DUE", march(27, 17))]
    told(hub, step("SUPPLEMENT_GIVEN", march(17)), step("SUPPLEMENT_REQUESTED", march(16)))
    assert hub.at(march(27, 18)) == []
    told_now = hub.at(march(30, 8)) + hub.at(march(30, 17))
    assert [(e["kind"], e["deadline_at"]) for e in told_now] == [("WARNING", march(30, 17)), ("DUE", march(30, 17))]


# --- state records of the program before this rule (decision 20) ------------------------------------------------------


def stored_before(core: Core, watch: Watch, *waits: tuple[int, int]) -> None:
    """As it was stored then: no header `dates`, and in `deadline` the waits that were over, after 26 bytes."""
    stored = core.state[topics.DOSSIERS, CODE.encode()]
    old = watch.pack() + struct.pack(f"<{2 * len(waits)}q", *itertools.chain(*waits))
    headers = [(name, old if name == DEADLINE else value) for name, value in stored.headers if name != "dates"]
    core.state[topics.DOSSIERS, CODE.encode()] = Stored(stored.value, headers)


def test_a_wrong_date_that_was_stored_is_mended_with_the_next_step() -> None:
    """B10 in the middle of the second wait: the first one stands beside the date that it has not moved."""
    core = told(Core(), *(TWO_WAITS[n] for n in (0, 1, 3, 2)))
    stored_before(core, Watch(march(27, 17), march(9), march(27, 17), False), (march(16), march(17)))
    assert watch_of(told(core, TWO_WAITS[4])) == Watch(march(27, 17), march(9), march(31, 17), True)


def test_waits_that_only_the_old_record_remembers_go_on_counting() -> None:
    """Two steps are kept, those of Wednesday 18 and Thursday 19; one more day of waiting, Monday 23 to Tuesday 24."""
    core = Core(Settings(core=CoreSettings(keep_steps=2)))
    told(core, *TWO_WAITS[:3], step("IN_PROCESS", march(18)), step("IN_PROCESS", march(19)))
    stored_before(core, Watch(march(27, 17), march(9), march(30, 17), True), (march(16), march(17)))
    told(core, step("SUPPLEMENT_REQUESTED", march(23)), step("SUPPLEMENT_GIVEN", march(24)))
    assert watch_of(core) == Watch(march(27, 17), march(9), march(31, 17), True)


@pytest.mark.parametrize("repeated", [march(18), march(12)])
def test_a_promise_that_was_stored_stands_though_nobody_knows_who_told_it(repeated: int) -> None:
    core = told(Core(), *TWO_WAITS[:3])
    stored_before(core, Watch(march(27, 17), march(9), march(30, 17), True), (march(16), march(17)))
    told(core, step("IN_PROCESS", repeated, due_at=march(27, 17)))
    assert watch_of(core) == Watch(march(27, 17), march(9), march(30, 17), True)


def test_what_the_old_record_says_was_told_is_not_told_again() -> None:
    hub = Hub()
    told(hub, step("RECEIVED", march(9), due_at=march(27, 17)))
    stored_before(hub, Watch(march(27, 17), march(9), march(27, 17), True, 3))
    told(hub, step("RESCHEDULED", march(27, 16), due_at=march(31, 17)))
    told(hub, step("RESCHEDULED", march(27, 17), due_at=march(27, 17)))
    assert hub.at(march(28)) == []


# --- random histories -------------------------------------------------------------------------------------------------

RULES = rules(DeadlineSettings())
DUE = (march(13, 17), march(20, 11), march(27, 17))
HOURS = (0, 0, 1, 5, 24, 24, 48, 96)
Steps = list[dict[str, Any]]


@st.composite
def histories(draw: st.DrawFn, most: int, corrections: bool = False) -> Steps:
    """A lawful row of steps in event time, by a walk on the table of transitions; often at equal times."""
    at, hour, made = draw(st.sampled_from(["NEW", "ACCEPTED", "IN_PROCESS"])), 0, Steps()
    for _ in range(draw(st.integers(2, most))):
        kind = draw(st.sampled_from([t.step for t in TRANSITIONS if t.at == at] + ["RATED"]))
        facts: dict[str, Any] = {"rating": 4} if kind == "RATED" else {}
        turned = corrections and bool(made) and kind in ("RECEIVED", "IN_PROCESS") and draw(st.booleans())
        facts |= {"correction": True} if turned else {}
        if kind == "RESCHEDULED" or draw(st.integers(0, 3)) == 0:
            facts["due_at"] = draw(st.sampled_from(DUE))
        if kind == "TRANSFERRED":
            facts["transferred_to"] = draw(st.sampled_from(["H11.05", "H11.06"]))
            facts["step_due_at"] = draw(st.sampled_from([None, *DUE[:2]]))
        if draw(st.integers(0, 9)) == 0:
            facts["remark"] = draw(st.sampled_from(["a", "b"]))
        while any((one["step"], one["occurred_at"]) == (kind, march(9) + hour * 3_600_000) for one in made):
            hour += 1  # of two of a kind at one moment only their ids tell the order
        made.append(step(kind, march(9) + hour * 3_600_000, **facts))
        if kind != "RATED":
            to = next(t.to for t in TRANSITIONS if (t.at, t.step) == (at, kind))
            at = at if to in WAITS else to
        hour += draw(st.sampled_from(HOURS))
    return sorted(made, key=in_time)


def in_time(one: dict[str, Any]) -> tuple[int, bool, int]:
    return one["occurred_at"], one.get("correction", False), ORDER.index(one["step"])


class Ordered(Hub):
    """limit: ten working days from the receipt, where nobody told the date."""

    def renew(self) -> None:
        super().renew()
        if self.settings.deadlines.derive_due_at:
            limit = lambda _, received_at: due(RULES, received_at, 10, Unit.WORKING_DAY)  # noqa: E731
            self._step = self.clock.watching(make_step(CODEC, self.settings, limit=limit))


def settings_of(keep: int = 16, derive: bool = False) -> Settings:
    return Settings(core=CoreSettings(keep_steps=keep), deadlines=DeadlineSettings(derive_due_at=derive))


def ended(steps: Steps, order: Iterable[int], chosen: Settings, chunks: bool = False) -> Ordered:
    """The hub after these, each under the id of its place in event time. chunks: two records at a time."""
    hub = Ordered(chosen)
    records = [record(steps[n], f"e{n}") for n in order]
    for at in range(0, len(records), 2 if chunks else 1):
        hub.run(*records[at : at + (2 if chunks else 1)])
    assert not hub.dead
    return hub


def end_of(hub: Core, *without: str) -> tuple[Any, ...]:
    """What the order of arrival must not change. `hub_seq` and the ring of copies count arrivals."""
    stored = hub.state[topics.DOSSIERS, CODE.encode()]
    dossier = {name: value for name, value in document(hub.dossier()).items() if name not in ("hub_seq", *without)}
    return dossier, {name: value for name, value in stored.headers if name not in ("hub_seq", "ring")}


def by_definition(steps: Steps) -> Watch | None:
    """The watch as docs/deadlines.md tells it, from the steps in order: nothing is folded, packed or remembered."""
    found = sorted(steps, key=in_time)
    due_at = since = began = 0
    waits: list[tuple[int, int]] = []
    status = "UNKNOWN"
    statuses = statuses_of((one["step"], one.get("correction", False)) for one in found)
    for one, status in zip(found, statuses, strict=True):
        at = one["occurred_at"]
        if one.get("due_at") and one["due_at"] != due_at:
            due_at, since = one["due_at"], at
        if status in WAITS:
            began = began or at
        elif began:
            waits.append((began, at))
            began = 0
    if not due_at:
        return None
    deadline = due_at
    for start, end in waits:
        if end > since:
            deadline = paused(RULES, deadline, max(start, since), end)
    return Watch(due_at, since, deadline, status in ("NEW", "ACCEPTED", "IN_PROCESS"))


def measured(hub: Core, tmp: Path) -> list[Measured]:
    """The dossier in the figures of March, by way of the read model's tables."""
    engine = open_engine(Settings(data_dir=tmp))
    out = [o for o in hub.out if o.topic == topics.EVENTS]
    project(engine, [Rec(topics.EVENTS, 0, n, o.key, o.value, o.headers) for n, o in enumerate(out)])
    month = Period(march(1, 0), march(31, 23))
    with engine.connect() as connection:
        found = [
            measure(case, month, Rules(), lambda _: None)
            for case in cases(connection, tables.current(engine), month, "n")
        ]
    engine.dispose()
    return found


def test_a_wait_that_a_late_step_filled_in_counts_in_the_figures(tmp_path: Path) -> None:
    """Passed on on Tuesday 17, and only then is it known that papers were asked for on Monday 16; given on Thursday 19,
    finished on Friday 20 at 12:00. Waited for three days, 16 to 19, whatever the order of arrival."""
    steps = [
        step("RECEIVED", march(9), due_at=march(18, 17), received_at=march(9)),
        step("SUPPLEMENT_REQUESTED", march(16)),
        step("TRANSFERRED", march(17), transferred_to="H11.05"),
        step("SUPPLEMENT_GIVEN", march(19)),
        step("FINISHED", march(20, 12)),
    ]
    for number, order in enumerate(itertools.permutations(range(5))):
        if number % 7:
            continue
        (found,) = measured(ended(steps, order, settings_of()), tmp_path / str(number))
        assert (found.supplement_ms, found.outcome) == (3 * 24 * 3_600_000, "on_time"), order


def told_from(hub: Hub) -> list[tuple[Any, ...]]:
    """What the clock tells from 1 March on, once all steps have come."""
    hub.renew()
    found = [event for day in range(1, 32) for hour in (7, 18) for event in hub.at(march(day, hour))]
    return [(e["id"], e["kind"], e["occurred_at"], e["due_at"], e["deadline_at"]) for e in found]


@settings(max_examples=150)
@given(histories(16), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_in_any_order_the_same_end(steps: Steps, random: Random, derive: bool, chunks: bool) -> None:
    order = list(range(len(steps)))
    in_order = ended(steps, order, settings_of(derive=derive))
    random.shuffle(order)
    shuffled = ended(steps, order, settings_of(derive=derive), chunks)
    assert end_of(shuffled) == end_of(in_order)
    if any("due_at" in one for one in steps):
        assert watch_of(shuffled) == by_definition(steps)
    assert told_from(shuffled) == told_from(in_order)


@settings(max_examples=25)
@given(histories(10), st.randoms(use_true_random=False))
def test_in_any_order_the_same_figures(steps: Steps, random: Random) -> None:
    order = list(range(len(steps)))
    random.shuffle(order)
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        in_order = measured(ended(steps, range(len(steps)), settings_of()), Path(first))
        assert measured(ended(steps, order, settings_of()), Path(second)) == in_order


@settings(max_examples=60)
@given(histories(16, corrections=True))
def test_with_corrections_in_order_and_reversed_the_same_end(steps: Steps) -> None:
    in_order = ended(steps, range(len(steps)), settings_of())
    turned = ended(steps, reversed(range(len(steps))), settings_of())
    assert end_of(turned) == end_of(in_order)
    assert watch_of(turned) == by_definition(steps)


def judged_order(count: int, keep: int, random: Random) -> list[int]:
    """An order of arrival in which no step is older than the oldest one kept."""
    left, out = list(range(count)), list[int]()
    while left:
        later = sum(n > left[0] for n in out)
        out.append(left.pop(0 if later >= keep - 1 else random.randrange(len(left))))
    return out


@settings(max_examples=100)
@given(histories(30), st.randoms(use_true_random=False), st.integers(2, 6))
def test_of_a_long_history_the_same_end_while_each_step_comes_among_those_kept(
    steps: Steps, random: Random, keep: int
) -> None:
    in_order = ended(steps, range(len(steps)), settings_of(keep))
    shuffled = ended(steps, judged_order(len(steps), keep, random), settings_of(keep))
    # When the receipt was is looked for among the steps kept (docs/lifecycle.md, Bounds).
    assert end_of(shuffled, "received_at", "received_at_derived") == end_of(
        in_order, "received_at", "received_at_derived"
    )
    assert watch_of(in_order) == by_definition(steps)


@settings(max_examples=60)
@given(histories(10), st.randoms(use_true_random=False))
def test_whenever_the_clock_looks_each_deadline_is_told_once_and_the_last_one_is_told(
    steps: Steps, random: Random
) -> None:
    """What was told before a late step moved the deadline stays told; the one that holds in the end is told too."""
    order = list(range(len(steps)))
    random.shuffle(order)
    hub, found = Ordered(settings_of()), list[dict[str, Any]]()
    for n in order:
        hub.run(record(steps[n], f"e{n}"))
        found += hub.at(march(random.randrange(9, 29), 12))
        if random.random() < 0.3:
            hub.renew()
    hub.renew()
    found += hub.at(march(31, 18))
    own = [e for e in found if e["kind"] in ("WARNING", "DUE")]
    assert len({e["id"] for e in own}) == len(own)
    watch = by_definition(steps)
    if watch is not None and watch.runs and watch.deadline_at < march(31, 18):
        assert [e["deadline_at"] for e in own if e["kind"] == "DUE"].count(watch.deadline_at) == 1
