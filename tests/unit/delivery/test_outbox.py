"""The outbox's writes, counted: what came in together is one batch a topic and partition, not one write a record."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import RecordMetadata, TopicPartition

from hub.delivery.outbox import Outbox
from hub.delivery.settlement import Out, Settlement
from hub.kafka import clients
from hub.kafka.topics import DELIVERIES, parking

PARTITIONS = 4
PARKING = parking("portal")


class Log:
    """A producer whose broker answers as told."""

    def __init__(self, batch_bytes: int = 1_000_000, error: Exception | None = None) -> None:
        self.batch_bytes, self.error = batch_bytes, error
        self.sent: list[tuple[str, int]] = []
        self.keys: dict[tuple[str, int], list[bytes]] = {}

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(PARTITIONS))

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self.batch_bytes, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, partition: int) -> asyncio.Future[Any]:
        stood = self.keys.setdefault((topic, partition), [])
        first = len(stood)
        records = MemoryRecords(bytes(batch._build())).next_batch()
        stood += [record.key for record in records]
        self.sent.append((topic, partition))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.error:
            future.set_exception(self.error)
        else:
            where = TopicPartition(topic, partition)
            future.set_result(RecordMetadata(topic, partition, where, first, None, None, 0))
        return future


def receipt(number: int, topic: str = DELIVERIES, value: bytes = b"v") -> Out:
    return topic, b"H11.12-261124-%04d" % number, value, ()


async def worked(log: Log, settlements: list[Settlement]) -> dict[int, int]:
    """Where the receipts of each partition end, as it was told."""
    ends: dict[int, int] = {}
    outbox = Outbox(log, ends.update)
    for settlement in settlements:
        outbox.put(settlement)
    running = asyncio.create_task(outbox.run())
    try:
        done, _ = await asyncio.wait([running, asyncio.ensure_future(outbox.drained())], return_when="FIRST_COMPLETED")
        for task in done:
            await task
    finally:
        running.cancel()
    return ends


async def test_five_hundred_outcomes_are_a_batch_a_partition() -> None:
    log = Log()
    done: list[int] = []
    given = [Settlement([receipt(n)], [receipt(n, PARKING)], partial(done.append, n)) for n in range(500)]
    receipts_end = await worked(log, given)
    assert Counter(topic for topic, _ in log.sent) == {DELIVERIES: PARTITIONS, PARKING: PARTITIONS}
    assert [topic for topic, _ in log.sent] == [DELIVERIES] * PARTITIONS + [PARKING] * PARTITIONS  # receipts first
    assert done == list(range(500))
    for (_topic, partition), keys in log.keys.items():
        assert keys == sorted(keys), "in order per key"
        assert {clients.partition_of(key, PARTITIONS) for key in keys} == {partition}
    assert receipts_end == {p: len(log.keys[DELIVERIES, p]) for p in range(PARTITIONS)}


async def test_more_than_a_batch_holds_becomes_more_batches() -> None:
    log = Log(batch_bytes=2_000)
    receipts_end = await worked(log, [Settlement([receipt(n, value=bytes(300))]) for n in range(100)])
    assert 20 <= len(log.sent) <= 40
    assert sum(receipts_end.values()) == 100


async def test_one_record_larger_than_a_batch_goes_alone() -> None:
    log = Log(batch_bytes=500)
    receipts_end = await worked(log, [Settlement([receipt(1, value=bytes(size)) for size in (10, 3_000, 10)])])
    assert sum(receipts_end.values()) == 3


async def test_what_the_broker_does_not_take_is_not_done() -> None:
    done: list[int] = []
    with pytest.raises(KafkaError):
        await worked(
            Log(error=KafkaError("no")), [Settlement([receipt(n)], done=lambda: done.append(1)) for n in (1, 2)]
        )
    assert done == []
