"""Which offset may be committed: the end of the finished prefix, and never one further.

Pure and without Faust or Kafka: the engine uses it for chunks, delivery for single records. For each part (a topic's
partition, or whatever tells logs apart) it keeps the items handed out, in order. An item is a range of offsets; ranges
may have gaps between them, since compacted records and transaction markers have offsets and no record.

An *epoch* ends whenever the position is set anew (`seek`) or the part is taken away (`revoke`). What was handed out in
an ended epoch will be read again, here or by another owner, so it can no longer be finished.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hub.stream.errors import LedgerError

Part = TypeVar("Part", bound=Hashable)


@dataclass(slots=True, eq=False)
class Item(Generic[Part]):
    """Offsets `first` up to, not including, `end`. Compared by identity: the same range may be handed out again."""

    part: Part
    first: int
    end: int
    epoch: int
    finished: bool = False


@dataclass(slots=True)
class _Log(Generic[Part]):
    """One part in its current epoch. Offsets are None until something is known in this epoch."""

    epoch: int
    items: deque[Item[Part]] = field(default_factory=deque)
    handed: int | None = None
    finished: int | None = None
    processed: int | None = None
    confirmed: int | None = None


class Ledger(Generic[Part]):
    """Hand out, finish, commit. Not thread-safe: one event loop uses it."""

    def __init__(self) -> None:
        self._logs: dict[Part, _Log[Part]] = {}
        self._last_epoch = 0
        self._closed = False

    # --- epochs ---

    def epoch(self, part: Part) -> int:
        """The part's current epoch. Numbers are never used twice, over all parts."""
        return self._log(part).epoch

    def seek(self, *parts: Part) -> None:
        """The position of these parts is set anew: their epochs end, nothing is known of them."""
        for part in parts:
            self._logs.pop(part, None)

    revoke = seek  # the same to the ledger: whoever reads next begins at the last commit

    def seek_all(self) -> None:
        """All epochs end."""
        self._logs.clear()

    def close(self) -> None:
        """All epochs end and nothing more is handed out or committed: the process is about to end by a fault."""
        self._logs.clear()
        self._closed = True

    # --- items ---

    def hand_out(self, part: Part, first: int, end: int, epoch: int | None = None) -> Item[Part] | None:
        """Note that these offsets are about to be worked. Call it before they can get lost on their way.

        None: `epoch` (the one in which they were fetched) has ended; they must be fetched again.
        LedgerError: they lie before what was handed out already.
        """
        log = self._log(part)
        if self._closed or (epoch is not None and epoch != log.epoch):
            return None
        if first >= end or (log.handed is not None and first < log.handed):
            raise LedgerError(f"{part}: offsets {first} to {end} handed out after {log.handed}")
        item = Item(part, first, end, log.epoch)
        log.items.append(item)
        log.handed = end
        return item

    def skip(self, part: Part, first: int, end: int, epoch: int | None = None) -> Item[Part] | None:
        """Offsets that need no work: finished as soon as all before them is. Errors as `hand_out`."""
        item = self.hand_out(part, first, end, epoch)
        if item is not None:
            self.finish(item)
        return item

    def live(self, item: Item[Part]) -> bool:
        """Whether the item's epoch goes on; if not, leave its work undone."""
        log = self._logs.get(item.part)
        return not self._closed and log is not None and log.epoch == item.epoch

    def finish(self, item: Item[Part]) -> bool:
        """Everything that follows from the item is confirmed. False: too late, its epoch has ended."""
        if not self.live(item):
            return False
        item.finished = True
        log = self._logs[item.part]
        log.processed = max(log.processed or 0, item.end)
        while log.items and log.items[0].finished:
            log.finished = log.items.popleft().end
        return True

    # --- what to commit, and how far things are ---

    def to_commit(self, parts: Iterable[Part] | None = None) -> dict[Part, int]:
        """Part -> offset to commit, for those whose finished prefix is beyond what the broker has confirmed."""
        wanted = self._logs if parts is None else {part: self._logs[part] for part in parts if part in self._logs}
        return {
            part: log.finished
            for part, log in wanted.items()
            if log.finished is not None and log.finished != log.confirmed
        }

    def confirmed(self, offsets: dict[Part, int], epochs: dict[Part, int] | None = None) -> None:
        """The broker has these. With `epochs` (as of the request), an answer that comes after a seek is ignored."""
        for part, offset in offsets.items():
            log = self._logs.get(part)
            if log is not None and (epochs is None or epochs.get(part) == log.epoch):
                log.confirmed = offset

    def processed(self, part: Part) -> int | None:
        """The end of the furthest finished item, whether or not all before it are finished."""
        log = self._logs.get(part)
        return log.processed if log else None

    def oldest(self, part: Part) -> Item[Part] | None:
        """The first unfinished item: what commits wait for."""
        log = self._logs.get(part)
        return log.items[0] if log and log.items else None

    def unfinished(self, part: Part) -> int:
        """Items handed out and not finished."""
        log = self._logs.get(part)
        return sum(1 for item in log.items if not item.finished) if log else 0

    def _log(self, part: Part) -> _Log[Part]:
        log = self._logs.get(part)
        if log is None:
            self._last_epoch += 1
            log = self._logs[part] = _Log(self._last_epoch)
        return log
