"""One engine's life: open, check, run the Faust app in this event loop, stop in order or fail without a last commit."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from hub.config import Settings
from hub.errors import StartError
from hub.observe.health import HEALTH
from hub.stream.checks import check_topics
from hub.stream.chunk_runner import Runner
from hub.stream.commit_watchdog import Watchdog
from hub.stream.errors import EngineError
from hub.stream.faust_app.app import EngineApp, make_app
from hub.stream.faust_app.link import Link
from hub.stream.faust_app.transport import Consumer
from hub.stream.lease import Lease
from hub.stream.memory_store import MakeStores, memory_stores
from hub.stream.offset_ledger import Ledger
from hub.stream.partition_state import State
from hub.stream.poison_records import CrashLog
from hub.stream.stage import EngineConfig
from hub.stream.state_topics import KafkaLogs
from hub.stream.ticker import Ticker
from hub.stream.transaction_fence import Fence
from hub.stream.writer import Writer

_log = logging.getLogger(__name__)
# How long a failing engine waits for its parts to close before it leaves them to the end of the process.
_FAILING_S = 5.0
_CRASH_POLL_S = 0.2
# A step that holds the loop for longer hangs: the process is ended with its traceback, the crash file says over what.
_LOOP_LIMIT_S = 120.0
_LOOP_POLL_S = 10.0


class Engine:
    """Runs one `EngineConfig` in the current process and event loop until told to stop. One engine a process."""

    def __init__(self, config: EngineConfig, settings: Settings) -> None:
        self.config = config
        self.settings = settings

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set: then the chunk in work is finished and committed, and the group told.

        StartError: the topics are not as `EngineConfig` says, or the brokers cannot be had. Whatever a step, a tick or
        a write raises comes out here; nothing was acknowledged then, and the process must end.
        """
        settings = self.settings
        writer = Writer(settings)
        try:
            await writer.start()
        except KafkaError as error:
            raise StartError(f"no broker answers at {settings.bootstrap}: {error}") from error
        try:
            partitions = await check_topics(self.config, settings, writer.topics)
            await _Life(self.config, settings, writer, partitions).run(stop)
        finally:
            await writer.stop()


