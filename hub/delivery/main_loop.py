"""The main loop of a delivery role: read, hand to the lanes, pause what is too far ahead, commit."""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.delivery.backfill import Backfill
from hub.delivery.context import DeliveryContext
from hub.delivery.incoming import IncomingRecords, stow_dirty
from hub.delivery.monitor import Monitor
from hub.delivery.offsets import READ_MAX, DeliveryOffsets
from hub.delivery.partition_assignment import Assignment
from hub.delivery.request_handler import RequestHandler
from hub.events.families import BY_STATE_TOPIC
from hub.kafka.topics import EVENTS

READ_MS = 200
READ_LIMIT_S = 60.0
COMMIT_S = 1.0


class MainLoop:
    def __init__(
        self,
        context: DeliveryContext,
        consumer: AIOKafkaConsumer,
        progress: DeliveryOffsets,
        requests: RequestHandler,
        incoming: IncomingRecords,
        assignment: Assignment,
        backfill: Backfill,
        monitor: Monitor,
    ) -> None:
        self._context = context
        self._consumer = consumer
        self._progress = progress
        self._requests = requests
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
            fresh = [record for record in records if record.offset >= self._progress.position(where)]
            until = self._assignment.read_up_to(where)
            if until is not None and fresh and fresh[-1].offset >= until:
                fresh = [record for record in fresh if record.offset < until]
                self._consumer.seek(where, until)
            if fresh:
                self._incoming.take(where, fresh)
        self._requests.retry()
        stow_dirty(self._context)
        self._assignment.caught_up()
        await self._follow_backfill()
        if time.monotonic() - self._committed_at >= COMMIT_S:
            await self._assignment.commit()
            self._committed_at = time.monotonic()

    def _flow(self) -> None:
        """Pause what must wait, resume the rest."""
        paused = self._consumer.paused()
        for where in self._consumer.assignment():
            wait = self._must_wait(where)
            if wait and where not in paused:
                self._consumer.pause(where)
            elif not wait and where in paused:
                self._consumer.resume(where)

    def _must_wait(self, where: TopicPartition) -> bool:
        sending_state = where.partition in self._backfill.running
        if sending_state != (where.topic in BY_STATE_TOPIC):
            return True
        if self._assignment.waits_its_turn(where):
            return True
        until = self._assignment.read_up_to(where)
        return self._progress.full(where) if until is None else self._progress.position(where) >= until

    async def _follow_backfill(self) -> None:
        for partition in await self._backfill.read():
            self._context.lanes.open(partition)
            self._context.changed.set()
        for partition in await self._backfill.finished():
            events = TopicPartition(EVENTS, partition)
            start = self._progress.position(events)
            first = {events: (start, self._progress.metadata(partition, start))}
            if await self._assignment.commit_these(first):
                await self._backfill.over(partition, self._assignment.owned)
