"""The role `intake`: what agencies produced to their own topics, checked and re-keyed into `hub.ingress`.

A plain consumer, since agencies come and go at run time and Faust cannot follow that (docs/engine.md). One round:
read, judge, send, wait for the broker's confirmation of every record, then commit. A kill before the commit reads the
same records again: they keep their ids, and the core drops the doubles.

Membership is not static here, unlike the core's: a static member that comes back with other topics gets its old
assignment from the broker, and the new agency's topic would never be read. The price: after kill -9 the partitions wait
for the session to end (`kafka.session_timeout_ms`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalGenerationError, IllegalStateError, UnknownMemberIdError

from hub.config import Settings
from hub.control.directory import Directory, directory
from hub.control.records import Organisation
from hub.errors import RegistryError
from hub.intake.agency_record import Judge, Outcome
from hub.kafka import clients
from hub.kafka.topics import agency_ingress
from hub.observe import metrics
from hub.observe.health import HEALTH
from hub.registry.client import open_codec

log = logging.getLogger(__name__)

ROLE = "intake"
GROUP = clients.group_of(ROLE)
CHUNK_RECORDS = 1_000
POLL_MS = 500
METADATA_MAX_AGE_MS = 10_000
"""A topic made after the organisation's record is found within so long."""
REGISTRY_RETRY_S = 2.0

_REASSIGNED = (CommitFailedError, IllegalGenerationError, IllegalStateError, UnknownMemberIdError)


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Re-keys until `stop`; the round under way is finished and committed."""
    async with contextlib.AsyncExitStack() as stack:
        copy = await stack.enter_async_context(directory(settings))
        judge = Judge(await open_codec(settings))
        producer = clients.producer(settings)
        stack.push_async_callback(producer.stop)
        await producer.start()
        consumer = clients.consumer(
            settings,
            group=GROUP,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            max_poll_records=CHUNK_RECORDS,
        )
        stack.push_async_callback(consumer.stop)
        await consumer.start()
        following = asyncio.create_task(copy.follow(stop))
        stack.push_async_callback(_ended, following)
        intake = Intake(copy, judge, consumer, producer, following)
        HEALTH.ready["topics"] = intake.ready
        await intake.work(stop)


def wanted_topics(copy: Directory) -> Mapping[str, Organisation]:
    """topic -> the organisation that alone may write it."""
    return {agency_ingress(name): o for name, o in copy.organisations.items() if o.kafka_topic}


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]
    """One consumer over all agency topics, followed as the directory changes."""

    def __init__(
        self,
        copy: Directory,
        judge: Judge,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        following: asyncio.Task[None],
    ) -> None:
        self._copy, self._judge = copy, judge
        self._consumer, self._producer = consumer, producer
        self._following = following
        self._topics: frozenset[str] = frozenset()
        self._joined = False

    def ready(self) -> tuple[bool, str]:
        """Whether a record could be taken now; if not, what is waited for."""
        topics = frozenset(wanted_topics(self._copy))
        if topics != self._topics:
            return False, "an agency's topic has come or gone and is about to be followed"
        if not topics:
            return True, "no agency has a topic of its own"
        if not self._joined:
            return False, "waits for its partitions; a member that died is waited for until its session is over"
        if not (parts := len(self._consumer.assignment())):
            return True, f"standby: another process owns the partitions of {len(topics)} agency topics"
        return True, f"{parts} partitions of {len(topics)} agency topics"

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._joined = False

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._joined = True

    async def work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if self._following.done() and not stop.is_set():
                await self._following
            self._subscribe()
            if not self._topics:
                await _pause(stop, POLL_MS / 1000)
                continue
            chunk = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=CHUNK_RECORDS)
            if chunk:
                await self._round(chunk, stop)

    def _subscribe(self) -> None:
        topics = frozenset(wanted_topics(self._copy))
        if topics == self._topics:
            return
        log.info("reads %s", ", ".join(sorted(topics)) or "no agency topic")
        if topics:
            self._consumer.subscribe(topics=sorted(topics), listener=self)
        else:
            self._consumer.unsubscribe()
        self._topics, self._joined = topics, False

    async def _round(self, chunk: Mapping[TopicPartition, Sequence[ConsumerRecord]], stop: asyncio.Event) -> None:
        started = time.perf_counter()
        outcomes = await self._judged(chunk, stop)
        if outcomes is None:
            return  # asked to stop while the registry was away: nothing is committed
        await clients.send_all(self._producer, [outcome.record for outcome in outcomes])
        try:
            await self._consumer.commit({tp: records[-1].offset + 1 for tp, records in chunk.items()})
        except _REASSIGNED as error:
            # Another owner reads these records again; they keep their ids.
            log.warning("not committed, the partitions have moved: %s", type(error).__name__)
        self._count(outcomes, chunk, time.perf_counter() - started)

    async def _judged(
        self, chunk: Mapping[TopicPartition, Sequence[ConsumerRecord]], stop: asyncio.Event
    ) -> list[Outcome] | None:
        """A schema that cannot be looked up now is no fault of the record: wait for the registry."""
        organisations = wanted_topics(self._copy)
        records = [(organisations.get(tp.topic), record) for tp, found in chunk.items() for record in found]
        while not stop.is_set():
            try:
                outcomes = [self._judge.outcome(organisation, record) for organisation, record in records]
            except RegistryError as error:
                log.warning("waits for the schema registry: %s", error)
                HEALTH.set_ready("registry", False, str(error))
                await _pause(stop, REGISTRY_RETRY_S)
            else:
                HEALTH.set_ready("registry", True)
                return outcomes
        return None

    def _count(
        self, outcomes: Sequence[Outcome], chunk: Mapping[TopicPartition, Sequence[ConsumerRecord]], seconds: float
    ) -> None:
        metrics.EVENTS_IN.labels(ROLE).inc(len(outcomes))
        metrics.CHUNK_RECORDS.labels(ROLE).observe(len(outcomes))
        metrics.CHUNK_SECONDS.labels(ROLE).observe(seconds)
        for outcome in outcomes:
            if outcome.refused:
                metrics.EVENTS_REJECTED.labels(ROLE, outcome.refused.reason).inc()
                metrics.EVENTS_DEAD_LETTERED.labels("intake", outcome.refused.reason).inc()
        metrics.EVENTS_OUT.labels(ROLE).inc(sum(outcome.refused is None for outcome in outcomes))
        for tp, records in chunk.items():
            end = self._consumer.highwater(tp) if tp in self._consumer.assignment() else None
            if end is not None:
                metrics.LAG_RECORDS.labels(ROLE, tp.topic).set(max(0, end - records[-1].offset - 1))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
