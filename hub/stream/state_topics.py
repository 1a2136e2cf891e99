"""The state topics on Kafka: read by a consumer of our own without a group, written by the engine's writer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from hub.config import Settings
from hub.kafka import clients
from hub.stream.errors import StateError
from hub.stream.partition_state import Entry, LogId
from hub.stream.stage import Stored
from hub.stream.transaction_fence import Fence
from hub.stream.writer import Writer

_STALL_S = 60.0  # without a single record or a moved position


class KafkaLogs:
    """`Logs` over one reader (used by one caller at a time) and the writer; a fence's work is read when it counts."""

    def __init__(self, settings: Settings, writer: Writer | Fence) -> None:
        self._settings = settings
        self._isolation = "read_committed" if isinstance(writer, Fence) else "read_uncommitted"
        self._reader: AIOKafkaConsumer | None = None
        self._reading = asyncio.Lock()
        self.append = writer.append

    async def stop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()

    async def bounds(self, logs: Iterable[LogId]) -> dict[LogId, tuple[int, int]]:
        parts = [TopicPartition(*log) for log in logs]
        reader = await self._started()
        first, end = await reader.beginning_offsets(parts), await reader.end_offsets(parts)
        return {(part.topic, part.partition): (first[part], end[part]) for part in parts}

    async def read(self, ranges: Mapping[LogId, tuple[int, int]]) -> AsyncIterator[tuple[LogId, Sequence[Entry]]]:
        """It is at the end when the *position* says so: the last offsets may hold no record any more."""
        if not ranges:
            return
        ends = {TopicPartition(*log): end for log, (_, end) in ranges.items()}
        async with self._reading:
            reader = await self._started()
            reader.assign(list(ends))
            for log, (first, _) in ranges.items():
                reader.seek(TopicPartition(*log), first)
            left, moved = set(ends), time.monotonic()
            while left:
                batch = await reader.getmany(*left, timeout_ms=500)
                for part, records in batch.items():
                    moved = time.monotonic()
                    entries = _entries(records, ends[part])
                    if entries:
                        yield (part.topic, part.partition), entries
                left = {part for part in left if await reader.position(part) < ends[part]}
                if time.monotonic() - moved > _STALL_S:
                    raise StateError(f"state topics could not be read for {_STALL_S:.0f} s: {sorted(left)}")

    async def _started(self) -> AIOKafkaConsumer:
        if self._reader is None:
            reader = clients.consumer(self._settings, isolation_level=self._isolation)
            await reader.start()
            self._reader = reader
        return self._reader


def _entries(records: Iterable[ConsumerRecord[bytes, bytes]], end: int) -> list[Entry]:
    """Those before `end`."""
    return [(r.key, _stored(r), r.offset) for r in records if r.key is not None and r.offset < end]


def _stored(record: ConsumerRecord[bytes, bytes]) -> Stored | None:
    if record.value is None:
        return None
    return Stored(record.value, record.headers)
