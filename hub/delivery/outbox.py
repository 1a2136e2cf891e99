"""What an outcome leaves on Kafka, written in batches: receipts and dead letters, then parking, then the offset counts.

An outcome is one `Settlement`. All settlements that came in while the last batch was under way go together; nobody
waits for a single record. `done` runs only after the broker confirmed everything of its batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaProducer

from hub.delivery.settlement import Out, Settlement
from hub.kafka import batches, clients
from hub.kafka.batches import Line, Sent
from hub.kafka.topics import DELIVERIES


class Outbox:
    """`confirmed` is called once a batch, with the offset after our last record in hub.deliveries by partition."""

    def __init__(self, producer: AIOKafkaProducer, confirmed: Callable[[Mapping[int, int]], None]) -> None:
        self._producer = producer
        self._confirmed = confirmed
        self._waiting: list[Settlement] = []
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, settlement: Settlement) -> None:
        self._waiting.append(settlement)
        self._empty.clear()
        self._filled.set()

    async def run(self) -> None:
        """Until cancelled. A write that fails after the producer's own retries ends the role, nothing acknowledged."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            batch, self._waiting = self._waiting, []
            ends = await self._send([record for one in batch for record in one.first])
            await self._send([record for one in batch for record in one.then])
            for one in batch:
                one.done()
            self._confirmed(ends)
            if not self._waiting:
                self._empty.set()

    async def drained(self) -> None:
        """Returns when nothing waits for a confirmation."""
        await self._empty.wait()

    async def _send(self, records: Sequence[Out]) -> dict[int, int]:
        """Returns partition -> end for what went to hub.deliveries. One batch a topic and partition, or as many as it
        takes, each confirmed once: a receipt is a small record, and a future for each cost as much as making it."""
        counts = {topic: len(await self._producer.partitions_for(topic)) for topic in {one[0] for one in records}}
        lines: dict[tuple[str, int], list[Line]] = {}
        for topic, key, value, headers in records:
            partition = clients.partition_of(key or b"", counts[topic])
            lines.setdefault((topic, partition), []).append((key, value, headers, None))
        sent: list[tuple[str, int, Sent]] = []
        for (topic, partition), part in lines.items():
            sent += [(topic, partition, one) async for one in batches.send(self._producer, topic, partition, part)]
        answers = await asyncio.gather(*(future for _, _, (future, _) in sent))
        ends: dict[int, int] = {}
        for (topic, partition, (_, count)), answer in zip(sent, answers, strict=True):
            if topic == DELIVERIES:
                ends[partition] = max(ends.get(partition, 0), answer.offset + count)
        return ends
