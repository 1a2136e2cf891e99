"""Taking over one partition: where to read from, what was delivered already, which dossiers wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from pydantic import ValidationError

from hub.connect.portal import Strategy
from hub.delivery.attempt import take_in_receipts
from hub.delivery.backfill import Backfill
from hub.delivery.context import DeliveryContext
from hub.delivery.offsets import READ_MAX, WINDOW, Commit, DeliveryOffsets, read_commit
from hub.delivery.outbox import Settlement
from hub.delivery.parking import restored
from hub.events.families import BY_STATE_TOPIC
from hub.kafka.topics import DELIVERIES, EVENTS, REQUESTS, parking

log = logging.getLogger(__name__)
Offsets = Mapping[TopicPartition, OffsetAndMetadata]


@dataclass(frozen=True, slots=True)
class Plan:
    """start: offset of hub.events. receipts: offset of hub.deliveries to look back to. old_until: events before it may
    be covered by receipts that stand there. by_state: the state is sent before the log is followed, from `states`.
    fresh: nothing is committed in this subscriber's life. first_order: offset of hub.requests.
    """

    start: int
    receipts: int
    old_until: int
    by_state: bool
    fresh: bool
    states: Mapping[TopicPartition, int]
    first_order: int


class Takeover:
    """First everything is read, then, without a pause in which the partition could be taken away again, applied."""

    def __init__(
        self, context: DeliveryContext, progress: DeliveryOffsets, backfill: Backfill, consumer: AIOKafkaConsumer
    ) -> None:
        self._context = context
        self._progress = progress
        self._backfill = backfill
        self._consumer = consumer

    async def begin(
        self, partition: int, assigned: list[TopicPartition], offsets: Offsets, ours: Callable[[], bool]
    ) -> int | None:
        """Returns the offset of hub.events up to which must be read before the first call, None if there is no need.
        Nothing is applied if `ours` says that the partition was taken away meanwhile."""
        commits = {where: read_commit(offsets.get(where), self._progress.life) for where in assigned}
        plan = await self._plan(partition, commits)
        receipts_end = await self._remember(partition, plan.receipts)
        parked = await self._parked(partition)
        targets = {where: await self._context.reader.end(where.topic, partition) for where in plan.states}
        end = await self._context.reader.end(EVENTS, partition)
        if not ours():
            return None
        self._apply(partition, plan, receipts_end)
        self._restore(partition, parked, forget=plan.fresh)
        if plan.by_state:
            self._backfill.begin(partition, targets)
            return None
        # Sent already by a process that died can be what it had read: a state portal must not get an older state first.
        until = min(end, plan.start + WINDOW + READ_MAX)
        if self._context.strategy is Strategy.STATE and not plan.fresh and plan.start < until:
            return until
        return None

    def first_commit(self, partition: int, assigned: list[TopicPartition]) -> dict[TopicPartition, tuple[int, str]]:
        """What is committed before the first call: a restart then knows that this life has begun, and where its first
        receipts can stand. The same again for one that has begun before."""
        events = TopicPartition(EVENTS, partition)
        start = self._progress.position(events)
        metadata = self._progress.metadata(partition, start)
        running = partition in self._backfill.running
        wanted = [w for w in assigned if w.topic in BY_STATE_TOPIC] if running else [events]
        return {where: (self._progress.position(where), metadata) for where in wanted}

    async def _plan(self, partition: int, commits: dict[TopicPartition, Commit | None]) -> Plan:
        reader = self._context.reader
        fresh = not any(commits.values())
        commit = commits[TopicPartition(EVENTS, partition)]
        beginning, end = await reader.beginning(EVENTS, partition), await reader.end(EVENTS, partition)
        states = {where: state for where, state in commits.items() if where.topic in BY_STATE_TOPIC}
        if commit is None:
            by_state = bool(states) and self._context.subscriber.backfill == "state"
            start = await self._backfill.start(partition)
            told = [state.receipts for state in states.values() if state]
            receipts = min(told) if told else await reader.end(DELIVERIES, partition)
        elif commit.offset >= beginning:
            by_state, start, receipts = False, commit.offset, commit.receipts
        else:
            by_state, start, receipts = bool(states), beginning, commit.receipts
            states = dict.fromkeys(states)
            log.error(
                "%s partition %d: %d events were deleted by retention before they were delivered; the state is sent "
                "instead", self._context.name, partition, beginning - commit.offset,
            )  # fmt: skip
        old_until = end if by_state else max(min(end, start + WINDOW + READ_MAX), commit.old_until if commit else 0)
        return Plan(
            start, receipts, old_until, by_state, fresh,
            await self._first_states(states) if by_state else {},
            await self._first_order(partition, commits[TopicPartition(REQUESTS, partition)], fresh),
        )  # fmt: skip

    async def _first_states(self, states: Mapping[TopicPartition, Commit | None]) -> dict[TopicPartition, int]:
        return {
            where: state.offset if state else await self._context.reader.beginning(where.topic, where.partition)
            for where, state in states.items()
        }

    async def _first_order(self, partition: int, commit: Commit | None, fresh: bool) -> int:
        """A fresh subscriber is not concerned by orders to its namesake."""
        if fresh:
            return await self._context.reader.end(REQUESTS, partition)
        return max(commit.offset if commit else 0, await self._context.reader.beginning(REQUESTS, partition))

    async def _remember(self, partition: int, receipts: int) -> int:
        """What the last owner delivered and may not have committed; returns the end of hub.deliveries."""
        end = await self._context.reader.end(DELIVERIES, partition)
        await take_in_receipts(self._context, partition, receipts, end)
        return end

    async def _parked(self, partition: int) -> dict[bytes, bytes]:
        """Dossiers that wait, by key."""
        topic = parking(self._context.name)
        last: dict[bytes, bytes] = {}
        async for raw in self._context.reader.scan(
            topic, partition, 0, await self._context.reader.end(topic, partition)
        ):
            if raw.key is not None:
                last.pop(raw.key, None)
                if raw.value is not None:
                    last[raw.key] = raw.value
        return last

    def _apply(self, partition: int, plan: Plan, receipts_end: int) -> None:
        events, requests = TopicPartition(EVENTS, partition), TopicPartition(REQUESTS, partition)
        self._progress.begin(events, plan.start)
        self._progress.begin_floors(partition, plan.start, plan.receipts, plan.old_until)
        self._progress.begin(requests, plan.first_order)
        for where, first in plan.states.items():
            self._progress.begin(where, first)
        for where in (events, requests, *plan.states):
            self._consumer.seek(where, self._progress.position(where))
        self._context.delivered.known_since[partition] = plan.receipts
        ends = self._context.outbox.receipts_end
        ends[partition] = max(receipts_end, ends.get(partition, 0))

    def _restore(self, partition: int, parked: Mapping[bytes, bytes], forget: bool) -> None:
        """`forget`: what an earlier subscriber of that name left parked is cleared away."""
        topic = parking(self._context.name)
        if forget:
            self._context.outbox.put(Settlement(then=[(topic, key, None, ()) for key in parked]))
            return
        for key, value in parked.items():
            try:
                self._context.lanes.restore(restored(key.decode(), partition, value))
            except (ValidationError, UnicodeDecodeError) as error:
                # Leaving it out would lose events in silence.
                raise RuntimeError(f"{topic} partition {partition} holds an unusable record") from error
