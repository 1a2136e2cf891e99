"""A hub on the benchmark's broker: topics, schemas in the registry, roles as the processes they are, compiled if the
compiled wheel is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hub.avro.codec import Codec
from hub.config import DeliverySettings, Settings
from hub.control.changes import write
from hub.control.records import Subscriber
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import subscriber_topics
from hub.machine.ports import free_port
from hub.registry.client import open_codec, register_own
from tests.bench import compiled
from tests.bench.place import PARTITIONS, Place
from tests.support.roles import RoleProcess

WORKERS = 32


@dataclass
class HubAt:
    """registry: its process now."""

    settings: Settings
    codec: Codec
    registry: RoleProcess

    @contextlib.asynccontextmanager
    async def role(self, name: str) -> AsyncIterator[RoleProcess]:
        """A role that is ready; stopped as by the supervisor at the end."""
        role = RoleProcess(name, self.settings, compiled.python())
        try:
            await asyncio.to_thread(role.ready)
            yield role
        finally:
            if role.process.poll() is None:
                await asyncio.to_thread(role.terminate)

    async def subscribe(self, subscriber: Subscriber) -> None:
        await ensure_topics(self.settings, subscriber_topics(subscriber.name))
        await write(self.settings, subscriber)


@contextlib.asynccontextmanager
async def open_hub(place: Place) -> AsyncIterator[HubAt]:
    """Its topics are the catalogue's, so one at a time on a broker."""
    settings = Settings(
        data_dir=place.folder / "hub",
        kafka={"bootstrap_servers": place.bootstrap, "partitions": PARTITIONS},
        registry={"port": free_port()},
        gateway={"port": free_port()},
        console={"port": free_port()},
        observe={"port_base": 0, "log_level": "WARNING"},
        delivery=DeliverySettings(workers=WORKERS),
    )
    await ensure_topics(settings)
    registry = RoleProcess("registry", settings, compiled.python())
    try:
        await register_own(settings)
        hub = HubAt(settings, await open_codec(settings), registry)
        yield hub
        registry = hub.registry
    finally:
        await asyncio.to_thread(registry.terminate)
