"""Long benchmark `role-recovery`: seconds from kill -9 to the first work done, by role and number of dossiers.

The hub runs whole, its topics and tables hold the dossiers. A role is killed, one new piece of work for it is put where
it reads, and it is started again at once (the supervisor does so after half a second). What counts is when the work has
come out, seen from outside, and when `/ready` said yes.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from hub.admin import organisations
from hub.control.audit import Actor
from hub.control.records import Organisation
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import EVENTS, EXPECTATIONS, INGRESS, agency_ingress, agency_topic
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from tests.bench import compiled
from tests.bench.delivery import told, webhook, webhook_subscriber
from tests.bench.dossiers import openings
from tests.bench.hub_at import HubAt, open_hub
from tests.bench.one_core import one
from tests.bench.place import Ends, Place
from tests.bench.race import Java
from tests.bench.report import Benchmark
from tests.support.roles import RoleProcess

SIZES = (10_000, 300_000)
WAIT_S = 900.0
"""For all that a size brings."""
BACK_S = 120.0
"""For one role after its kill."""
ORGANISATION = "bench"
SOURCE = "urn:vn:gov:H11.12:bench"
MAPPING = f"""
source = "{SOURCE}"
agencies = ["H11.12"]
[dates]
forms = ["%d/%m/%Y %H:%M:%S"]
[columns]
"Mã" = "dossier_code"
"Bước" = "step"
"Lúc" = "occurred_at"
"""
Count = Callable[[], Awaitable[int]]
Put = Callable[[], Awaitable[object]]
Row = tuple[str, Put, Count]


async def run(
    place: Place, rounds: int, seconds: float, java: Java, tell: Callable[[str], None]
) -> tuple[dict[str, Benchmark], list[str]]:
    """Each size in a hub of its own."""
    rows: dict[str, Benchmark] = {"kill -9 to first work done": {}, "kill -9 to ready": {}}
    done = 0
    with webhook(5) as port:
        async with open_hub(place) as hub, Ends(place) as ends, contextlib.AsyncExitStack() as stack:
            bench = _Bench(place, hub, ends, port)
            await bench.prepare()
            for name in bench.roles:
                bench.processes[name] = await stack.enter_async_context(hub.role(name))
            stack.callback(bench.kill)
            for size in SIZES[: 1 if rounds == 1 else None]:
                await bench.fill(done, size)
                done = size
                for name, put, count in bench.rows():
                    work, ready = await bench.measure(name, put, count)
                    rows["kill -9 to first work done"][f"{name}, {size:,} dossiers"] = one(work, "s")
                    rows["kill -9 to ready"][f"{name}, {size:,} dossiers"] = one(ready, "s")
                    tell(f"  {size:,} dossiers, {name}: work after {work:.1f} s, ready after {ready:.1f} s")
    return rows, ["role-recovery: `--rounds 1` measures the smaller size alone"]


@dataclass
class _Bench:
    place: Place
    hub: HubAt
    ends: Ends
    port: int
    processes: dict[str, RoleProcess] = field(default_factory=dict)
    fresh: Iterator[int] = field(default_factory=lambda: itertools.count(10_000_000))
    roles = ("core", "reconcile", "projector", "console", "gateway", "intake", "source:filedrop", "deliver:hook")

    async def prepare(self) -> None:
        settings = self.hub.settings
        agency = Organisation(name=ORGANISATION, sources=(SOURCE,), agencies=("*",), kafka_topic=True)
        await organisations.add(settings, agency, Actor("bench"))
        await ensure_topics(settings, [agency_topic(ORGANISATION)])
        await self.hub.subscribe(webhook_subscriber("hook", self.port, backfill="log"))
        self._drop.mkdir(parents=True)
        mapping = settings.data_dir / "mappings" / f"{self._drop.name}.toml"
        mapping.parent.mkdir(parents=True)
        mapping.write_text(MAPPING, "utf-8")

    @property
    def _drop(self) -> Path:
        return self.hub.settings.data_dir / "drop" / "bench"

    async def fill(self, first: int, size: int) -> None:
        """Until every role has worked them all."""
        before = await self.count_calls()
        await self.place.fill(INGRESS, openings(self.hub.codec, range(first, size)))
        await _until(self.count_calls, before + size - first)
        events = await self.ends.count(EVENTS)
        await _until(self.count_projected, events)
        await asyncio.sleep(2)  # reconcile's last chunk

    def rows(self) -> Iterator[Row]:
        """Role, its work, and what grows when that is done."""
        yield "core", self._event, lambda: self.ends.count(EVENTS)
        yield "deliver:hook", self._event, self.count_calls
        yield "reconcile", self._event, lambda: self.ends.count(EXPECTATIONS)
        yield "projector", self._event, self.count_projected
        yield "intake", self._agency_event, lambda: self.ends.count(INGRESS)
        yield "source:filedrop", self._file, lambda: self.ends.count(INGRESS)
        for name in ("gateway", "console", "registry"):
            yield name, _nothing, partial(self._answers, name)

    async def measure(self, name: str, put: Put, count: Count) -> tuple[float, float]:
        """Seconds from the kill to the work, and to `/ready`."""
        settings = self.hub.settings
        old = self.processes.get(name)
        if old is None:  # open_hub runs the registry
            old = self.processes[name] = self.hub.registry
        began = time.monotonic()
        await asyncio.to_thread(old.kill)
        before = await count()
        await put()
        process = self.processes[name] = RoleProcess(name, settings, compiled.python())
        if name == "registry":
            self.hub.registry = process
        work, ready = await asyncio.gather(
            _since(began, _until(count, before + 1, BACK_S)), _since(began, asyncio.to_thread(process.ready, BACK_S))
        )
        return work, ready

    def kill(self) -> None:
        for process in self.processes.values():
            if process.process.poll() is None:
                process.kill()

    async def count_calls(self) -> int:
        return int((await asyncio.to_thread(told, self.port))["count"])

    async def count_projected(self) -> int:
        """Records of hub.events that stand in the tables."""
        engine = open_engine(self.hub.settings)
        try:
            offsets = tables.current(engine).offsets
            wanted = select(func.sum(offsets.c.next_offset)).where(offsets.c.topic == EVENTS)
            with engine.connect() as connection:
                return int(connection.execute(wanted).scalar() or 0)
        finally:
            engine.dispose()

    async def _event(self) -> None:
        await self.place.fill(INGRESS, openings(self.hub.codec, [next(self.fresh)]))

    async def _agency_event(self) -> None:
        key, value, headers = next(openings(self.hub.codec, [next(self.fresh)]))
        own = [(name, SOURCE.encode() if name == "ce_source" else raw) for name, raw in headers]
        await self.place.fill(agency_ingress(ORGANISATION), [(key, value, own)], partitions=3)

    async def _file(self) -> None:
        number = next(self.fresh)
        row = f"000.00.12.H11-111011-{number % 100_000:05d},RECEIVED,11/10/2011 08:00:00"
        (self._drop / f"{number}.csv").write_text(f"Mã,Bước,Lúc\n{row}\n", "utf-8")

    async def _answers(self, name: str) -> int:
        """1 when its door answers."""
        settings = self.hub.settings
        address = {
            "gateway": f"http://127.0.0.1:{settings.gateway.port}/docs",
            "console": f"http://127.0.0.1:{settings.console.port}/",
            "registry": f"{settings.registry_url}/subjects",
        }[name]
        try:
            await asyncio.to_thread(lambda: urllib.request.urlopen(address, timeout=5).close())
        except urllib.error.HTTPError as error:
            return int(error.code < 500)
        except OSError:
            return 0
        return 1


async def _since(began: float, work: Awaitable[object]) -> float:
    await work
    return time.monotonic() - began


async def _nothing() -> None:
    """A door's work is the question itself."""


async def _until(count: Count, wanted: int, within: float = WAIT_S) -> None:
    deadline = time.monotonic() + within
    while (have := await count()) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{have} of {wanted} after {within:.0f} s")
        await asyncio.sleep(0.05)