class _Life:
    """The objects of one run, wired together."""

    def __init__(self, config: EngineConfig, settings: Settings, writer: Writer, partitions: int) -> None:
        self._partitions = partitions
        self._config, self._settings, self._kafka = config, settings, settings.kafka
        self._role = config.name.removeprefix("hub.")
        self._owned: frozenset[int] = frozenset()
        self._standing = "joins its group; a member that died is waited for until its session is over"
        self._ledger: Ledger[TopicPartition] = Ledger()
        self._fence = Fence(config.name, settings) if config.fencing == "transactions" else None
        self._logs = KafkaLogs(settings, self._fence or writer)
        self._state = State(
            config.stores, config.version, self._logs, self._role, _stores(config, settings),
            self._fence.claim if self._fence else None,
        )  # fmt: skip
        self._lease = Lease(
            self._heartbeat, self._kafka.session_timeout_ms / 1000, self._kafka.request_timeout_ms / 1000
        )
        self._crashes = CrashLog(settings.run_dir / f"{config.name}-{config.instance}.crash.json")
        self._runner = Runner(config, self._role, self._state, self._fence or writer, self._lease, self._crashes)
        self._ticker = Ticker(config, self._state, self._runner)
        link = Link(
            config, settings, self._role, self._ledger, self._drained, self._pausing, self._assigned,
            self._runner.dispatch,
        )  # fmt: skip
        self._app: EngineApp = make_app(link)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` or a fault; closes everything either way."""
        loop = asyncio.get_running_loop()
        HEALTH.ready["engine"] = self._ready
        starting = loop.create_task(self._app.start())
        beside = [
            loop.create_task(self._ticker.run()),
            loop.create_task(self._watchdog().run()),
            loop.create_task(self._crashed()),
            loop.create_task(_guard_the_loop()),
        ]
        stopping = loop.create_task(stop.wait())
        fault: BaseException | None = None
        try:
            fault = await self._first([stopping, self._runner.failed, *beside], starting)
        except asyncio.CancelledError:
            fault = EngineError("the engine was cancelled")
            raise
        finally:
            if fault is not None:
                self._ledger.close()
            await _cancel([stopping, *beside])
            stopped = await self._close(starting, faulty=fault is not None)
        if fault is not None:
            raise fault
        if not stopped:
            raise EngineError("the engine did not stop within its time; its last chunks will be worked again")

    async def _first(self, ends: Sequence[asyncio.Future[Any]], starting: asyncio.Future[Any]) -> BaseException | None:
        """The fault that ended it, or None for a stop on request. `starting` ends it only by a fault."""
        waited = {*ends, starting}
        while True:
            done, waited = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                if error := future.exception():
                    return error
            if done - {starting}:
                return None

    async def _close(self, starting: asyncio.Task[Any], faulty: bool) -> bool:
        """Stop the app (which drains and commits, unless the ledger is closed), then our own parts; True: in time."""
        limit_s = _FAILING_S if faulty else self._kafka.rebalance_timeout_ms / 1000 + _FAILING_S
        if faulty:
            await self._runner.cancel()
        app = asyncio.get_running_loop().create_task(self._app.stop())
        _, late = await asyncio.wait([app, starting], timeout=limit_s)
        await _cancel(late)
        for task in (app, starting):
            if not task.cancelled() and (error := task.exception()) and not faulty:
                _log.error("while stopping: %r", error)
        await self._runner.cancel()
        await self._logs.stop()
        if self._fence is not None:
            await self._fence.stop()
        self._state.close()
        self._crashes.close()
        if self._runner.failed.done():
            self._runner.failed.exception()  # told already, or it came too late to matter
        self._standing = "stopped"
        return not late

    async def _crashed(self) -> None:
        """Faust's services report their crash here, some from the consumer's thread."""
        while not self._app._crashed.is_set():
            await asyncio.sleep(_CRASH_POLL_S)
        reason = self._app.crash_reason
        raise reason if isinstance(reason, Exception) else EngineError(f"Faust crashed: {reason!r}")

    # --- what the link tells ---

    def _pausing(self) -> None:
        self._owned, self._standing = frozenset(), "rebalancing: its group gives the partitions out anew"
        self._ticker.pause()
        self._state.pause()

    def _assigned(self, partitions: frozenset[int]) -> None:
        if max(partitions, default=0) >= self._partitions:
            self._runner.fail(
                EngineError(f"the sources have more than {self._partitions} partitions now: migrate first")
            )
            return
        self._owned = partitions
        self._lease.drop()
        self._state.assigned(partitions)
        self._ticker.assigned(partitions)
        self._standing = ""
        _log.info("%s owns partitions %s", self._config.name, sorted(partitions))
        if partitions:
            self._runner.soon(min(partitions), self._read_state)

    async def _read_state(self) -> None:
        """Before the first record comes, so that "ready" can be said and the first chunk need not wait."""
        if self._owned:
            await self._state.own(min(self._owned))

    def _ready(self) -> tuple[bool, str]:
        owned, unread = len(self._owned), self._state.unread
        if self._standing:
            return False, self._standing
        if not owned:
            return True, f"standby: another process owns all {self._partitions} partitions"
        if unread:
            return False, f"reads the state of {unread} of {owned} partitions, {self._state.left} records left at most"
        if not self._flowing():
            return False, f"{owned} partitions, state read; the reading of records has not begun"
        return True, f"{owned} partitions, state read, takes chunks"

    async def _drained(self) -> None:
        limit_s = 0.8 * self._kafka.rebalance_timeout_ms / 1000
        if not self._runner.failed.done() and not await self._runner.drained(limit_s):
            _log.error("chunks in work did not end within %.0f s; they will be worked again", limit_s)

    # --- what lease and watchdog ask ---

    async def _heartbeat(self) -> bool | None:
        limit_s = self._kafka.session_timeout_ms / 2000
        try:
            answer: bool | None = await self._consumer().in_thread("heartbeat", timeout_s=limit_s)
        except TimeoutError:
            _log.warning("no answer to a heartbeat within %.1f s", limit_s)
            return None
        return answer

    def _consumer(self) -> Consumer:
        consumer = self._app.consumer
        assert isinstance(consumer, Consumer)
        return consumer

    def _watchdog(self) -> Watchdog:
        limit_s = (self._kafka.rebalance_timeout_ms + self._kafka.session_timeout_ms) / 1000
        runner = self._runner
        return Watchdog(
            self._role, self._ledger, self._watched, self._committed, runner.busy, runner.idle, self._end,
            self._flowing, limit_s,
        )  # fmt: skip

    def _flowing(self) -> bool:
        return bool(self._consumer().flow_active and self._consumer().can_resume_flow.is_set())

    def _watched(self) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for topic in self._config.sources for number in sorted(self._owned)]

    async def _committed(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        limit_s = self._kafka.request_timeout_ms / 1000
        try:
            answer: dict[TopicPartition, int | None] = await self._consumer().in_thread(
                "committed", tps, timeout_s=limit_s
            )
        except (TimeoutError, KafkaError) as error:
            _log.warning("the broker does not tell what is committed: %r", error)
            return {}
        return answer

    def _end(self, tp: TopicPartition) -> int | None:
        try:
            end: int | None = self._app.consumer.highwater(tp)
        except (KafkaError, AssertionError):  # just taken away
            return None
        return end


def _stores(config: EngineConfig, settings: Settings) -> MakeStores:
    """Where the state is kept; a folder per replica, which alone opens it (the crash file is its lock)."""
    if config.store == "memory":
        return memory_stores
    from hub.stream.disk_store import DiskStores  # RocksDB only where it is asked for

    return DiskStores(settings.data_dir / "state" / f"{config.name}-{config.instance}", config.waits)


async def _guard_the_loop() -> None:
    """End the process if the event loop stands still; told by a C thread, which needs neither loop nor interpreter."""
    try:
        while True:
            faulthandler.dump_traceback_later(_LOOP_LIMIT_S, exit=True)
            await asyncio.sleep(_LOOP_POLL_S)
    finally:
        faulthandler.cancel_dump_traceback_later()


async def _cancel(tasks: Any) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_FAILING_S)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()
