"""What is due to whom and has not been acknowledged: one record per dossier in `hub.expectations`.

Pure: no clock, no Kafka. The value is JSON, one entry per subscriber; what a newer version says besides is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct, field

# Receipts without event are kept up to here: an event from before the subscriber came never meets its receipt.
MAX_EARLY = 64
# More open events than this of one dossier for one subscriber are not listed one by one: the oldest are healed first,
# and the newer ones are found again when those have their receipts (`seen` then goes on from the list's end).
MAX_OPEN = 256


class OpenEvent(Struct, frozen=True, array_like=True):
    """A due event without receipt; in JSON a list."""

    hub_seq: int
    offset: int
    """In hub.events."""
    event_id: str
    since: float
    """Due since then, epoch s."""


class Entry(Struct):
    """What one dossier owes one subscriber. It changes: its one owner is the chunk or tick that read it."""

    seen: int = 0
    """Highest hub_seq of this dossier that was judged for this subscriber."""
    open: list[OpenEvent] = field(default_factory=list)
    early: list[int] = field(default_factory=list)
    """Receipts that were read before their event (the two topics have no common order)."""
    wait: float = 0.0
    """Epoch s before which nothing is missing: a retry is scheduled, or the dossier is held."""
    kind: str = ""
    """Of the discrepancy that is open; "" for none."""
    opened: float = 0.0
    """Since when it is open, epoch s."""
    heals: int = 0
    """How many re-sends were asked for since it opened."""
    healed_at: float = 0.0
    """When the last one was, epoch s."""


Expectation = dict[str, Entry]
"""By subscriber."""

SETTLED = frozenset({"DELIVERED", "SKIPPED", "DEAD_LETTERED"})
WAITING = frozenset({"RETRY_SCHEDULED", "HELD"})
HELD_S = 10 * 365 * 86_400.0
_DECODER = msgspec.json.Decoder(Expectation)
_ENCODER = msgspec.json.Encoder()


def loads(value: bytes) -> Expectation:
    """msgspec.DecodeError: it is no expectation (a fault of the program, which alone writes them)."""
    return _DECODER.decode(value)


def dumps(expectation: Expectation) -> bytes:
    return _ENCODER.encode(expectation)


def expect(entry: Entry, hub_seq: int, offset: int, event_id: str, now: float, due: bool) -> bool:
    """An event was seen; `due` whether this subscriber gets it. False if it was judged before (a repetition)."""
    if hub_seq <= entry.seen:
        return False
    entry.seen = hub_seq
    if hub_seq in entry.early:
        entry.early.remove(hub_seq)
    elif due:
        entry.open.append(OpenEvent(hub_seq, offset, event_id, now))
        del entry.open[MAX_OPEN:]
    return True


def settle(entry: Entry, hub_seqs: Iterable[int]) -> None:
    """These events have their receipt, or stand in the dead-letter queue."""
    done = set(hub_seqs)
    entry.open = [item for item in entry.open if item.hub_seq not in done]
    ahead = {seq for seq in done if seq > entry.seen}
    entry.early = sorted(ahead.union(entry.early))[-MAX_EARLY:]
    if not entry.open:
        entry.wait = 0.0


def close(entry: Entry) -> None:
    """The discrepancy is over."""
    entry.kind, entry.opened, entry.heals, entry.healed_at = "", 0.0, 0, 0.0


def postpone(entry: Entry, until: float) -> None:
    """A retry is scheduled for then, or the dossier is held: not missing before."""
    entry.wait = max(entry.wait, until)


def deadline(entry: Entry, missing_after: float) -> float | None:
    """Epoch s at which the oldest open event becomes missing, or is to be healed again; None if nothing is open."""
    if not entry.open:
        return None
    oldest = min(item.since for item in entry.open)
    at = max(oldest, entry.wait) + missing_after
    if entry.heals:
        at = max(at, entry.healed_at + missing_after * 2 ** min(entry.heals, 6))
    return float(at)
