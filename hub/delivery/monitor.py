"""Watches one connection: probes it when it is idle, counts what waits, and answers `/ready` and `/live`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable

from aiokafka.errors import KafkaError

from hub.connect.portal import Portal
from hub.delivery.circuit_breaker import State
from hub.delivery.context import DeliveryContext
from hub.delivery.partition.states import State as DossierState
from hub.delivery.workers import Worker
from hub.errors import Rejected, Retryable
from hub.kafka.topics import EVENTS
from hub.observe import metrics
from hub.observe.health import HEALTH, Check

log = logging.getLogger(__name__)

TICK_S = 1.0
LAG_TICK_S = 5.0
ASK_S = 5.0
STUCK_S = 60.0
"""A main loop that has not turned for so long is stuck."""


class Monitor:
    """The main loop calls `beat()` at each turn. owned: our partitions. ready: whether a call could be made."""

    def __init__(
        self,
        context: DeliveryContext,
        make: Callable[[], Portal],
        owned: Callable[[], frozenset[int]],
        ready: Check,
    ) -> None:
        self._context = context
        self._make = make
        self._owned, self._ready = owned, ready
        self._role = f"deliver:{context.name}"
        self._beat = time.monotonic()
        self._broker_seen = time.monotonic()

    def beat(self) -> None:
        self._beat = time.monotonic()

    async def run(self) -> None:
        """Until cancelled."""
        HEALTH.live["loop"] = self._turns
        HEALTH.ready["kafka"] = self._broker
        HEALTH.ready["partitions"] = self._ready
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._probe())
                group.create_task(self._lag())
                while True:
                    self._count()
                    await asyncio.sleep(TICK_S)
        finally:
            for checks, name in ((HEALTH.live, "loop"), (HEALTH.ready, "kafka"), (HEALTH.ready, "partitions")):
                checks.pop(name, None)

    async def _probe(self) -> None:
        """The cheapest call, when there was none for `probe_idle_s`; it may close an open breaker."""
        worker = Worker()
        try:
            while True:
                idle = self._context.limits.probe_idle_s
                wait = (
                    self._context.link.last_call + idle - time.monotonic() if self._context.link.up is not None else 0
                )
                if wait > 0:
                    await asyncio.sleep(min(wait, idle))
                    continue
                await self._probe_once(worker)
        finally:
            await worker.close()

    async def _probe_once(self, worker: Worker) -> None:
        context = self._context
        try:
            if worker.portal is None:
                worker.portal = self._make()
                await worker.portal.open()
            async with asyncio.timeout(context.limits.request_timeout_s):
                await worker.portal.probe()
        except (Retryable, Rejected, TimeoutError) as error:
            kind = error.kind if isinstance(error, Retryable) else getattr(error, "reason", "hang")
            context.link.failed(kind)
            await worker.close()  # the next probe connects anew, perhaps with new settings
        except Exception as error:
            log.error("the connector %s raised %s at a probe", context.subscriber.kind, type(error).__name__)
            context.link.failed("fault")
            await worker.close()
        else:
            context.link.succeeded()
            if context.breaker.state is State.HALF_OPEN:
                context.breaker.success()
                context.changed.set()

    async def _lag(self) -> None:
        while True:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(ASK_S):
                    behind = 0
                    for owner in self._context.partitions:
                        end = await self._context.reader.end(EVENTS, owner.number)
                        behind += max(0, end - owner.offsets.committed(EVENTS))
                    metrics.LAG_RECORDS.labels(self._role, EVENTS).set(behind)
                    self._broker_seen = time.monotonic()
            await asyncio.sleep(LAG_TICK_S)

    def _count(self) -> None:
        name, states, oldest = self._context.name, Counter[DossierState](), 0
        for delivery in self._context.partitions.deliveries():
            states[delivery.state] += 1
            since = delivery.entries[0].since_ms
            oldest = min(oldest or since, since or oldest)
        metrics.LINK_PARKED.labels(name).set(states[DossierState.PARKED])
        metrics.LINK_HELD.labels(name).set(states[DossierState.HELD])
        metrics.LINK_BREAKER_OPEN.labels(name).set(self._context.breaker.state is not State.CLOSED)
        age = max(0.0, time.time() - oldest / 1000) if oldest else 0.0
        metrics.LINK_OLDEST_UNDELIVERED.labels(name).set(age)

    def _turns(self) -> tuple[bool, str]:
        quiet = time.monotonic() - self._beat
        return quiet < STUCK_S, f"main loop turned {quiet:.0f} s ago"

    def _broker(self) -> tuple[bool, str]:
        quiet = time.monotonic() - self._broker_seen
        return quiet < 4 * LAG_TICK_S, f"the broker answered {quiet:.0f} s ago"
