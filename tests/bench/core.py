"""Benchmark `core`: idempotency, lifecycle, facts, state and its changelog. First and second 100,000 events apart."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench import compiled
from tests.bench.compare import differences
from tests.bench.dossiers import Make, changing, records, step, steps
from tests.bench.place import Place
from tests.bench.race import Java, Race, Window, hub_rows, module, table
from tests.bench.report import Benchmark

PART = 100_000
INPUTS: dict[str, Make] = {"core": step, "core, facts change with every step": changing}
"""By the name of their rows."""
BESIDE = 2
"""Rounds of the input beside the usual one: `make bench` shall not take twice its time."""
# The same step, plain; with fastavro (what Quix Streams' own Avro serializers are) and with the hub's codec.
CONTENDERS = {
    "quix streams": module("quix_core"),
    "quix streams, hub's codec": module("quix_core", "hub-codec"),
}


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """As `transform.run`, on each input in turn. A contender that does not come to 100,000 in its window is measured
    over what it did."""
    found: dict[str, Benchmark] = {}
    notes = compiled.note()
    for name, made_by in INPUTS.items():
        tell(f"  {name}")
        few = rounds if made_by is step else min(rounds, BESIDE)
        rows, said = await _race(place, few, seconds, java, tell, name, made_by)
        found |= rows
        notes += said
    return found, notes


async def _race(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None], name: str, made_by: Make
) -> tuple[dict[str, Benchmark], list[str]]:
    source = place.name("in")
    await place.topics(source)
    count = int(2.05 * PART)  # one in a hundred is a copy, and leads to no output
    await place.fill(source, records(place.codec, count, made_by=made_by))
    outputs = len({event_id for _, _, event_id in steps(count, made_by=made_by)})
    race = Race(place, source, outputs, 4 * seconds, stores=True, enough=2 * PART)
    contenders = {**hub_rows("hub core", "hub_core"), **CONTENDERS, **java.get("core", {})}
    windows, topics = await race.run(contenders, rounds, tell)
    unlike = await differences(place, topics, {name: windows[name][-1].ends for name in topics})
    await place.drop(source, *topics.values())
    if unlike:
        return {}, [f"{name} does not count, outputs are unlike: {line}" for line in unlike]
    return _rows(name, windows), _short(name, windows)


def _rows(name: str, windows: dict[str, list[Window]]) -> dict[str, Benchmark]:
    return {
        f"{name}, first 100,000": table(windows, "events/s", lambda w: w.rate(0, min(PART, w.count))),
        f"{name}, second 100,000": table(windows, "events/s", _second),
        f"{name}, CPU of the first 100,000 with start-up": table(
            windows, "us/event", lambda w: w.cpu_us(min(PART, w.count))
        ),
        f"{name}, CPU after start-up": table(windows, "us/event", lambda w: w.steady_cpu_us()),
    }


def _second(window: Window) -> float | None:
    """Of what came after the first 100,000; of the later half where a window held little more."""
    return window.rate(PART if window.count > 1.2 * PART else window.count // 2)


def _short(name: str, windows: dict[str, list[Window]]) -> list[str]:
    return [
        f"{name}: {contender} came to {min(w.count for w in seen):,} events in its shortest window"
        for contender, seen in windows.items()
        if min(w.count for w in seen) < 2 * PART
    ]
