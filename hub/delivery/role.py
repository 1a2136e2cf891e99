"""The role `deliver:<subscriber>`: everything that one subscriber is due, in order per dossier, over its connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from hub.config import Settings
from hub.connect.portal import Portal, make_portal
from hub.control import secrets, subscriber_filter
from hub.control.delivery_limits import own_limits
from hub.control.directory import Directory, directory
from hub.control.records import Subscriber, now
from hub.control.vault import vault
from hub.delivery.backfill import Backfill
from hub.delivery.circuit_breaker import Breaker
from hub.delivery.connection_state import ConnectionState
from hub.delivery.context import DeliveryContext
from hub.delivery.event_decoder import Decoder
from hub.delivery.incoming import IncomingRecords
from hub.delivery.main_loop import MainLoop
from hub.delivery.monitor import Monitor
from hub.delivery.outbox import Outbox
from hub.delivery.partition.owner import Terms
from hub.delivery.partition.partitions import Partitions
from hub.delivery.partition_assignment import Assignment
from hub.delivery.receipts import Receipts
from hub.delivery.record_reader import Reader
from hub.delivery.workers import Dispatcher
from hub.errors import StartError
from hub.events.families import FAMILIES
from hub.kafka import clients
from hub.kafka.topics import EVENTS, REQUESTS, parking
from hub.registry.client import open_codec

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
    for problem in subscriber_filter.problems(subscriber.filter, families):
        log.warning("%s: %s (hub subscribers change %s)", subscriber.name, problem, subscriber.name)


async def _run(settings: Settings, known: Directory, subscriber: Subscriber, stop: asyncio.Event) -> None:
    portal = make_portal(subscriber, vault(settings))  # says at once if the settings are wrong
    warn_of_filter(subscriber, portal.families)
    async with contextlib.AsyncExitStack() as stack:
        producer = clients.producer(settings)
        await producer.start()
        stack.push_async_callback(producer.stop)
        await _check_topics(settings, producer, subscriber.name)
        reader = Reader(settings)
        await reader.start()
        stack.push_async_callback(reader.close)
        context = await _context(settings, subscriber, portal, producer, reader)
        consumer: AIOKafkaConsumer = clients.consumer(
            settings,
            group=group_of(subscriber.name),
            instance=f"{group_of(subscriber.name)}-{settings.core.instance}",
            partition_assignment_strategy=(RangePartitionAssignor,),  # partition n of every topic to one owner
        )
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        await _deliver(settings, known, context, consumer, stop)


async def _context(
    settings: Settings, subscriber: Subscriber, portal: Portal, producer: AIOKafkaProducer, reader: Reader
) -> DeliveryContext:
    codec = await open_codec(settings)
    limits = own_limits(subscriber, settings.delivery)
    partitions, changed = Partitions(), asyncio.Event()

    def confirmed(ends: Mapping[int, int]) -> None:
        partitions.receipts_confirmed(ends)
        changed.set()

    context = DeliveryContext(
        subscriber=subscriber,
        limits=limits,
        strategy=portal.strategy,
        max_fold=portal.max_fold,
        families=tuple(portal.families),
        outbox=Outbox(producer, confirmed),
        receipts=Receipts(subscriber.name, codec),
        reader=reader,
        decoder=Decoder(codec),
        breaker=Breaker(limits.breaker_failures, limits.breaker_open_s),
        link=ConnectionState(subscriber.name),
        partitions=partitions,
        changed=changed,
    )
    context.breaker.on_close = context.portal_is_back
    return context


async def _deliver(
    settings: Settings, known: Directory, context: DeliveryContext, consumer: AIOKafkaConsumer, stop: asyncio.Event
) -> None:
    def make() -> Portal:
        return make_portal(context.subscriber, vault(settings))

    subscriber = context.subscriber
    terms = Terms(subscriber.name, subscriber.created_at.isoformat(), context.receipts, settings.kafka.partitions)
    dispatcher = Dispatcher(context, make)
    backfill = Backfill(settings, context, consumer, known)
    assignment = Assignment(settings, context, terms, dispatcher, backfill, consumer, group_of(subscriber.name))
    monitor = Monitor(context, make, lambda: assignment.owned, assignment.ready)
    loop = MainLoop(context, consumer, IncomingRecords(context), assignment, backfill, monitor)
    await backfill.note_ends(settings.kafka.partitions)
    states = [family.state_topic for family in FAMILIES if family.event.name in context.families]
    consumer.subscribe([EVENTS, REQUESTS, *states], listener=assignment)

    gone = asyncio.Event()
    known.on_change.append(lambda kind, name: _changed(settings, known, context, dispatcher, gone, (kind, name)))
    async with asyncio.TaskGroup() as group:
        helpers = [
            group.create_task(work)
            for work in (
                known.follow(stop),
                context.outbox.run(),
                dispatcher.run(),
                monitor.run(),
                _removed(gone, context),
                _secrets_end(context, dispatcher),
            )
        ]
        await loop.run(stop)
        await dispatcher.drain(assignment.owned, context.limits.drain_s)
        await assignment.commit()
        for helper in helpers:
            helper.cancel()


def _changed(
    settings: Settings,
    known: Directory,
    context: DeliveryContext,
    dispatcher: Dispatcher,
    gone: asyncio.Event,
    what: tuple[str, str],
) -> None:
    """A control record changed while we run: pause, filter, settings and secrets take effect at the next attempt."""
    if what != ("subscriber", context.name):
        return
    new = known.subscribers.get(context.name)
    if new is None or new.created_at != context.subscriber.created_at or new.kind != context.subscriber.kind:
        gone.set()
        return
    old, context.subscriber = context.subscriber, new
    if (old.settings, old.secrets) != (new.settings, new.secrets):
        context.limits = own_limits(new, settings.delivery)
        dispatcher.renew()
    log.info("%s changed%s", context.name, ": paused" if new.paused and not old.paused else "")
    context.changed.set()


async def _removed(gone: asyncio.Event, context: DeliveryContext) -> None:
    await gone.wait()
    raise StartError(f"subscriber {context.name!r} was removed or replaced while its role ran")


async def _secrets_end(context: DeliveryContext, dispatcher: Dispatcher) -> None:
    """Connects anew when a rotated secret's overlap is over."""
    while True:
        end = secrets.next_end(context.subscriber.secrets, now())
        left = SECRETS_LOOK_S if end is None else (end - now()).total_seconds()
        await asyncio.sleep(max(0.0, min(left, SECRETS_LOOK_S)))
        if end is not None and now() >= end:
            dispatcher.renew()


async def _check_topics(settings: Settings, producer: AIOKafkaProducer, name: str) -> None:
    client = clients.admin(settings)
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
