"""Figures of a month per agency: what was received, on time, late, pending, filed online, published; and the score.

Pure: cases and catalogue in, figures out. Every number is a list of the codes that it counts, so it opens to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.reports.dossier_case import HOUR_MS, Case, Limit, Measured, Period, measure
from hub.reports.score_rules import Scheme

Codes = tuple[str, ...]
PROVINCE = ""
"""In place of an agency code: the sum over all of them."""

OUTCOMES = ("on_time", "late", "no_deadline", "withdrawn", "pending")
NO_LEVEL = "none"
"""Level of a procedure without an online service."""


@dataclass(frozen=True, slots=True)
class ProcedureEntry:
    """published_at: when the hub heard that it was published. lacking: publication fields that are empty.
    limits: (amount, DONVITINH) of each channel; the longest one counts. decided_at: the day of its decision;
    public_since: when that was public (see decision_dates)."""

    code: str
    agency: str
    active: bool
    published_at: int | None = None
    effective_at: int | None = None
    lacking: Codes = ()
    limits: tuple[tuple[float, str], ...] = ()
    decided_at: int | None = None
    public_since: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """An online service that is offered now. level: 1 to 4. whole: toàn trình; None where not told."""

    procedure: str
    level: int | None
    whole: bool | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the hub knows of procedures and services, and the calendar's two answers.

    limit: see figures_case. working_days: working days after the first moment's day, up to and with the second's.
    """

    procedures: Mapping[str, ProcedureEntry]
    services: Sequence[ServiceEntry]
    limit: Limit
    working_days: Callable[[int, int], int]

    def maximum(self, procedure: str | None, received_at: int) -> int | None:
        """When the procedure's longest time limit ends."""
        entry = self.procedures.get(procedure or "")
        ends = [self.limit(received_at, amount, unit) for amount, unit in entry.limits] if entry else []
        return max((end for end in ends if end is not None), default=None)


@dataclass(slots=True)
class Tally:
    """What one agency's figures are made of, code by code. offered: procedure -> its best active service."""

    agency: str
    received: list[str] = field(default_factory=list)
    outcomes: dict[str, list[str]] = field(default_factory=lambda: {outcome: [] for outcome in OUTCOMES})
    overdue: list[str] = field(default_factory=list)
    online: list[str] = field(default_factory=list)
    by_level: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    by_kind: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    processing: list[tuple[str, int]] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    in_time: list[str] = field(default_factory=list)
    with_fee: list[str] = field(default_factory=list)
    paid_online: list[str] = field(default_factory=list)
    fee_procedures: set[str] = field(default_factory=set)
    paid_procedures: set[str] = field(default_factory=set)
    with_result: list[str] = field(default_factory=list)
    result_link: list[str] = field(default_factory=list)
    both_digitised: list[str] = field(default_factory=list)
    with_papers: list[str] = field(default_factory=list)
    digitised: list[str] = field(default_factory=list)
    vneid: list[str] = field(default_factory=list)
    rated: list[str] = field(default_factory=list)
    disliked: list[str] = field(default_factory=list)
    procedures: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    complete: list[str] = field(default_factory=list)
    effective: list[str] = field(default_factory=list)
    published_in_time: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    told_in_time: list[str] = field(default_factory=list)

    @property
    def mean_hours(self) -> float | None:
        """Mean processing time of what ended in the period, in hours by the clock (item 2.2)."""
        return sum(ms for _, ms in self.processing) / len(self.processing) / HOUR_MS if self.processing else None


def tallies(
    cases: Iterable[Case],
    ratings: Iterable[tuple[str, str, int]],
    catalogue: Catalogue,
    period: Period,
    scheme: Scheme,
) -> dict[str, Tally]:
    """By agency code, and under PROVINCE all together. ratings: (dossier, agency, 1 to 5) given in the period."""
    found: dict[str, Tally] = {PROVINCE: Tally(PROVINCE)}
    best = _best_services(catalogue.services)

    def both(agency: str) -> tuple[Tally, Tally]:
        return found[PROVINCE], found.setdefault(agency, Tally(agency))

    for case in cases:
        measured = measure(case, period, scheme.measure, lambda at, c=case: catalogue.maximum(c.procedure, at))  # type: ignore[misc]
        if measured.received or measured.outcome:
            for tally in both(case.agency):
                _count(tally, case, measured, best.get(case.procedure or ""))
    for code, agency, rating in ratings:
        for tally in both(agency):
            tally.rated.append(code)
            if rating <= scheme.dislike_at_most:
                tally.disliked.append(code)
    for entry in catalogue.procedures.values():
        for tally in both(entry.agency):
            _count_procedure(tally, entry, best.get(entry.code), catalogue, period, scheme)
    return found


