"""Benchmark `ingest`: events over HTTP, acknowledged by the broker, beside a bare aiokafka producer; rate, p99, and
CPU of the process that produces (the gateway, or the producer with its loop), which other work on the machine moves
least."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psutil

from hub.admin import organisations
from hub.control.audit import Actor
from hub.control.records import Organisation
from hub.kafka.topics import INGRESS
from tests.bench.hub_at import open_hub
from tests.bench.place import Ends, Place
from tests.bench.race import ROOT, Java, summary
from tests.bench.report import Benchmark

CONNECTIONS = 64
SOURCE = "urn:vn:gov:H11.12:bench"
# Requests made beforehand for one window: more than it can take.
_READY = {1: 24_000, 100: 600}
_ROWS = ("gateway", "aiokafka producer")


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """As `transform.run`. Every event that was acknowledged must stand in hub.ingress."""
    found: dict[tuple[int, str], list[dict[str, float]]] = {}
    async with open_hub(place) as hub, Ends(place) as ends:
        organisation = Organisation(name="bench", sources=(SOURCE,), agencies=("*",))
        key = await organisations.add(hub.settings, organisation, Actor("bench"))
        async with hub.role("gateway") as gateway:
            process = psutil.Process(gateway.process.pid)
            common = {
                "host": hub.settings.gateway.host,
                "port": hub.settings.gateway.port,
                "key": key,
                "source": SOURCE,
                "connections": CONNECTIONS,
                "seconds": seconds,
                "bootstrap": place.bootstrap,
                "topic": INGRESS,
                "ids": hub.codec.ids,
            }
            first = 0
            for number in range(rounds):
                for batch in _READY:
                    for name in _ROWS:
                        given = common | {"batch": batch, "first": first, "requests": _READY[batch]}
                        first += _READY[batch]
                        before = await ends.count(INGRESS)
                        used = _cpu(process)
                        said = await asyncio.to_thread(_load, name, given)
                        if name == "gateway":
                            said["cpu_s"] = _cpu(process) - used
                        stood = await ends.count(INGRESS) - before
                        if stood != said["events"]:
                            raise RuntimeError(f"{name}: {said['events']} acknowledged, {stood} stand in {INGRESS}")
                        found.setdefault((batch, name), []).append(said)
                        rate = said["events"] / said["seconds"]
                        cpu = said["cpu_s"] / said["events"] * 1e6
                        tell(f"  round {number + 1}/{rounds} batch {batch} {name}: {rate:,.0f} events/s, {cpu:.0f} µs")
    return _rows(found), []


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _load(name: str, given: dict[str, Any]) -> dict[str, float]:
    module = "http_load" if name == "gateway" else "producer_load"
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.contenders.{module}", json.dumps(given)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-3000:]}")
    report: dict[str, float] = json.loads(done.stdout)
    return report


def _rows(found: dict[tuple[int, str], list[dict[str, float]]]) -> dict[str, Benchmark]:
    out: dict[str, Benchmark] = {}
    for (batch, name), said in found.items():
        rate = summary([s["events"] / s["seconds"] for s in said], "events/s")
        p99 = summary([s["p99_ms"] for s in said], "ms")
        cpu = summary([s["cpu_s"] / s["events"] * 1e6 for s in said], "µs/event")
        for title, row in (("", rate), (", p99", p99), (", CPU", cpu)):
            if row:
                out.setdefault(f"ingest, batch of {batch}{title}", {})[name] = row
    return out
