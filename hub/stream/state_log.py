"""One partition of one compacted state topic, as its owner sees it. Pure: no Kafka here.

The owner alone writes it, so it knows the offset at which its next record must land. When one lands elsewhere, another
process has written in between: one that owned the partition before, was frozen, and woke late. The owner reads what
came in between and writes its own newer state again (`rewrite`), for the log's last record of a key is what the next
owner, and the broker's compaction, will believe.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.stream.memory_store import Store
from hub.stream.stage import Stored

# So many deleted keys are remembered with their last version, to know a late writer's record for what it is.
GRAVES = 10_000


class StoreLog:
    """data: the state by key. next: the offset at which the log goes on for us. rewrite: keys to be written again."""

    __slots__ = ("_graves", "_opened", "_version", "data", "next", "partition", "rewrite", "store")

    def __init__(self, store: str, partition: int, data: Store, version: Callable[[Stored], int]) -> None:
        self.store = store
        self.partition = partition
        self.data = data
        self.next = 0
        self.rewrite: set[bytes] = set()
        self._graves: dict[bytes, int] = {}
        self._version = version
        self._opened = False

    def open(self) -> bool:
        """True the first time: what was kept is at hand now, and the log goes on for us where it ends."""
        if self._opened:
            return False
        self._opened = True
        self.next = self.data.open()
        return True

    def start_over(self) -> None:
        """Forget what was kept: all is read from the log."""
        self.data.clear()
        self.next = 0

    def save(self, complete: bool = True) -> None:
        """Keep what has changed. The offset stays back until all is read and nothing waits to be written again."""
        self.data.save(self.next if complete and not self.rewrite else None)

    def read(self, key: bytes, stored: Stored | None) -> None:
        """A record from before we owned the partition (restore, catching up): the highest version wins."""
        if stored is None:
            self.data.pop(key, None)
            self.rewrite.discard(key)
            return
        old = self.data.get(key)
        if old is not None and self._version(old) > self._version(stored):
            self.rewrite.add(key)
        else:
            self.data[key] = stored
            self.rewrite.discard(key)

    def read_foreign(self, key: bytes, stored: Stored | None) -> None:
        """A record that another process wrote while we owned the partition: ours stays unless theirs is newer."""
        ours = self.data.get(key)
        if ours is None and stored is None:
            return
        if stored is not None:
            known = self._version(ours) if ours is not None else self._graves.get(key, -1)
            if known < self._version(stored):
                self.data[key] = stored
                self._graves.pop(key, None)
                return
        self.rewrite.add(key)

    def put(self, key: bytes, stored: Stored | None) -> None:
        """Our own record is confirmed: from now on it is the state."""
        self.rewrite.discard(key)
        if stored is not None:
            self.data[key] = stored
            self._graves.pop(key, None)
            return
        old = self.data.pop(key, None)
        if old is not None:
            self._graves[key] = self._version(old)
            if len(self._graves) > GRAVES:
                del self._graves[next(iter(self._graves))]

    def landed(self, base: int, count: int) -> tuple[int, int] | None:
        """Our batch landed at `base`. None: where expected. Else the range of offsets that someone else wrote."""
        expected, self.next = self.next, base + count
        return None if base == expected else (expected, base)
