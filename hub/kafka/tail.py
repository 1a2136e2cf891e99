"""Reads topics from a place to their end, or to their end and onwards: the one loop that all readers without a consumer
group share. aiokafka's public interface only.

The end is the one that the topic had when it was asked for, and it is reached by *position*: markers of transactions
and compacted records at the tail have offsets and no record. What goes wrong is told, never passed over: gaps as
`Gap` (the reading goes on), everything else as a TopicError (hub/kafka/log_faults.py). While the broker is away the
reading waits and then goes on where it was; a reading to the end waits no longer than `patience_s`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, TypeAlias

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

from hub.config import Settings
from hub.kafka.log_faults import Gap, LogCut, NoAnswer, NoSuchTopic, RecordDamaged, Tell, TopicError, is_whole, log_gap
from hub.kafka.log_lookup import LogLookup, names

POLL_S = 0.5
HANG_S = 60.0
"""`getmany` has a limit of its own and is reported to hang (docs/engine.md#pinned-versions)."""

Record: TypeAlias = ConsumerRecord[bytes, bytes]
Batch: TypeAlias = tuple[TopicPartition, list[Record]]


class Tail(LogLookup):
    """One reader, used by one task at a time. `begin` (or `from_beginning`), then `to_end`, then perhaps `onwards`.

    A reading to the end fails when for `patience_s` nothing came although there is more. tell: gets each gap.
    """

    def __init__(self, settings: Settings, *, tell: Tell = log_gap, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        self._transactions, self._tell = settings.core.fencing == "transactions", tell
        self._at: dict[TopicPartition, int] = {}
        self._whole: set[TopicPartition] = set()
        self._damaged = False

    def begin(self, starts: Mapping[TopicPartition, int]) -> None:
        """Reads these partitions from these offsets on. What was read before is left."""
        self._started.assign(list(starts))
        for part, start in starts.items():
            self._started.seek(part, start)
        self._at = dict(starts)
        self._whole = {part for part in starts if is_whole(part.topic, self._transactions)}

    async def from_beginning(self, *topics: str) -> None:
        """Reads all partitions of these topics from where they begin. NoSuchTopic."""
        self.begin(await self.beginnings(await self.partitions(*topics)))

    def position(self, part: TopicPartition) -> int:
        """The offset after the last one that was read or passed."""
        return self._at[part]

    @property
    def positions(self) -> dict[TopicPartition, int]:
        return dict(self._at)

    def lag(self, part: TopicPartition) -> int | None:
        """Offsets between the position and the end, as the last answered fetch told; None before the first one."""
        end = self._started.highwater(part)
        return None if end is None else max(0, end - self._at[part])

    @property
    def caught_up_at(self) -> float | None:
        """When (epoch seconds) a fetch last told that no partition has more; None while one has."""
        if any(self.lag(part) != 0 for part in self._at):
            return None
        return min((self._started.last_poll_timestamp(part) for part in self._at), default=0) / 1000

    async def to_end(self, ends: Mapping[TopicPartition, int] | None = None) -> AsyncIterator[Batch]:
        """Records before `ends` (default: the present ones). To be read to its last item if `onwards` follows."""
        if ends is None:
            ends = await self.ends(self._at)
            for part, end in ends.items():
                if self._at[part] > end:
                    raise LogCut(part, self._at[part], end)
        left = {part for part, end in ends.items() if self._at[part] < end}
        moved, moved_ms = time.monotonic(), time.time() * 1000
        while left:
            before = [self._at[part] for part in left]
            for part, records in (await self.poll(parts=left)).items():
                if records[-1].offset >= ends[part]:
                    records = [record for record in records if record.offset < ends[part]]
                    self._go(part, ends[part])
                if records:
                    yield part, records
            if before != [self._at[part] for part in left]:
                moved, moved_ms = time.monotonic(), time.time() * 1000
            left = {part for part in left if self._at[part] < ends[part]}
            if left and time.monotonic() - moved > self._patience_s:
                await self._stuck(left, ends, moved_ms)
                moved, moved_ms = time.monotonic(), time.time() * 1000

    async def onwards(self, stop: asyncio.Event) -> AsyncIterator[Batch]:
        """Records as they come, until `stop`. While the broker is away it waits."""
        while not stop.is_set():
            for batch in (await self.poll()).items():
                yield batch

    async def poll(
        self, parts: Collection[TopicPartition] = (), timeout_s: float = POLL_S, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        """What can be had now, by partition; nothing if nothing came within `timeout_s`. The base of all the rest."""
        wanted = list(parts or self._at)
        if self._damaged:
            return await self._carefully(wanted)
        try:
            return await self._get(wanted, timeout_s, max_records)
        except OffsetOutOfRangeError as error:
            for part, at in error.args[0].items():
                await self._out_of_range(part, at)
        except CorruptRecordException:
            # aiokafka has dropped what it had read of the others: all is read again, one by one, up to the damage.
            for part, at in self._at.items():
                self._started.seek(part, at)
            self._damaged = True
        return {}

    def rest(self) -> None:
        """Fetches nothing more until the next `begin`."""
        self._started.pause(*self._at)

    async def _get(
        self, parts: list[TopicPartition], timeout_s: float, max_records: int | None
    ) -> dict[TopicPartition, list[Record]]:
        try:
            async with asyncio.timeout(timeout_s + HANG_S):
                found: dict[TopicPartition, list[Record]] = await self._started.getmany(
                    *parts, timeout_ms=round(timeout_s * 1000), max_records=max_records
                )
        except TimeoutError:
            raise NoAnswer(f"{names(parts)} cannot be read", timeout_s + HANG_S) from None
        except RecordTooLargeError as error:
            raise TopicError(f"{names(parts)} cannot be read: {error.args[0] % error.args[1:]}") from error
        except TopicAuthorizationFailedError as error:
            raise TopicError(f"no right to read {error}; see `hub topics acls`") from error
        for part in parts:
            await self._passed(part, found.get(part, ()))
        return found

    async def _passed(self, part: TopicPartition, records: Collection[Record]) -> None:
        """The position moves on to where aiokafka stands; offsets without a record are told if they should have one."""
        first, at = self._at[part], await self._started.position(part)
        self._at[part] = at
        if part not in self._whole or at - first == len(records):
            return
        for record in records:
            if record.offset > first:
                await self._hole(part, first, record.offset)
            first = record.offset + 1
        if at > first:
            await self._hole(part, first, at)

    async def _hole(self, part: TopicPartition, first: int, next: int) -> None:
        beginning = min((await self.beginnings([part]))[part], next)
        if beginning > first:
            self._tell(Gap(part, first, beginning, "deleted"))
        if next > max(first, beginning):
            self._tell(Gap(part, max(first, beginning), next, "missing"))

    async def _out_of_range(self, part: TopicPartition, at: int) -> None:
        beginning, end = (await self.beginnings([part]))[part], (await self.ends([part]))[part]
        if at > end:
            raise LogCut(part, at, end)
        if at < beginning:
            self._tell(Gap(part, at, beginning, "deleted"))
        self._go(part, max(at, beginning))

    def _go(self, part: TopicPartition, to: int) -> None:
        self._started.seek(part, to)
        self._at[part] = to

    async def _carefully(self, parts: list[TopicPartition]) -> dict[TopicPartition, list[Record]]:
        """One record of one partition at a time, so that the position says which bytes are damaged; told when there is
        nothing else left to read."""
        damaged: RecordDamaged | None = None
        for part in parts:
            try:
                found = await self._get([part], POLL_S, 1)
            except CorruptRecordException as error:
                damaged = damaged or RecordDamaged(part, self._at[part], str(error))
                continue
            if found:
                return found
        if damaged is not None:
            raise damaged
        return {}

    async def _stuck(self, left: set[TopicPartition], ends: Mapping[TopicPartition, int], since_ms: float) -> None:
        """There is more, and nothing comes. NoSuchTopic, NoAnswer; or the broker says that there is nothing after all.

        It does so where the last segment lost all its records to compaction: each fetch is answered, with nothing.
        """
        there = await self._ask(self._started.topics, f"{names(left)} cannot be read")
        empty = set()
        for part in left:
            if part.topic not in there:
                raise NoSuchTopic(part.topic, " now: it was deleted while it was read")
            told_ms = self._started.last_poll_timestamp(part)
            if told_ms and told_ms > since_ms + 1000 and (self._started.highwater(part) or 0) >= ends[part]:
                empty.add(part)
        for part in empty:
            if part in self._whole:
                await self._hole(part, self._at[part], ends[part])
            self._go(part, ends[part])
        if not empty:
            raise NoAnswer(f"{names(left)} cannot be read to the end", self._patience_s)


@contextlib.asynccontextmanager
async def opened(settings: Settings, **arguments: Any) -> AsyncIterator[Tail]:
    """A tail that is connected, closed at the end."""
    tail = Tail(settings, **arguments)
    try:
        await tail.start()
        yield tail
    finally:
        await tail.stop()
