"""Microseconds of CPU an event of the core's step alone, no Kafka: `python -m tests.bench.core_step [--profile]`.

The input is the one of the benchmark `core` (`dossiers`), by partition in chunks as the engine reads it; the state is a
dict. Told apart: the first half, where most dossiers are new, and the second, where they have a past. The least of some
runs, since other work on the machine only adds. `--profile` tells where the time goes instead, by part and by function;
under the profiler many small calls look dearer than they are.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import pstats
import time
from collections import defaultdict
from pathlib import Path

from hub.kafka.topics import INGRESS
from hub.machine import garbage_collector
from hub.stream.stage import Record
from tests.bench.dossiers import Make, changing, records, step
from tests.bench.place import PARTITIONS
from tests.support.codecs import fixed_codec
from tests.support.core import RECORDED, Core

CHUNK = 1_000
EVENTS = 100_000


def chunks(count: int, made_by: Make = step) -> list[list[Record]]:
    """The benchmark's records in the order of a reader that takes a chunk of each partition in turn."""
    parts: list[list[Record]] = [[] for _ in range(PARTITIONS)]
    for key, value, headers in records(fixed_codec(), count, made_by=made_by):
        number = hashlib.sha1(key, usedforsecurity=False).digest()[0] % PARTITIONS
        part = parts[number]
        part.append(Record(INGRESS, number, len(part), RECORDED, key, value, headers))
    longest = max(map(len, parts))
    return [part[at : at + CHUNK] for at in range(0, longest, CHUNK) for part in parts if len(part) > at]


def run(rows: list[list[Record]], core: Core) -> float:
    """CPU µs an event."""
    began = time.process_time()
    for chunk in rows:
        core.run(*chunk)
        core.out.clear()
    return (time.process_time() - began) / sum(map(len, rows)) * 1e6


def halves(rows: list[list[Record]]) -> tuple[float, float]:
    """CPU µs an event of the first half, on empty state, and of the second."""
    core, half = Core(), len(rows) // 2
    return run(rows[:half], core), run(rows[half:], core)


def digest(rows: list[list[Record]]) -> str:
    """Of every byte that comes out, records and state: the same before and after a change that is only for speed."""
    core, found = Core(), hashlib.sha256()
    for chunk in rows:
        core.run(*chunk)
    for out in core.out:
        found.update(repr((out.topic, out.key, out.value, list(out.headers))).encode())
    for ident, stored in sorted(core.state.items()):
        found.update(repr((ident, stored.value, list(stored.headers))).encode())
    return found.hexdigest()


def shares(stats: pstats.Stats) -> list[str]:
    """Own time by file, in parts of the whole; what C functions take is counted with the file that called them."""
    own: dict[str, float] = defaultdict(float)
    for (file, _, _), (_, _, spent, _, callers) in stats.stats.items():  # type: ignore[attr-defined]
        if file != "~":
            own[_part(file)] += spent
            continue
        for (caller, _, _), (_, _, by_caller, _) in callers.items():
            own[_part(caller)] += by_caller
    whole = sum(own.values())
    return [f"{spent / whole:6.1%}  {part}" for part, spent in sorted(own.items(), key=lambda row: -row[1])[:16]]


def _part(file: str) -> str:
    return "/".join(Path(file).parts[-2:]) if file.endswith(".py") else "functions made from the schemas"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead of how much")
    parser.add_argument("--digest", action="store_true", help="a hash of all that comes out, instead of how long")
    parser.add_argument("--changing", action="store_true", help="input whose facts change with every step")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    garbage_collector.calm()  # as the process of every role
    rows = chunks(args.events, changing if args.changing else step)
    if args.digest:
        print(digest(rows))
        return
    if args.profile:
        core, half, profile = Core(), len(rows) // 2, cProfile.Profile()
        run(rows[:half], core)
        profile.runcall(run, rows[half:], core)
        stats = pstats.Stats(profile)
        print("\n".join(shares(stats)))
        stats.sort_stats("tottime").print_stats(45)
        return
    found = [halves(rows) for _ in range(args.runs)]
    print(f"first half:  {min(first for first, _ in found):.1f} µs an event")
    print(f"second half: {min(second for _, second in found):.1f} µs an event")


if __name__ == "__main__":
    main()
