"""The reconcile role as a process: receipts that are cut off, kill -9, and a subscriber removed and added again."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.avro.codec import Codec
from hub.config import ReconcileSettings, Settings
from hub.control.changes import write
from hub.control.records import Subscriber
from hub.kafka import clients, topics
from hub.kafka.topic_admin import ensure_topics
from hub.registry.client import open_codec
from tests.support.events import delivery, dossier_event
from tests.support.registry_fixture import running
from tests.support.roles import RoleProcess
from tests.support.topics import read_all

pytestmark = pytest.mark.broker
COUNT = 200
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class World:
    def __init__(self, settings: Settings, codec: Codec) -> None:
        self.settings, self.codec = settings, codec
        self.tag = f"{uuid.uuid4().int % 10**6:06}"
        self.name = f"portal-{self.tag}"

    def code(self, number: int) -> str:
        return f"000.00.12.H11-{self.tag}-{number:04}"

    def subscriber(self, created_at: datetime) -> Subscriber:
        return Subscriber(
            name=self.name,
            kind="webhook",
            settings={"url": "http://127.0.0.1:1/", "allow_loopback": True},
            secrets={"signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            created_at=created_at,
        )

    async def send(self, *records: tuple[str, bytes, bytes, clients.Headers]) -> None:
        producer = clients.producer(self.settings)
        await producer.start()
        try:
            await clients.send_all(producer, records)
        finally:
            await producer.stop()

    async def events(self, numbers: range, seq: int = 1) -> None:
        await self.send(*((topics.EVENTS, *dossier_event(self.codec, self.code(n), seq)) for n in numbers))

    async def receipts(self, numbers: range, seq: int = 1) -> None:
        made = []
        for number in numbers:
            code = self.code(number)
            made.append((topics.DELIVERIES, code.encode(), delivery(self.codec, code, self.name, [seq]), ()))
        await self.send(*made)

    async def requested(self) -> set[str]:
        """Codes for which a re-send to this test's subscriber was asked for."""
        found = [json.loads(r.value) async for r in read_all(self.settings.bootstrap, topics.REQUESTS)]
        return {r["key"] for r in found if r["subscriber"] == self.name and r["action"] == "resend"}

    async def discrepancies(self) -> dict[str, dict[str, Any]]:
        """code -> the newest discrepancy record."""
        found = [json.loads(r.value) async for r in read_all(self.settings.bootstrap, topics.DISCREPANCIES)]
        return {r["key"]: r for r in found if r["subscriber"] == self.name}


async def eventually(check: Callable[[], Any], within: float, what: str) -> None:
    deadline = time.monotonic() + within
    while not await check():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.2)


@pytest.fixture
async def world(hub_settings: Settings) -> World:
    quick = ReconcileSettings(missing_after_s=3, tick_s=0.3)
    settings = hub_settings.model_copy(update={"reconcile": quick})
    await ensure_topics(settings)
    async with running(settings):
        codec = await open_codec(settings)
    return World(settings, codec)


async def test_receipts_cut_off_in_mid_run_are_missing_healed_and_closed(world: World) -> None:
    await write(world.settings, world.subscriber(LONG_AGO))
    missing = {world.code(n) for n in range(150, COUNT)}
    role = RoleProcess("reconcile", world.settings)
    try:
        await asyncio.to_thread(role.ready)
        await world.events(range(COUNT))
        await world.receipts(range(150))
        assert await asyncio.to_thread(role.kill) == -9
        role = RoleProcess("reconcile", world.settings)
        await eventually(lambda: _is(world.requested(), missing), 60, "a re-send for each event without receipt")
        assert set(await world.discrepancies()) == missing
        assert {d["kind"] for d in (await world.discrepancies()).values()} == {"MISSING"}
        await world.receipts(range(150, COUNT))

        async def healed() -> bool:
            return all(d["healed_at"] for d in (await world.discrepancies()).values())

        await eventually(healed, 60, "every discrepancy closed by its receipt")
        assert await world.requested() == missing
        assert await asyncio.to_thread(role.terminate) == 0
    finally:
        if role.process.poll() is None:
            role.kill()


async def _is(found: Any, wanted: set[str]) -> bool:
    return bool(await found == wanted)


async def test_a_subscriber_removed_and_added_again(world: World) -> None:
    """Removed: nothing is due to it any more. Added again: what is accepted from then on is."""
    await write(world.settings, world.subscriber(LONG_AGO))
    role = RoleProcess("reconcile", world.settings)
    try:
        await asyncio.to_thread(role.ready)
        await world.events(range(10))
        first = {world.code(n) for n in range(10)}
        await eventually(lambda: _is(world.requested(), first), 60, "re-sends before the removal")
        await write(world.settings, (Subscriber, world.name))

        async def closed() -> bool:
            found = await world.discrepancies()
            return set(found) == first and all(d["healed_at"] for d in found.values())

        await eventually(closed, 60, "open discrepancies of a removed subscriber closed")
        await world.events(range(10, 20))
        await write(world.settings, world.subscriber(LONG_AGO))
        await eventually(lambda: _knows(role, world.name), 60, "the role knows it again")
        await world.events(range(20, 25))
        again = first | {world.code(n) for n in range(20, 25)}
        await eventually(lambda: _includes(world, again), 60, "re-sends after it came back")
    finally:
        role.kill()


async def _includes(world: World, wanted: set[str]) -> bool:
    return await world.requested() >= wanted


async def _knows(role: RoleProcess, name: str) -> bool:
    return f'connection="{name}"' in role.get("/metrics")[1]
