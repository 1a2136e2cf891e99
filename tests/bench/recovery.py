"""Long benchmark `recovery`: back to work after a kill and a clean stop, by size of state and by where it is kept.

From the start of the process to its first event, from outside, by the clock and in CPU. The size 0 is what starting
takes by itself; what a size adds to it is the restore. The state is filled once a size, and both stores start on it, in
turn.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from tests.bench import one_core
from tests.bench.dossiers import openings
from tests.bench.one_core import STORES, Cores, cores, cpu_s, memory_mb, one
from tests.bench.place import PARTITIONS, Place
from tests.bench.race import Java
from tests.bench.report import Benchmark
from tests.bench.states import states

SIZES = (0, 10_000, 100_000, 1_000_000, 2_000_000)
MEMORY_UP_TO = 1_000_000
"""Dossiers; more are kept on disk alone: two million would want 6 GB beside the broker."""
COSTED = 20_000
"""Events of new dossiers over which the CPU an event is taken."""
_PART = 5_000
_STARTS = ("first start", "kill -9", "clean stop")


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """Each size once: the state is what takes the time, and it is the same each time."""
    out: dict[str, Benchmark] = {
        name: {}
        for name in (
            *(f"recovery, {how}" for how in _STARTS),
            *(f"recovery's CPU, {how}" for how in _STARTS),
            "core's memory by state",
            "core's CPU by state",
        )
    }
    fresh = count(max(SIZES), _PART)
    for size in SIZES:
        state = place.name("recovery.state")
        await place.topics(state, compact=True)
        await place.fill(state, states(place.codec, size))
        for kept in STORES if size <= MEMORY_UP_TO else STORES[1:]:
            row = f"{size:,} dossiers, {kept}"
            spec = await one_core.make(place, "recovery", PARTITIONS, store=state)
            async with cores(place, spec) as core:
                await _measure(place, core, kept, fresh, out, row)
            await one_core.drop(place, spec, state)
            tell(f"  {row}: " + ", ".join(f"{name} {rows[row]['median']}" for name, rows in out.items()))
        await place.drop(state)
    return out, [_memory(out["core's memory by state"], store) for store in STORES]


async def _measure(
    place: Place, core: Cores, store: str, fresh: count[int], out: dict[str, Benchmark], row: str
) -> None:
    due = await _more(place, core, fresh)
    process = core.start(store=store)
    for how in _STARTS:
        if how != "first start":
            process.kill() if how == "kill -9" else process.terminate()
            process.wait(60)
            due = await _more(place, core, fresh)
            process = core.start(store=store)
        out[f"recovery, {how}"][row] = one(await core.until(due), "s")
        out[f"recovery's CPU, {how}"][row] = one(cpu_s(process), "s")
        await core.until(due + _PART - 1)
    used = cpu_s(process)
    due = await _more(place, core, fresh, COSTED)
    await core.until(due + COSTED - 1)
    out["core's CPU by state"][row] = one((cpu_s(process) - used) / COSTED * 1e6, "us/event")
    out["core's memory by state"][row] = one(memory_mb(process), "MB")


async def _more(place: Place, core: Cores, fresh: count[int], events: int = _PART) -> int:
    """Events of new dossiers; how many outputs there are with the first of them."""
    known = await core.count()
    for _ in range(events // _PART):
        first = next(fresh)
        await place.fill(core.spec.source, openings(place.codec, range(first, first + _PART)))
    return known + 1


def _memory(rows: Benchmark, store: str) -> str:
    largest = max(size for size in SIZES if f"{size:,} dossiers, {store}" in rows)
    least, most = (float(rows[f"{size:,} dossiers, {store}"]["median"]) for size in (SIZES[0], largest))
    return f"memory per 100,000 dossiers, {store}: {(most - least) / largest * 100_000:.0f} MB"
