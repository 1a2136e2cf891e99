"""What a new subscriber gets first: the state of everything, then the log from where the state stood.

`state`: the ends of hub.events are noted (control record `backfill/<subscriber>`), the state topics are sent through
the same deliveries as snapshot events, and only when all of a partition's state is settled is the log followed, from a
little before its noted end. What the state covered is skipped by `hub_seq`.
`log`: the whole log that is kept. `none`: only what comes after the subscriber was started for the first time.

A restart goes on where the commits of the state topics stand. The mark that a partition's backfill is over is the first
commit of hub.events.
"""

from __future__ import annotations

import logging

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.config import Settings
from hub.control.changes import write
from hub.control.directory import Directory
from hub.control.records import BackfillProgress
from hub.delivery.context import DeliveryContext
from hub.delivery.partition.owner import PartitionDelivery
from hub.kafka.topics import EVENTS

log = logging.getLogger(__name__)

OVERLAP = 2_000
"""The core writes a chunk's events before its states, so the state may lack what stands just before the noted end.
So many offsets of it are read again; more than a chunk can be."""


class Backfill:
    """The noted ends of one role, and how far its state is read; what is sent, the owner of each partition knows."""

    def __init__(
        self,
        settings: Settings,
        context: DeliveryContext,
        consumer: AIOKafkaConsumer,
        known: Directory,
    ) -> None:
        self._settings = settings
        self._context = context
        self._consumer = consumer
        self._known = known
        self._noted: BackfillProgress | None = None

    async def note_ends(self, partitions: int) -> None:
        """Once in a subscriber's life, before anything is read. Idempotent over restarts."""
        self._noted = self._known.backfills.get(self._context.name)
        if self._noted is not None:
            return
        ends = {partition: await self._context.reader.end(EVENTS, partition) for partition in range(partitions)}
        done = self._context.subscriber.backfill != "state"
        self._noted = BackfillProgress(subscriber=self._context.name, ends=ends, done=done)
        await write(self._settings, self._noted)
        log.info("%s is new: backfill of %s", self._context.name, self._context.subscriber.backfill)

    def end(self, partition: int) -> int:
        """The noted end of hub.events."""
        return self._noted.ends.get(partition, 0) if self._noted else 0

    async def start(self, partition: int) -> int:
        """Where the log is followed from, when nothing is committed yet."""
        beginning = await self._context.reader.beginning(EVENTS, partition)
        back = {"state": OVERLAP, "none": 0, "log": self.end(partition)}[self._context.subscriber.backfill]
        return max(beginning, self.end(partition) - back)

    async def positions(self, owner: PartitionDelivery) -> dict[str, int]:
        """How far the state that is being sent was read, by topic."""
        return {
            topic: await self._consumer.position(TopicPartition(topic, owner.number))
            for topic in owner.reading.state_topics
        }

    async def over(self, owner: PartitionDelivery, owned: frozenset[int]) -> None:
        """The first commit of this partition's log is made: follow it."""
        owner.follow_log()
        log.info("%s: backfill of partition %d is over", self._context.name, owner.number)
        noted = self._noted
        left = any(other.reading.state_topics for other in self._context.partitions)
        if noted is not None and not left and owned >= noted.ends.keys() and not noted.done:
            self._noted = noted.model_copy(update={"done": True})
            await write(self._settings, self._noted)
