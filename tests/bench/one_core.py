"""Core processes that a long benchmark starts, kills and stops by itself."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil

from tests.bench.place import Ends, Place
from tests.bench.race import hub, spec_of, start
from tests.bench.spec import Spec

WAIT_S = 300.0
STORES = ("memory", "disk")


async def make(place: Place, name: str, partitions: int, store: str | None = None) -> Spec:
    """Topics for a core: source, sink, dead letters, and the store unless it is given."""
    spec = spec_of(place, name, place.name("in"), partitions)
    await place.topics(spec.source, spec.sink, partitions=partitions)
    if store is None:
        await place.topics(spec.store, partitions=partitions, compact=True)
    else:
        spec = replace(spec, store=store)
    await place.topics(spec.dead, partitions=3)
    return spec


async def drop(place: Place, spec: Spec, *kept: str) -> None:
    """The topics but those to be kept, and local files."""
    await place.drop(*{spec.source, spec.sink, spec.store, spec.dead}.difference(kept))
    shutil.rmtree(spec.folder)


class Cores:
    """`processes` run; at the end of `cores` none does."""

    def __init__(self, spec: Spec, ends: Ends) -> None:
        self.spec = spec
        self.processes: list[subprocess.Popen[bytes]] = []
        self._ends = ends
        self._log = Path(spec.folder) / "core.log"

    def start(self, instance: str = "0", store: str = STORES[0]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as out:
            process = start(hub("hub_core", instance, store)(self.spec), out)
        self.processes.append(process)
        return process

    async def count(self) -> int:
        return await self._ends.count(self.spec.sink, self.spec.partitions)

    async def until(self, count: int, within: float = WAIT_S) -> float:
        """Seconds until the output has so many records."""
        began = time.monotonic()
        while await self.count() < count:
            if any(p.poll() not in (None, 0, -9, -15) for p in self.processes) or time.monotonic() - began > within:
                raise RuntimeError(f"no {count} outputs:\n{self._log.read_text()[-3000:]}")
            await asyncio.sleep(0.02)
        return time.monotonic() - began


@contextlib.asynccontextmanager
async def cores(place: Place, spec: Spec) -> AsyncIterator[Cores]:
    async with Ends(place) as ends:
        found = Cores(spec, ends)
        try:
            yield found
        finally:
            for process in found.processes:
                process.kill()
                process.wait()


def memory_mb(process: subprocess.Popen[bytes]) -> float:
    return float(psutil.Process(process.pid).memory_info().rss) / 1e6


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    used = psutil.Process(process.pid).cpu_times()
    return float(used.user + used.system)


def one(value: float, unit: str) -> dict[str, float | str]:
    """A figure that is measured once."""
    return {"median": round(value, 2), "min": round(value, 2), "max": round(value, 2), "unit": unit}
