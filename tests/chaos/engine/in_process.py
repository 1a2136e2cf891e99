"""An engine beside the test, in its own process and loop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from hub.config import Settings
from hub.kafka.topics import DEAD_LETTER_LIMIT
from hub.stream.engine import Engine
from hub.stream.stage import EngineConfig
from tests.chaos.engine.load import Names

Topic = Callable[..., Awaitable[str]]


async def make_names(topic: Topic, partitions: int = 2, sources: int = 1) -> Names:
    return Names(
        group="g." + uuid.uuid4().hex[:8],
        sources=tuple([await topic(partitions, prefix=f"src{n}") for n in range(sources)]),
        out=await topic(partitions, prefix="out"),
        store=await topic(partitions, config={"cleanup.policy": "compact"}, prefix="store"),
        dead=await topic(1, config={"max.message.bytes": str(DEAD_LETTER_LIMIT)}, prefix="dead"),
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
        async with asyncio.timeout(60):
            await asyncio.wait([task])
    task.result()


def with_kafka(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update=changes)})


async def group(bootstrap: str, name: str) -> tuple[str, int]:
    """The group's state and the number of its members."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([name])
        ((_, _, state, _, _, found, *_),) = answer.groups
        return state, len(found)
    finally:
        await admin.close()
