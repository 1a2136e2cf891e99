"""NgayTiepNhan and NgayHenTra that no source told (decision 15). Dates by hand, on a paper calendar of January 2026:
Monday 5 to Friday 9, Saturday 10 is worked; local 8:00 is 1:00 UTC."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hub.config import DeadlineSettings, Settings
from hub.core.catalogue_copy import CatalogueCopy
from hub.core.step import make_step
from hub.events import families
from hub.kafka import topics
from hub.model.deadline_rules import rules
from hub_connectors.national_portal.mapping import WireMapping
from hub_connectors.national_portal.settings import NationalPortalSettings
from tests.support.core import CODE, CODEC, Core, record, step
from tests.support.deadline_clock import DAY, FRI_8, HOUR, MON_8, THU_8, Hub, kinds

PROCEDURE = "1.004194"
ON = Settings(deadlines=DeadlineSettings(derive_due_at=True))


def dates(core: Core, code: str = CODE) -> tuple[Any, ...]:
    known = core.dossier(code)
    return known.received_at, known.received_at_derived, known.due_at, known.due_at_derived


# --- NgayTiepNhan --------------------------------------------------------------------------------------------------


def test_the_moment_of_the_receipt_is_the_date_of_it() -> None:
    core = Core().steps(step("SUBMITTED", MON_8), step("RECEIVED", MON_8 + HOUR), step("FINISHED", MON_8 + DAY))
    assert dates(core) == (MON_8 + HOUR, True, None, None)
    assert core.events[1].dossier.received_at == MON_8 + HOUR
    assert core.events[1].step.received_at is None  # what was told is passed on as it was told


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_in_whatever_order_they_arrive_the_receipt_that_made_it_accepted(order: tuple[int, ...]) -> None:
    steps = [
        step("SUBMITTED", MON_8),
        step("RECEIVED", MON_8 + HOUR),
        step("IN_PROCESS", MON_8 + 2 * HOUR),
        step("RECEIVED", MON_8 + 3 * HOUR),  # by a joint agency
    ]
    assert dates(Core().steps(*(steps[n] for n in order)))[:2] == (MON_8 + HOUR, True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_a_joint_agency_s_receipt_of_what_is_in_work_tells_nothing(order: tuple[int, ...]) -> None:
    steps = [step("IN_PROCESS", MON_8), step("RECEIVED", MON_8 + HOUR)]
    assert dates(Core().steps(*(steps[n] for n in order)))[:2] == (None, None)


@pytest.mark.parametrize("told_with", ["SUBMITTED", "RECEIVED", "IN_PROCESS"])
def test_what_a_source_tells_wins_whenever_it_comes(told_with: str) -> None:
    steps = [step(kind, MON_8 + n * HOUR) for n, kind in enumerate(("SUBMITTED", "RECEIVED", "IN_PROCESS"))]
    told = [one | ({"received_at": MON_8 - DAY} if one["step"] == told_with else {}) for one in steps]
    for order in itertools.permutations(told):
        assert dates(Core().steps(*order))[:2] == (MON_8 - DAY, None)


def test_it_stays_when_the_steps_are_no_longer_kept() -> None:
    core = Core().steps(step("RECEIVED", MON_8), *(step("IN_PROCESS", MON_8 + n * HOUR) for n in range(1, 30)))
    assert dates(core)[:2] == (MON_8, True)


def test_a_repeated_step_that_is_the_receipt() -> None:
    """SUBMITTED and RECEIVED with the very same facts."""
    facts = {"agency_code": "H11.12", "abstract": "x"}
    core = Core().steps(step("SUBMITTED", MON_8, **facts), step("RECEIVED", MON_8 + HOUR, **facts))
    assert dates(core)[:2] == (MON_8 + HOUR, True)


def test_a_correction_back_to_the_counter_does_not_move_it() -> None:
    core = Core().steps(
        step("RECEIVED", MON_8), step("FINISHED", MON_8 + DAY), step("RECEIVED", MON_8 + 2 * DAY, correction=True)
    )
    assert dates(core)[:2] == (MON_8, True)


# --- NgayHenTra ----------------------------------------------------------------------------------------------------


class Derived(Hub):
    """The core with its clock and a copy of the catalogue."""

    def __post_init__(self) -> None:
        self.copy = CatalogueCopy(CODEC, False, rules(self.settings.deadlines))
        super().__post_init__()

    def renew(self) -> None:
        super().renew()
        self._step = self.clock.watching(make_step(CODEC, self.settings, limit=self.copy.due_at))

    def publish(self, *limits: tuple[float | None, str | None], code: str = PROCEDURE, id: str = "p") -> None:
        """limits: the procedure's, the first one as its main one."""
        rows = [{"time_limit": amount, "time_limit_unit": unit} for amount, unit in limits]
        change = {"procedure_code": code, "change": "PUBLISHED", "occurred_at": MON_8 - DAY + len(id), **rows[0]}
        other = Core()
        other.state = self.state
        other.run(record(change | {"time_limits": rows}, id, families.PROCEDURE.published))
        assert not other.dead
        stored = self.state[topics.PROCEDURES, code.encode()]
        self.copy.apply(topics.PROCEDURES, code.encode(), stored.value)


def received(hub: Derived, at: int = MON_8, id: str = "r", **facts: Any) -> Derived:
    hub.run(record(step("RECEIVED", at, procedure_code=PROCEDURE, **facts), id))
    return hub


