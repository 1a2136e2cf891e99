"""The state of the partitions this process owns: stores over compacted topics that it alone writes.

Restored by our own reader as soon as partitions are assigned, all of them in one go; what is still held from before is
only caught up. No Faust table: their recovery loses events (docs/engine.md#table-recovery).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from hub.machine import garbage_collector
from hub.observe import metrics
from hub.stream.errors import StateError
from hub.stream.memory_store import MakeStores, Store, memory_stores
from hub.stream.stage import Header, Stored
from hub.stream.state_log import StoreLog

_log = logging.getLogger(__name__)

# topic, partition
LogId = tuple[str, int]
# key, value, headers, offset
Entry = tuple[bytes, Stored | None, int]
Line = tuple[bytes | None, bytes | None, Iterable[Header], int | None]
Claim = Callable[[Collection[int]], Awaitable[None]]
Commit = Callable[[], Awaitable[bool]]
Landed = Iterable[tuple[int, int]]
Changes = Mapping[tuple[str, bytes], Stored | None]


class Logs(Protocol):
    """The compacted topics, as `KafkaLogs` gives them and the model tests imitate them."""

    async def bounds(self, logs: Iterable[LogId]) -> dict[LogId, tuple[int, int]]:
        """First offset there still is, and the offset after the last record, of each."""
        ...

    def read(self, ranges: Mapping[LogId, tuple[int, int]]) -> AsyncIterator[tuple[LogId, Sequence[Entry]]]:
        """The records with first <= offset < end of each log, in order."""
        ...

    async def append(self, topic: str, partition: int, lines: Iterable[Line]) -> list[tuple[int, int]]:
        """Write in order; (first offset, number of records) of each batch, when all are confirmed."""
        ...


class PartitionState:
    """What a step sees (`StateView`): the stores of one partition."""

    __slots__ = ("_data", "logs", "partition")

    def __init__(self, partition: int, stores: Mapping[str, Store], version: Callable[[Stored], int]) -> None:
        self.partition = partition
        self.logs = {name: StoreLog(name, partition, store, version) for name, store in stores.items()}
        self._data = stores

    def get(self, store: str, key: bytes) -> Stored | None:
        return self._data[store].get(key)

    def keys(self, store: str) -> Iterable[bytes]:
        return self._data[store].keys()

    def waiting(self, store: str) -> Iterable[bytes]:
        return self._data[store].waiting()

    def rewrites(self) -> bool:
        """Whether something waits to be written again."""
        return any(log.rewrite for log in self.logs.values())

    def close(self) -> None:
        for store in self._data.values():
            store.close()


class State:
    """All owned partitions. `role` labels the metrics; `make` tells where a partition's stores are kept.

    claim: called with all owned partitions before they are read, where the broker fences off former owners.
    """

    def __init__(
        self,
        stores: Sequence[str],
        version: Callable[[Stored], int],
        logs: Logs,
        role: str,
        make: MakeStores = memory_stores,
        claim: Claim | None = None,
    ) -> None:
        self._stores = stores
        self._claim = claim
        self._make = make
        self._version = version
        self._logs = logs
        self._role = role
        self._parts: dict[int, PartitionState] = {}
        self._stale: set[int] = set()
        self._paused = False
        self._restoring = asyncio.Lock()
        self.left = 0
        """Records that are still to be read, at most; 0 while nothing is being read."""

    @property
    def unread(self) -> int:
        """Owned partitions whose state is not read since the assignment."""
        return len(self._stale)

    def assigned(self, partitions: frozenset[int]) -> None:
        """These are ours now. Others are forgotten; all must be caught up, somebody else may have owned them."""
        self._paused = False
        for number in self._parts.keys() - partitions:
            self._parts.pop(number).close()
        self._parts = {number: self._parts.get(number) or self._part(number) for number in sorted(partitions)}
        self._stale = set(partitions) if self._stores or self._claim else set()

    def pause(self) -> None:
        """Partitions are being taken away: a restore under way ends where it is."""
        self._paused = True

    def close(self) -> None:
        """Nothing is in work any more."""
        for part in self._parts.values():
            part.close()

    async def own(self, partition: int) -> PartitionState | None:
        """The partition's state, caught up since the assignment. None: it is not ours (any more)."""
        while partition in self._stale and not self._paused:
            async with self._restoring:
                if partition in self._stale and not self._paused:
                    await self._restore()
        return None if partition in self._stale else self._parts.get(partition)

    async def write(self, part: PartitionState, changes: Changes) -> None:
        """Write the changed keys, store by store in the config's order, and take them into memory when confirmed.

        Whatever somebody else wrote in between is read, and what is newer here is written again, before it returns.
        """
        by_store = self._by_store(changes)
        for store, log in part.logs.items():
            lines = by_store[store]
            while lines or log.rewrite:
                lines = {key: log.data.get(key) for key in log.rewrite} | lines
                await self._take(log, lines, await self._send(log, lines))
                lines = {}

    async def write_at_once(self, part: PartitionState, changes: Changes, commit: Commit) -> bool:
        """Write in a transaction that the caller has begun, and take it into memory if `commit` says that it counts."""
        by_store = self._by_store(changes)
        sent = []
        for store, log in part.logs.items():
            lines = {key: log.data.get(key) for key in log.rewrite} | by_store[store]
            if lines:
                sent.append((log, lines, await self._send(log, lines)))
        if not await commit():
            return False
        for log, lines, landed in sent:
            await self._take(log, lines, landed, marker=True)
        return True

    async def overtaken(self) -> list[int]:
        """Partitions in whose logs somebody wrote after our last record (without locks: ask `heal` for certainty)."""
        logs = [log for part in self._parts.values() if part.partition not in self._stale for log in part.logs.values()]
        if not logs:
            return []
        bounds = await self._logs.bounds([(log.store, log.partition) for log in logs])
        behind = {log.partition for log in logs if bounds[log.store, log.partition][1] != log.next or log.rewrite}
        for part in self._parts.values():
            for log in part.logs.values():
                if part.partition not in self._stale and (log.store, log.partition) in bounds:
                    log.data.still(bounds[log.store, log.partition][1])
        for store in self._stores:
            metrics.STATE_KEYS.labels(self._role, store).set(
                sum(len(part.logs[store].data) for part in self._parts.values())
            )
        return sorted(behind)

    async def heal(self, part: PartitionState) -> None:
        """Read what somebody else wrote after our last record, and write again what is newer here."""
        await self.look_behind(part)
        await self.write(part, {})

    async def look_behind(self, part: PartitionState) -> None:
        """Read what somebody else wrote after our last record; the next write writes again what is newer here."""
        bounds = await self._logs.bounds([(log.store, log.partition) for log in part.logs.values()])
        for log in part.logs.values():
            end = bounds[log.store, log.partition][1]
            if end > log.next:
                await self._read_foreign(log, log.next, end)
                log.next = end
                log.save()

    def _by_store(self, changes: Changes) -> dict[str, dict[bytes, Stored | None]]:
        by_store: dict[str, dict[bytes, Stored | None]] = {store: {} for store in self._stores}
        for (store, key), stored in changes.items():
            by_store[store][key] = stored
        return by_store

    async def _send(self, log: StoreLog, lines: Mapping[bytes, Stored | None]) -> list[tuple[int, int]]:
        return await self._logs.append(
            log.store,
            log.partition,
            [(key, s.value if s else None, s.headers if s else (), None) for key, s in lines.items()],
        )

    async def _take(
        self, log: StoreLog, lines: Mapping[bytes, Stored | None], landed: Landed, marker: bool = False
    ) -> None:
        """marker: the end of the transaction takes an offset of its own in each log that was written."""
        for key, stored in lines.items():
            log.put(key, stored)
        for base, count in landed:
            if foreign := log.landed(base, count):
                await self._read_foreign(log, *foreign)
        log.next += marker
        log.save()

    def _part(self, number: int) -> PartitionState:
        return PartitionState(number, self._make(number, self._stores), self._version)

    async def _read_foreign(self, log: StoreLog, first: int, end: int) -> None:
        if end < first:
            raise StateError(
                f"{log.store}/{log.partition}: a record landed at {end}, before {first}: was it recreated?"
            )
        metrics.FOREIGN_WRITES.labels(self._role).inc()
        _log.warning("%s/%s: somebody else wrote offsets %s to %s", log.store, log.partition, first, end)
        async for _, entries in self._logs.read({(log.store, log.partition): (first, end)}):
            for key, stored, _ in entries:
                log.read_foreign(key, stored)

    async def _restore(self) -> None:
        began, stale = time.monotonic(), {number: self._parts[number] for number in self._stale}
        if self._claim is not None:
            await self._claim(stale)
        logs = {(log.store, number): log for number, part in stale.items() for log in part.logs.values()}
        opened = {key for key, log in logs.items() if log.open()}
        bounds = await self._logs.bounds(logs) if logs else {}
        ranges = {}
        for key, log in logs.items():
            first, end = bounds[key]
            if key in opened and log.next and not first <= log.next <= end:
                _log.error("%s/%s holds %s to %s, the store ended at %s: rebuilt", *key, first, end, log.next)
                log.start_over()
            if end < log.next:
                raise StateError(f"{log.store}/{log.partition} ends at {end}, we left it at {log.next}")
            if end > log.next:
                ranges[key] = (max(first, log.next), end)
        with garbage_collector.resting():
            count = await self._read_all(logs, ranges)
        garbage_collector.set_apart(count)
        seconds = time.monotonic() - began
        if any(self._parts.get(number) is not part for number, part in stale.items()) or self._paused:
            return  # another rebalance came; what was read is kept where the partition is, and caught up from there
        self._stale -= set(stale)
        metrics.RESTORE_SECONDS.labels(self._role).set(seconds)
        if count:
            _log.info("state of %s partitions restored: %s records in %.1f s", len(stale), count, seconds)

    async def _read_all(self, logs: Mapping[LogId, StoreLog], ranges: Mapping[LogId, tuple[int, int]]) -> int:
        count, told = 0, time.monotonic()
        total = sum(end - first for first, end in ranges.values())
        async for key, entries in self._logs.read(ranges):
            log = logs[key]
            read = log.read
            for name, stored, _ in entries:
                read(name, stored)
            log.next = entries[-1][2] + 1
            log.save(complete=False)
            count += len(entries)
            if self._paused:
                return count
            self._tell_left(total - count)
            if time.monotonic() - told > 5.0:
                told = time.monotonic()
                _log.info("restoring state: %s of at most %s records", count, total)
        for key, (_, end) in ranges.items():
            logs[key].next = end
            logs[key].save()
        self._tell_left(0)
        return count

    def _tell_left(self, records: int) -> None:
        self.left = records
        metrics.RESTORE_LEFT.labels(self._role).set(records)
