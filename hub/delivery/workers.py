"""The workers: each has its own connection to the portal and takes one delivery at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from hub.connect.portal import Portal
from hub.delivery import outcomes
from hub.delivery.attempt import attempt
from hub.delivery.context import DeliveryContext
from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.partition.states import State
from hub.observe import metrics

log = logging.getLogger(__name__)

CUT_S = 5.0
"""So long a cut-off attempt may take to end, and the broker to confirm what was settled, beyond the drain's limit."""


@dataclass(slots=True, eq=False)
class Worker:
    """A connection, opened when it is first needed. `generation` tells after which change of the subscriber."""

    portal: Portal | None = None
    generation: int = 0

    async def close(self) -> None:
        portal, self.portal = self.portal, None
        if portal is not None:
            with contextlib.suppress(Exception):  # a broken connection has nothing left to say
                await portal.close()


class Dispatcher:
    """Gives waiting deliveries to idle workers while subscriber and breaker allow it. `make`: an unopened portal."""

    def __init__(self, context: DeliveryContext, make: Callable[[], Portal]) -> None:
        self._context = context
        self._make = make
        self._generation = 0
        self._workers = [Worker() for _ in range(context.limits.workers)]
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        self._in_flight: dict[DossierDelivery, asyncio.Task[None]] = {}
        metrics.DELIVERY_CALLS.labels(context.name).set_function(lambda: len(self._in_flight))

    async def run(self) -> None:
        """Until cancelled. Raises what an attempt raises that is no verdict: a fault of the program."""
        for worker in self._workers:
            self._idle.put_nowait(worker)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    worker = await self._idle.get()
                    delivery = await self._next()
                    self._context.breaker.begin()
                    self._in_flight[delivery] = group.create_task(self._work(worker, delivery))
        finally:
            for worker in self._workers:
                await worker.close()

    def renew(self) -> None:
        """The subscriber's settings or secrets changed: every worker connects anew before its next attempt."""
        self._generation += 1

    async def drain(self, partitions: Collection[int], limit: float) -> None:
        """Hand out nothing of these partitions any more; wait for their attempts and outcomes.

        An attempt that does not end within `limit` is cut off and its dossier parked, due again at once: the next
        process need not know of it to go on behind it. Where the broker does not confirm that in time the offset is
        not finished, and the event is read again.
        """
        owners = self._context.partitions.of(partitions)
        for owner in owners:
            owner.reading.close()
        tasks = [task for delivery, task in self._in_flight.items() if delivery.partition in partitions]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=limit)
            if late:
                log.warning("%d attempts did not end within %.0f s: cut off and parked", len(late), limit)
                for task in late:
                    task.cancel()
                await asyncio.wait(late, timeout=min(limit, CUT_S))
                for owner in owners:
                    for delivery in owner.unclear():
                        outcomes.cut_off(self._context, delivery)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(limit, CUT_S)):
                await self._context.outbox.drained()

    async def _next(self) -> DossierDelivery:
        context = self._context
        while True:
            context.changed.clear()
            now = time.time()
            hold = float("inf") if context.subscriber.paused else context.breaker.wait()
            if hold <= 0:
                delivery = context.partitions.take(now)
                if delivery is not None:
                    return delivery
                due = context.partitions.next_due()
                hold = float("inf") if due is None else max(0.001, due - now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if hold == float("inf") else hold):
                    await context.changed.wait()

    async def _work(self, worker: Worker, delivery: DossierDelivery) -> None:
        healthy = False
        try:
            if worker.portal is None or worker.generation != self._generation:
                await worker.close()
                portal = self._make()
                await portal.open()
                worker.portal, worker.generation = portal, self._generation
            healthy = await attempt(self._context, worker.portal, delivery)
        except asyncio.CancelledError:
            self._context.breaker.undecided()
            if delivery.state is State.IN_FLIGHT:  # cut off before its call; an attempt settles after its last wait
                delivery.lose_sight()
            raise
        finally:
            del self._in_flight[delivery]
            if not healthy:
                await worker.close()
            self._idle.put_nowait(worker)
            self._context.changed.set()
