"""Reads records by their place: parked events again, receipts and parking at the start. No consumer group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.config import Settings
from hub.delivery.entries import Raw
from hub.errors import HubError
from hub.kafka import clients

STALL_S = 30.0
"""No progress for so long while records are known to be there: the broker is away, the role must not guess."""

FETCH_WAIT_MS = 10
"""A fetch that is under way for the place read before must end first; by default it may wait 500 ms for new records."""

NEAR = 500
"""Wanted offsets this close together are read in one sweep."""


class Reader:
    """One consumer, used by one caller at a time."""

    def __init__(self, settings: Settings) -> None:
        self._consumer: AIOKafkaConsumer = clients.consumer(settings, fetch_max_wait_ms=FETCH_WAIT_MS)
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        await self._consumer.start()

    async def close(self) -> None:
        await self._consumer.stop()

    async def end(self, topic: str, partition: int) -> int:
        where = TopicPartition(topic, partition)
        return int((await self._consumer.end_offsets([where]))[where])

    async def beginning(self, topic: str, partition: int) -> int:
        where = TopicPartition(topic, partition)
        return int((await self._consumer.beginning_offsets([where]))[where])

    async def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset whose record is not older than that; the end if there is none."""
        where = TopicPartition(topic, partition)
        found = (await self._consumer.offsets_for_times({where: timestamp_ms}))[where]
        return int(found.offset) if found is not None else await self.end(topic, partition)

    async def pick(self, topic: str, partition: int, offsets: Collection[int]) -> dict[int, Raw]:
        """Those of the wanted records that the log still holds."""
        wanted = sorted(set(offsets))
        found: dict[int, Raw] = {}
        async with self._lock:
            begin = await self.beginning(topic, partition)
            end = await self.end(topic, partition)
            wanted = [offset for offset in wanted if begin <= offset < end]
            while wanted:
                sweep = [offset for offset in wanted if offset - wanted[0] <= NEAR]
                wanted = wanted[len(sweep) :]
                keep = set(sweep)
                async for raw in self._read(topic, partition, sweep[0], sweep[-1] + 1):
                    if raw.offset in keep:
                        found[raw.offset] = raw
        return found

    async def scan(self, topic: str, partition: int, start: int, end: int) -> AsyncIterator[Raw]:
        """All records with start <= offset < end that the log holds."""
        async with self._lock:
            start = max(start, await self.beginning(topic, partition))
            async for raw in self._read(topic, partition, start, end):
                yield raw

    async def _read(self, topic: str, partition: int, start: int, end: int) -> AsyncIterator[Raw]:
        """By position: a compacted or transactional tail has offsets without records."""
        if start >= end:
            return
        where = TopicPartition(topic, partition)
        self._consumer.assign([where])
        self._consumer.seek(where, start)
        moved = time.monotonic()
        try:
            while await self._consumer.position(where) < end:
                batch = (await self._consumer.getmany(where, timeout_ms=500)).get(where, ())
                if batch:
                    moved = time.monotonic()
                elif time.monotonic() - moved > STALL_S:
                    raise HubError(f"{topic} partition {partition} cannot be read up to {end}; is the broker away?")
                for r in batch:
                    if r.offset >= end:
                        return
                    yield Raw(topic, partition, r.offset, r.timestamp, r.key, r.value, r.headers)
        finally:
            if where in self._consumer.assignment():
                self._consumer.pause(where)  # or it would go on fetching what nobody reads
