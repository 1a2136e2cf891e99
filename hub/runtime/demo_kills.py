"""kill -9 of a role while it has work in flight, proven by the broker: what stood in its topic before the kill and is
not committed after its death."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from hub.config import Settings
from hub.errors import StartError
from hub.runtime.child import Child, State
from hub.wire import kafka

TRIES = 5
POLL_S = 0.02
WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Kill:
    """exit_status: -9. unfinished: records that its death left unfinished. back_after_s: until it was ready again."""

    role: str
    pid: int
    exit_status: int
    unfinished: int
    back_after_s: float


@dataclass
class Lags:
    """Committed offsets and ends as the broker knows them, over connections that stay open."""

    client: AIOKafkaAdminClient
    consumer: AIOKafkaConsumer

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        described = await self.client.describe_topics([topic])
        partitions = [TopicPartition(topic, p["partition"]) for t in described for p in t["partitions"]]
        return dict(await self.consumer.end_offsets(partitions))

    async def behind(self, group: str, ends: dict[TopicPartition, int]) -> int:
        """Records before these ends that the group has not committed. Retention has deleted nothing yet."""
        committed = await self.client.list_consumer_group_offsets(group)
        done = {p: committed[p].offset for p in ends if p in committed}
        return sum(max(0, end - max(0, done.get(p, 0))) for p, end in ends.items())


@contextlib.asynccontextmanager
async def lags(settings: Settings) -> AsyncIterator[Lags]:
    client, consumer = kafka.admin(settings), kafka.consumer(settings)
    try:
        await client.start()
        await consumer.start()
        yield Lags(client, consumer)
    finally:
        await consumer.stop()
        await client.close()


async def kill_at_work(child: Child, topic: str, known: Lags, due: Callable[[], bool]) -> Kill:
    """Waits until `due` and until the role is behind, then kills it. StartError if none of TRIES kills caught it so."""
    group = kafka.group_of(child.name)
    await _until(due)
    for _ in range(TRIES):
        await _until(lambda: child.state is State.READY and child.pid > 0)
        ends = await _until_behind(known, group, topic)
        process, starts, began = child.process, child.starts, time.monotonic()
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        status = await process.wait()
        unfinished = await known.behind(group, ends)
        await _until(lambda: child.starts > starts and child.state is State.READY)  # noqa: B023
        if status == -signal.SIGKILL and unfinished > 0:
            return Kill(child.name, process.pid, status, unfinished, round(time.monotonic() - began, 2))
    raise StartError(f"{child.name} was killed {TRIES} times and never with work in flight")


async def _until_behind(known: Lags, group: str, topic: str) -> dict[TopicPartition, int]:
    """The ends at a moment when the group is behind them."""
    async with asyncio.timeout(WAIT_S):
        while True:
            ends = await known.ends(topic)
            if await known.behind(group, ends) > 0:
                return ends
            await asyncio.sleep(POLL_S)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(POLL_S)
