"""One producer and one codec per subscriber and process, shared by its delivery workers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from hub.avro.codec import Codec
from hub.config import Settings
from hub.kafka import clients
from hub.registry.client import open_codec


@dataclass(eq=False)
class Writer:
    """Held by `leases` connections; stopped when the last one lets go."""

    settings: Settings
    producer: AIOKafkaProducer
    codec: Codec
    key: tuple[str, str]
    leases: int = 0
    admin: AIOKafkaAdminClient | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def exists(self, topic: str) -> bool:
        async with self.lock:
            if self.admin is None:
                admin = clients.admin(self.settings)
                await admin.start()
                self.admin = admin
            return topic in await self.admin.list_topics()

    async def release(self) -> None:
        self.leases -= 1
        if self.leases == 0:
            _WRITERS.pop(self.key, None)
            try:
                if self.admin is not None:
                    await self.admin.close()
            finally:
                await self.producer.stop()


@dataclass(eq=False)
class _Starting:
    """A writer under way, and how many wait for it."""

    task: asyncio.Task[Writer]
    waiting: int = 0


_WRITERS: dict[tuple[str, str], _Starting] = {}


async def lease(settings: Settings, subscriber: str) -> Writer:
    """The subscriber's writer; the first caller starts it, the others wait for that. KafkaError, RegistryError."""
    key = (settings.bootstrap, subscriber)
    starting = _WRITERS.get(key)
    if starting is None or starting.task.get_loop() is not asyncio.get_running_loop():
        starting = _WRITERS[key] = _Starting(asyncio.create_task(_start(settings, key)))
    starting.waiting += 1
    try:
        writer = await asyncio.shield(starting.task)
    except BaseException:
        if starting.waiting == 1:  # nobody else wants it: a start under way closes what it opened
            _WRITERS.pop(key, None)
            await _dropped(starting.task)
        raise
    finally:
        starting.waiting -= 1
    writer.leases += 1
    return writer


async def _dropped(task: asyncio.Task[Writer]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and task.exception() is None and task.result().leases == 0:
        await task.result().producer.stop()


async def _start(settings: Settings, key: tuple[str, str]) -> Writer:
    codec = await open_codec(settings)
    producer = clients.producer(settings)
    await producer.start()
    return Writer(settings, producer, codec, key)
