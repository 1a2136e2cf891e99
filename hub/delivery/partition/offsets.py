"""Offsets of one partition: what is handed out, finished and committed, and from which receipt on a restart must look.

A commit carries metadata `<life>|<receipts>[|<old_until>]`: the subscriber's creation time, so that a subscriber that
was removed and added again does not go on where its namesake stopped; an offset of hub.deliveries such that every
receipt for an event at or behind the committed offset stands at or behind it; and up to which offset of hub.events this
holds because of what was sent earlier (a crashed process's window, a backfill's state).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from hub.delivery.entries import Source
from hub.kafka.topics import EVENTS
from hub.stream.offset_ledger import Ledger

WINDOW = 4_000
"""A partition is not read further than so many offsets beyond the last commit: bounds memory, and what a crashed
process can have sent without a receipt."""

READ_MAX = 500
"""Records of one read, so a partition is never more than WINDOW + READ_MAX ahead of its commit."""

Commits = dict[str, tuple[int, str]]
"""Topic -> (offset, metadata) to be committed."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed offset of this life; `receipts` and `old_until` as above."""

    offset: int
    receipts: int
    old_until: int = 0


def read_commit(offset: int | None, metadata: str, life: str) -> Commit | None:
    """None: nothing is committed, or by an earlier subscriber of that name."""
    if offset is None or offset < 0:
        return None
    told, *numbers = metadata.split("|")
    if told != life or not numbers or not all(number.isdigit() for number in numbers):
        return None
    return Commit(offset, *map(int, numbers))


class PartitionOffsets:
    """The ledger of what is read of one partition, by topic, and where the receipts of its events begin.

    Events from `start` up to `old_until` may have receipts from `receipts` on, written by an earlier process.
    """

    def __init__(self, life: str, start: int, receipts: int, old_until: int = 0) -> None:
        self.life = life
        self._ledger: Ledger[str] = Ledger()
        self._handed: dict[str, int] = {}
        self._committed: dict[str, int] = {}
        self._floors: deque[tuple[int, int]] = deque([(start, receipts)])
        self._old_until = old_until
        self.begin(EVENTS, start)

    def begin(self, topic: str, offset: int) -> None:
        """This topic is read from `offset` on."""
        self._handed[topic] = self._committed[topic] = offset

    def forget(self, topic: str) -> None:
        """It is read no longer; what is still finished of it counts for nothing."""
        self._ledger.revoke(topic)
        self._handed.pop(topic, None)
        self._committed.pop(topic, None)

    def note_receipts(self, offset: int, receipts_end: int) -> None:
        """Events from `offset` on are handed out now: their receipts will stand behind `receipts_end`."""
        if offset >= self._old_until and receipts_end > self._floors[-1][1]:
            self._floors.append((offset, receipts_end))

    def source(self, topic: str, offset: int, count: int = 1) -> Source:
        """The source of a record that is handed out now."""
        item = self._ledger.hand_out(topic, offset, offset + 1)
        self._handed[topic] = offset + 1
        assert item is not None
        return Source(lambda: self._ledger.finish(item), count)

    def skip(self, topic: str, offset: int) -> None:
        """A record that needs no work."""
        self._ledger.skip(topic, offset, offset + 1)
        self._handed[topic] = offset + 1

    def position(self, topic: str) -> int:
        """The next offset to be handed out."""
        return self._handed.get(topic, 0)

    def committed(self, topic: str) -> int:
        return self._committed.get(topic, 0)

    def full(self, topic: str) -> bool:
        """So far ahead of the last commit that reading must pause."""
        return self.position(topic) - self.committed(topic) >= WINDOW

    def idle(self, topic: str) -> bool:
        """Nothing that was handed out is unfinished."""
        return self._ledger.oldest(topic) is None

    def metadata(self, offset: int) -> str:
        """For a commit of hub.events at `offset`, or of anything else at that time."""
        while len(self._floors) > 1 and self._floors[1][0] <= offset:
            self._floors.popleft()
        old = f"|{self._old_until}" if offset < self._old_until else ""
        return f"{self.life}|{self._floors[0][1]}{old}"

    def to_commit(self) -> Commits:
        """What the broker does not have yet."""
        offsets = self._ledger.to_commit()
        if not offsets:
            return {}
        metadata = self.metadata(offsets.get(EVENTS, self.committed(EVENTS)))
        return {topic: (offset, metadata) for topic, offset in offsets.items()}

    def confirm(self, offsets: Mapping[str, tuple[int, str]]) -> None:
        """The broker has them; a topic that was forgotten meanwhile is left out."""
        plain = {topic: offset for topic, (offset, _) in offsets.items() if topic in self._committed}
        self._ledger.confirmed(plain)
        self._committed.update(plain)
