"""Reads records by their place: parked events again, receipts and parking at the start. No consumer group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection

from aiokafka import TopicPartition

from hub.config import Settings
from hub.delivery.entries import Raw
from hub.kafka.tail import Tail

FETCH_WAIT_MS = 10
"""A fetch that is under way for the place read before must end first; by default it may wait 500 ms for new records."""

NEAR = 500
"""Wanted offsets this close together are read in one sweep."""


class Reader:
    """One consumer, used by one caller at a time."""

    def __init__(self, settings: Settings) -> None:
        self._tail = Tail(settings, fetch_max_wait_ms=FETCH_WAIT_MS)
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        await self._tail.start()

    async def close(self) -> None:
        await self._tail.stop()

    async def end(self, topic: str, partition: int) -> int:
        where = TopicPartition(topic, partition)
        return (await self._tail.ends([where]))[where]

    async def beginning(self, topic: str, partition: int) -> int:
        where = TopicPartition(topic, partition)
        return (await self._tail.beginnings([where]))[where]

    async def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset whose record is not older than that; the end if there is none."""
        where = TopicPartition(topic, partition)
        return (await self._tail.since([where], timestamp_ms))[where]

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
        if start >= end:
            return
        where = TopicPartition(topic, partition)
        self._tail.begin({where: start})
        try:
            async for _, records in self._tail.to_end({where: end}):
                for r in records:
                    yield Raw(topic, partition, r.offset, r.timestamp, r.key, r.value, r.headers)
        finally:
            self._tail.rest()  # or it would go on fetching what nobody reads
