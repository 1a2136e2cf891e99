"""What the transition table means: which step may come after which, and what status a row of steps leads to.

Two tables are derived from `TRANSITIONS` when the module is loaded:

- BARRED: step b may stand later than step a if some status that b leads to (or waits at) can be reached from one that a
  leads to, over any number of transitions. A stretch of steps is lawful if *every* pair in it is. So each part of a
  lawful stretch is lawful, which is why steps may arrive in any order and with gaps: no order of arrival can make a
  lawful history unlawful.
- _NEXT: where the dossier rests and what status it has after a step.

A correction (đính chính) begins a new stretch: what it follows is not asked.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hub.model.transitions import KEEPING, NEUTRAL, PASSING, STATUS_OF_STEP, STATUSES, STEPS, TRANSITIONS, WAITS

STATUS_NUMBER: dict[str, int] = {status: number for number, status in enumerate(STATUSES)}
STEP_RANK = {step: rank for rank, step in enumerate(STEPS)}
UNKNOWN: Final = STATUS_NUMBER["UNKNOWN"]
"""The status while only a rating came; the resting place before the first contact."""


class Standing(NamedTuple):
    """Where a row of steps has led to.

    mask:   bit `rank` is set for each step kind since the last correction.
    rest:   number of the status it rests in, or UNKNOWN.
    status: number of the status it has.
    since:  when it took that status, epoch ms.
    """

    mask: int = 0
    rest: int = UNKNOWN
    status: int = UNKNOWN
    since: int = 0


START = Standing()


def _rest_after(at: str, to: str) -> str:
    return at if to in WAITS else to


def _reachable() -> dict[str, set[str]]:
    """status -> every status that can follow, itself included."""
    onward: dict[str, set[str]] = {status: {status} for status in STATUSES}
    for _ in STATUSES:
        for t in TRANSITIONS:
            for reached in onward.values():
                if t.at in reached:
                    reached.add(_rest_after(t.at, t.to))
    return onward


def _barred() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(by rank: mask of the steps that must not stand before, of those that must not stand after)."""
    reach = _reachable()
    places = {step: {_rest_after(t.at, t.to) for t in TRANSITIONS if t.step == step} for step in STEPS}
    before, after = [0] * len(STEPS), [0] * len(STEPS)
    for a in STEPS:
        for b in STEPS:
            lawful = a in NEUTRAL or b in NEUTRAL or any(places[b] & reach[place] for place in places[a])
            if not lawful:
                before[STEP_RANK[b]] |= 1 << STEP_RANK[a]
                after[STEP_RANK[a]] |= 1 << STEP_RANK[b]
    return tuple(before), tuple(after)


BARRED_BEFORE, BARRED_AFTER = _barred()


def _next_table() -> tuple[tuple[tuple[int, int], ...], ...]:
    """[where it rests][rank] -> (where it rests then, its status); a gap takes the step's own status."""
    known = {(t.at, t.step): t.to for t in TRANSITIONS}
    table = []
    for at in STATUSES:
        row = []
        for step in STEPS:
            to = known.get((at, step)) or STATUS_OF_STEP.get(step, at)
            # At first contact an answer (paper given, fee paid) tells a status, but not where the dossier had rested.
            unsure = at == "UNKNOWN" and (
                step in ("SUPPLEMENT_GIVEN", "PAYMENT_MADE", "TRANSFERRED") or step in KEEPING
            )
            rest = at if unsure else _rest_after(at, to)
            row.append((STATUS_NUMBER[rest], STATUS_NUMBER[to]))
        table.append(tuple(row))
    return tuple(table)


_NEXT: Final = _next_table()
_NEUTRAL_RANKS: Final = frozenset(STEP_RANK[step] for step in NEUTRAL)
_KEEPING_RANKS: Final = frozenset(STEP_RANK[step] for step in KEEPING)
_PASSING_RANKS: Final = frozenset(STEP_RANK[step] for step in PASSING)
WAITING: Final = frozenset(STATUS_NUMBER[status] for status in WAITS)
"""Numbers of the statuses of a dossier that waits for the applicant."""


def is_neutral(rank: int) -> bool:
    return rank in _NEUTRAL_RANKS


def advance(standing: Standing, rank: int, at_ms: int, correction: bool) -> Standing:
    """The standing after one more step. It judges nothing; see `history`."""
    mask, rest, status, since = standing
    return Standing(*moved(mask, rest, status, since, rank, at_ms, correction))


def moved(
    mask: int, rest: int, status: int, since: int, rank: int, at_ms: int, correction: bool
) -> tuple[int, int, int, int]:
    """`advance` by the fields of a Standing: a row of steps needs none made for each of them."""
    if rank in _NEUTRAL_RANKS:
        return mask, rest, status, since
    if correction:
        mask, rest = 0, UNKNOWN
    elif rank in _KEEPING_RANKS and status != UNKNOWN:
        return mask | 1 << rank, rest, status, since
    rest, now = _NEXT[rest][rank]
    if rank in _PASSING_RANKS and status in WAITING and not correction:
        now = status
    return mask | 1 << rank, rest, now, since if now == status else at_ms


def mermaid() -> str:
    """The state diagram of docs/lifecycle.md."""
    lines = ["stateDiagram-v2", "    [*] --> NEW : SUBMITTED"]
    for at in STATUSES:
        onward: dict[str, list[str]] = {}
        for t in TRANSITIONS:
            if t.at == at:
                onward.setdefault(t.to, []).append(t.step)
        lines += [f"    {at} --> {to} : {', '.join(steps)}" for to, steps in onward.items()]
    for wait in ("SUPPLEMENT", "PAYMENT"):
        ends = {t.to for t in TRANSITIONS if t.step == ("SUPPLEMENT_GIVEN" if wait == "SUPPLEMENT" else "PAYMENT_MADE")}
        lines += [f"    {wait} --> {to} : answered" for to in STATUSES if to in ends]
    return "\n".join([*lines, "    RETURNED --> [*]"])