def _best_services(services: Iterable[ServiceEntry]) -> dict[str, ServiceEntry]:
    """The highest level at which each procedure is offered; toàn trình before một phần."""
    out: dict[str, ServiceEntry] = {}
    for service in services:
        known = out.get(service.procedure)
        if known is None or _worth(service) > _worth(known):
            out[service.procedure] = service
    return out


def _worth(service: ServiceEntry) -> tuple[int, bool]:
    return service.level or 0, bool(service.whole)


def _count(tally: Tally, case: Case, measured: Measured, service: ServiceEntry | None) -> None:
    if measured.received:
        _count_received(tally, case, service)
    code, outcome = case.code, measured.outcome
    if outcome:
        tally.outcomes[outcome].append(code)
    if measured.overdue:
        tally.overdue.append(code)
    pending = outcome == "pending" and (measured.deadline is not None or measured.overdue)
    if outcome in ("on_time", "late") or pending:
        tally.judged.append(code)
        if outcome == "on_time" or (pending and not measured.overdue):
            tally.in_time.append(code)
    if measured.processing_ms is not None:
        tally.processing.append((code, measured.processing_ms))
    if measured.result:
        tally.with_result.append(code)
        if any(paper.result and paper.link for paper in case.papers):
            tally.result_link.append(code)
            if any(paper.digitised for paper in case.papers if not paper.result):
                tally.both_digitised.append(code)


def _count_received(tally: Tally, case: Case, service: ServiceEntry | None) -> None:
    code, online = case.code, case.channel == "ONLINE"
    tally.received.append(code)
    level = str(service.level) if service and service.level else NO_LEVEL
    kind = NO_LEVEL if service is None or service.whole is None else "whole" if service.whole else "part"
    groups = (tally.by_level.setdefault(level, ([], [])), tally.by_kind.setdefault(kind, ([], [])))
    for everyone, those_online in groups:
        everyone.append(code)
        if online:
            those_online.append(code)
    if online:
        tally.online.append(code)
    if case.delivered:
        tally.delivered.append(code)
    if case.vneid:
        tally.vneid.append(code)
    submitted = [paper for paper in case.papers if not paper.result]
    if submitted:
        tally.with_papers.append(code)
        if any(paper.digitised for paper in submitted):
            tally.digitised.append(code)
    if case.fee:
        tally.with_fee.append(code)
        paid = case.online_payment in (1, 2)
        if paid:
            tally.paid_online.append(code)
        if case.procedure:
            tally.fee_procedures.add(case.procedure)
            if paid:
                tally.paid_procedures.add(case.procedure)


def _count_procedure(
    tally: Tally,
    entry: ProcedureEntry,
    service: ServiceEntry | None,
    catalogue: Catalogue,
    period: Period,
    scheme: Scheme,
) -> None:
    if not entry.active:
        return
    tally.procedures.append(entry.code)
    if not entry.lacking:
        tally.complete.append(entry.code)
    if service is not None and service.level in scheme.online_levels:
        tally.offered.append(entry.code)
    if period.holds(entry.effective_at):
        assert entry.effective_at is not None
        tally.effective.append(entry.code)
        if entry.published_at is not None:
            ahead = catalogue.working_days(entry.published_at, entry.effective_at)
            if ahead >= scheme.working_days_before_effect:
                tally.published_in_time.append(entry.code)
    if period.holds(entry.decided_at) and entry.public_since is not None:
        assert entry.decided_at is not None
        tally.decided.append(entry.code)
        if catalogue.working_days(entry.decided_at, entry.public_since) <= scheme.working_days_after_decision:
            tally.told_in_time.append(entry.code)
