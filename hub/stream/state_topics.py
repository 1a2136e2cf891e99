"""The state topics on Kafka: read by a consumer of our own without a group, written by the engine's writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from hub.config import Settings
from hub.kafka.log_faults import TopicError
from hub.kafka.tail import Tail
from hub.stream.errors import StateError
from hub.stream.partition_state import Entry, LogId
from hub.stream.stage import Stored
from hub.stream.transaction_fence import Fence
from hub.stream.writer import Writer

_PATIENCE_S = 60.0


class KafkaLogs:
    """`Logs` over one reader (used by one caller at a time) and the writer; a fence's work is read when it counts."""

    def __init__(self, settings: Settings, writer: Writer | Fence) -> None:
        self._settings = settings
        self._isolation = "read_committed" if isinstance(writer, Fence) else "read_uncommitted"
        self._reader: Tail | None = None
        self._reading = asyncio.Lock()
        self.append = writer.append

    async def stop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()

    async def bounds(self, logs: Iterable[LogId]) -> dict[LogId, tuple[int, int]]:
        parts = [TopicPartition(*log) for log in logs]
        reader = await self._started()
        first, end = await reader.beginnings(parts), await reader.ends(parts)
        return {(part.topic, part.partition): (first[part], end[part]) for part in parts}

    async def read(self, ranges: Mapping[LogId, tuple[int, int]]) -> AsyncIterator[tuple[LogId, Sequence[Entry]]]:
        """Entries up to the given ends. StateError: they cannot be read."""
        if not ranges:
            return
        ends = {TopicPartition(*log): end for log, (_, end) in ranges.items()}
        async with self._reading:
            reader = await self._started()
            reader.begin({TopicPartition(*log): first for log, (first, _) in ranges.items()})
            try:
                async for part, records in reader.to_end(ends):
                    if entries := _entries(records):
                        yield (part.topic, part.partition), entries
            except TopicError as error:
                raise StateError(f"state topics could not be read: {error}") from error
            finally:
                reader.rest()

    async def _started(self) -> Tail:
        if self._reader is None:
            reader = Tail(self._settings, patience_s=_PATIENCE_S, isolation_level=self._isolation)
            await reader.start()
            self._reader = reader
        return self._reader


def _entries(records: Iterable[ConsumerRecord[bytes, bytes]]) -> list[Entry]:
    """Those with a key."""
    return [(r.key, _stored(r), r.offset) for r in records if r.key is not None]


def _stored(record: ConsumerRecord[bytes, bytes]) -> Stored | None:
    if record.value is None:
        return None
    return Stored(record.value, record.headers)
