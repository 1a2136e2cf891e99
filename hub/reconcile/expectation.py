"""What is due to whom and has not been acknowledged: one record per dossier in `hub.expectations`.

Pure: no clock, no Kafka. The value is JSON, one entry per subscriber:

    seen     highest hub_seq of this dossier that was judged for this subscriber
    open     due events without receipt: [hub_seq, offset in hub.events, event id, due since (epoch s)]
    early    receipts that were read before their event (the two topics have no common order)
    wait     epoch s before which nothing is missing: a retry is scheduled, or the dossier is held
    kind     "" or the kind of the discrepancy that is open, `opened` since when (epoch s)
    heals    how many re-sends were asked for since it opened, `healed_at` when the last one was
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

import orjson

# Receipts without event are kept up to here: an event from before the subscriber came never meets its receipt.
MAX_EARLY = 64
# More open events than this of one dossier for one subscriber are not listed one by one: the oldest are healed first,
# and the newer ones are found again when those have their receipts (`seen` then goes on from the list's end).
MAX_OPEN = 256


class Entry(TypedDict):
    """What one dossier owes one subscriber; the module's docstring says what each field means."""

    seen: int
    open: list[list[Any]]
    early: list[int]
    wait: float
    kind: str
    opened: float
    heals: int
    healed_at: float


Expectation = dict[str, Entry]

SETTLED = frozenset({"DELIVERED", "SKIPPED", "DEAD_LETTERED"})
WAITING = frozenset({"RETRY_SCHEDULED", "HELD"})
HELD_S = 10 * 365 * 86_400.0


def loads(value: bytes) -> Expectation:
    found: Expectation = orjson.loads(value)
    return found


def dumps(expectation: Expectation) -> bytes:
    return orjson.dumps(expectation)


def new_entry() -> Entry:
    return Entry(seen=0, open=[], early=[], wait=0.0, kind="", opened=0.0, heals=0, healed_at=0.0)


def expect(entry: Entry, hub_seq: int, offset: int, event_id: str, now: float, due: bool) -> bool:
    """An event was seen; `due` whether this subscriber gets it. False if it was judged before (a repetition)."""
    if hub_seq <= entry["seen"]:
        return False
    entry["seen"] = hub_seq
    if hub_seq in entry["early"]:
        entry["early"].remove(hub_seq)
    elif due:
        entry["open"].append([hub_seq, offset, event_id, now])
        del entry["open"][MAX_OPEN:]
    return True


def settle(entry: Entry, hub_seqs: Iterable[int]) -> None:
    """These events have their receipt, or stand in the dead-letter queue."""
    done = set(hub_seqs)
    entry["open"] = [item for item in entry["open"] if item[0] not in done]
    ahead = {seq for seq in done if seq > entry["seen"]}
    entry["early"] = sorted(ahead.union(entry["early"]))[-MAX_EARLY:]
    if not entry["open"]:
        entry["wait"] = 0.0


def close(entry: Entry) -> None:
    """The discrepancy is over."""
    entry["kind"], entry["opened"], entry["heals"], entry["healed_at"] = "", 0.0, 0, 0.0


def postpone(entry: Entry, until: float) -> None:
    """A retry is scheduled for then, or the dossier is held: not missing before."""
    entry["wait"] = max(entry["wait"], until)


def deadline(entry: Entry, missing_after: float) -> float | None:
    """Epoch s at which the oldest open event becomes missing, or is to be healed again; None if nothing is open."""
    if not entry["open"]:
        return None
    oldest = min(item[3] for item in entry["open"])
    at = max(oldest, entry["wait"]) + missing_after
    if entry["heals"]:
        at = max(at, entry["healed_at"] + missing_after * 2 ** min(entry["heals"], 6))
    return float(at)
