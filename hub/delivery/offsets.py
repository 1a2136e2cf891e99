"""Offsets of one role: what is handed out, finished and committed, and from which receipt on a restart must look.

A commit carries metadata `<life>|<receipts>[|<old_until>]`: the subscriber's creation time, so that a subscriber that
was removed and added again does not go on where its namesake stopped; an offset of hub.deliveries such that every
receipt for an event at or behind the committed offset stands at or behind it; and up to which offset of hub.events this
holds because of what was sent earlier (a crashed process's window, a backfill's state).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from hub.delivery.entries import Source
from hub.kafka.topics import EVENTS
from hub.stream.offset_ledger import Ledger

WINDOW = 4_000
"""A partition is not read further than so many offsets beyond the last commit: bounds memory, and what a crashed
process can have sent without a receipt."""

READ_MAX = 500
"""Records of one read, so a partition is never more than WINDOW + READ_MAX ahead of its commit."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed offset of this life; `receipts` and `old_until` as above."""

    offset: int
    receipts: int
    old_until: int = 0


def read_commit(found: OffsetAndMetadata | None, life: str) -> Commit | None:
    """None: nothing is committed, or by an earlier subscriber of that name."""
    if found is None or found.offset < 0:
        return None
    told, *numbers = str(found.metadata).split("|")
    if told != life or not numbers or not all(number.isdigit() for number in numbers):
        return None
    return Commit(found.offset, *map(int, numbers))


class DeliveryOffsets:
    """The ledger of all partitions that this process owns, and the receipt floors of each."""

    def __init__(self, life: str) -> None:
        self.life = life
        self._ledger: Ledger[TopicPartition] = Ledger()
        self._handed: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._floors: dict[int, deque[tuple[int, int]]] = {}
        self._old_until: dict[int, int] = {}

    def begin(self, where: TopicPartition, offset: int) -> None:
        """This partition is read from `offset` on."""
        self._ledger.seek(where)
        self._handed[where] = self._committed[where] = offset

    def begin_floors(self, partition: int, start: int, receipts: int, old_until: int) -> None:
        """Events from `start` up to `old_until` may have receipts from `receipts` on, written by an earlier process."""
        self._floors[partition] = deque([(start, receipts)])
        self._old_until[partition] = old_until

    def forget(self, where: TopicPartition) -> None:
        self._ledger.revoke(where)
        self._handed.pop(where, None)
        self._committed.pop(where, None)

    def note_receipts(self, where: TopicPartition, offset: int, receipts_end: int) -> None:
        """Events from `offset` on are handed out now: their receipts will stand behind `receipts_end`."""
        floors = self._floors[where.partition]
        if offset >= self._old_until[where.partition] and receipts_end > floors[-1][1]:
            floors.append((offset, receipts_end))

    def source(self, where: TopicPartition, offset: int, count: int = 1) -> Source:
        """The source of a record that is handed out now."""
        item = self._ledger.hand_out(where, offset, offset + 1)
        self._handed[where] = offset + 1
        assert item is not None
        return Source(lambda: self._ledger.finish(item), count)

    def skip(self, where: TopicPartition, offset: int) -> None:
        """A record that needs no work."""
        self._ledger.skip(where, offset, offset + 1)
        self._handed[where] = offset + 1

    def position(self, where: TopicPartition) -> int:
        """The next offset to be handed out."""
        return self._handed.get(where, 0)

    def committed(self, where: TopicPartition) -> int:
        return self._committed.get(where, 0)

    def committed_events(self, partition: int) -> int:
        return self.committed(TopicPartition(EVENTS, partition))

    def full(self, where: TopicPartition) -> bool:
        """So far ahead of the last commit that reading must pause."""
        return self.position(where) - self.committed(where) >= WINDOW

    def idle(self, where: TopicPartition) -> bool:
        """Nothing that was handed out is unfinished."""
        return self._ledger.oldest(where) is None

    def metadata(self, partition: int, offset: int) -> str:
        """For a commit of hub.events at `offset`, or of anything else of this partition at that time."""
        floors = self._floors[partition]
        while len(floors) > 1 and floors[1][0] <= offset:
            floors.popleft()
        old_until = self._old_until[partition]
        return f"{self.life}|{floors[0][1]}" + (f"|{old_until}" if offset < old_until else "")

    def to_commit(self, owned: Callable[[TopicPartition], bool]) -> dict[TopicPartition, tuple[int, str]]:
        """What the broker does not have yet."""
        offsets = {where: offset for where, offset in self._ledger.to_commit().items() if owned(where)}
        out: dict[TopicPartition, tuple[int, str]] = {}
        for where, offset in offsets.items():
            events = TopicPartition(EVENTS, where.partition)
            out[where] = offset, self.metadata(where.partition, offsets.get(events, self.committed(events)))
        return out

    def epochs(self, offsets: dict[TopicPartition, tuple[int, str]]) -> dict[TopicPartition, int]:
        return {where: self._ledger.epoch(where) for where in offsets}

    def confirm(self, offsets: dict[TopicPartition, tuple[int, str]], epochs: dict[TopicPartition, int]) -> None:
        """The broker has them; ignored for partitions that were taken away meanwhile."""
        plain = {where: offset for where, (offset, _) in offsets.items()}
        self._ledger.confirmed(plain, epochs)
        for where, offset in plain.items():
            if where in self._committed and self._ledger.epoch(where) == epochs[where]:
                self._committed[where] = offset
