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
from hub.delivery.offsets import DeliveryOffsets
from hub.delivery.request_handler import RequestHandler
from hub.delivery.takeover import Takeover
from hub.delivery.workers import Dispatcher
from hub.kafka import clients
from hub.kafka.topics import EVENTS
from hub.observe import metrics

log = logging.getLogger(__name__)


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """`epoch` changes whenever partitions come or go: what was read in an older one is thrown away and read again."""

    def __init__(
        self,
        settings: Settings,
        context: DeliveryContext,
        progress: DeliveryOffsets,
        requests: RequestHandler,
        dispatcher: Dispatcher,
        backfill: Backfill,
        consumer: AIOKafkaConsumer,
        group: str,
    ) -> None:
        self._settings = settings
        self._context = context
        self._progress = progress
        self._requests = requests
        self._dispatcher = dispatcher
        self._backfill = backfill
        self._consumer = consumer
        self._takeover = Takeover(context, progress, backfill, consumer)
        self._group = group
        self._catching_up: dict[int, int] = {}
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
            self._context.lanes.forget(partition)
            self._requests.forget(partition)
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
        metrics.REBALANCES.labels(f"deliver:{self._context.name}").inc(len(partitions))
        offsets = await self._offsets(assigned)
        for partition in partitions:
            self._context.lanes.close(partition)
        for partition in partitions:
            places = [one for one in assigned if one.partition == partition]
            until = await self._takeover.begin(partition, places, offsets, lambda: self.epoch == epoch)
            if self.epoch != epoch:
                return
            await self.commit_these(self._takeover.first_commit(partition, places))
            if self.epoch != epoch:
                return
            if until is not None:
                self._catching_up[partition] = until
            elif partition not in self._backfill.running:  # that opens it itself
                self._context.lanes.open(partition)
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
        if self._catching_up:
            left = f"{len(self._catching_up)} of {len(self.owned)} partitions"
            return False, f"reads again what the last owner may have sent, {left}"
        return True, f"{len(self.owned)} partitions, takes events"

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

    def read_up_to(self, where: TopicPartition) -> int | None:
        """While an earlier process's window is read again, before the first call: to here, though it is more than is
        usually read ahead, and no further, so that the next process need not look further either."""
        return self._catching_up.get(where.partition) if where.topic == EVENTS else None

    def waits_its_turn(self, where: TopicPartition) -> bool:
        """One partition after the other is read again, so that the first calls wait for one window and not for all."""
        catching_up = self._catching_up
        return where.topic == EVENTS and where.partition in catching_up and where.partition != min(catching_up)

    def caught_up(self) -> None:
        """Opens partitions in which everything was read that an earlier process can have sent."""
        for partition, until in list(self._catching_up.items()):
            if self._progress.position(TopicPartition(EVENTS, partition)) >= until:
                del self._catching_up[partition]
                self._context.lanes.open(partition)
                self._context.changed.set()

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
