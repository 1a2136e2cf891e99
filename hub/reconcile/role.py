"""Role `reconcile`: the watch on the engine, with the subscribers of hub.control followed beside it."""

from __future__ import annotations

import asyncio

from hub.config import Settings
from hub.connect.portal import make_portal
from hub.control import subscriber_filter
from hub.control.directory import Directory, directory
from hub.control.records import Subscriber
from hub.control.vault import LITERAL_ONLY, Vault, vault
from hub.deadletter import record as deadletter
from hub.errors import BadRecord, ConfigError
from hub.events.canonical import CanonicalRecord
from hub.events.envelope import Envelope
from hub.events.families import BY_TYPE
from hub.kafka import topics
from hub.observe.health import HEALTH
from hub.reconcile.watch import Watch, version
from hub.registry.client import open_codec
from hub.stream.engine import Engine
from hub.stream.stage import EngineConfig, Out, Record


class DueRule:
    """The delivery rooms' rule: what the connector takes, then the subscriber's filter."""

    def __init__(self, keeper: Vault = LITERAL_ONLY) -> None:
        self._vault = keeper
        self._families: dict[str, tuple[str, ...] | None] = {}

    def __call__(self, subscriber: Subscriber, head: Envelope, data: CanonicalRecord) -> bool:
        families = self._taken(subscriber)
        if families is not None and BY_TYPE[head.type].name not in families:
            return False
        return subscriber_filter.due(subscriber.filter, head.type, data)

    def _taken(self, subscriber: Subscriber) -> tuple[str, ...] | None:
        """Families of the connector of that kind; None (all) when its settings no longer fit it: its role says so."""
        if subscriber.kind not in self._families:
            try:
                self._families[subscriber.kind] = tuple(make_portal(subscriber, self._vault).families)
            except ConfigError:
                return None
        return self._families[subscriber.kind]


def crashed(record: Record, error: BaseException) -> Out:
    """Dead letter of a record that crashes the watch."""
    reason = BadRecord("crash", f"reconcile: {type(error).__name__}: {error}")
    return Out(*deadletter.of_record(record, "crash", reason))


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Watches until `stop`."""
    HEALTH.expect("subscribers", "engine")
    codec = await open_codec(settings)
    async with directory(settings) as copy:
        watch = Watch(codec, settings.reconcile, lambda: copy.subscribers, DueRule(vault(settings)))
        config = EngineConfig(
            name="hub.reconcile",
            sources=(topics.EVENTS, topics.DELIVERIES),
            stores=(topics.EXPECTATIONS,),
            step=watch.step,
            tick=watch.tick,
            tick_s=settings.reconcile.tick_s,
            version=version,
            dead_letter=crashed,
            instance=settings.core.instance,
        )
        await _both(Engine(config, settings), copy, settings, stop)


async def _both(engine: Engine, copy: Directory, settings: Settings, stop: asyncio.Event) -> None:
    """Engine and directory side by side; the first that fails ends both."""
    ended = asyncio.Event()
    follower = asyncio.create_task(copy.follow(ended))
    HEALTH.ready["subscribers"] = lambda: (not follower.done(), f"{len(copy.subscribers)} subscribers known")
    runner = asyncio.create_task(engine.run(stop))
    try:
        done, _ = await asyncio.wait([runner, follower], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
        if not runner.done():
            raise RuntimeError("following hub.control ended")
    finally:
        ended.set()
        runner.cancel()
        await asyncio.wait([runner, follower], timeout=10)