@pytest.mark.parametrize(
    ("limits", "due"),
    [
        ([(4.0, "Ngày làm việc")], FRI_8),  # Tue, Wed, Thu, Fri 8:00
        ([(2.0, "Ngày làm việc"), (4.0, "Ngày làm việc"), (6.0, "Giờ")], FRI_8),  # the longest
        ([(3.0, "Ngày")], MON_8 + 3 * DAY + 9 * HOUR),  # Thursday, until the office closes at 17:00
        ([(None, None), (1.0, "Ngày làm việc")], MON_8 + DAY),
        ([(5.0, "tuần")], None),  # no unit of the catalogue's list
        ([(None, None)], None),
        ([(0.3, "Tháng")], None),  # cannot be counted
    ],
)
def test_the_end_of_the_procedure_s_longest_limit(
    limits: list[tuple[float | None, str | None]], due: int | None
) -> None:
    hub = Derived(ON)
    hub.publish(*limits)
    received(hub)
    assert dates(hub) == (MON_8, True, due, True if due else None)


def test_off_unless_chosen() -> None:
    assert not Settings().deadlines.derive_due_at
    hub = Hub()
    hub.run(record(step("RECEIVED", MON_8, procedure_code=PROCEDURE), "r"))
    assert dates(hub) == (MON_8, True, None, None)


def test_it_is_told_of_and_moved_by_waiting_as_any_date() -> None:
    """Asked Tuesday 8:00, answered Wednesday 8:00: Saturday 10, which is worked, 8:00."""
    hub = Derived(ON)
    hub.publish((4.0, "Ngày làm việc"))
    received(hub)
    assert (hub.watch.due_at, hub.watch.since) == (FRI_8, MON_8)
    assert kinds(hub.at(THU_8)) == ["WARNING"]
    hub = Derived(ON)
    hub.publish((4.0, "Ngày làm việc"))
    received(hub)
    hub.run(record(step("SUPPLEMENT_REQUESTED", MON_8 + DAY), "a"))
    hub.run(record(step("SUPPLEMENT_GIVEN", MON_8 + 2 * DAY), "b"))
    assert hub.watch.deadline_at == FRI_8 + DAY
    assert kinds(hub.at(FRI_8 + DAY)) == ["DUE"]


@pytest.mark.parametrize("at", [MON_8 - HOUR, MON_8 + HOUR])
def test_a_date_that_is_told_wins_also_with_an_older_step(at: int) -> None:
    hub = Derived(ON)
    hub.publish((4.0, "Ngày làm việc"))
    received(hub)
    hub.run(record(step("SUBMITTED" if at < MON_8 else "IN_PROCESS", at, due_at=FRI_8 + 3 * DAY), "t"))
    assert dates(hub) == (MON_8, True, FRI_8 + 3 * DAY, None)
    assert hub.watch.due_at == FRI_8 + 3 * DAY
    hub.run(record(step("IN_PROCESS", MON_8 + 3 * HOUR), "i"))
    assert dates(hub)[2:] == (FRI_8 + 3 * DAY, None)


def test_an_amended_limit_does_not_move_it_another_receipt_does() -> None:
    hub = Derived(ON)
    hub.publish((4.0, "Ngày làm việc"))
    received(hub)
    hub.publish((1.0, "Ngày làm việc"), id="amended")
    hub.run(record(step("IN_PROCESS", MON_8 + HOUR), "i"))
    assert dates(hub)[2] == FRI_8
    # Wednesday 31 December 8:00; New Year and Friday 2 January, for which Saturday 10 is worked, are off: Monday 8:00.
    hub.run(record(step("IN_PROCESS", MON_8 + 2 * HOUR, received_at=MON_8 - 5 * DAY), "j"))
    assert dates(hub) == (MON_8 - 5 * DAY, None, MON_8, True)


def test_a_procedure_that_becomes_known_later_and_a_receipt_that_is_taken_back() -> None:
    hub = received(Derived(ON))
    assert dates(hub)[2:] == (None, None)
    hub.publish((4.0, "Ngày làm việc"))
    hub.run(record(step("FINISHED", MON_8 + DAY), "f"))
    assert dates(hub)[2:] == (FRI_8, True)
    hub.run(record(step("IN_PROCESS", MON_8 - HOUR), "w"))  # work had begun before: the receipt was another's
    assert dates(hub) == (None, None, None, None)
    assert hub.at(FRI_8 + HOUR) == []


def test_it_stays_when_the_setting_is_taken_back() -> None:
    hub = Derived(ON)
    hub.publish((4.0, "Ngày làm việc"))
    received(hub)
    plain = Hub()
    plain.state = hub.state
    plain.run(record(step("IN_PROCESS", MON_8 + HOUR), "i"))
    assert dates(plain)[2:] == (FRI_8, True)


# --- at the national portal ----------------------------------------------------------------------------------------


def test_both_required_dates_are_at_the_portal() -> None:
    """Received Monday 9:00 local; four working days later is Friday 9:00."""
    hub = Derived(ON)
    hub.publish((4.0, "Ngày làm việc"))
    hub.run(record(step("SUBMITTED", MON_8, procedure_code=PROCEDURE), "s"))
    settings = NationalPortalSettings(adapter_url="http://portal", madonvi="000.00.00.H11", username="u")
    before = WireMapping(settings).dossier(hub.dossier())
    assert (before["NgayTiepNhan"], before["NgayHenTra"]) == ("", "")
    hub.run(record(step("RECEIVED", MON_8 + HOUR), "r"))
    after = WireMapping(settings).dossier(hub.dossier())
    assert (after["NgayTiepNhan"], after["NgayHenTra"]) == ("20260105090000", "20260109090000")
