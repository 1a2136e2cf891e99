"""The embedded broker on real processes: it serves, keeps what it took, and fails in plain words."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

pytestmark = pytest.mark.broker


async def test_a_record_comes_back_with_key_and_headers(kafka, topic):
    name = await topic(partitions=3)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        await producer.send_and_wait(name, b"value", key=b"key", headers=[("ce_id", b"1")])
    async with AIOKafkaConsumer(name, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    assert (record.key, record.value, record.headers) == (b"key", b"value", (("ce_id", b"1"),))
