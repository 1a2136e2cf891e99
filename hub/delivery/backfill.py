"""What a new subscriber gets first: the state of everything, then the log from where the state stood.

`state`: the ends of hub.events are noted (control record `backfill/<subscriber>`), the state topics are sent through
the same lanes as snapshot events, and only when all of a partition's state is settled is the log followed, from a
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
from hub.delivery.offsets import DeliveryOffsets
from hub.kafka.topics import EVENTS

log = logging.getLogger(__name__)

OVERLAP = 2_000
"""The core writes a chunk's events before its states, so the state may lack what stands just before the noted end.
So many offsets of it are read again; more than a chunk can be."""


class Backfill:
    """Phases of the partitions of one role."""

    def __init__(
        self,
        settings: Settings,
        context: DeliveryContext,
        progress: DeliveryOffsets,
        consumer: AIOKafkaConsumer,
        known: Directory,
    ) -> None:
        self._settings = settings
        self._context = context
        self._progress = progress
        self._consumer = consumer
        self._known = known
        self._noted: BackfillProgress | None = None
        self._targets: dict[int, dict[TopicPartition, int]] = {}
        self._reading: set[int] = set()

    @property
    def running(self) -> frozenset[int]:
        """Partitions whose state is being sent; their log and orders wait."""
        return frozenset(self._targets)

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

    def begin(self, partition: int, targets: dict[TopicPartition, int]) -> None:
        """Send the state of this partition up to these ends; its log and orders wait."""
        self._targets[partition] = targets
        self._reading.add(partition)

    def forget(self, partition: int) -> None:
        self._targets.pop(partition, None)
        self._reading.discard(partition)

    async def read(self) -> list[int]:
        """Partitions whose state is read to its end, or as far as memory allows, since the last call: they may begin.

        Until then nothing of them is sent, since a later record may hold a newer state of the same dossier.
        """
        out = []
        for partition in list(self._reading):
            targets = self._targets.get(partition, {})
            if all([self._progress.full(w) or await self._consumer.position(w) >= t for w, t in targets.items()]):
                self._reading.discard(partition)
                out.append(partition)
        return out

    async def finished(self) -> list[int]:
        """Partitions of which all state is read and settled since the last call; they stay `running` until `over`."""
        return [
            partition
            for partition, targets in list(self._targets.items())
            if all([await self._settled(where, target) for where, target in targets.items()])
        ]

    async def over(self, partition: int, owned: frozenset[int]) -> None:
        """The first commit of this partition's log is made: follow it."""
        states = self._targets.pop(partition, {})
        log.info("%s: backfill of partition %d is over", self._context.name, partition)
        noted = self._noted
        if noted is not None and not self._targets and owned >= noted.ends.keys() and not noted.done:
            self._noted = noted.model_copy(update={"done": True})
            await write(self._settings, self._noted)
        for where in states:
            self._progress.forget(where)

    async def _settled(self, where: TopicPartition, target: int) -> bool:
        # By position: a compacted topic's tail may have offsets without records.
        return self._progress.idle(where) and await self._consumer.position(where) >= target
