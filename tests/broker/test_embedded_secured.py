"""The embedded broker asks everybody for a password from its first start on; an open folder of before is taken over."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from hub.admin import kafka_users, organisations
from hub.broker import role
from hub.broker.broker import EmbeddedBroker
from hub.config import Settings
from hub.control.audit import Actor
from hub.kafka import clients, embedded_users, topics
from hub.kafka.embedded_users import acting_as
from hub.kafka.topic_admin import ensure_topics
from hub.machine.ports import free_port
from hub.observe.health import HEALTH
from hub.supervisor.cluster import OnKafka
from hub.supervisor.environment import variables
from tests.support.topics import read_all

pytestmark = pytest.mark.broker


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub with its own broker, as `make run` has it, but for the port and the memory."""
    return Settings(data_dir=tmp_path / "var", embedded={"port": free_port(), "heap_mb": 256}, kafka={"partitions": 2})


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """The role `broker` in this process, ready."""
    stop = asyncio.Event()
    task = asyncio.create_task(role.run("broker", settings, stop))
    try:
        async with asyncio.timeout(60):
            while "broker" not in HEALTH.ready and not task.done():
                await asyncio.sleep(0.05)
        if task.done():
            await task
        yield
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        HEALTH.ready.pop("broker", None)


async def send(settings: Settings, topic: str, key: bytes = b"k") -> None:
    producer = clients.producer(settings)
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"{}", key=key)
    finally:
        await producer.stop()


async def in_the_open(bootstrap: str) -> None:
    """As whoever reaches the port: without a password."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, request_timeout_ms=4_000)
    try:
        await producer.start()
        await producer.send_and_wait(topics.CONTROL, b'{"name":"x"}', key=b"organisation/x")
    finally:
        await producer.stop()


async def test_nobody_writes_without_a_password_and_no_role_beyond_its_rights(settings: Settings) -> None:
    async with running(settings):
        await OnKafka(settings).topics()
        with pytest.raises(KafkaError):
            await in_the_open(settings.bootstrap)
        await send(acting_as(settings, "gateway"), topics.INGRESS)
        await send(settings, topics.CONTROL)  # a command: operator
        for principal, topic in (("gateway", topics.EVENTS), ("core", topics.CONTROL), ("deliver", topics.INGRESS)):
            with pytest.raises(TopicAuthorizationFailedError):
                await send(acting_as(settings, principal), topic)
        path = embedded_users.users_file(settings)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert set(json.loads(path.read_text())) == set(embedded_users.principals())


async def test_a_folder_that_was_open_is_taken_over_with_all_it_holds(settings: Settings) -> None:
    folder, port = settings.data_dir / "kafka", settings.embedded.port
    before = settings.model_copy(update={"embedded": settings.embedded.model_copy(update={"sasl": False})})
    with EmbeddedBroker(folder, port, heap_mb=256):
        await ensure_topics(before)
        await send(before, topics.CONTROL, b"organisation/old")
        old = [(one.key, one.value) async for one in read_all(before.bootstrap, topics.CONTROL)]
    async with running(settings):
        await OnKafka(settings).topics()
        with pytest.raises(KafkaError):
            await in_the_open(settings.bootstrap)
        await send(settings, topics.CONTROL, b"organisation/new")
        consumer = clients.consumer(settings, topics.CONTROL)
        await consumer.start()
        found: list[tuple[bytes | None, bytes | None]] = []
        async with asyncio.timeout(30):
            while len(found) < len(old) + 1:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [(one.key, one.value) for one in records]
        await consumer.stop()
        assert found[: len(old)] == old
        assert found[-1][0] == b"organisation/new"


async def test_killed_at_its_first_start_it_is_closed_at_the_next(settings: Settings) -> None:
    """kill -9 at each of a few moments of the start, before, while and after the users are set."""
    for seconds in (0.0, 1.0, 2.0, 3.0):
        command = [sys.executable, "-m", "hub", "run", "broker"]
        process = await asyncio.create_subprocess_exec(*command, env=variables(settings))
        try:
            path = embedded_users.users_file(settings)
            async with asyncio.timeout(60):
                while not path.exists():
                    await asyncio.sleep(0.02)
            await asyncio.sleep(seconds)  # a moment of the start, not something awaited
        finally:
            process.kill()
            await process.wait()
    assert process.returncode == -signal.SIGKILL
    async with running(settings):
        await OnKafka(settings).topics()
        with pytest.raises(KafkaError):
            await in_the_open(settings.bootstrap)
        await send(acting_as(settings, "gateway"), topics.INGRESS)


async def test_a_password_that_was_lost_is_made_anew_at_the_next_start(settings: Settings) -> None:
    async with running(settings):
        await OnKafka(settings).topics()
    embedded_users.users_file(settings).unlink()
    async with running(settings):
        await send(acting_as(settings, "gateway"), topics.INGRESS)


async def test_an_agency_has_a_user_that_reaches_its_own_topic_only(settings: Settings) -> None:
    async with running(settings):
        await OnKafka(settings).topics()
        for name in ("land", "tax"):
            wanted = organisations.checked(
                {"name": name, "sources": [f"urn:{name}"], "agencies": ["H11.12"], "kafka_topic": True}
            )
            await organisations.add(settings, wanted, Actor("test"))
        first = await kafka_users.of_agency(settings, "land", Actor("test"))
        as_land = kafka_users.signed_in(settings, first)
        await send(as_land, topics.agency_ingress("land"))
        for topic in (topics.agency_ingress("tax"), topics.INGRESS, topics.CONTROL):
            with pytest.raises(TopicAuthorizationFailedError):
                await send(as_land, topic)
        again = await kafka_users.of_agency(settings, "land", Actor("test"))
        await send(kafka_users.signed_in(settings, again), topics.agency_ingress("land"))
        with pytest.raises(KafkaError):
            await send(as_land, topics.agency_ingress("land"))


async def test_a_cluster_of_the_settings_is_spoken_to_as_they_say(settings: Settings) -> None:
    own = settings.kafka.model_copy(update={"bootstrap_servers": "broker:9092"})
    assert embedded_users.login(settings.model_copy(update={"kafka": own})) is None
    assert "sasl_mechanism" not in clients.client_args(settings), "before the first start there is no password"
    assert os.path.exists(settings.data_dir) is False
