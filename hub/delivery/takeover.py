"""Taking over one partition: where to read from, what was delivered already, which dossiers wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from pydantic import ValidationError

from hub.connect.portal import Strategy
from hub.delivery.attempt import take_in_receipts
from hub.delivery.backfill import Backfill
from hub.delivery.context import DeliveryContext
from hub.delivery.partition.offsets import READ_MAX, WINDOW, Commit, Commits, read_commit
from hub.delivery.partition.owner import PartitionDelivery, Plan, Terms
from hub.delivery.settlement import Settlement
from hub.events.families import BY_STATE_TOPIC
from hub.kafka.topics import DELIVERIES, EVENTS, REQUESTS, parking

log = logging.getLogger(__name__)
Offsets = Mapping[TopicPartition, OffsetAndMetadata]


class Takeover:
    """First everything is read into a new owner, then, without a pause in which the partition could be taken away
    again, it is put in its place."""

    def __init__(self, context: DeliveryContext, terms: Terms, backfill: Backfill, consumer: AIOKafkaConsumer) -> None:
        self._context = context
        self._terms = terms
        self._backfill = backfill
        self._consumer = consumer

    async def begin(
        self, partition: int, topics: list[str], offsets: Offsets, ours: Callable[[], bool]
    ) -> PartitionDelivery | None:
        """The owner, which sends nothing yet; it is to be opened when its first commit is made, unless it reads on
        first. None if `ours` says that the partition was taken away meanwhile."""
        reader = self._context.reader
        plan = await self._plan(partition, {topic: self._commit(offsets, topic, partition) for topic in topics})
        owner = PartitionDelivery(partition, self._terms, plan)
        receipts_end = await reader.end(DELIVERIES, partition)
        await take_in_receipts(self._context, owner.known, partition, plan.receipts, receipts_end)
        owner.receipts_confirmed(receipts_end)
        stale = self._restore(owner, await self._parked(partition), forget=plan.fresh)
        if plan.by_state:
            owner.reading.send_state({topic: await reader.end(topic, partition) for topic in plan.states})
        elif (until := self._catch_up_to(plan, await reader.end(EVENTS, partition))) is not None:
            owner.reading.catch_up(until)
        if not ours():
            return None
        if stale.then:
            self._context.outbox.put(stale)
        for topic in (EVENTS, REQUESTS, *plan.states):
            self._consumer.seek(TopicPartition(topic, partition), owner.offsets.position(topic))
        self._context.partitions.add(owner)
        return owner

    @staticmethod
    def first_commit(owner: PartitionDelivery) -> Commits:
        """What is committed before the first call: a restart then knows that this life has begun, and where its first
        receipts can stand. The same again for one that has begun before."""
        metadata = owner.offsets.metadata(owner.offsets.position(EVENTS))
        return {topic: (owner.offsets.position(topic), metadata) for topic in owner.reading.state_topics or (EVENTS,)}

    def _commit(self, offsets: Offsets, topic: str, partition: int) -> Commit | None:
        found = offsets.get(TopicPartition(topic, partition))
        return None if found is None else read_commit(found.offset, str(found.metadata), self._terms.life)

    def _catch_up_to(self, plan: Plan, end: int) -> int | None:
        """Sent already by a process that died can be what it had read: a state portal must not get an older state
        first. None: there is no need."""
        until = min(end, plan.start + WINDOW + READ_MAX)
        wanted = self._context.strategy is Strategy.STATE and not plan.fresh and plan.start < until
        return until if wanted else None

    async def _plan(self, partition: int, commits: Mapping[str, Commit | None]) -> Plan:
        reader = self._context.reader
        fresh = not any(commits.values())
        commit = commits[EVENTS]
        beginning, end = await reader.beginning(EVENTS, partition), await reader.end(EVENTS, partition)
        states = {topic: state for topic, state in commits.items() if topic in BY_STATE_TOPIC}
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
            await self._first_states(partition, states) if by_state else {},
            await self._first_order(partition, commits[REQUESTS], fresh),
        )  # fmt: skip

    async def _first_states(self, partition: int, states: Mapping[str, Commit | None]) -> dict[str, int]:
        return {
            topic: state.offset if state else await self._context.reader.beginning(topic, partition)
            for topic, state in states.items()
        }

    async def _first_order(self, partition: int, commit: Commit | None, fresh: bool) -> int:
        """A fresh subscriber is not concerned by orders to its namesake."""
        if fresh:
            return await self._context.reader.end(REQUESTS, partition)
        return max(commit.offset if commit else 0, await self._context.reader.beginning(REQUESTS, partition))

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

    def _restore(self, owner: PartitionDelivery, parked: Mapping[bytes, bytes], forget: bool) -> Settlement:
        """`forget`: what an earlier subscriber of that name left parked is not restored; the settlement clears it."""
        topic = parking(self._context.name)
        if forget:
            return Settlement(then=[(topic, key, None, ()) for key in parked])
        try:
            owner.restore({key.decode(): value for key, value in parked.items()})
        except (ValidationError, UnicodeDecodeError) as error:
            # Leaving it out would lose events in silence.
            raise RuntimeError(f"{topic} partition {owner.number} holds an unusable record") from error
        return Settlement()
