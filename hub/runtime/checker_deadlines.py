"""Slice 6 of the generated province: which deadlines must have been told by now, once each.

Decided for dossiers whose date nothing has moved by waiting; where a dossier was open over its date only while the hub
was still catching up with weeks in seconds, being told is allowed, not due. Imports nothing from the hub but its
sibling checkers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.runtime.checker_hours import before
from hub.runtime.checker_sent import Dossier, Sent, millis, statuses
from hub.runtime.checker_slice import Slice

DAY_MS = 86_400_000
CATCH_UP_MS = 30 * DAY_MS
"""A deadline that is over for longer is not told (docs/deadlines.md)."""
NEAR_MS = 3_000
"""What falls so near to the moment of looking is not decided: the hub needs a moment to tell it."""
FEED_MS = 10_000
"""Nor what falls so near to the feed, which takes some seconds."""
OPEN = ("NEW", "ACCEPTED", "IN_PROCESS")
WARNING, DUE = "WARNING", "DUE"


@dataclass(frozen=True, slots=True)
class Told:
    """One deadline event as the subscriber got it. id: of the event. deadline_at: ms UTC."""

    id: str
    code: str
    kind: str
    deadline_at: int


@dataclass(frozen=True, slots=True)
class Expected:
    """Of one kind, for one dossier: how often at least and at most, for one deadline."""

    least: int
    most: int


def expected(dossier: Dossier, fed_from: int, now: int) -> dict[str, Expected] | None:
    """By kind, for the date that holds now; None where the file alone does not decide it. fed_from: when the hub got
    the first event."""
    promised = _promised(dossier)
    if promised is None:
        return {kind: Expected(0, 0) for kind in (WARNING, DUE)}
    due_at, since = promised
    steps = dossier.in_time()
    own = statuses(steps)
    from_then = [status for step, status in zip(steps, own, strict=True) if step.at >= since]
    never_open = not any(status in OPEN for status in from_then)
    if never_open:
        return {kind: Expected(0, 0) for kind in (WARNING, DUE)}
    if any(status in ("SUPPLEMENT", "PAYMENT") for status in from_then):
        return None
    warn_at, is_open = before(due_at), own[-1] in OPEN
    due = _moment(due_at, fed_from, now, is_open)
    # A warning after the deadline would be none; none either where its moment was over when the date was promised.
    warned = Expected(0, 0) if due_at < fed_from or warn_at <= since else _moment(warn_at, fed_from, now, is_open)
    if due is None or warned is None or abs(due_at - fed_from) < FEED_MS:
        return None
    return {WARNING: warned, DUE: due}


def _promised(dossier: Dossier) -> tuple[int, int] | None:
    """(the date, when it was promised): the date told last; repeated it is no new promise."""
    found: tuple[int, int] | None = None
    for step in dossier.in_time():
        told = step.data.get("due_at")
        if told and (found is None or millis(told) != found[0]):
            found = millis(told), step.at
    return found


def _moment(at: int, fed_from: int, now: int, is_open: bool) -> Expected | None:
    if abs(at - now) < NEAR_MS or abs(at - (fed_from - CATCH_UP_MS)) < 6 * FEED_MS:
        return None
    if at > now or at < fed_from - CATCH_UP_MS:
        return Expected(0, 0)
    return Expected(1, 1) if is_open else Expected(0, 1)


def check(sent: Sent, told: Sequence[Told], fed_from: int, now: int) -> Slice:
    """told: what the subscriber on Kafka was given. now: ms UTC, when it was last read."""
    found = Slice()
    events = {one.id: one for one in told}
    counts = Counter((one.code, one.kind, one.deadline_at) for one in events.values())
    for (code, kind, _), number in counts.items():
        if number > 1:
            found.wrong.append(f"{code}: {kind} was told {number} times for one deadline")
    undecided = must = 0
    for code, dossier in sent.dossiers.items():
        wanted, promised = expected(dossier, fed_from, now), _promised(dossier)
        if wanted is None:
            undecided += 1
            continue
        for kind, one in wanted.items():
            number = counts[code, kind, promised[0]] if promised else _any(counts, code, kind)
            must += one.least
            if not one.least <= number <= one.most:
                times = str(one.least) if one.least == one.most else f"at most {one.most}"
                found.wrong.append(f"{code}: {kind} is due {times} times, was told {number} times")
    kinds = Counter(one.kind for one in events.values() if one.code in sent.dossiers)
    found.figures = {
        "told": dict(sorted(kinds.items())),
        "due_for_certain": must,
        "decided_dossiers": len(sent.dossiers) - undecided,
        "undecided_dossiers": undecided,
        "told_twice": sum(number > 1 for number in counts.values()),
    }
    found.shown = (
        f"{kinds[WARNING]} warnings and {kinds[DUE]} deadlines told on Kafka, each once; {must} of them due for "
        f"certain by the dates in the file ({len(sent.dossiers) - undecided} of {len(sent.dossiers)} dossiers decided)"
    )
    return found


def _any(counts: Counter[tuple[str, str, int]], code: str, kind: str) -> int:
    return sum(number for (own, word, _), number in counts.items() if (own, word) == (code, kind))


def codes_due(sent: Sent, fed_from: int, now: int) -> Iterable[tuple[str, str]]:
    """(dossier, kind) of what is due for certain by that moment."""
    for code, dossier in sent.dossiers.items():
        for kind, one in (expected(dossier, fed_from, now) or {}).items():
            if one.least:
                yield code, kind
