"""kill -9 of a role while it has work in flight, and the proof that it had.

Of a delivery role: calls to its portal under way, as its own gauge said in the moment before. Of the core: partitions
of its topic of which records, there before the kill, are not committed after its death: a chunk each at least.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from hub.config import Settings
from hub.demo.commands import metric
from hub.errors import StartError
from hub.kafka import clients
from hub.supervisor.role_process import Child, State

TRIES = 5
POLL_S = 0.02
WAIT_S = 120.0

Ends = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Kill:
    """exit_status: -9. unfinished: chunks (core) or calls (delivery) that it cut off. unfinished_records: those before
    the end of its topic that are not committed after its death. back_after_s: until it was ready again."""

    role: str
    pid: int
    exit_status: int
    unfinished: int
    unfinished_records: int
    back_after_s: float


@dataclass
class Lags:
    """Committed offsets and ends as the broker knows them, over connections that stay open."""

    settings: Settings
    client: AIOKafkaAdminClient
    consumer: AIOKafkaConsumer
    http: httpx.AsyncClient

    async def ends(self, topic: str) -> Ends:
        described = await self.client.describe_topics([topic])
        partitions = [TopicPartition(topic, p["partition"]) for t in described for p in t["partitions"]]
        return dict(await self.consumer.end_offsets(partitions))

    async def behind(self, group: str, ends: Ends) -> Ends:
        """Partition -> records before its end that the group has not committed. Retention has deleted nothing yet."""
        committed = await self.client.list_consumer_group_offsets(group)
        done = {p: max(0, committed[p].offset) for p in ends if p in committed}
        return {p: end - done.get(p, 0) for p, end in ends.items() if end > done.get(p, 0)}

    async def calls(self, role: str) -> int:
        """Calls that a delivery role has under way; 0 while it does not answer."""
        return int(await metric(self.settings, self.http, role, "hub_delivery_calls_in_flight") or 0)


@contextlib.asynccontextmanager
async def lags(settings: Settings) -> AsyncIterator[Lags]:
    client, consumer = clients.admin(settings), clients.consumer(settings)
    try:
        await client.start()
        await consumer.start()
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            yield Lags(settings, client, consumer, http)
    finally:
        await consumer.stop()
        await client.close()


async def kill_at_work(child: Child, topic: str, known: Lags, due: Callable[[], bool]) -> Kill:
    """Waits until `due` and until the role is at work, then kills it. StartError if TRIES kills did not catch it so."""
    await _until(due, f"enough work done to kill {child.name}")
    for _ in range(TRIES):
        await _until(lambda: child.state is State.READY and child.pid > 0, f"{child.name} ready")
        kill = await _kill(child, topic, known)
        if kill.exit_status == -signal.SIGKILL and min(kill.unfinished, kill.unfinished_records) > 0:
            return kill
    raise StartError(f"{child.name} was killed {TRIES} times and never with work in flight")


async def _kill(child: Child, topic: str, known: Lags) -> Kill:
    group, delivers = clients.group_of(child.name), child.name.startswith("deliver:")
    ends, calls = await _at_work(child.name, group, topic, known)
    process, starts, began = child.process, child.starts, time.monotonic()
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    status = await process.wait()
    behind = await known.behind(group, ends)
    await _until(lambda: child.starts > starts and child.state is State.READY, f"{child.name} back after its kill")
    back = round(time.monotonic() - began, 2)
    return Kill(child.name, process.pid, status, calls if delivers else len(behind), sum(behind.values()), back)


async def _at_work(role: str, group: str, topic: str, known: Lags) -> tuple[Ends, int]:
    """(ends of the topic, calls under way) at a moment when the role is behind and, if it delivers, is calling."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        ends = await known.ends(topic)
        if await known.behind(group, ends):
            calls = await known.calls(role) if role.startswith("deliver:") else 0
            if calls or not role.startswith("deliver:"):
                return ends, calls
        await asyncio.sleep(POLL_S)
    raise StartError(f"{role} had nothing to do for {WAIT_S:.0f} s")


async def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise StartError(f"waited {WAIT_S:.0f} s in vain for: {what}")
        await asyncio.sleep(POLL_S)
