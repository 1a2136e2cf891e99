"""Kafka clients close what they opened, however they end: cancelled, refused, with a broker that is away."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from hub.config import Settings
from hub.kafka import clients
from hub.machine.ports import free_port
from tests.chaos.engine.in_process import Topic, with_kafka
from tests.conftest import Kafka
from tests.support.cut_off import cut_off
from tests.support.leaks import open_connections, running_tasks

pytestmark = pytest.mark.broker

MAKERS = {
    "admin": clients.admin,
    "producer": clients.producer,
    "idempotent producer": lambda settings: clients.producer(settings, enable_idempotence=True),
    "transactional producer": lambda settings: clients.producer(settings, transactional_id="cut"),
    "consumer": clients.consumer,
    "member of a group": lambda settings: clients.consumer(settings, group=uuid.uuid4().hex),
}


def _end(client: Any) -> Any:
    return client.close() if hasattr(client, "close") else client.stop()


def _nothing_left() -> None:
    assert open_connections() == []
    assert running_tasks() == []


@contextmanager
def silent(kafka: Kafka) -> Iterator[None]:
    """The broker holds its connections and answers nothing."""
    os.kill(kafka.broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(kafka.broker.pid, signal.SIGCONT)


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_start_that_is_cancelled_at_any_of_its_awaits_leaves_nothing_open(kind: str, hub_settings: Settings):
    for at in itertools.count():
        client = MAKERS[kind](hub_settings)
        if not await cut_off(client.start(), at):
            await _end(client)
            break
        _nothing_left()
    assert at > 2  # connect, versions, cluster


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_stop_that_is_cancelled_at_any_of_its_awaits_leaves_nothing_open(
    kind: str, hub_settings: Settings, topic: Topic
):
    name = await topic(2)
    for at in itertools.count():
        client = MAKERS[kind](hub_settings)
        await client.start()
        if "group" in kind:
            client.subscribe([name])
            await asyncio.wait_for(client._subscription.wait_for_assignment(), 60)
        elif kind == "consumer":
            client.assign([TopicPartition(name, 0)])
            await client.getmany(timeout_ms=10)
        elif kind == "producer":
            await client.send(name, b"on its way")
        ended = not await cut_off(_end(client), at)
        _nothing_left()
        if ended:
            break
    assert at > 0


async def test_a_start_that_fails_leaves_nothing_open(hub_settings: Settings):
    nowhere = with_kafka(hub_settings, bootstrap_servers=f"127.0.0.1:{free_port()}")
    for make in MAKERS.values():
        with pytest.raises(KafkaConnectionError):
            await make(nowhere).start()
    with pytest.raises(KafkaError):  # after the connection: no such topic
        await clients.consumer(with_kafka(hub_settings, request_timeout_ms=300), "no-such-topic").start()
    _nothing_left()


async def test_a_consumer_stops_while_a_fetch_pauses_after_an_error(hub_settings: Settings, topic: Topic):
    """aiokafka's own stop ends there as cancelled, and its connections stay."""
    name = await topic(1)
    consumer = clients.consumer(hub_settings, retry_backoff_ms=60_000)
    await consumer.start()
    consumer.assign([TopicPartition(name, 0)])
    await consumer.seek_to_beginning()
    await consumer.position(TopicPartition(name, 0))
    refused = asyncio.Event()

    async def away(*_: Any, **__: Any) -> Any:
        refused.set()
        raise KafkaConnectionError("away")

    consumer._client.send = away
    await asyncio.wait_for(refused.wait(), 60)
    await asyncio.sleep(0)
    await consumer.stop()
    _nothing_left()


async def test_a_producer_that_cannot_finish_is_stopped_by_a_time_limit_and_says_so_to_whoever_waits(
    kafka: Kafka, hub_settings: Settings, topic: Topic
):
    """So the gateway ends: it gives its producer some seconds, and a broker that is silent gets no longer."""
    name = await topic(12)
    producer = clients.producer(hub_settings)
    await producer.start()
    await producer.send_and_wait(name, b"first")
    with silent(kafka):
        waiting = [
            await producer.send(name, b"x" * 1_000_000, partition=n) for n in range(12)
        ]  # more than a socket takes
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await producer.stop()
        _nothing_left()
    for confirmation in waiting:
        with pytest.raises(KafkaError):
            await confirmation


async def test_nothing_is_opened_after_the_end(hub_settings: Settings):
    admin = clients.admin(hub_settings)
    await admin.start()
    await admin.list_topics()
    await admin.close()
    with pytest.raises(KafkaError):
        await admin.list_topics()
    _nothing_left()
