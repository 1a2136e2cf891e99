"""Long benchmark `scale`: one and two core processes on few and many partitions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.bench import one_core
from tests.bench.dossiers import records
from tests.bench.one_core import cores
from tests.bench.place import Place
from tests.bench.race import Java, summary
from tests.bench.report import Benchmark

EVENTS = 150_000


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """Windows open when every process has been at work for a moment; rounds are interleaved."""
    found: dict[str, list[float | None]] = {}
    for number in range(min(rounds, 3)):
        for partitions in (2, 4, 16):
            for processes in (1, 2):
                spec = await one_core.make(place, "scale", partitions)
                await place.fill(spec.source, records(place.codec, EVENTS), partitions)
                async with cores(place, spec) as core:
                    for instance in range(processes):
                        core.start(str(instance))
                    await core.until(1)
                    await asyncio.sleep(4.0)  # the second one has joined and has its partitions
                    began, first = time.monotonic(), await core.count()
                    await asyncio.sleep(seconds)
                    rate = (await core.count() - first) / (time.monotonic() - began)
                name = f"{processes} process{'es' * (processes > 1)}, {partitions} partitions"
                found.setdefault(name, []).append(rate)
                tell(f"  round {number + 1} {name}: {rate:,.0f} events/s")
                await one_core.drop(place, spec)
    rows = {name: summary(rates, "events/s") for name, rates in found.items()}
    return {"core, by processes and partitions": {name: row for name, row in rows.items() if row}}, []
