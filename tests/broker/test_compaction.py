"""How much a role reads at its start is bounded by how many keys there are, not by how often each was written."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hub.config import Settings
from hub.kafka import batches, clients
from hub.kafka.tail import opened
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import DIRTY_SHARE, EXPECTATIONS, SEGMENT_BYTES

pytestmark = pytest.mark.broker

KEYS, ROUNDS, SIZE = 6_000, 7, 300
PART = TopicPartition(EXPECTATIONS, 0)
CLEANED_S = 120.0
"""The broker looks every 15 s for what to clean."""


async def test_a_state_topic_written_seven_times_over_is_read_about_once(hub_settings: Settings) -> None:
    """On a topic that has the settings of earlier versions until `hub topics ensure` comes."""
    await ensure_topics(hub_settings)
    await _as_it_was(hub_settings)
    await _write(hub_settings, ROUNDS - 1)
    assert await _read(hub_settings) == (ROUNDS - 1) * KEYS, "segments are closed by the hour: nothing is cleaned"

    changed = {change.topic for change in await ensure_topics(hub_settings)}
    assert changed == {EXPECTATIONS}
    await _write(hub_settings, 1)

    # What is live, what may be outdated before the cleaner comes, and the segment that is being written.
    most = KEYS / (1 - DIRTY_SHARE) + SEGMENT_BYTES / SIZE
    async with asyncio.timeout(CLEANED_S):
        while (read := await _read(hub_settings)) > most:
            await asyncio.sleep(1)
    assert KEYS <= read < 2 * KEYS


async def _as_it_was(settings: Settings) -> None:
    was = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": "3600000"}
    admin = clients.admin(settings)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, EXPECTATIONS, configs=was)
        for answer in await admin.alter_configs([resource]):
            assert not any(code for code, *_ in answer.resources)
    finally:
        await admin.close()


async def _write(settings: Settings, rounds: int) -> None:
    producer = clients.producer(settings)
    await producer.start()
    try:
        for number in range(rounds):
            lines = [(b"%06d" % key, b"%d" % number * SIZE, (), None) for key in range(KEYS)]
            for at in range(0, KEYS, 500):  # as chunks do
                sent = batches.send(producer, PART.topic, PART.partition, lines[at : at + 500])
                for future in [future async for future, _ in sent]:
                    await future
    finally:
        await producer.stop()


async def _read(settings: Settings) -> int:
    """How many records a start reads."""
    async with opened(settings) as tail:
        tail.begin(await tail.beginnings([PART]))
        return sum([len(records) async for _, records in tail.to_end()])
