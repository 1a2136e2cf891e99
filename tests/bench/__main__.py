"""`python -m tests.bench`: run the benchmarks, print the table, write results/latest.json."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import traceback
from typing import Any

from tests.bench import (
    core,
    delivery,
    ingest,
    java,
    latency,
    pressure,
    recovery,
    report,
    role_recovery,
    scale,
    transform,
)
from tests.bench.place import open_place

BENCHMARKS = {"transform": transform.run, "core": core.run, "ingest": ingest.run, "delivery": delivery.run}
LONG = {
    "latency": latency.run,
    "recovery": recovery.run,
    "role-recovery": role_recovery.run,
    "scale": scale.run,
    "pressure": pressure.run,
}


async def main(names: list[str], rounds: int, seconds: float) -> list[str]:
    """Names of those that could not be measured."""
    started = time.monotonic()
    about: dict[str, Any] = {
        "machine": report.machine(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "rounds": rounds,
        "window_s": seconds,
    }
    benchmarks: dict[str, report.Benchmark] = {}
    failed: list[str] = []
    async with open_place() as place:
        streams, program, why = java.contenders(place.folder)
        notes = [why] if why else []
        about["versions"] = report.versions(program)
        for name in names:
            print(f"{name} ({time.monotonic() - started:.0f} s)", flush=True)
            try:
                found, said = await (BENCHMARKS | LONG)[name](place, rounds, seconds, streams, _tell)
            except Exception as error:  # the others' figures count all the same
                traceback.print_exc()
                failed.append(name)
                notes.append(f"{name}: not measured, {error}")
                continue
            benchmarks |= found
            notes += said
    about["seconds"] = round(time.monotonic() - started)
    report.write(benchmarks, notes, about)
    report.show(benchmarks, notes)
    return failed


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--full", action="store_true", help="the long ones too")
    parser.add_argument("--only", default="", help=f"of {', '.join(BENCHMARKS | LONG)}; comma-separated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a window")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else list(BENCHMARKS | LONG if asked.full else BENCHMARKS)
    sys.exit(bool(asyncio.run(main(names, asked.rounds, asked.seconds))))
