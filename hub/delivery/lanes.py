"""The lanes: one queue per dossier, so that one dossier's trouble stops nobody else. Pure: no I/O, no clock.

A lane is in exactly one place at a time: ready (waits for a worker), busy (one worker has it, or its outcome waits for
the broker's confirmation), parked (waits for a retry) or held (waits for an operator). So at most one call per dossier
is under way, and a dossier's events are attempted in the order in which they were appended.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from hub.delivery.entries import Entry, Mode
from hub.events.canonical import State


class Place(StrEnum):
    READY = "ready"
    BUSY = "busy"
    PARKED = "parked"
    HELD = "held"


@dataclass(slots=True, eq=False)
class Lane:
    """One dossier's queue.

    attempt:    failed tries of the present head.
    not_before: when a parked lane may be tried again (epoch seconds).
    patient:    the portal itself named that time (Retry-After): it is not brought forward.
    stored:     a record of this lane stands in the parking topic.
    alone:      so many of the next entries were refused together and are sent one by one to find the culprit,
    newest:     each with this, the newest of their states, so that the portal's state does not go back meanwhile.
    """

    key: str
    partition: int
    queue: deque[Entry] = field(default_factory=deque)
    place: Place = Place.READY
    attempt: int = 0
    not_before: float = 0.0
    patient: bool = False
    stored: bool = False
    error: str = ""
    alone: int = 0
    newest: State | None = None

    def head(self, limit: int) -> list[Entry]:
        """The first entries that may go in one call: same family, rising hub_seq, an operator's replay alone."""
        taken: list[Entry] = []
        limit = 1 if self.alone else limit
        for entry in self.queue:
            if taken:
                last = taken[-1]
                replayed = Mode.REPLAY in (entry.mode, last.mode)
                if len(taken) >= limit or replayed or entry.family != last.family or entry.hub_seq <= last.hub_seq:
                    break
            taken.append(entry)
        return taken

    def holds(self, event_id: str) -> Entry | None:
        return next((entry for entry in self.queue if entry.event_id == event_id), None)


class Lanes:
    """All lanes of the partitions that this process owns."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._aside: dict[int, list[Lane]] = {}
        self._closed: set[int] = set()
        self._timers: list[tuple[float, int, Lane]] = []
        self._number = count()

    def __len__(self) -> int:
        return len(self._lanes)

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def get(self, key: str) -> Lane | None:
        return self._lanes.get(key)

    def count(self, place: Place) -> int:
        return sum(1 for lane in self._lanes.values() if lane.place is place)

    # --- filling ---

    def append(self, entry: Entry) -> Lane:
        """At the end of its dossier's lane. In a parked or held lane it waits like the rest."""
        lane = self._lanes.get(entry.key)
        if lane is None:
            lane = self._lanes[entry.key] = Lane(entry.key, entry.partition)
            self._ready.append(lane)
        lane.queue.append(entry)
        return lane

    def restore(self, lane: Lane) -> None:
        """A lane as its parking record tells; parked (or held) again."""
        self._lanes[lane.key] = lane
        if lane.place is Place.PARKED:
            self._set_timer(lane)

    # --- taking ---

    def close(self, partition: int) -> None:
        """Nothing of this partition is taken until `open`."""
        self._closed.add(partition)

    def open(self, partition: int) -> None:
        self._closed.discard(partition)
        self._ready.extend(self._aside.pop(partition, ()))

    def wake(self, now: float) -> None:
        """Parked lanes whose time has come are ready."""
        while self._timers and self._timers[0][0] <= now:
            due, _, lane = heapq.heappop(self._timers)
            if self._lanes.get(lane.key) is lane and lane.place is Place.PARKED and lane.not_before == due:
                self._make_ready(lane)

    def next_due(self) -> float | None:
        """Epoch seconds of the next parked lane's time; may be of one that is gone (then `wake` drops it)."""
        return self._timers[0][0] if self._timers else None

    def take(self) -> Lane | None:
        """The lane that has been ready longest, now busy."""
        while self._ready:
            lane = self._ready.popleft()
            if self._lanes.get(lane.key) is not lane or lane.place is not Place.READY:
                continue
            if lane.partition in self._closed:
                self._aside.setdefault(lane.partition, []).append(lane)
                continue
            lane.place = Place.BUSY
            return lane
        return None

    def seize(self, lane: Lane) -> None:
        """A held or parked lane becomes busy: its queue is about to be changed by an operator's order."""
        assert lane.place in (Place.HELD, Place.PARKED)
        lane.place = Place.BUSY

    # --- outcomes of a busy lane ---

    def advance(self, lane: Lane, done: int) -> None:
        """The first `done` entries are over; the lane goes on with what is left, or away."""
        for _ in range(done):
            lane.queue.popleft()
        lane.attempt, lane.error, lane.patient = 0, "", False
        lane.alone = max(0, lane.alone - done)
        if not lane.alone:
            lane.newest = None
        if self._lanes.get(lane.key) is not lane:
            return
        if lane.queue:
            self._make_ready(lane)
        else:
            del self._lanes[lane.key]

    def park(self, lane: Lane) -> None:
        """Until `lane.not_before`."""
        lane.place = Place.PARKED
        self._set_timer(lane)

    def hold(self, lane: Lane) -> None:
        """Until an operator's order."""
        lane.place = Place.HELD

    def release(self, lane: Lane) -> None:
        """Ready at once, its head untouched."""
        self._make_ready(lane)

    def hasten(self, not_before: float) -> None:
        """The portal is back: parked lanes need not wait longer than this, but those whose time the portal named."""
        for lane in self._lanes.values():
            if lane.place is Place.PARKED and not lane.patient and lane.not_before > not_before:
                lane.not_before = not_before
                self._set_timer(lane)

    def forget(self, partition: int) -> None:
        """The partition is no longer ours."""
        for key in [key for key, lane in self._lanes.items() if lane.partition == partition]:
            del self._lanes[key]
        self._aside.pop(partition, None)
        self._closed.discard(partition)

    def _make_ready(self, lane: Lane) -> None:
        lane.place = Place.READY
        self._ready.append(lane)

    def _set_timer(self, lane: Lane) -> None:
        heapq.heappush(self._timers, (lane.not_before, next(self._number), lane))
