"""Reading a topic whole, from outside the hub's rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord


async def read_all(bootstrap: str, topic: str) -> AsyncIterator[ConsumerRecord]:
    """Every record from the first to the present end, partition by partition, by position."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        if topic not in await consumer.topics():
            return
        await consumer.end_offsets([TopicPartition(topic, 0)])  # makes it known to the consumer
        parts = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())]
        ends = await consumer.end_offsets(parts)
        for part in parts:
            consumer.assign([part])
            await consumer.seek_to_beginning(part)
            while await consumer.position(part) < ends[part]:
                for records in (await consumer.getmany(part, timeout_ms=1_000)).values():
                    for record in records:
                        if record.offset < ends[part]:
                            yield record
    finally:
        await consumer.stop()
