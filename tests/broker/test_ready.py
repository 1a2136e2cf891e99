"""Ready means ready, on a real broker: partitions owned, state read, a first chunk could be worked; else why not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.config import Settings
from hub.delivery import role as delivery
from hub.delivery.partition_assignment import Assignment
from hub.delivery.record_reader import Reader
from hub.intake import role as intake
from hub.kafka.tail import Tail
from hub.kafka.topic_admin import ensure_topics
from hub.observe.health import HEALTH
from hub.projector import role as projector
from hub.registry.client import open_codec
from hub.stream.state_topics import KafkaLogs
from hub.supervisor import roles
from tests.chaos.engine.in_process import Topic, make_names, running, with_kafka
from tests.chaos.engine.load import Load, config, wait_no_lag
from tests.support.delivery import Bench
from tests.support.delivery_fixture import bench  # noqa: F401
from tests.support.gateway import organisation
from tests.support.registry_fixture import running as registry

pytestmark = pytest.mark.broker

LONG_S = 60


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    HEALTH.ready.clear()


def said() -> str:
    return "; ".join(HEALTH.report("ready")[1].values())


def is_ready() -> bool:
    return HEALTH.report("ready")[0]


async def until(condition: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(LONG_S):
            while not condition():
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"not within {LONG_S} s; /ready says: {said()}") from None


class Gate:
    """Holds calls of an asynchronous generator back until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.opened, self.reached = asyncio.Event(), asyncio.Event()
        original = getattr(owner, name)

        async def held(own: Any, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
            self.reached.set()
            await self.opened.wait()
            async for one in original(own, *arguments, **named):
                yield one

        monkeypatch.setattr(owner, name, held)


async def test_an_engine_is_not_ready_before_its_state_is_read_though_no_record_comes(
    topic: Topic, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    names = await make_names(topic)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(50)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, LONG_S)
    gate = Gate(monkeypatch, KafkaLogs, "read")
    async with running(config(names), hub_settings):
        assert not is_ready()
        await until(lambda: "reads the state of 2 of 2 partitions" in said())
        assert not is_ready()
        gate.opened.set()
        await until(is_ready)
        assert "2 partitions, state read, takes chunks" in said()


LAST = {
    "core": "takes chunks",
    "reconcile": "takes chunks",
    "projector": "follows Kafka",
    "intake": "no agency has a topic",
    "gateway": "acknowledges",
    "console": "http://",
    "registry": "state follows _schemas",
}


@pytest.mark.parametrize("name", LAST)
async def test_a_role_is_not_ready_at_any_moment_of_its_start(hub_settings: Settings, name: str):
    """Each check that it will have must be there from the beginning: a first one alone says nothing of the others."""
    await ensure_topics(hub_settings)
    async with registry(hub_settings):
        await open_codec(hub_settings)
    HEALTH.ready.clear()
    async with _role(roles.function(name), name, hub_settings):
        await until(is_ready)
        assert LAST[name] in said()


async def test_an_engine_that_owns_nothing_because_another_does_is_ready_as_a_standby(
    topic: Topic, hub_settings: Settings
):
    names = await make_names(topic, partitions=1)
    async with running(config(names), hub_settings):
        await until(is_ready)
        HEALTH.ready.clear()
        async with running(replace(config(names), instance="zz"), hub_settings):
            await until(lambda: is_ready() and "standby: another process owns" in said())


async def test_a_delivery_is_not_ready_before_it_has_read_what_stands_of_its_dossiers(
    bench: Bench,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    await bench.subscribe()
    await bench.events((1, 1))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(1)) == [1])
    gate = Gate(monkeypatch, Reader, "scan")
    HEALTH.ready.clear()
    async with bench.running():
        await until(gate.reached.is_set)
        assert not is_ready()
        assert "reads what stands of" in said()
        gate.opened.set()
        await until(is_ready)


async def test_a_second_delivery_of_a_subscriber_is_ready_as_a_standby(
    bench: Bench,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    """One process more than partitions: it owns none. They share this process's health, so each is asked by itself."""
    members: list[Assignment] = []

    class Told(Assignment):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            members.append(self)

    monkeypatch.setattr(delivery, "Assignment", Told)
    await bench.subscribe()
    settings, count = bench.settings, bench.settings.kafka.partitions
    async with contextlib.AsyncExitStack() as stack:
        for number in range(count + 1):
            bench.settings = settings.model_copy(
                update={"core": settings.core.model_copy(update={"instance": f"i{number}"})}
            )
            await stack.enter_async_context(bench.running())
        await until(lambda: len(members) == count + 1 and all(member.ready()[0] for member in members))
        words = sorted(member.ready()[1] for member in members)
    assert words == ["1 partitions, takes events"] * count + ["standby: another process owns all partitions"]


async def test_the_intake_is_not_ready_before_the_group_has_given_it_partitions(
    hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """After kill -9 that takes the dead member's session, for intake's membership is not static."""
    settings = with_kafka(hub_settings, session_timeout_ms=6_000, heartbeat_interval_ms=1_000)
    await organisation(settings, kafka_topic=True)
    async with registry(settings):
        await open_codec(settings)
    async with _role(intake.run, "intake", settings) as killed:
        await until(is_ready)
        killed.cancel()  # as kill -9: no leave
        await asyncio.wait([killed])
    HEALTH.ready.clear()
    async with _role(intake.run, "intake", settings):
        await until(lambda: "waits for its partitions" in said() or is_ready())
        await until(lambda: is_ready() and "partitions of 1 agency topics" in said())


async def test_the_intake_without_agency_topics_is_ready(hub_settings: Settings):
    async with registry(hub_settings):
        await open_codec(hub_settings)
    async with _role(intake.run, "intake", hub_settings):
        await until(is_ready)


async def test_the_projector_is_ready_when_a_fetch_was_answered(
    hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    async with registry(hub_settings):
        await open_codec(hub_settings)
    opened, reached, poll = asyncio.Event(), asyncio.Event(), Tail.poll

    async def held(own: Tail, *arguments: Any, **named: Any) -> Any:
        reached.set()
        await opened.wait()
        return await poll(own, *arguments, **named)

    monkeypatch.setattr(Tail, "poll", held)
    async with _role(projector.run, "projector", hub_settings):
        await until(reached.is_set)
        assert not is_ready()
        opened.set()
        await until(lambda: is_ready() and "follows Kafka into generation 1" in said())


@contextlib.asynccontextmanager
async def _role(run: Any, name: str, settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(run(name, settings, stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(LONG_S):
            await asyncio.gather(task, return_exceptions=True)
