"""Benchmark `transform`: consume, decode Avro, change, encode, produce. No state."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench import compiled
from tests.bench.compare import differences
from tests.bench.dossiers import records
from tests.bench.place import Place
from tests.bench.race import Java, Race, hub_rows, module, table
from tests.bench.report import Benchmark

EVENTS = 200_000
CONTENDERS = {
    "aiokafka": module("aiokafka_transform"),
    "quix streams": module("quix_transform"),
    "confluent-kafka": module("confluent_transform"),
    "faust": module("faust_transform"),
}


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """({benchmark: rows}, notes). A benchmark whose outputs are unlike has no rows."""
    source = place.name("in")
    await place.topics(source)
    await place.fill(source, records(place.codec, EVENTS))
    race = Race(place, source, EVENTS, seconds)
    contenders = {**hub_rows("hub engine", "hub_transform"), **CONTENDERS, **java.get("transform", {})}
    windows, topics = await race.run(contenders, rounds, tell)
    unlike = await differences(place, topics, {name: windows[name][-1].ends for name in topics})
    await place.drop(source, *topics.values())
    if unlike:
        return {}, [f"transform does not count, outputs are unlike: {line}" for line in unlike]
    return {
        "transform": table(windows, "events/s", lambda window: window.rate()),
        "transform, CPU after start-up": table(windows, "us/event", lambda window: window.steady_cpu_us()),
    }, compiled.note()
