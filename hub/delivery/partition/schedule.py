"""Which of a partition's deliveries is next: those that wait for a worker in turn, those that are parked by time."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from itertools import count

from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.partition.states import State


class Schedule:
    """What is found in it and is in another state by now is passed by: nothing is taken out of its middle."""

    def __init__(self) -> None:
        self._waiting: deque[DossierDelivery] = deque()
        self._timers: list[tuple[float, int, DossierDelivery]] = []
        self._number = count()

    def add(self, delivery: DossierDelivery) -> None:
        """One that waits or is parked now."""
        if delivery.state is State.WAITING:
            self._waiting.append(delivery)
        else:
            heapq.heappush(self._timers, (delivery.wait.not_before, next(self._number), delivery))

    def due(self, now: float) -> Iterator[DossierDelivery]:
        """Parked ones whose time has come; each must be woken before the next is asked for."""
        while self._timers and self._timers[0][0] <= now:
            time, _, delivery = heapq.heappop(self._timers)
            if delivery.state is State.PARKED and delivery.wait.not_before == time:
                yield delivery

    def next_due(self) -> float | None:
        """Epoch seconds of the next parked one's time; may be of one that is gone (then `due` drops it)."""
        return self._timers[0][0] if self._timers else None

    def next_waiting(self) -> DossierDelivery | None:
        """The one that has waited longest; it leaves the schedule."""
        while self._waiting:
            delivery = self._waiting.popleft()
            if delivery.state is State.WAITING:
                return delivery
        return None
