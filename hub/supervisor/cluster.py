"""What the supervisor does on Kafka between the starts of roles, and what it learns there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Protocol

from hub.config import Settings
from hub.control.directory import directory
from hub.control.records import Subscriber
from hub.kafka import acl_admin, embedded_users, topic_admin
from hub.registry import client as registry
from hub.supervisor import plan
from hub.supervisor.audit_migration import migrate

log = logging.getLogger(__name__)


class Cluster(Protocol):
    """What the supervisor needs of the cluster; its own logic is tested with tiny roles and no Kafka."""

    async def topics(self) -> None:
        """Make what is missing of the topic catalogue; called when the broker is ready."""
        ...

    async def schemas(self) -> None:
        """Register the schemas; called when the registry is ready."""
        ...

    def sources(self) -> list[str]:
        """Names of the connectors that pull or watch and are to run."""
        ...

    def subscribers(self, stop: asyncio.Event) -> AsyncIterator[dict[str, Subscriber]]:
        """All subscribers now, and again after each change, until `stop`."""
        ...


class OnKafka:
    """The cluster on Kafka and the schema registry."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def topics(self) -> None:
        admin = embedded_users.acting_as(self._settings, embedded_users.ADMIN)
        await topic_admin.ensure_topics(admin)
        if embedded_users.secured(self._settings):
            await acl_admin.apply(admin, topic_admin.acl_listing())
        await migrate(admin)

    async def schemas(self) -> None:
        await registry.register_own(self._settings)

    def sources(self) -> list[str]:
        return plan.sources(self._settings)

    async def subscribers(self, stop: asyncio.Event) -> AsyncIterator[dict[str, Subscriber]]:
        while not stop.is_set():
            try:
                async for now in self._follow(stop):
                    yield now
            except Exception as error:
                # What runs goes on with the subscribers known so far.
                log.warning("cannot follow hub.control (%s: %s); trying again", type(error).__name__, error)
                await asyncio.sleep(2.0)

    async def _follow(self, stop: asyncio.Event) -> AsyncIterator[dict[str, Subscriber]]:
        async with directory(embedded_users.acting_as(self._settings, "supervisor")) as copy:
            changed = asyncio.Event()
            copy.on_change.append(lambda _kind, _name: changed.set())
            following = asyncio.create_task(copy.follow(stop))
            following.add_done_callback(lambda _task: changed.set())
            try:
                while not following.done():
                    yield dict(copy.subscribers)
                    await changed.wait()
                    changed.clear()
                await following
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
