"""A local copy of compacted topics: read whole at start, then followed, with how far it lags behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.config import Settings
from hub.kafka import clients

Apply = Callable[[str, bytes, bytes | None], None]
"""topic, key, value; None: removed."""

POLL_MS = 500


class Follower:
    """Gives every record to `apply`, each key in its order. One task at a time uses it."""

    def __init__(self, consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition], apply: Apply) -> None:
        self._consumer, self._parts, self._apply = consumer, parts, apply
        self._caught_up_at = time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since it was last at the topics' end."""
        return time.monotonic() - self._caught_up_at

    async def load(self) -> None:
        """To the end that the topics have now."""
        ends = await self._consumer.end_offsets(list(self._parts))
        while any([await self._consumer.position(part) < ends[part] for part in self._parts]):
            await self._read()

    async def follow(self, stop: asyncio.Event) -> None:
        """Until `stop`; call after `load`."""
        while not stop.is_set():
            await self._read()

    async def _read(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                if record.key is not None:
                    self._apply(record.topic, record.key, record.value)
        # The end is known from the last answered fetch; without one nothing can be said.
        ends = [self._consumer.highwater(part) for part in self._parts]
        at = [await self._consumer.position(part) for part in self._parts]
        if all(end is not None and here >= end for end, here in zip(ends, at, strict=True)):
            self._caught_up_at = time.monotonic()


@contextlib.asynccontextmanager
async def following(settings: Settings, topics: Sequence[str], apply: Apply) -> AsyncIterator[Follower]:
    """A follower that is loaded. KafkaError: the topics cannot be had."""
    consumer = clients.consumer(settings)
    try:
        await consumer.start()
        parts = [TopicPartition(topic, n) for topic in topics for n in sorted(await _partitions(consumer, topic))]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        follower = Follower(consumer, parts, apply)
        await follower.load()
        yield follower
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    found: set[int] = await consumer._client._wait_on_metadata(topic)
    return found
