"""Taking over partitions and giving them up: what a new owner must know before its first call, and leave behind."""

from __future__ import annotations

import logging
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from pydantic import ValidationError

from hub.config import Settings
from hub.delivery.attempt import take_in_receipts
from hub.delivery.backfill import Backfill
from hub.delivery.desk import Desk
from hub.delivery.dispatch import Dispatcher
from hub.delivery.orders import Orders
from hub.delivery.outbox import Settlement
from hub.delivery.parking import FAMILY_OF_TOPIC, restored
from hub.delivery.portal import Strategy
from hub.delivery.progress import READ_MAX, WINDOW, Commit, Progress, read_commit
from hub.observe import metrics
from hub.wire import kafka
from hub.wire.topics import DELIVERIES, EVENTS, REQUESTS, parking

log = logging.getLogger(__name__)
Offsets = dict[TopicPartition, OffsetAndMetadata]
Commits = dict[TopicPartition, Commit | None]


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """`epoch` changes whenever partitions come or go: what was read in an older one is thrown away and read again."""

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        progress: Progress,
        orders: Orders,
        dispatcher: Dispatcher,
        backfill: Backfill,
        consumer: AIOKafkaConsumer,
        group: str,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._progress = progress
        self._orders = orders
        self._dispatcher = dispatcher
        self._backfill = backfill
        self._consumer = consumer
        self._group = group
        self._catching_up: dict[int, int] = {}
        self.epoch = 0
        self.pending = False
        self.owned: frozenset[int] = frozenset()

    # --- the group's calls ---

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish what is under way within half the rebalance time, commit, forget."""
        self.epoch += 1
        partitions = {where.partition for where in revoked}
        if not partitions:
            return
        limit = min(self._desk.limits.drain_s, self._settings.kafka.rebalance_timeout_ms / 2000)
        await self._dispatcher.drain(partitions, limit)
        await self.commit()
        for partition in partitions:
            self._desk.lanes.forget(partition)
            self._orders.forget(partition)
            self._backfill.forget(partition)
            self._catching_up.pop(partition, None)
        for where in revoked:
            self._progress.forget(where)
        self.owned = frozenset()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Only noted here; the main loop does the reading, while the group's heartbeat goes on."""
        self.epoch += 1
        self.pending = True

    # --- the main loop's calls ---

    async def begin(self) -> None:
        """Everything that must be known of the partitions that are ours now. Ends early when they change again."""
        self.pending = False
        epoch = self.epoch
        assigned = sorted(self._consumer.assignment())
        partitions = sorted({where.partition for where in assigned})
        metrics.REBALANCES.labels(f"deliver:{self._desk.name}").inc(len(partitions))
        offsets = await self._offsets(assigned)
        for partition in partitions:
            self._desk.lanes.close(partition)
        for partition in partitions:
            await self._begin(partition, [one for one in assigned if one.partition == partition], offsets)
            if self.epoch != epoch:
                return
        self.owned = frozenset(partitions)
        log.info("%s delivers partitions %s", self._desk.name, ", ".join(map(str, partitions)) or "none")

    async def commit(self) -> None:
        """What is finished and not committed yet. A commit that the group refuses is left: partitions are moving."""
        owned = self._consumer.assignment()
        offsets = self._progress.to_commit(owned.__contains__)
        await self.commit_these(offsets)

    async def commit_these(self, offsets: dict[TopicPartition, tuple[int, str]]) -> bool:
        if not offsets:
            return True
        epochs = self._progress.epochs(offsets)
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            log.info("commit refused, partitions are moving: %s", type(error).__name__)
            return False
        except KafkaError as error:
            log.warning("commit failed and will be repeated: %s", error)
            return False
        self._progress.confirm(offsets, epochs)
        return True

    def caught_up(self) -> None:
        """Opens partitions in which everything was read that an earlier process can have sent."""
        for partition, until in list(self._catching_up.items()):
            if self._progress.position(TopicPartition(EVENTS, partition)) >= until:
                del self._catching_up[partition]
                self._desk.lanes.open(partition)
                self._desk.changed.set()

    # --- taking over one partition ---

    async def _offsets(self, assigned: list[TopicPartition]) -> Offsets:
        client = kafka.admin(self._settings)
        await client.start()
        try:
            found: Offsets = await client.list_consumer_group_offsets(self._group, partitions=assigned)
            return found
        finally:
            await client.close()

    async def _begin(self, partition: int, assigned: list[TopicPartition], offsets: Offsets) -> None:
        reader, life = self._desk.reader, self._progress.life
        events, requests = TopicPartition(EVENTS, partition), TopicPartition(REQUESTS, partition)
        commits = {where: read_commit(offsets.get(where), life) for where in assigned}
        receipts_end = await reader.end(DELIVERIES, partition)
        fresh = not any(commits.values())
        if commit := commits.get(events):
            start, receipts = commit.offset, commit.receipts
        else:
            start = await self._backfill.start(partition)
            receipts = min((commit.receipts for commit in commits.values() if commit), default=receipts_end)
        end = await reader.end(EVENTS, partition)
        until = min(end, start + WINDOW + READ_MAX)
        self._progress.begin(events, start)
        self._progress.begin_floors(partition, start, receipts, max(until, self._backfill.covered_end(partition)))
        ordered = commits.get(requests)
        first_order = ordered.offset if ordered else await reader.end(REQUESTS, partition) if fresh else 0
        self._progress.begin(requests, max(first_order, await reader.beginning(REQUESTS, partition)))
        self._seek(events, requests)
        await self._remember(partition, receipts, receipts_end)
        await self._restore(partition, forget=fresh)
        states = [where for where in assigned if where.topic in FAMILY_OF_TOPIC]
        if states and commits.get(events) is None:
            await self._begin_states(partition, states, commits)
        if fresh:
            # From now on a restart knows that this life has begun, and where its first receipts can stand.
            first = states or [events]
            meta = self._progress.metadata(partition, start)
            await self.commit_these({where: (self._progress.position(where), meta) for where in first})
        if self._desk.strategy is Strategy.STATE and start < until and commits.get(events) is not None:
            self._catching_up[partition] = until  # stays closed: what was sent already must be known first
        elif partition not in self._backfill.running:
            self._desk.lanes.open(partition)
            self._desk.changed.set()

    async def _begin_states(self, partition: int, states: list[TopicPartition], commits: Commits) -> None:
        for where in states:
            commit = commits.get(where)
            first = commit.offset if commit else await self._desk.reader.beginning(where.topic, partition)
            self._progress.begin(where, first)
            self._seek(where)
        await self._backfill.begin(partition, states)

    def _seek(self, *places: TopicPartition) -> None:
        for where in places:
            self._consumer.seek(where, self._progress.position(where))

    async def _remember(self, partition: int, receipts: int, receipts_end: int) -> None:
        """What the last owner delivered and may not have committed."""
        await take_in_receipts(self._desk, partition, receipts, receipts_end)
        self._desk.delivered.known_since[partition] = receipts
        ends = self._desk.outbox.receipts_end
        ends[partition] = max(receipts_end, ends.get(partition, 0))

    async def _restore(self, partition: int, forget: bool) -> None:
        """Dossiers that wait; what an earlier subscriber of that name left parked is cleared away."""
        topic = parking(self._desk.name)
        last: dict[bytes, bytes] = {}
        async for raw in self._desk.reader.scan(topic, partition, 0, await self._desk.reader.end(topic, partition)):
            if raw.key is not None:
                last.pop(raw.key, None)
                if raw.value is not None:
                    last[raw.key] = raw.value
        if forget:
            self._desk.outbox.put(Settlement(then=[(topic, key, None, ()) for key in last]))
            return
        for key, value in last.items():
            try:
                self._desk.lanes.restore(restored(key.decode(), partition, value))
            except (ValidationError, UnicodeDecodeError) as error:
                # Leaving it out would lose events in silence.
                raise RuntimeError(f"{topic} partition {partition} holds an unusable record") from error
