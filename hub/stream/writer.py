"""Writing many records with few requests, and knowing that the broker has them.

All batches of a call are on their way together, one after another within a partition.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError

from hub.config import Settings
from hub.kafka import batches, clients
from hub.kafka.batches import Line, Sent
from hub.stream.errors import WriteRefused
from hub.stream.stage import Out

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)
# offset of the batch's first record, number of records
Landed = tuple[int, int]


class Writer:
    """One producer: acks=all, idempotent, so that a retried request neither doubles nor reorders."""

    def __init__(self, settings: Settings, **producer: Any) -> None:
        """producer: further arguments for aiokafka's."""
        self._settings = settings
        self._arguments = producer
        self._producer: AIOKafkaProducer | None = None
        self._calls: Counter[AIOKafkaProducer] = Counter()
        self._partitions: dict[str, int] = {}

    async def start(self) -> None:
        """Connect. KafkaConnectionError when no broker answers."""
        self._producer = await self._connected()

    async def stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def partitions(self, topic: str) -> int:
        """How many the topic has; it is asked once, since a changed count needs a migration anyway."""
        if topic not in self._partitions:
            self._partitions[topic] = len(await self._started().partitions_for(topic))
        return self._partitions[topic]

    async def topics(self) -> dict[str, int]:
        """All topics that we may see, with their number of partitions, asked now."""
        cluster = await self._started().client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}

    async def write(self, records: Iterable[Out], near: int) -> int:
        """Write to many topics; returns how many, when all are confirmed.

        near: the partition (modulo the topic's count) for records with neither key nor partition.
        WriteRefused: a record is too large for its topic. Any other error: it is unknown what was written.
        """
        lines: dict[tuple[str, int], list[Line]] = {}
        number = 0
        for out in records:
            partition = out.partition
            if partition is None:
                count = self._partitions.get(out.topic) or await self.partitions(out.topic)
                partition = near % count if out.key is None else clients.partition_of(out.key, count)
            line = (out.key, out.value, out.headers, out.timestamp_ms)
            lines.setdefault((out.topic, partition), []).append(line)
            number += 1
        results = await asyncio.gather(
            *(self.append(topic, partition, part) for (topic, partition), part in lines.items()), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return number

    async def append(self, topic: str, partition: int, lines: Iterable[Line]) -> list[Landed]:
        """Write to one partition, in order; where each batch landed, when all are confirmed. Errors as `write`."""
        producer = self._started()
        self._calls[producer] += 1
        try:
            return await self._append(producer, topic, partition, lines)
        except WriteRefused:
            await self._replace(producer)
            raise
        finally:
            self._calls[producer] -= 1
            if not self._calls[producer]:
                del self._calls[producer]
                if producer is not self._producer:  # replaced, and nobody waits for it any more
                    await producer.stop()

    async def _append(
        self, producer: AIOKafkaProducer, topic: str, partition: int, lines: Iterable[Line]
    ) -> list[Landed]:
        sent: list[Sent] = []
        try:
            async for one in batches.send(producer, topic, partition, lines):
                sent.append(one)
        finally:
            answers = await asyncio.gather(*(future for future, _ in sent), return_exceptions=True)
        landed: list[Landed] = []
        for answer, (_, count) in zip(answers, sent, strict=True):
            if isinstance(answer, _TOO_LARGE):
                raise WriteRefused(f"{topic}/{partition} takes no record of that size") from answer
            if isinstance(answer, BaseException):
                raise answer
            landed.append((answer.offset, count))
        return landed

    async def _replace(self, used: AIOKafkaProducer) -> None:
        """A refused batch is a gap in the producer's sequence numbers: the partition takes nothing more from it."""
        if used is self._producer:
            fresh = await self._connected()
            if used is self._producer:
                self._producer = fresh
            else:
                await fresh.stop()

    async def _connected(self) -> AIOKafkaProducer:
        producer = clients.producer(self._settings, enable_idempotence=True, **self._arguments)
        await producer.start()
        return producer

    def _started(self) -> AIOKafkaProducer:
        assert self._producer is not None, "the writer is not started"
        return self._producer
