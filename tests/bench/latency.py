"""Long benchmark `latency`: from accepted to delivered, through gateway, core and delivery, at parts of the maximum."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from hub.admin import organisations
from hub.control.audit import Actor
from hub.control.records import Organisation
from tests.bench.delivery import told, webhook, webhook_subscriber
from tests.bench.hub_at import open_hub
from tests.bench.ingest import CONNECTIONS, SOURCE
from tests.bench.one_core import one
from tests.bench.place import Place
from tests.bench.race import ROOT, Java
from tests.bench.report import Benchmark

PORTAL_MS = 5
PARTS = (0.2, 0.5, 0.8)
WINDOW_S = 20.0
BURST = 10_000
_ROLES = ("gateway", "core", "deliver:hook")


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """The maximum is what comes out while a burst goes in; a level is p50 and p99 over a window, the portal's own time
    taken off."""
    rows: dict[str, Benchmark] = {"accepted to delivered, p50": {}, "accepted to delivered, p99": {}}
    with webhook(PORTAL_MS) as port:
        async with open_hub(place) as hub, contextlib.AsyncExitStack() as stack:
            organisation = Organisation(name="latency", sources=(SOURCE,), agencies=("*",))
            key = await organisations.add(hub.settings, organisation, Actor("bench"))
            # Not what other benchmarks left in the log.
            await hub.subscribe(webhook_subscriber("hook", port, backfill="none"))
            for role in _ROLES:
                await stack.enter_async_context(hub.role(role))
            given = {
                "host": hub.settings.gateway.host,
                "port": hub.settings.gateway.port,
                "key": key,
                "source": SOURCE,
                "connections": CONNECTIONS,
                "batch": 1,
            }
            most = await _maximum(given, port)
            tell(f"  at most {most:,.0f} events/s come through")
            for number, part in enumerate(PARTS, start=1):
                asked = {"rate": part * most, "seconds": WINDOW_S, "first": number * 1_000_000}
                waits = await _level(given | asked, port)
                for title, share in (("p50", 0.5), ("p99", 0.99)):
                    value = waits[int(len(waits) * share)] * 1000 - PORTAL_MS
                    rows[f"accepted to delivered, {title}"][f"at {part:.0%} of the maximum"] = one(value, "ms")
                tell(f"  at {part:.0%}: p99 {waits[int(len(waits) * 0.99)] * 1000:,.0f} ms")
    return rows, [f"latency: the maximum was {most:,.0f} events/s, one event a request, all roles on this machine"]


async def _maximum(given: dict[str, Any], port: int) -> float:
    """Events a second delivered while as many as can be are taken in: what all roles together can keep up."""
    burst = given | {"rate": 100_000, "seconds": BURST / 100_000, "first": 0}
    accepted = sorted((await asyncio.to_thread(_send, burst)).values())
    half, end = accepted[BURST // 2], accepted[-1]
    times = (await _all_of(port, BURST)).values()
    return sum(half < at <= end for at in times) / (end - half)


async def _level(given: dict[str, Any], port: int) -> list[float]:
    """Seconds from accepted to received, sorted."""
    accepted = await asyncio.to_thread(_send, given)
    times = await _all_of(port, len(accepted), accepted)
    return sorted(times[code] - at for code, at in accepted.items())


async def _all_of(port: int, count: int, wanted: dict[str, float] | None = None) -> dict[str, float]:
    deadline = time.monotonic() + 120
    while True:
        times = await asyncio.to_thread(told, port, "times")
        if (wanted.keys() <= times.keys()) if wanted is not None else len(times) >= count:
            return times
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(times)} events arrived, {count} were sent")
        await asyncio.sleep(0.5)


def _send(given: dict[str, Any]) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.contenders.paced_load", json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    if done.returncode:
        raise RuntimeError(f"paced_load failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found
