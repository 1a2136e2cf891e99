"""The engine in this process on the real broker: the plain way, and each finding that needs no second process."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from hub.config import Settings
from hub.errors import StartError
from hub.stream.api import Engine, EngineConfig
from tests.chaos.engine.load import Load, Names, config, judge, read_all, wait_no_lag

pytestmark = pytest.mark.broker
Topic = Callable[..., Awaitable[str]]


async def make_names(topic: Topic, partitions: int = 2, sources: int = 1) -> Names:
    return Names(
        group="g." + uuid.uuid4().hex[:8],
        sources=tuple([await topic(partitions, prefix=f"src{n}") for n in range(sources)]),
        out=await topic(partitions, prefix="out"),
        store=await topic(partitions, config={"cleanup.policy": "compact"}, prefix="store"),
        dead=await topic(1, config={"max.message.bytes": str(4 << 20)}, prefix="dead"),
    )


@asynccontextmanager
async def running(engine_config: EngineConfig, settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
    """The engine beside the test; stopped in order at the end, and its fault, if any, raised there."""
    stop = asyncio.Event()
    task = asyncio.create_task(Engine(engine_config, settings).run(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(40):
            await asyncio.wait([task])
    task.result()


async def test_works_two_sources_of_one_partition_count_and_stops_with_everything_committed(
    topic: Topic, hub_settings: Settings
):
    names = await make_names(topic, partitions=3, sources=2)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(5_000)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, 30)
        await load.produce(1_000)
        await wait_no_lag(load.bootstrap, names, 30)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 6066))  # Faust's web server would sit here
    verdict = await judge(load)
    assert verdict.safe, verdict
    assert verdict.doubled == 0


async def test_topics_that_do_not_fit_are_refused_at_start(topic: Topic, hub_settings: Settings):
    names = await make_names(topic)
    other = await topic(5)
    for wrong, word in (
        (replace(names, sources=(*names.sources, other)), "same number of partitions"),
        (replace(names, store=names.out), "not compacted"),
        (replace(names, store="no-such-topic"), "do not exist"),
    ):
        with pytest.raises(StartError, match=word):
            await Engine(config(wrong), hub_settings).run(asyncio.Event())


async def test_a_step_that_raises_ends_the_engine_without_acknowledging(topic: Topic, hub_settings: Settings):
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(50, poison_at=[30])
    with pytest.raises(ValueError, match="poison"):
        async with running(config(names, chunk_records=10), hub_settings) as task:
            await asyncio.wait([task], timeout=30)
    assert len(await read_all(load.bootstrap, names.dead)) == 0
