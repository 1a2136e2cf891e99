"""Benchmark `delivery`: events to a webhook that answers in 5 or 50 ms, calls to the national portal's simulator."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from hub.avro.codec import Codec
from hub.control.records import Subscriber
from hub.kafka.topics import EVENTS
from tests.bench.dossiers import Wire, code_of, step
from tests.bench.hub_at import WORKERS, open_hub
from tests.bench.place import Place
from tests.bench.race import ROOT, Java, summary
from tests.bench.report import Benchmark
from tests.support.events import dossier_event
from tests.support.simulators import SECRET, simulator

DELAYS_MS = (5, 50)
DOSSIERS = 100_000
"""More than all rounds deliver."""
START_S = 60.0
Count = Callable[[], int]


def events(codec: Codec) -> Iterator[Wire]:
    """The first step of as many dossiers, as the core writes it: keys spread as wide as can be."""
    for number in range(DOSSIERS):
        facts = {k: v for k, v in step(number, 0).items() if k in _FACTS and v is not None}
        key, value, headers = dossier_event(codec, code_of(number), 1, "SUBMITTED", "NEW", **facts)
        yield key, value, headers


# Without attachments: the national portal's connector tries each link first, and nobody is at these.
_FACTS = (
    "procedure_code", "procedure_name", "field_code", "field_name", "agency_code", "receiving_agency_code",
    "agency_name", "applicant", "abstract", "channel", "submitted_at", "due_at", "fees",
)  # fmt: skip


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """As `transform.run`."""
    found: dict[str, dict[str, list[float | None]]] = {}
    async with open_hub(place) as hub:
        with contextlib.ExitStack() as stack:
            hooks = {ms: stack.enter_context(webhook(ms)) for ms in DELAYS_MS}
            portal = stack.enter_context(simulator("national-portal", place.folder / "simulators"))
            names = {f"webhook-{ms}": _of_webhook(port) for ms, port in hooks.items()} | {
                "national": _of_portal(portal)
            }
            for ms, port in hooks.items():
                await hub.subscribe(webhook_subscriber(f"webhook-{ms}", port))
            await hub.subscribe(
                portal.subscriber("national", backfill="log", settings={"delivery": {"workers": WORKERS}})
            )
            await place.fill(EVENTS, events(hub.codec))
            for number in range(rounds):
                for name, count in names.items():
                    async with hub.role(f"deliver:{name}"):
                        rate = await _rate(count, seconds)
                    found.setdefault(name, {}).setdefault("hub", []).append(rate)
                    tell(f"  round {number + 1}/{rounds} {name} hub: {rate:,.0f}/s")
                for ms, port in hooks.items():
                    with _process("httpx_load", f"http://127.0.0.1:{port}/", str(WORKERS)):
                        rate = await _rate(names[f"webhook-{ms}"], seconds)
                    found[f"webhook-{ms}"].setdefault("bare httpx", []).append(rate)
                    tell(f"  round {number + 1}/{rounds} webhook-{ms} bare httpx: {rate:,.0f}/s")
            notes = [f"delivery: at most {told(port)['connections']} connections at a time" for port in hooks.values()]
    return _rows(found), notes


def webhook_subscriber(name: str, port: int, backfill: str = "log") -> Subscriber:
    settings = {"url": f"http://127.0.0.1:{port}/", "allow_loopback": True, "timeout_s": 5}
    more = {"delivery": {"workers": WORKERS}}
    return Subscriber(
        name=name, kind="webhook", settings=settings | more, secrets={"signing": SECRET}, backfill=backfill
    )


async def _rate(count: Count, seconds: float) -> float:
    """Counts a second over a window that opens a second after the first: every worker has its connection then."""
    before, waited = await asyncio.to_thread(count), time.monotonic()
    while await asyncio.to_thread(count) == before:
        if time.monotonic() - waited > START_S:
            raise RuntimeError("nothing was delivered")
        await asyncio.sleep(0.02)
    await asyncio.sleep(1.0)
    began, first = time.monotonic(), await asyncio.to_thread(count)
    await asyncio.sleep(seconds)
    last = await asyncio.to_thread(count)
    return (last - first) / (time.monotonic() - began)


@contextlib.contextmanager
def webhook(milliseconds: int) -> Iterator[int]:
    """Its port."""
    with _process("webhook", str(milliseconds)) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


@contextlib.contextmanager
def _process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"tests.bench.contenders.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)


def told(port: int, path: str = "") -> dict[str, Any]:
    """What the receiver says of itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def _of_webhook(port: int) -> Count:
    return lambda: int(told(port)["count"])


def _of_portal(portal: Any) -> Count:
    def calls() -> int:
        with urllib.request.urlopen(f"{portal.address}/_admin/faults", timeout=10) as answer:
            return int(json.loads(answer.read())["calls"])

    return calls


def _rows(found: dict[str, dict[str, list[float | None]]]) -> dict[str, Benchmark]:
    titles = {f"webhook-{ms}": (f"delivery, webhook answering in {ms} ms", "events/s") for ms in DELAYS_MS}
    titles["national"] = ("delivery, national portal's simulator", "calls/s")
    out: dict[str, Benchmark] = {}
    for name, contenders in found.items():
        title, unit = titles[name]
        rows = {contender: summary(rates, unit) for contender, rates in contenders.items()}
        out[title] = {contender: row for contender, row in rows.items() if row}
    for ms in DELAYS_MS:
        limit = WORKERS * 1000 / ms
        out[titles[f"webhook-{ms}"][0]]["limit"] = {"median": limit, "min": limit, "max": limit, "unit": "events/s"}
    return out
