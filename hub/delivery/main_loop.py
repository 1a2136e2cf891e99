"""The main loop of a delivery role: read, hand to the owners, pause what is too far ahead, commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.delivery.backfill import Backfill
from hub.delivery.context import DeliveryContext
from hub.delivery.incoming import IncomingRecords
from hub.delivery.monitor import Monitor
from hub.delivery.partition.offsets import READ_MAX
from hub.delivery.partition.owner import PartitionDelivery
from hub.delivery.partition_assignment import Assignment
from hub.kafka.topics import EVENTS

READ_MS = 200
READ_LIMIT_S = 60.0
COMMIT_S = 1.0


class MainLoop:
    def __init__(
        self,
        context: DeliveryContext,
        consumer: AIOKafkaConsumer,
        incoming: IncomingRecords,
        assignment: Assignment,
        backfill: Backfill,
        monitor: Monitor,
    ) -> None:
        self._context = context
        self._consumer = consumer
        self._incoming = incoming
        self._assignment = assignment
        self._backfill = backfill
        self._monitor = monitor
        self._committed_at = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`, or cancelled: also where a library on the way kept the cancellation to itself."""
        task = asyncio.current_task()
        while not stop.is_set():
            if task is not None and task.cancelling():
                raise asyncio.CancelledError
            self._monitor.beat()
            if self._assignment.pending:
                await self._assignment.begin()
                continue
            await self._turn()

    async def _turn(self) -> None:
        self._flow()
        epoch = self._assignment.epoch
        # Bounded although getmany has its own limit: it is reported to hang (docs/engine.md#pinned-versions).
        async with asyncio.timeout(READ_LIMIT_S):
            read = await self._consumer.getmany(timeout_ms=READ_MS, max_records=READ_MAX)
        if self._assignment.epoch != epoch or self._assignment.pending:
            return  # read for an assignment that is over; `begin` seeks again
        for where, records in read.items():
            owner = self._context.partitions.get(where.partition)
            if owner is not None:
                self._take(owner, where, records)
        self._incoming.after_read()
        for owner in self._context.partitions:
            if owner.reading.caught_up():
                self._context.changed.set()
        await self._follow_backfill()
        if time.monotonic() - self._committed_at >= COMMIT_S:
            await self._assignment.commit()
            self._committed_at = time.monotonic()

    def _take(self, owner: PartitionDelivery, where: TopicPartition, records: Sequence[Any]) -> None:
        """What is new of it, and not beyond where reading must stop."""
        position, limit = owner.offsets.position(where.topic), owner.reading.limit(where.topic)
        fresh = [record for record in records if record.offset >= position]
        if limit is not None and fresh and fresh[-1].offset >= limit:
            fresh = [record for record in fresh if record.offset < limit]
            self._consumer.seek(where, limit)
        if fresh:
            self._incoming.take(owner, where.topic, fresh)

    def _flow(self) -> None:
        """Pause what must wait, resume the rest."""
        paused = self._consumer.paused()
        for where in self._consumer.assignment():
            wait = not self._context.partitions.reads(where.partition, where.topic)
            if wait and where not in paused:
                self._consumer.pause(where)
            elif not wait and where in paused:
                self._consumer.resume(where)

    async def _follow_backfill(self) -> None:
        for owner in self._context.partitions:
            positions = await self._backfill.positions(owner)
            if owner.reading.state_read(positions):
                self._context.changed.set()
            if not owner.reading.state_settled(positions):
                continue
            start = owner.offsets.position(EVENTS)
            if await self._assignment.commit_these(owner, {EVENTS: (start, owner.offsets.metadata(start))}):
                await self._backfill.over(owner, self._assignment.owned)
