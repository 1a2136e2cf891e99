"""Long benchmark `pressure`: ten minutes of a producer at twice the core's rate; does its memory stay where it is?

The dossiers have long been at work when it begins: a dossier's state grows until its ring holds 64 events, by about
1 kB, which 20,000 dossiers would make look like a leak.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence

from tests.bench import one_core
from tests.bench.dossiers import Wire, wire
from tests.bench.one_core import Cores, cores, memory_mb, one
from tests.bench.place import PARTITIONS, Place
from tests.bench.race import Java
from tests.bench.report import Benchmark
from tests.bench.states import PLACES, states, working

MINUTES = 10
DOSSIERS = 20_000
_PART = 2_000


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """Slope of resident memory over the last half. The backlog itself stands in the log, where it belongs."""
    spec = await one_core.make(place, "pressure", PARTITIONS)
    await place.fill(spec.store, states(place.codec, DOSSIERS))
    load = _load(place)
    async with cores(place, spec) as core:
        process = core.start()
        sent = await place.fill(spec.source, itertools.islice(load, 20 * _PART))
        await core.until(1)
        began = time.monotonic()
        await core.until(sent)
        rate = sent / (time.monotonic() - began)
        tell(f"  the core takes {rate:,.0f} events/s; the producer gives twice as many")
        feeding = asyncio.create_task(_feed(place, core, load, 2 * rate))
        seen: list[tuple[float, float]] = []
        try:
            for _ in range(MINUTES * 12):
                await asyncio.sleep(5)
                seen.append((time.monotonic() - began, memory_mb(process)))
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
        worked = await core.count()
    await one_core.drop(place, spec)
    half = seen[len(seen) // 2 :]
    notes = [f"pressure: {worked:,} events worked; memory {seen[0][1]:.0f} MB at first, {seen[-1][1]:.0f} MB at last"]
    rows: Benchmark = {
        "slope over the last half": one(_slope(half) * 60, "MB/min"),
        "memory at the end": one(half[-1][1], "MB"),
    }
    return {"core's memory under twice its rate": rows}, notes


async def _feed(place: Place, core: Cores, load: Iterator[Wire], rate: float) -> None:
    due = time.monotonic()
    while True:
        await place.fill(core.spec.source, itertools.islice(load, _PART))
        due += _PART / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))


def _load(place: Place) -> Iterator[Wire]:
    """Step after step of the same dossiers, without end: the state's number of keys stays the same."""
    for place_ in itertools.count(PLACES):
        for number in range(DOSSIERS):
            yield wire(place.codec, number, working(number, place_), f"load {number}/{place_}")


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares, MB a second."""
    x = sum(at for at, _ in points) / len(points)
    y = sum(value for _, value in points) / len(points)
    return sum((at - x) * (value - y) for at, value in points) / sum((at - x) ** 2 for at, _ in points)
