"""The runner over logs and outputs that are imitated from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.stream.chunk_runner import Job, Runner
from hub.stream.errors import WriteRefused
from hub.stream.lease import Lease
from hub.stream.partition_state import State
from hub.stream.poison_records import CrashLog
from hub.stream.stage import EngineConfig, Out, Outputs, Record, StateView
from tests.support.state_logs import FakeLogs, stored, version


@dataclass
class Raw:
    """As aiokafka gives it."""

    offset: int
    value: bytes = b"ok"
    topic: str = "src"
    partition: int = 0
    timestamp: int = 0
    headers: tuple[()] = ()

    @property
    def key(self) -> bytes:
        return b"k%d" % self.offset


class Bench:
    """One life of an engine's runner over files, logs and outputs that outlive it. `events` tells what happened."""

    def __init__(self, folder: Path, before: Bench | None = None) -> None:
        self.folder = folder
        self.logs: FakeLogs = before.logs if before else FakeLogs()
        self.outputs: list[Out] = before.outputs if before else []
        self.events: list[str] = []
        self.steps: list[list[int]] = []
        self.too_large: bytes | None = None
        self.lease = True
        self.crashes = CrashLog(folder / "crash.json")
        config = EngineConfig("g", ("src",), ("s",), self.step, version, self.dead_letter)
        state = State(("s",), version, self, "test")
        state.assigned(frozenset({0, 1}))
        lease = Lease(self.heartbeat, 6.0, 1.0)
        self.runner = Runner(config, "test", state, self, lease, self.crashes)  # type: ignore[arg-type]

    # the writer and the logs, telling

    async def write(self, records: Iterable[Out], near: int) -> int:
        written = list(records)
        if self.too_large and any(out.value == self.too_large for out in written):
            raise WriteRefused("too large")
        await asyncio.sleep(0)
        self.outputs += written
        self.events += [f"out {out.topic}" for out in written]
        return len(written)

    async def append(self, topic: str, partition: int, lines: Iterable[Any]) -> list[tuple[int, int]]:
        landed = await self.logs.append(topic, partition, lines)
        self.events.append("state")
        return landed

    def bounds(self, logs: Any) -> Any:
        return self.logs.bounds(logs)

    def read(self, ranges: Any) -> Any:
        return self.logs.read(ranges)

    async def heartbeat(self) -> bool:
        return self.lease

    def step(self, records: Sequence[Record], state: StateView) -> Outputs:
        self.steps.append([r.offset for r in records])
        if any(r.value == b"bad" for r in records):
            raise ValueError("bad")
        outputs = Outputs([Out("out", r.key, r.value) for r in records])
        outputs.state = {("s", r.key or b""): stored(r.offset + 1) for r in records}
        return outputs

    def dead_letter(self, record: Record, error: BaseException) -> Out:
        return Out("dead", record.key, type(error).__name__.encode())

    # driving it

    async def work(self, records: Sequence[Raw], live: Callable[[], bool] = lambda: True) -> bool:
        """True: the chunk was finished. What failed is raised."""
        finished: list[bool] = []
        await self.runner.dispatch(Job(0, records, live, lambda: finished.append(True)))
        await self.runner.drained(5)
        if self.runner.failed.done():
            self.runner.failed.result()
        return bool(finished)

    def next_life(self) -> Bench:
        self.crashes.close()
        return Bench(self.folder, self)

    @property
    def dead(self) -> list[Out]:
        return [out for out in self.outputs if out.topic == "dead"]


def chunk(first: int, count: int, bad: int | None = None) -> list[Raw]:
    return [Raw(offset, b"bad" if offset == bad else b"ok") for offset in range(first, first + count)]
