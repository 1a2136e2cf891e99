"""One dossier as the figures see it, and how it is measured in a period (QĐ 766/QĐ-TTg item 2.1; docs/field/score.md).

Pure. Times are epoch ms UTC. What happened after the period's end is not seen, so a closed month never changes but by
late events and new facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hub.model.lifecycle import START, STEP_RANK, advance
from hub.model.transitions import STATUSES

HOUR_MS = 3_600_000

# received at, amount, DONVITINH -> when that limit ends; None for a unit that nobody knows
Limit = Callable[[int, float, str], int | None]


class Period(NamedTuple):
    """start <= t < end. An unfinished dossier is measured at `end`; of a month that runs it is now."""

    start: int
    end: int

    def holds(self, at: int | None) -> bool:
        return at is not None and self.start <= at < self.end


class Step(NamedTuple):
    """at: event time. step: StepKind. status: the one that the step gave at its own time (`in_time`)."""

    at: int
    step: str
    status: str


def in_time(told: Iterable[tuple[int, str, bool]]) -> tuple[Step, ...]:
    """The steps of a dossier in event time. told: (at, step, whether it is a correction), in any order.

    The status is the one that a step gives among all that are known now. What its event says was known when it came;
    a late step may have filled in since what lay before it.
    """
    known = [one for one in told if one[1] in STEP_RANK]
    standing, out = START, []
    for at, step, correction in sorted(known, key=lambda one: (one[0], one[2], STEP_RANK[one[1]])):
        standing = advance(standing, STEP_RANK[step], at, correction)
        out.append(Step(at, step, STATUSES[standing.status]))
    return tuple(out)


class Paper(NamedTuple):
    """result: a result paper, or one submitted. link: it can be fetched. digitised: DuocSoHoa, None where not told."""

    result: bool
    link: bool
    digitised: bool | None


@dataclass(frozen=True, slots=True)
class Case:
    """A dossier. fee: some fee is due or was paid. online_payment: DuocThanhToanTrucTuyen. delivered: the national
    portal has it. ratings: (when, 1 to 5)."""

    code: str
    agency: str
    procedure: str | None
    channel: str | None
    received_at: int | None
    due_at: int | None
    finished_at: int | None
    steps: tuple[Step, ...]
    papers: tuple[Paper, ...] = ()
    fee: bool = False
    online_payment: int | None = None
    vneid: bool | None = None
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What rests on one source only, so that a province can choose (docs/figures.md).

    one_supplement_ends: "open": the time of the only supplement request is the end while it waits for the answer;
                         "always": also of a dossier that was finished later.
    many_supplements_late: more than one supplement request makes a dossier overdue.
    subtract_supplement: time spent waiting for a supplement does not count.
    apology_is_late: a dossier whose date was put off with an apology (step RESCHEDULED) is overdue in any case.
    """

    one_supplement_ends: str = "open"
    many_supplements_late: bool = True
    subtract_supplement: bool = True
    apology_is_late: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """outcome: "on_time", "late", "no_deadline" (ended), "withdrawn", "pending", "" (not received, ended before).

    end: when it ended or was withdrawn; None while pending. overdue: of a pending one. measured: has a deadline to be
    judged by. supplement_ms: waited for supplements from the receipt to the end. processing_ms: of an ended one,
    without that.
    result: it ended with a result (neither refused nor stopped).
    """

    received: bool
    outcome: str
    end: int | None
    overdue: bool
    deadline: int | None
    supplement_ms: int
    processing_ms: int | None
    result: bool


_WORKING = frozenset({"NEW", "ACCEPTED", "IN_PROCESS", "SUPPLEMENT"})


