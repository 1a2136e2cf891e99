"""Partitions come and go: what is done when the group gives them to us and takes them away; and the commits."""

from __future__ import annotations

import logging
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from hub.config import Settings
from hub.delivery.backfill import Backfill
from hub.delivery.context import DeliveryContext
from hub.delivery.partition.offsets import Commits
from hub.delivery.partition.owner import PartitionDelivery, Terms
from hub.delivery.takeover import Takeover
from hub.delivery.workers import Dispatcher
from hub.kafka import clients
from hub.observe import metrics

log = logging.getLogger(__name__)


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """`epoch` changes whenever partitions come or go: what was read in an older one is thrown away and read again."""

    def __init__(
        self,
        settings: Settings,
        context: DeliveryContext,
        terms: Terms,
        dispatcher: Dispatcher,
        backfill: Backfill,
        consumer: AIOKafkaConsumer,
        group: str,
    ) -> None:
        self._settings = settings
        self._context = context
        self._dispatcher = dispatcher
        self._consumer = consumer
        self._takeover = Takeover(context, terms, backfill, consumer)
        self._group = group
        self._begun = -1
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
        limit = min(self._context.limits.drain_s, self._settings.kafka.rebalance_timeout_ms / 2000)
        await self._dispatcher.drain(partitions, limit)
        await self.commit()
        for partition in partitions:
            self._context.partitions.revoke(partition)
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
        metrics.REBALANCES.labels(f"deliver:{self._context.name}").inc(len(partitions))
        offsets = await self._offsets(assigned)
        for partition in partitions:
            topics = [one.topic for one in assigned if one.partition == partition]
            owner = await self._takeover.begin(partition, topics, offsets, lambda: self.epoch == epoch)
            if owner is None or self.epoch != epoch:
                return
            await self.commit_these(owner, self._takeover.first_commit(owner))
            if self.epoch != epoch:
                return
            if owner.reading.begun():
                self._context.changed.set()
        self.owned, self._begun = frozenset(partitions), epoch
        log.info("%s delivers partitions %s", self._context.name, ", ".join(map(str, partitions)) or "none")

    def ready(self) -> tuple[bool, str]:
        """Whether a call could be made now; if not, what is waited for."""
        if self.epoch == 0:
            return False, "joins its group; a member that died is waited for until its session is over"
        if self._begun != self.epoch:
            return False, "reads what stands of its partitions: receipts, what waits, where the last owner was"
        if not self.owned:
            return True, "standby: another process owns all partitions"
        if catching_up := self._context.partitions.catching_up():
            left = f"{len(catching_up)} of {len(self.owned)} partitions"
            return False, f"reads again what the last owner may have sent, {left}"
        return True, f"{len(self.owned)} partitions, takes events"

    async def commit(self) -> None:
        """What is finished and not committed yet. A commit that the group refuses is left: partitions are moving."""
        ours = self._consumer.assignment()
        wanted: list[tuple[PartitionDelivery, Commits]] = []
        for owner in self._context.partitions:
            commits = owner.to_commit()
            held = {topic: told for topic, told in commits.items() if TopicPartition(topic, owner.number) in ours}
            if held:
                wanted.append((owner, held))
        await self._commit(wanted)

    async def commit_these(self, owner: PartitionDelivery, commits: Commits) -> bool:
        return await self._commit([(owner, commits)])

    async def _commit(self, wanted: list[tuple[PartitionDelivery, Commits]]) -> bool:
        """One call for all. The answer goes to the owners that asked, though others may be in their place by then."""
        if not wanted:
            return True
        offsets = {
            TopicPartition(topic, owner.number): told for owner, commits in wanted for topic, told in commits.items()
        }
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            log.info("commit refused, partitions are moving: %s", type(error).__name__)
            return False
        except KafkaError as error:
            log.warning("commit failed and will be repeated: %s", error)
            return False
        for owner, commits in wanted:
            owner.committed(commits)
        return True

    async def _offsets(self, assigned: list[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """With their metadata, which the consumer's own question leaves out."""
        client = clients.admin(self._settings)
        await client.start()
        try:
            found: dict[TopicPartition, OffsetAndMetadata] = await client.list_consumer_group_offsets(
                self._group, partitions=assigned
            )
            return found
        finally:
            await client.close()
