"""The role `deliver:<subscriber>`: everything that one subscriber is due, in order per dossier, over its connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from hub.access import secrets
from hub.access.control import Subscriber, now
from hub.access.directory import Directory, directory
from hub.config import Settings
from hub.delivery import filters
from hub.delivery.assignment import Assignment
from hub.delivery.backfill import Backfill
from hub.delivery.breaker import Breaker
from hub.delivery.decoder import Decoder
from hub.delivery.desk import Desk
from hub.delivery.dispatch import Dispatcher
from hub.delivery.inflow import Inflow
from hub.delivery.limits import own_limits
from hub.delivery.link import Link
from hub.delivery.loop import Loop
from hub.delivery.monitor import Monitor
from hub.delivery.orders import Orders
from hub.delivery.outbox import Outbox
from hub.delivery.parking import FAMILY_OF_TOPIC
from hub.delivery.portal import Portal, make_portal
from hub.delivery.progress import Progress
from hub.delivery.reader import Reader
from hub.delivery.receipts import Receipts
from hub.errors import StartError
from hub.wire import kafka
from hub.wire.registry import open_codec
from hub.wire.topics import EVENTS, REQUESTS, parking

log = logging.getLogger(__name__)

SECRETS_LOOK_S = 60.0


def group_of(subscriber: str) -> str:
    """The consumer group."""
    return f"hub.deliver.{subscriber}"


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Deliver until `stop`. StartError: no such subscriber, or its topics are missing; ConfigError: its settings."""
    name = role.partition(":")[2]
    async with directory(settings) as known:
        subscriber = known.subscribers.get(name)
        if subscriber is None:
            raise StartError(f"there is no subscriber {name!r}; see `hub subscribers list`")
        try:
            await _run(settings, known, subscriber, stop)
        except BaseExceptionGroup as group:
            raise _first(group) from group


def warn_of_filter(subscriber: Subscriber, families: Sequence[str]) -> None:
    """Logs each entry of the filter that can admit nothing; only records of older versions have such entries."""
    for problem in filters.problems(subscriber.filter, families):
        log.warning("%s: %s (hub subscribers change %s)", subscriber.name, problem, subscriber.name)


async def _run(settings: Settings, known: Directory, subscriber: Subscriber, stop: asyncio.Event) -> None:
    portal = make_portal(subscriber)  # says at once if the settings are wrong
    warn_of_filter(subscriber, portal.families)
    async with contextlib.AsyncExitStack() as stack:
        producer = kafka.producer(settings)
        await producer.start()
        stack.push_async_callback(producer.stop)
        await _check_topics(settings, producer, subscriber.name)
        reader = Reader(settings)
        await reader.start()
        stack.push_async_callback(reader.close)
        desk = await _desk(settings, subscriber, portal, producer, reader)
        consumer: AIOKafkaConsumer = kafka.consumer(
            settings,
            group=group_of(subscriber.name),
            instance=f"{group_of(subscriber.name)}-{settings.core.instance}",
            partition_assignment_strategy=(RangePartitionAssignor,),  # partition n of every topic to one owner
        )
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        await _deliver(settings, known, desk, consumer, stop)


async def _desk(
    settings: Settings, subscriber: Subscriber, portal: Portal, producer: AIOKafkaProducer, reader: Reader
) -> Desk:
    codec = await open_codec(settings)
    limits = own_limits(subscriber, settings.delivery)
    desk = Desk(
        subscriber=subscriber,
        limits=limits,
        strategy=portal.strategy,
        max_fold=portal.max_fold,
        families=tuple(portal.families),
        outbox=Outbox(producer),
        receipts=Receipts(subscriber.name, codec),
        reader=reader,
        decoder=Decoder(codec),
        breaker=Breaker(limits.breaker_failures, limits.breaker_open_s),
        link=Link(subscriber.name),
    )
    desk.breaker.on_close = desk.portal_is_back
    return desk


async def _deliver(
    settings: Settings, known: Directory, desk: Desk, consumer: AIOKafkaConsumer, stop: asyncio.Event
) -> None:
    def make() -> Portal:
        return make_portal(desk.subscriber)

    progress = Progress(desk.subscriber.created_at.isoformat())
    orders = Orders(desk, progress)
    dispatcher = Dispatcher(desk, make)
    backfill = Backfill(settings, desk, progress, consumer, known)
    assignment = Assignment(
        settings, desk, progress, orders, dispatcher, backfill, consumer, group_of(desk.subscriber.name)
    )
    monitor = Monitor(desk, progress, make, lambda: assignment.owned)
    loop = Loop(desk, consumer, progress, orders, Inflow(desk, progress, orders), assignment, backfill, monitor)
    await backfill.note_ends(settings.kafka.partitions)
    states = [topic for topic, family in FAMILY_OF_TOPIC.items() if family in desk.families]
    consumer.subscribe([EVENTS, REQUESTS, *states], listener=assignment)

    gone = asyncio.Event()
    known.on_change.append(lambda kind, name: _changed(settings, known, desk, dispatcher, gone, (kind, name)))
    async with asyncio.TaskGroup() as group:
        helpers = [
            group.create_task(work)
            for work in (
                known.follow(stop),
                desk.outbox.run(),
                dispatcher.run(),
                monitor.run(),
                _removed(gone, desk),
                _secrets_end(desk, dispatcher),
            )
        ]
        await loop.run(stop)
        await dispatcher.drain(assignment.owned, desk.limits.drain_s)
        await assignment.commit()
        for helper in helpers:
            helper.cancel()


def _changed(
    settings: Settings,
    known: Directory,
    desk: Desk,
    dispatcher: Dispatcher,
    gone: asyncio.Event,
    what: tuple[str, str],
) -> None:
    """A control record changed while we run: pause, filter, settings and secrets take effect at the next attempt."""
    if what != ("subscriber", desk.name):
        return
    new = known.subscribers.get(desk.name)
    if new is None or new.created_at != desk.subscriber.created_at or new.kind != desk.subscriber.kind:
        gone.set()
        return
    old, desk.subscriber = desk.subscriber, new
    if (old.settings, old.secrets) != (new.settings, new.secrets):
        desk.limits = own_limits(new, settings.delivery)
        dispatcher.renew()
    log.info("%s changed%s", desk.name, ": paused" if new.paused and not old.paused else "")
    desk.changed.set()


async def _removed(gone: asyncio.Event, desk: Desk) -> None:
    await gone.wait()
    raise StartError(f"subscriber {desk.name!r} was removed or replaced while its role ran")


async def _secrets_end(desk: Desk, dispatcher: Dispatcher) -> None:
    """Connects anew when a rotated secret's overlap is over."""
    while True:
        end = secrets.next_end(desk.subscriber.secrets, now())
        left = SECRETS_LOOK_S if end is None else (end - now()).total_seconds()
        await asyncio.sleep(max(0.0, min(left, SECRETS_LOOK_S)))
        if end is not None and now() >= end:
            dispatcher.renew()


async def _check_topics(settings: Settings, producer: AIOKafkaProducer, name: str) -> None:
    client = kafka.admin(settings)
    await client.start()
    try:
        missing = {EVENTS, REQUESTS, parking(name)} - set(await client.list_topics())
    finally:
        await client.close()
    if missing:
        raise StartError(f"topics are missing: {', '.join(sorted(missing))}; run `hub topics ensure`")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What made the role end; the rest was cancelled because of it."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
