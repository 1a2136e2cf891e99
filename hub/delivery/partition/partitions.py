"""The partitions that this process owns, and which of their deliveries is next."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping

from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.partition.owner import PartitionDelivery
from hub.kafka.topics import EVENTS


class Partitions:
    """By number. They are asked in turn, so none waits for the backlog of another."""

    def __init__(self) -> None:
        self._owners: dict[int, PartitionDelivery] = {}
        self._turn: deque[PartitionDelivery] = deque()

    def __iter__(self) -> Iterator[PartitionDelivery]:
        return iter(list(self._owners.values()))

    def get(self, number: int) -> PartitionDelivery | None:
        return self._owners.get(number)

    def of(self, numbers: Collection[int]) -> list[PartitionDelivery]:
        """Those of them that are ours."""
        return [self._owners[number] for number in numbers if number in self._owners]

    def deliveries(self) -> Iterator[DossierDelivery]:
        for owner in self._owners.values():
            yield from owner

    def add(self, owner: PartitionDelivery) -> None:
        """It is ours now."""
        self.revoke(owner.number)
        self._owners[owner.number] = owner
        self._turn.append(owner)

    def revoke(self, number: int) -> None:
        """It is ours no longer."""
        owner = self._owners.pop(number, None)
        if owner is not None:
            owner.revoke()
            self._turn.remove(owner)

    def receipts_confirmed(self, ends: Mapping[int, int]) -> None:
        """Our receipts in hub.deliveries stand before these offsets, by partition."""
        for owner in self.of(ends):
            owner.receipts_confirmed(ends[owner.number])

    # --- what is read ---

    def catching_up(self) -> list[int]:
        """Those that read again, before their first call, what an earlier process may have sent."""
        return sorted(number for number, owner in self._owners.items() if owner.reading.catching_up)

    def reads(self, number: int, topic: str) -> bool:
        """Whether this topic is to be read on now. One partition after the other is read again, so that the first calls
        wait for one window and not for all."""
        owner = self._owners.get(number)
        if owner is None or not owner.reading.reads(topic):
            return False
        return topic != EVENTS or not owner.reading.catching_up or number == self.catching_up()[0]

    # --- what is sent ---

    def take(self, now: float) -> DossierDelivery | None:
        """The next delivery that may be handed out, now in flight."""
        for _ in range(len(self._turn)):
            owner = self._turn[0]
            self._turn.rotate(-1)
            owner.wake(now)
            if (delivery := owner.take()) is not None:
                return delivery
        return None

    def next_due(self) -> float | None:
        """Epoch seconds of the next parked one's time."""
        times = [time for owner in self._owners.values() if (time := owner.next_due()) is not None]
        return min(times, default=None)

    def hasten(self, not_before: float) -> None:
        for owner in self._owners.values():
            owner.hasten(not_before)
