"""`hub up`: all roles as child processes, in order, restarted when they die, stopped in reverse.

Order: broker, topics, registry, schemas, then what works (core, reconcile, projector, console, deliveries), then the
doors (gateway, intake, sources); doors open last and close first. A role that is not vital and keeps dying is left
down, shown and alarmed; a vital one that keeps dying ends the whole with its reason. A role that hangs is killed and
started again (liveness.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from hub import exit_codes
from hub.config import Settings
from hub.control.records import Subscriber
from hub.errors import StartError
from hub.observe import metrics
from hub.supervisor import environment, plan, readiness, run_role, status
from hub.supervisor.cluster import Cluster, OnKafka
from hub.supervisor.liveness import Patience, until_it_hangs
from hub.supervisor.restarts import Policy, Restarts
from hub.supervisor.role_process import Child, Command, State

log = logging.getLogger(__name__)

READY_S = 90.0
"""A vital role that for so long is not ready, and does not say what it waits for, ends the start; another one is only
said to be late. One that says so (it reads its state, say) is waited for."""

NOTICE_S = 1.0
"""A role may notice sooner than we do that the broker is gone; so long is waited before it is held against the role."""


class Supervisor:
    """`run` returns when `stop` is set and everything is down, or raises StartError with the reason."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster | None = None,
        command: Command | None = None,
        policy: Policy | None = None,
        patience: Patience | None = None,
        on_change: Callable[[Child], None] = lambda child: None,
    ) -> None:
        self.settings = environment.with_ports(settings)
        self.children: dict[str, Child] = {}
        self._cluster = cluster or OnKafka(self.settings)
        self._command = command or functools.partial(environment.role_command, self.settings)
        self._variables = environment.variables(self.settings)
        self._policy = policy or Policy()
        self._patience = patience or Patience()
        self._on_change = on_change
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._subscribers: dict[str, Subscriber] | None = None
        self._broker_ready = asyncio.Event()
        self._over = asyncio.Event()
        self._failure = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Start all, keep them, stop all. StartError if a vital role keeps dying or does not become ready."""
        stopper, telling = (
            asyncio.ensure_future(self._until(stop)),
            asyncio.create_task(readiness.tell(self._waits_for, lambda: len(self.children))),
        )
        try:
            await self._unless_over(self._start_all())
            if not self._over.is_set():
                await self._unless_over(self._follow_subscribers())
        finally:
            self._over.set()
            stopper.cancel()
            telling.cancel()
            await self._stop_all()
        if self._failure:
            raise StartError(self._failure)

    def health(self) -> tuple[bool, str]:
        """For `/ready`: is every role of the plan ready, and if not, what is waited for."""
        waits_for = self._waits_for()
        return not waits_for, "; ".join(waits_for) or f"{len(self.children)} roles ready"

    def _waits_for(self) -> list[str]:
        planned = plan.roles(self.settings, self._cluster.sources(), self._subscribers or ())
        return readiness.waits_for(planned, self.children, self._subscribers is not None)

    # --- start ----------------------------------------------------------------------------------------------------

    async def _start_all(self) -> None:
        if self.settings.kafka.bootstrap_servers:
            self._broker_ready.set()
        else:
            await self._start("broker")
        await self._cluster.topics()
        if not self.settings.registry.url:
            await self._start("registry")
        await self._cluster.schemas()
        await self._start(*plan.WORKERS)
        await self._start(*plan.DOORS, *(f"source:{name}" for name in self._cluster.sources()))

    async def _start(self, *names: str) -> None:
        """Start these at once and await that each is ready, has been given up, or is late."""
        for name in names:
            self._keep(name)
        for name in names:
            child = self.children[name]
            deadline = time.monotonic() + READY_S
            while child.state not in (State.READY, State.GIVEN_UP) and time.monotonic() < deadline:
                if child.vital and child.state is State.STARTING and child.said:
                    deadline = time.monotonic() + READY_S
                await asyncio.sleep(0.05)
            if child.state not in (State.READY, State.GIVEN_UP):
                said = f"{name} is not ready after {READY_S:.0f} s ({child.said or child.reason or child.state})"
                if child.vital:
                    self._fail(said)
                else:
                    log.warning("%s; going on", said)

    def _keep(self, name: str) -> None:
        child = Child(name, self.settings, self._command, self._variables, Restarts(self._policy))
        self.children[name] = child
        self._keepers[name] = asyncio.create_task(self._keeper(child), name=f"keep {name}")

    # --- keep -----------------------------------------------------------------------------------------------------

    async def _keeper(self, child: Child) -> None:
        try:
            while await self._one_life(child):
                metrics.ROLE_RESTARTS.labels(child.name).inc()
        except Exception as error:  # a fault of the supervisor itself: nobody would keep the role
            log.exception("keeping %s failed", child.name)
            self._fail(f"the supervisor cannot keep {child.name}: {type(error).__name__}: {error}")

    async def _one_life(self, child: Child) -> bool:
        """One process of the role from start to end and the pause after it; False when it is left down."""
        is_broker = child.name == "broker"
        if not is_broker:
            await self._broker_ready.wait()
        broker_life = self._broker_life()
        began = time.monotonic()
        await child.start()
        self._changed(child)
        watching = asyncio.create_task(self._watch(child))
        code = await child.wait()
        watching.cancel()
        was_ready, child.state = child.state is State.READY, State.WAITING
        if is_broker:
            self._broker_ready.clear()
        self._changed(child)
        if self._over.is_set():
            return False
        lived = time.monotonic() - began
        delay = await self._judge(child, lived, code, broker_life)
        if child.vital and code == exit_codes.CANNOT_START and child.starts == 1 and not was_ready:
            delay = None  # at the first start: a person must mend it, more tries change nothing
        if delay is None:
            self._give_up(child)
            return False
        log.warning("%s died after %.1f s (%s); starting it again in %.1f s", child.name, lived, child.reason, delay)
        await asyncio.sleep(delay)
        return True

    async def _judge(self, child: Child, lived: float, code: int, broker_life: int) -> float | None:
        """Seconds until the next start, None to leave it down. A role without its broker may die freely."""
        if child.name == "broker":
            return child.restarts.after(lived, code)

        def lost_broker() -> bool:
            return not self._broker_ready.is_set() or broker_life != self._broker_life()

        if lost_broker():
            child.restarts.forgive()
        delay = child.restarts.after(lived, code)
        if delay is None and code != exit_codes.USAGE:
            await asyncio.sleep(NOTICE_S)
            if lost_broker():
                child.restarts.forgive()
                delay = child.restarts.after(lived, code)
        return delay

    async def _watch(self, child: Child) -> None:
        while not await child.wait_ready(READY_S):  # it may be late, and is ready all the same
            if not child.pid:
                return
        if child.name == "broker":
            self._broker_ready.set()
        log.info("%s is ready (pid %d)", child.name, child.pid)
        self._changed(child)
        why = await until_it_hangs(child, self._patience)
        log.error("%s (pid %d) %s; it is killed and started again", child.name, child.pid, why)
        child.kill(f"{why}; killed")

    def _broker_life(self) -> int:
        return self.children["broker"].starts if "broker" in self.children else 0

    def _give_up(self, child: Child) -> None:
        child.state = State.GIVEN_UP
        if child.vital:
            self._fail(f"{child.name} cannot run: {child.reason}")
        else:
            log.error(
                "%s keeps dying and is left down: %s; the rest goes on. `hub up` again, or a change of its "
                "subscriber, starts it",
                child.name,
                child.reason,
            )
        self._changed(child)

    def _fail(self, reason: str) -> None:
        log.error("the hub stops: %s", reason)
        self._failure = self._failure or reason
        self._over.set()

    def _changed(self, child: Child) -> None:
        status.write(self.settings, self.children.values(), self._failure)
        self._on_change(child)

    # --- deliveries -----------------------------------------------------------------------------------------------

    async def _follow_subscribers(self) -> None:
        async for wanted in self._cluster.subscribers(self._over):
            await self._apply(wanted)
        await self._over.wait()

    async def _apply(self, wanted: dict[str, Subscriber]) -> None:
        """One delivery role per subscriber: start the new, stop the removed, retry a given-up one that was changed."""
        before, self._subscribers = self._subscribers or {}, wanted
        for name in before.keys() - wanted.keys():
            log.info("subscriber %s was removed; stopping its delivery", name)
            await self._drop(f"deliver:{name}")
        for name, record in wanted.items():
            role = f"deliver:{name}"
            child = self.children.get(role)
            if child is None:
                self._keep(role)
            elif child.state is State.GIVEN_UP and record != before.get(name):
                log.info("subscriber %s was changed; trying its delivery again", name)
                self._keep(role)

    async def _drop(self, role: str) -> None:
        if child := self.children.get(role):
            self._keepers.pop(role).cancel()
            await child.stop(self._limit)
            child.forget()
            del self.children[role]
            for metric in (metrics.ROLE_UP, metrics.ROLE_GIVEN_UP):
                with contextlib.suppress(KeyError):
                    metric.remove(role)
            self._changed(child)

    # --- stop -----------------------------------------------------------------------------------------------------

    @property
    def _limit(self) -> float:
        return self.settings.delivery.drain_s + run_role.GRACE_S + 5.0

    async def _stop_all(self) -> None:
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        doors = [n for n in self.children if n in plan.DOORS or n.startswith("source:")]
        workers = [n for n in self.children if n not in (*doors, "core", "registry", "broker")]
        for names in (doors, ["core"], workers, ["registry"], ["broker"]):
            children = [self.children[name] for name in names if name in self.children]
            await asyncio.gather(*(child.stop(self._limit) for child in children))
            status.write(self.settings, self.children.values(), self._failure)
        log.info("all roles are down")

    async def _until(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._over.set()

    async def _unless_over(self, work: Coroutine[Any, Any, None]) -> None:
        """Await the coroutine, or drop it as soon as the hub is to stop; its error is raised."""
        task = asyncio.create_task(work)
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait([task, over], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
        finally:
            for pending in (task, over):
                pending.cancel()
            await asyncio.gather(task, over, return_exceptions=True)
