"""Slice 6 of the generated province: which deadlines must have been told by now, once each.

Decided for dossiers whose date nothing has moved by waiting; where a dossier was open over its date only while the hub
was still catching up with weeks in seconds, being told is allowed, not due. Imports nothing from the hub but its
sibling checkers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hub.demo.checker.hours import before
from hub.demo.checker.joint import transfers
from hub.demo.checker.result import Slice
from hub.demo.checker.sent import Dossier, Sent, millis, statuses

DAY_MS = 86_400_000
CATCH_UP_MS = 30 * DAY_MS
"""A deadline that is over for longer is not told (docs/deadlines.md)."""
NEAR_MS = 3_000
"""What falls so near to the moment of looking is not decided: the hub needs a moment to tell it."""
BEFORE_MS = 10_000
"""Nor what falls so shortly before the feed, or while it goes on."""
OPEN = ("NEW", "ACCEPTED", "IN_PROCESS")
WARNING, DUE = "WARNING", "DUE"
KINDS = (WARNING, DUE)
HOLDERS = ("TRANSFER_WARNING", "TRANSFER_DUE")
"""Kinds that speak of the date of the agency that holds the dossier."""


@dataclass(frozen=True, slots=True)
class Told:
    """One deadline event as the subscriber got it. id: of the event. deadline_at: ms UTC."""

    id: str
    code: str
    kind: str
    deadline_at: int


@dataclass(frozen=True, slots=True)
class Feed:
    """When the hub took in what was sent, ms UTC. early: the dossiers that it had before `done` -> by when."""

    begun: int
    done: int
    early: Mapping[str, int] = field(default_factory=dict)

    def until(self, code: str) -> int:
        return self.early.get(code, self.done)


@dataclass(frozen=True, slots=True)
class Expected:
    """How often one kind is due for one deadline of a dossier, at least and at most. deadline_at: None for any."""

    kind: str
    deadline_at: int | None
    least: int
    most: int


def expected(dossier: Dossier, feed: Feed, now: int) -> list[Expected] | None:
    """For the dates that hold now, the dossier's and that of its holder; None where the file does not decide it."""
    own, holders = _own(dossier, feed, now), _holders(dossier, feed, now)
    return None if own is None or holders is None else [*own, *holders]


def _own(dossier: Dossier, feed: Feed, now: int) -> list[Expected] | None:
    promised = _promised(dossier)
    if promised is None:
        return _none(KINDS)
    from_then = _statuses_from(dossier, promised[1])
    if any(status in ("SUPPLEMENT", "PAYMENT") for status in from_then) and any(status in OPEN for status in from_then):
        return None  # waiting moves the date
    return _of_date(KINDS, promised, from_then, feed.begun, feed.until(dossier.code), now)


def _holders(dossier: Dossier, feed: Feed, now: int) -> list[Expected] | None:
    """Works out what is due of the last transfer; waiting does not move its date."""
    moved = transfers(dossier)
    if not moved:
        return _none(HOLDERS)
    if moved[-1]["due"] is None:
        return []
    promised = moved[-1]["due"], moved[-1]["since"]
    from_then = _statuses_from(dossier, promised[1])
    return _of_date(HOLDERS, promised, from_then, feed.begun, feed.until(dossier.code), now)


def _none(kinds: tuple[str, str]) -> list[Expected]:
    return [Expected(kind, None, 0, 0) for kind in kinds]


def _statuses_from(dossier: Dossier, since: int) -> list[str]:
    steps = dossier.in_time()
    return [status for step, status in zip(steps, statuses(steps), strict=True) if step.at >= since]


def _of_date(
    kinds: tuple[str, str], promised: tuple[int, int], from_then: Sequence[str], fed_from: int, fed_to: int, now: int
) -> list[Expected] | None:
    """promised: (the date, when it was promised). from_then: the statuses since. The hub heard of it between fed_from
    and fed_to."""
    due_at, since = promised
    if not any(status in OPEN for status in from_then):
        return [Expected(kind, due_at, 0, 0) for kind in kinds]
    warn_at, is_open = before(due_at), from_then[-1] in OPEN
    due = _moment(due_at, fed_from, now, is_open)
    # A warning after the deadline would be none; none either where its moment was over when the date was promised.
    warned = (0, 0) if due_at < fed_from or warn_at <= since else _moment(warn_at, fed_from, now, is_open)
    if due is None or warned is None or fed_from - BEFORE_MS < due_at < fed_to + NEAR_MS:
        return None
    return [Expected(kinds[0], due_at, *warned), Expected(kinds[1], due_at, *due)]


def _promised(dossier: Dossier) -> tuple[int, int] | None:
    """(the date, when it was promised): the date told last; repeated it is no new promise."""
    found: tuple[int, int] | None = None
    for step in dossier.in_time():
        told = step.data.get("due_at")
        if told and (found is None or millis(told) != found[0]):
            found = millis(told), step.at
    return found


def _moment(at: int, fed_from: int, now: int, is_open: bool) -> tuple[int, int] | None:
    """(at least, at most) what comes at that moment is told by now."""
    if abs(at - now) < NEAR_MS or abs(at - (fed_from - CATCH_UP_MS)) < 6 * BEFORE_MS:
        return None
    if at > now or at < fed_from - CATCH_UP_MS:
        return 0, 0
    return (1, 1) if is_open else (0, 1)


def check(sent: Sent, told: Sequence[Told], feed: Feed, now: int) -> Slice:
    """told: what the subscriber on Kafka was given. now: ms UTC, when it was last read."""
    found = Slice()
    events = {one.id: one for one in told}
    counts = Counter((one.code, one.kind, one.deadline_at) for one in events.values())
    for (code, kind, _), number in counts.items():
        if number > 1:
            found.wrong.append(f"{code}: {kind} was told {number} times for one deadline")
    undecided = must = 0
    for code, dossier in sent.dossiers.items():
        wanted = expected(dossier, feed, now)
        undecided += wanted is None
        for one in wanted or []:
            number = _times(counts, code, one)
            must += one.least
            if not one.least <= number <= one.most:
                times = str(one.least) if one.least == one.most else f"at most {one.most}"
                found.wrong.append(f"{code}: {one.kind} is due {times} times, was told {number} times")
    kinds = Counter(one.kind for one in events.values() if one.code in sent.dossiers)
    found.figures = {
        "told": dict(sorted(kinds.items())),
        "due_for_certain": must,
        "decided_dossiers": len(sent.dossiers) - undecided,
        "undecided_dossiers": undecided,
        "told_twice": sum(number > 1 for number in counts.values()),
    }
    dates = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    found.shown = (
        f"told on Kafka, each once: {dates}; {must} of them due for certain by the dates in the file "
        f"({len(sent.dossiers) - undecided} of {len(sent.dossiers)} dossiers decided)"
    )
    return found


def _times(counts: Counter[tuple[str, str, int]], code: str, one: Expected) -> int:
    if one.deadline_at is not None:
        return counts[code, one.kind, one.deadline_at]
    return sum(number for (own, kind, _), number in counts.items() if (own, kind) == (code, one.kind))


def codes_due(sent: Sent, feed: Feed, now: int) -> Iterator[tuple[str, str]]:
    """(dossier, kind) of what is due for certain by that moment."""
    for code, dossier in sent.dossiers.items():
        for one in expected(dossier, feed, now) or []:
            if one.least:
                yield code, one.kind
