"""Many records to one partition in few requests: a batch costs an append a record, aiokafka's `send` a future."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiokafka import AIOKafkaProducer

# key, value, headers, timestamp_ms (None: now)
Line = tuple[bytes | None, bytes | None, Iterable[tuple[str, bytes]], int | None]
# confirmation of a batch (`offset`: of its first record), number of records
Sent = tuple[asyncio.Future[Any], int]

KeyedLine = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""One record to send: key, value, headers."""


async def send(producer: AIOKafkaProducer, topic: str, partition: int, lines: Iterable[Line]) -> AsyncIterator[Sent]:
    """One batch after the other, in order, as many as it takes; each as soon as it is on its way."""
    batch = producer.create_batch()
    for key, value, headers, timestamp in lines:
        own = list(headers)
        if batch.append(key=key, value=value, timestamp=timestamp, headers=own) is None:
            yield await producer.send_batch(batch, topic, partition=partition), batch.record_count()
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=timestamp, headers=own)  # a first record always fits
    if batch.record_count():
        yield await producer.send_batch(batch, topic, partition=partition), batch.record_count()
