"""What an outcome leaves on Kafka, written in batches: receipts and dead letters, then parking, then the offset counts.

An outcome is one `Settlement`. All settlements that came in while the last batch was under way go together; nobody
waits for a single record. `done` runs only after the broker confirmed everything of its batch.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer

from hub.wire.kafka import Headers
from hub.wire.topics import DELIVERIES

log = logging.getLogger(__name__)
Out = tuple[str, bytes | None, bytes | None, Headers]


@dataclass(slots=True)
class Settlement:
    """first: receipts, dead letters. then: parking records. A crash between them repeats an attempt, loses nothing."""

    first: list[Out] = field(default_factory=list)
    then: list[Out] = field(default_factory=list)
    done: Callable[[], None] = lambda: None


class Outbox:
    """`receipts_end[partition]`: offset after our last confirmed record in hub.deliveries."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._waiting: list[Settlement] = []
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.receipts_end: dict[int, int] = {}

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
            self.receipts_end.update(ends)
            for one in batch:
                one.done()
            if not self._waiting:
                self._empty.set()

    async def drained(self) -> None:
        """Returns when nothing waits for a confirmation."""
        await self._empty.wait()

    async def _send(self, records: Sequence[Out]) -> dict[int, int]:
        """Returns partition -> end for what went to hub.deliveries."""
        pending = [
            await self._producer.send(topic, value, key=key, headers=list(headers))
            for topic, key, value, headers in records
        ]
        answers = await asyncio.gather(*pending)
        ends: dict[int, int] = {}
        for answer in answers:
            if answer.topic == DELIVERIES:
                ends[answer.partition] = max(ends.get(answer.partition, 0), answer.offset + 1)
        return ends
