"""Long benchmark `recovery`: back to work after a kill and a clean stop, by size of state; memory and CPU by size.

State is written as the core writes it: a dossier of about 1.2 kB with its full ring, the same one under many codes of
one length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hub.config import Settings
from hub.pipeline.step import make_step
from hub.stream.api import Record
from hub.wire.topics import DOSSIERS
from tests.bench import one_core
from tests.bench.dossiers import Wire, code_of, openings, step, wire
from tests.bench.one_core import Cores, cores, cpu_s, memory_mb, one
from tests.bench.place import PARTITIONS, Place
from tests.bench.race import Java
from tests.bench.report import Benchmark
from tests.support.core import RECORDED, Core

SIZES = (10_000, 100_000, 1_000_000)
_PART = 5_000
_COSTED = 20_000


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """Each size once: the state is what takes the time, and it is the same each time."""
    out: dict[str, Benchmark] = {
        name: {}
        for name in ("recovery, first start", "recovery, kill -9", "recovery, clean stop",
                     "core's memory by state", "core's CPU by state")
    }  # fmt: skip
    for size in SIZES:
        spec = await one_core.make(place, "recovery", PARTITIONS)
        await place.fill(spec.store, state(place, size))
        async with cores(place, spec) as core:
            await _measure(place, core, size, out, f"{size:,} dossiers")
        await one_core.drop(place, spec)
        tell("  " + ", ".join(f"{name} {rows[f'{size:,} dossiers']['median']}" for name, rows in out.items()))
    return out, []


async def _measure(place: Place, core: Cores, size: int, out: dict[str, Benchmark], row: str) -> None:
    fresh = iter(range(size, 9_999_999, _PART))

    async def more(count: int = _PART) -> int:
        """Events of new dossiers; how many outputs there are then."""
        known = await core.count()
        for _ in range(count // _PART):
            first = next(fresh)
            await place.fill(core.spec.source, openings(place.codec, range(first, first + _PART)))
        return known + 1

    due = await more()
    process = core.start()
    out["recovery, first start"][row] = one(await core.until(due), "s")
    await core.until(due + _PART - 1)
    process.kill()
    process.wait()
    due = await more()
    process = core.start()
    out["recovery, kill -9"][row] = one(await core.until(due), "s")
    await core.until(due + _PART - 1)
    process.terminate()
    process.wait(60)
    due = await more()
    process = core.start()
    out["recovery, clean stop"][row] = one(await core.until(due), "s")
    await core.until(due + _PART - 1)
    out["core's memory by state"][row] = one(memory_mb(process), "MB")
    used = cpu_s(process)
    due = await more(_COSTED)
    await core.until(due + _COSTED - 1)
    out["core's CPU by state"][row] = one((cpu_s(process) - used) / _COSTED * 1e6, "us/event")


def state(place: Place, size: int) -> Iterator[Wire]:
    """State records of dossiers 0 … size-1."""
    code, core = code_of(0), Core()
    work = make_step(place.codec, Settings())
    for number in range(70):
        key, value, headers = wire(place.codec, 0, step(0, number), f"seed-{number}")
        outputs = work([Record("in", 0, number, RECORDED, key, value, headers)], core)
        core.state |= {key: stored for key, stored in outputs.state.items() if stored}
    stored = core.state[DOSSIERS, code.encode()]
    for number in range(size):
        own = code_of(number).encode()
        yield own, stored.value.replace(code.encode(), own), list(stored.headers)
