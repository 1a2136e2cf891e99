"""Faust's consumer thread around an aiokafka consumer made as all others of the hub.

It has an event loop to itself, so that a long step does not keep heartbeats waiting. What is private to aiokafka and
to Faust's driver is touched here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.transport.drivers.aiokafka import DEFAULT_GENERATION_ID
from faust.types.tuples import TP
from mode.threads import WorkerThread

from hub.kafka import clients
from hub.stream.faust_app.link import FAUST_LOG, Link

_log = logging.getLogger(__name__)
_THREAD_END_S = 5.0


def link_of(app: Any) -> Link:
    """The link of an `EngineApp`."""
    link: Link = app.link
    return link


class _Worker(WorkerThread):
    """A thread that cannot hold up the end of the process: Faust's would be waited for without limit, twice."""

    def __init__(self, service: Any, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True

    def stop(self) -> None:
        self.is_stopped.wait(_THREAD_END_S)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread around a consumer made as all others of the hub."""

    Worker = _Worker
    logger = FAUST_LOG

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        """Range assignment: equal partition counts and one subscription give partition n of every source to one owner.

        (Without tables Faust would take round-robin, which does so only for some numbers of workers.)
        The request timeout must cover a join, which takes as long as the slowest member's last chunk.
        """
        link = link_of(self.app)
        settings, config = link.settings, link.config
        return clients.consumer(
            settings,
            group=config.name,
            instance=f"{config.name}-{config.instance}",
            partition_assignment_strategy=[RangePartitionAssignor],
            max_poll_records=4 * config.chunk_records,
            max_poll_interval_ms=900_000,
            request_timeout_ms=settings.kafka.rebalance_timeout_ms + 5_000,
        )

    async def _wakeup_timer_in_thread(self) -> None:
        """Faust wakes the main loop once a second from here; ours has timers of its own, and may be closed by then."""
        self.last_wakeup_at = time.monotonic()

    def close(self) -> None:
        """Faust calls this for a rebalance during a stop, and would close aiokafka's client from the wrong loop."""

    async def on_thread_stop(self) -> None:
        """Leave in order; but a join that waits for other members, perhaps for the rebalance time, is cut off."""
        for leave in (super().on_thread_stop, self._consumer_stop):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_THREAD_END_S / 2):
                    await leave()

    async def _consumer_stop(self) -> None:
        """If Faust's part did not come to that."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def heartbeat(self) -> bool | None:
        """Ask the coordinator now. True: we are a member. False: no longer. None: it did not say."""
        coordinator = self._ensure_consumer()._coordinator
        if coordinator.coordinator_id is not None and self._joined() and await coordinator._do_heartbeat():
            return True
        return None if self._joined() else False

    def _joined(self) -> bool:
        """Whether there is a generation at all; aiokafka drops it as soon as it is told that we are out."""
        return bool(self._ensure_consumer()._coordinator.generation != DEFAULT_GENERATION_ID)

    async def committed(self, tps: Sequence[TP]) -> dict[TP, int | None]:
        """What the broker holds as committed, asked now; None where nothing is."""
        coordinator = self._ensure_consumer()._coordinator
        answer = await coordinator.fetch_committed_offsets([TopicPartition(tp.topic, tp.partition) for tp in tps])
        offsets = {TP(part.topic, part.partition): meta.offset for part, meta in answer.items()}
        return {tp: offsets[tp] if offsets.get(tp, -1) >= 0 else None for tp in tps}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """False: a rebalance has begun or the partitions are gone; they will be read again from the last commit."""
        if not self._joined():  # a commit without a generation is taken as an administrator's if the group is empty
            return False
        wanted = {TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(at, "") for tp, at in offsets.items()}
        try:
            await self._ensure_consumer().commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            _log.warning("commit refused, the group is rebalancing: %s", error)
            return False
        return True
