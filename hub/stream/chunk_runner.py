"""Working chunks: step, outputs confirmed, state confirmed, finished. Nothing else may finish a chunk.

Each partition number has a lane: its chunks (of whichever source) and its ticks run one after another against its
state. Lanes of different partitions overlap, so that one computes while another waits for the broker.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiokafka.structs import ConsumerRecord

from hub.observe import metrics
from hub.stream.errors import EngineError, StateError, StepDied, WriteRefused
from hub.stream.lease import Lease
from hub.stream.partition_state import PartitionState, State
from hub.stream.poison_records import CrashLog, Suspect
from hub.stream.stage import EngineConfig, Outputs, Record
from hub.stream.transaction_fence import Fence
from hub.stream.writer import Writer

_log = logging.getLogger(__name__)
# Chunks worked at a time, over all lanes: enough that one computes while others wait, little to do again after a crash.
IN_WORK = 4


@dataclass(frozen=True, slots=True)
class Job:
    """One chunk to work. live: whether its epoch goes on. finish: say that all of it is confirmed.

    leave: say that it was left undone. Its epoch must end with that: a later chunk would be worked on a state that
    lacks this one, and number what it publishes wrongly (chaos test of a frozen core).
    """

    partition: int
    records: Sequence[ConsumerRecord]
    live: Callable[[], bool]
    finish: Callable[[], Any]
    leave: Callable[[], Any] = lambda: None


class _AtFault(Exception):
    """The records caused it: the step raised, or the broker refuses what it made of them. Not a broken cluster."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Runner:
    """`failed` gets the first unexpected exception; from then on nothing is worked or finished any more."""

    def __init__(
        self,
        config: EngineConfig,
        role: str,
        state: State,
        writer: Writer | Fence,
        lease: Lease,
        crashes: CrashLog,
    ) -> None:
        self._config = config
        self._role = role
        self._state = state
        self._writer = writer
        self._lease = lease
        self._crashes = crashes
        self._lanes: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._room = asyncio.Semaphore(IN_WORK)
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- lanes ---

    async def dispatch(self, job: Job) -> None:
        """Start the chunk in its lane; returns at once while there is room, else when there is."""
        await self._room.acquire()
        given = job.live
        job = replace(job, live=lambda: not self.failed.done() and given())
        task = self._spawn(job.partition, self._work(job))
        task.add_done_callback(lambda _: self._room.release())

    async def in_lane(self, partition: int, work: Coroutine[Any, Any, None]) -> None:
        """Run something else between the partition's chunks, and wait for it."""
        await asyncio.wait([self._spawn(partition, work)])

    def soon(self, partition: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something else between the partition's chunks; nobody waits for it."""
        self._spawn(partition, work())

    def busy(self, partition: int) -> bool:
        """Whether something is being worked in this lane now."""
        return self._lanes[partition].locked()

    def idle(self) -> bool:
        """Whether nothing is being worked, or waits for its lane, at all."""
        return not self._tasks

    async def drained(self, timeout_s: float) -> bool:
        """Wait until nothing is in work. False: something still is after that time."""
        until = time.monotonic() + timeout_s
        while self._tasks and (left := until - time.monotonic()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)  # a chunk that waited for room may begin meanwhile
        return not self._tasks

    async def cancel(self) -> None:
        """End what is still in work, unfinished."""
        self._crashes.freeze()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _spawn(self, partition: int, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._run(partition, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, partition: int, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with self._lanes[partition]:
                if not self.failed.done():
                    await work
        except asyncio.CancelledError:  # as unfinished as one that raised
            self.fail(EngineError(f"the work of partition {partition} was cancelled"))
            raise
        except _AtFault as fault:
            self.fail(fault.error)
        except Exception as error:
            self.fail(error)
        finally:
            work.close()

    def fail(self, error: Exception) -> None:
        """Keep the first fault, and the crash file as it is: other lanes must not write over it."""
        self._crashes.freeze()
        if not self.failed.done():
            self.failed.set_exception(error)

    # --- one chunk ---

    async def _work(self, job: Job) -> None:
        if not job.live():
            return
        part = await self._state.own(job.partition)
        if part is None or not job.live():
            job.leave()  # taken away meanwhile: it will be read again, here or elsewhere
            return
        began = time.perf_counter()
        records = [Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers) for r in job.records]
        suspect = self._crashes.suspect(records)
        done = await (
            self._work_apart(records, suspect, part, job) if suspect else self._work_whole(records, part, job)
        )
        if not done:
            job.leave()
            return
        job.finish()
        metrics.CHUNK_SECONDS.labels(self._role).observe(time.perf_counter() - began)
        metrics.CHUNK_RECORDS.labels(self._role).observe(len(records))
        metrics.EVENTS_IN.labels(self._role).inc(len(records))
        metrics.LAG_SECONDS.labels(self._role, records[-1].topic).set(time.time() - records[-1].timestamp_ms / 1000.0)

    async def _work_whole(self, records: Sequence[Record], part: PartitionState, job: Job) -> bool:
        """True: all confirmed. False: the lease or the epoch was lost, leave the chunk."""
        try:
            outputs = self._step(records, part)
            return await self.write(outputs, part, job.live)
        except WriteRefused as error:
            raise self._blame(records, error) from error

    def _step(self, records: Sequence[Record], part: PartitionState) -> Outputs:
        self._crashes.entering(records)
        try:
            outputs = self._config.step(records, part)
        except StateError:  # a store that cannot be read is not the records' fault
            raise
        except Exception as error:
            raise self._blame(records, error) from error
        self._crashes.left()
        return outputs

    def _blame(self, records: Sequence[Record], error: Exception) -> _AtFault:
        """Name them in the crash file, with what they raised."""
        self._crashes.entering(records, type(error).__name__)
        return _AtFault(error)

    async def write(self, outputs: Outputs, part: PartitionState, live: Callable[[], bool]) -> bool:
        """Outputs and dead letters confirmed, then state; the order that a crash in between does no harm to.

        The other way round, state would say "seen" of an event that never left.
        """
        if isinstance(self._writer, Fence):
            return await self._write_at_once(self._writer, outputs, part, live)
        if outputs.records:
            written = await self._writer.write(outputs.records, part.partition)
            metrics.EVENTS_OUT.labels(self._role).inc(written)
        if not live():
            return False
        if outputs.state:
            if not await self._lease.held(live):
                return False
            await self._state.write(part, outputs.state)
        return True

    async def _write_at_once(
        self, fence: Fence, outputs: Outputs, part: PartitionState, live: Callable[[], bool]
    ) -> bool:
        """Outputs, dead letters and state in one transaction: who has lost the partition cannot end it."""
        if not outputs.records and not outputs.state and not part.rewrites():
            return live()
        async with fence.transaction(part.partition) as transaction:

            async def commit() -> bool:
                if live():
                    await transaction.commit()
                return not transaction.open

            written = await fence.write(outputs.records, part.partition)
            done = await self._state.write_at_once(part, outputs.state, commit)
        metrics.EVENTS_OUT.labels(self._role).inc(written if done else 0)
        return done

    async def heal(self, part: PartitionState, live: Callable[[], bool]) -> None:
        """Between chunks: write again what a late writer has written over."""
        if isinstance(self._writer, Fence):
            await self._state.look_behind(part)
            await self.write(Outputs(), part, live)
        elif await self._lease.held(live):
            await self._state.heal(part)

    # --- one chunk that holds a suspect ---

    async def _work_apart(self, records: Sequence[Record], suspect: Suspect, part: PartitionState, job: Job) -> bool:
        """What is around the suspect as always; the suspect itself in halves, until its one bad record is found."""
        held = [r for r in records if suspect.holds(r)]
        before = [r for r in records if r.offset < held[0].offset]
        after = [r for r in records if r.offset > held[-1].offset]
        for whole in (before, held, after):
            if whole is held:
                done = await self._halve(held, suspect, part, job)
            else:
                done = not whole or await self._work_whole(whole, part, job)
            if not done:
                return False
        if held[-1].offset >= suspect.last:
            self._crashes.clear(suspect)
        return True

    async def _halve(self, records: Sequence[Record], suspect: Suspect, part: PartitionState, job: Job) -> bool:
        if len(records) == 1:
            return await self._work_alone(records[0], suspect, part, job)
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            try:
                done = await self._work_whole(half, part, job)
            except _AtFault:
                done = await self._halve(half, suspect, part, job)
            if not done:
                return False
        return True

    async def _work_alone(self, record: Record, suspect: Suspect, part: PartitionState, job: Job) -> bool:
        """Try it once more, unless it alone took the process with it the last time; then dead-letter it."""
        error: Exception = StepDied("the process died while this record was worked")
        if suspect.raised or suspect.first != suspect.last:
            try:
                return await self._work_whole([record], part, job)
            except _AtFault as fault:
                error = fault.error
        self._crashes.left()
        _log.error("record %s/%s@%s crashes the step: dead-lettered", record.topic, record.partition, record.offset)
        metrics.EVENTS_DEAD_LETTERED.labels("crash", type(error).__name__).inc()
        return await self.write(Outputs([self._config.dead_letter(record, error)]), part, job.live)
