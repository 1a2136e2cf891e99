"""Microseconds of CPU per event of the core's step alone, no Kafka: `python -m tests.bench.core_step [--profile]`.

Two shapes: every event of a chunk of another dossier (state read and written for each), and a dossier's six events in
one chunk. The least of some short runs, since other work on the machine only adds.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Sequence

from hub.stream.api import Record
from tests.support.core import DAY, T0, Core, record, step

LIFE = ("SUBMITTED", "RECEIVED", "IN_PROCESS", "IN_PROCESS", "FINISHED", "RETURNED")
FACTS = (
    {
        "channel": "ONLINE",
        "procedure_code": "1.004194",
        "procedure_name": "Cấp giấy phép xây dựng nhà ở riêng lẻ",
        "agency_code": "000.00.12.H11",
        "agency_name": "Sở Xây dựng",
        "abstract": "Xin cấp phép xây dựng nhà ở",
        "applicant": {"name": "Nguyễn Văn An", "phone": "0252 3821 000", "address": "Phan Thiết"},
    },
    {"received_at": T0, "due_at": T0 + 20 * DAY},
)


def records(dossiers: int) -> list[Record]:
    """Life by life of all dossiers, interleaved as a busy province sends them."""
    handler = {"name": "Trần Thị Bình", "title": "Chuyên viên", "department": "Một cửa"}
    out: list[Record] = []
    for place, kind in enumerate(LIFE):
        facts = FACTS[place] if place < len(FACTS) else {}
        for number in range(dossiers):
            code = f"H11.12-260105-{number:06d}"
            datum = step(kind, place, code=code, handler=handler, note="Xử lý hồ sơ", **facts)
            out.append(record(datum, f"{number}-{place}", offset=len(out)))
    return out


def cpu_us(rows: Sequence[Record], chunk: int) -> float:
    """Of one run on empty state."""
    core, began = Core(), time.process_time()
    for start in range(0, len(rows), chunk):
        core.run(*rows[start : start + chunk])
    spent = time.process_time() - began
    assert len(core.out) == len(rows)
    assert not core.dead
    return spent / len(rows) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead of how much")
    rows = records(500)
    if parser.parse_args().profile:
        profile = cProfile.Profile()
        profile.runcall(cpu_us, records(3_000), 1_000)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    by_dossier = sorted(rows, key=lambda row: row.key or b"")
    print(f"another dossier each: {min(cpu_us(rows, 500) for _ in range(10)):.1f} µs an event")
    print(f"six of one dossier:   {min(cpu_us(by_dossier, 1_000) for _ in range(10)):.1f} µs an event")


if __name__ == "__main__":
    main()
