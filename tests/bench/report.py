"""The table, and results/latest.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hub.broker import jars

LATEST = Path(__file__).parent / "results" / "latest.json"
_PACKAGES = ("faust-streaming", "aiokafka", "fastavro", "quixstreams", "confluent-kafka", "httpx", "uvicorn")

# One benchmark: contender -> {"median", "min", "max", "unit"}.
Benchmark = dict[str, dict[str, Any]]


def machine() -> dict[str, Any]:
    cpu = next(
        (line.split(":")[1].strip() for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def versions(java: Path | None) -> dict[str, str]:
    broker = next(path.split("/")[-2] for path in jars.pinned() if "/kafka_2.13/" in path)
    found = {"python": platform.python_version(), "kafka": broker} | {name: version(name) for name in _PACKAGES}
    if java:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20).stderr
        found["java"] = said.splitlines()[0] if said else "?"
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def write(benchmarks: dict[str, Benchmark], notes: list[str], about: dict[str, Any]) -> None:
    """Benchmarks that did not run this time keep nothing: the file is one run."""
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps({**about, "notes": notes, "benchmarks": benchmarks}, indent=1, ensure_ascii=False))


def show(benchmarks: dict[str, Benchmark], notes: list[str]) -> None:
    table = Table("benchmark", "contender", "median", "min", "max", "unit", title="medians over windows")
    for column in table.columns[2:5]:
        column.justify = "right"
    for name, contenders in benchmarks.items():
        for number, (contender, row) in enumerate(contenders.items()):
            figures = (
                f"{row[key]:,.1f}" if row[key] < 1_000 else f"{row[key]:,.0f}" for key in ("median", "min", "max")
            )
            table.add_row(name if number == 0 else "", contender, *figures, row["unit"])
        table.add_section()
    console = Console()
    console.print(table)
    for note in notes:
        console.print(note)