def measure(case: Case, period: Period, rules: Rules, maximum: Callable[[int], int | None]) -> Measured:
    """maximum: received at -> the end of the procedure's time limit, used without NgayHenTra; None: unknown."""
    steps = sorted((s for s in case.steps if s.at < period.end and s.step != "RATED"), key=_order)
    received_at = _received(case, steps, period)
    if received_at is None:
        return Measured(False, "", None, False, None, 0, None, False)
    end, how = _end(case, steps, period)
    deadline = case.due_at if case.due_at is not None else maximum(received_at)
    requests = sorted({s.at for s in steps if s.step == "SUPPLEMENT_REQUESTED"})
    until = end if end is not None else period.end
    # A request before the receipt is no end: nothing had begun.
    if len(requests) == 1 and requests[0] >= received_at and _request_ends(rules, steps, how):
        until = requests[0]
    waited = _waited(steps, received_at, until)
    apologies = any(s.step == "RESCHEDULED" for s in steps)
    late = _is_late(rules, deadline, until, waited, len(requests), apologies)
    if how == "":
        outcome = "pending"
    elif not period.holds(end):
        outcome = ""
    elif how == "WITHDRAWN":
        outcome = "withdrawn"
    else:
        outcome = "no_deadline" if late is None else "late" if late else "on_time"
    ended = outcome in ("on_time", "late", "no_deadline")
    return Measured(
        received=period.holds(received_at),
        outcome=outcome,
        end=end,
        overdue=outcome == "pending" and bool(late),
        deadline=deadline,
        supplement_ms=waited,
        processing_ms=max(0, until - received_at - waited) if ended else None,
        result=ended and how in ("FINISHED", "RETURNED"),
    )


def _order(step: Step) -> tuple[int, int]:
    return step.at, STEP_RANK.get(step.step, 0)


def _received(case: Case, steps: Sequence[Step], period: Period) -> int | None:
    """NgayTiepNhan; else the first step that shows the dossier accepted. None: not received by the period's end."""
    if case.received_at is not None:
        return case.received_at if case.received_at < period.end else None
    undone = False
    for step in steps:
        if step.status in _ACCEPTED or (step.status == "RETURNED" and not undone):
            return step.at
        undone = undone or step.status in _UNDONE
    return None


def _end(case: Case, steps: Sequence[Step], period: Period) -> tuple[int | None, str]:
    """(when it ended, by which step); (None, "") while it is worked on. Priority: status 9, then 10, then 8 and 3.

    Only what follows the last step of work counts: a correction that turns the dossier back undoes the end. A dossier
    withdrawn and then stopped or handed back stays withdrawn, one refused and then handed back ends with the 10.
    """
    last = max((n for n, s in enumerate(steps) if s.status in _WORKING), default=-1)
    first: dict[str, int] = {}
    for step in steps[last + 1 :]:
        first.setdefault(step.step, step.at)
    if "FINISHED" in first:
        return first["FINISHED"], "FINISHED"
    if "WITHDRAWN" in first:
        return first["WITHDRAWN"], "WITHDRAWN"
    refused = min((first[s], s) for s in ("NOT_ACCEPTED", "STOPPED") if s in first) if first.keys() & _REFUSED else None
    if "RETURNED" in first:
        return first["RETURNED"], refused[1] if refused else "RETURNED"
    if refused:
        return refused
    told = case.finished_at  # as a fact only (NgayKetThucXuLy)
    if told is not None and told < period.end and (last < 0 or told >= steps[last].at):
        return told, "FINISHED"
    return None, ""


_REFUSED = frozenset({"NOT_ACCEPTED", "STOPPED"})
_ACCEPTED = frozenset({"ACCEPTED", "IN_PROCESS", "FINISHED"})
_UNDONE = _REFUSED | {"WITHDRAWN"}
"""Papers handed back after one of these show no acceptance."""


def _request_ends(rules: Rules, steps: Sequence[Step], how: str) -> bool:
    if rules.one_supplement_ends == "always":
        return how != "WITHDRAWN"
    return how == "" and bool(steps) and steps[-1].status == "SUPPLEMENT"


def _waited(steps: Sequence[Step], received_at: int, until: int) -> int:
    """Time with status SUPPLEMENT between these two: what lay before the receipt was no time of the agency's."""
    total, since = 0, None
    for step in steps:
        if step.status == "SUPPLEMENT":
            since = max(step.at, received_at) if since is None else since
        elif since is not None:
            total += max(0, min(step.at, until) - since)
            since = None
    return total + (max(0, until - since) if since is not None else 0)


def _is_late(rules: Rules, deadline: int | None, until: int, waited: int, requests: int, apology: bool) -> bool | None:
    """None without a deadline to judge by."""
    if (requests > 1 and rules.many_supplements_late) or (apology and rules.apology_is_late):
        return True
    if deadline is None:
        return None
    return until - (waited if rules.subtract_supplement else 0) > deadline
