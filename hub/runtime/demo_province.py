"""The demo's second act: a generated province on the hub that runs already, slice by slice of the domain.

What is sent stands in one file; the checkers compute from it what each slice must show, and this module collects what
is shown by the hub's own public ways: its HTTP interface, its commands, its topics, and what the portals keep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub.access import organisations
from hub.access.control import Organisation
from hub.config import Settings
from hub.model import agencies
from hub.runtime import checker_dossiers, generate, generate_sinks
from hub.runtime.checker_sent import Sent, read
from hub.runtime.checker_slice import Slice
from hub.runtime.demo_extras import PLANTED, Calendar, province_events
from hub.runtime.demo_setup import Simulator
from hub.runtime.demo_tally import Identity, Tally
from hub.runtime.demo_view import View
from hub.runtime.generate import Event
from hub.wire.envelope import DOSSIER_STEP

ORGANISATION = "province"
STALL_S = 60.0
SETTLE_S = 20.0
"""So long the pages may lag behind the topics."""

TITLES = {
    "dossiers": (4, "Dossiers at both portals", "Hồ sơ"),
}


@dataclass
class Province:
    """settings: of the hub that runs. events: how many to generate. tally: follows the hub's topics."""

    settings: Settings
    portals: dict[str, Simulator]
    view: View
    tally: Tally
    events: int
    folder: Path
    wrong: list[str] = field(default_factory=list)

    async def run(self) -> dict[str, Any]:
        """The report's part; `wrong` says what is not as it must be."""
        began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        calendar = Calendar(int(time.time() * 1000))
        self.view.say(f"the generated province: {calendar.start} until yesterday, {self.events} events …")
        events = await asyncio.to_thread(province_events, calendar, self.events)
        sent = await self._write(events)
        handed = [0]
        key = await self._organisation(calendar)
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(self._feed(events, key, handed))
            await self._settled(events, handed, [feeding])
        slices = {"dossiers": await self._until_same(lambda: self._dossiers(sent))}
        return self._report(sent, slices, time.monotonic() - began)

    def _report(self, sent: Sent, slices: dict[str, Slice], elapsed: float) -> dict[str, Any]:
        out: dict[str, Any] = {"events": sum(sent.events.values()), "elapsed_s": round(elapsed, 1)}
        for name, found in slices.items():
            number, english, vietnamese = TITLES[name]
            titles = {"slice": number, "title": english, "tieu_de": vietnamese}
            out[name] = titles | {"shown": found.shown} | found.figures | {"wrong": len(found.wrong)}
            if found.wrong:
                self.wrong.append(f"slice {number}, {english}: {len(found.wrong)} wrong, first: {found.wrong[0]}")
        return out

    async def _write(self, events: Sequence[Event]) -> Sent:
        path = self.folder / "events.ndjson"
        await asyncio.to_thread(generate_sinks.to_file, events, path, False, lambda _: None)
        return await asyncio.to_thread(read, path)

    async def _organisation(self, calendar: Calendar) -> str:
        """One key for all offices, as `hub generate --list-sources` says."""
        table = agencies.table(None)
        spoken = generate.sources(calendar.wanted(self.events), table)
        organisation = Organisation(
            name=ORGANISATION, title="Tỉnh được sinh ra", sources=tuple(source for source, _ in spoken),
            agencies=tuple(code for _, code in spoken),
        )  # fmt: skip
        return await organisations.add(self.settings, organisation, "demo", "the generated province")

    async def _feed(self, events: Sequence[Event], key: str, handed: list[int]) -> None:
        def tick(number: int) -> None:
            handed[0] += number

        gateway = self.settings.gateway
        counts = await generate_sinks.to_http(events, f"http://{gateway.host}:{gateway.port}/v1/events", key, tick)
        if counts["rejected"]:
            self.wrong.append(f"the gateway refused {counts['rejected']} events: {dict(counts)}")

    async def _settled(self, events: Sequence[Event], handed: list[int], others: Sequence[asyncio.Task[None]]) -> None:
        """Returns when everything sent has its receipts, or nothing moves any more."""
        good = {(e.source, e.id): e.type for e in events if not e.id.startswith(PLANTED)}
        dossiers = [sent for sent, type in good.items() if type == DOSSIER_STEP]
        due: dict[str, Sequence[Identity]] = {"national": dossiers, "provincial": list(good)}
        clock, totals = asyncio.get_running_loop().time, {"handed": len(events), "accepted": len(good)}
        self.view.open(totals | {name: len(wanted) for name, wanted in due.items()})
        self.tally.moved_at = clock()
        try:
            while clock() - self.tally.moved_at < STALL_S:
                counts = {"handed": handed[0], "accepted": sum(sent in self.tally.canonical for sent in good)}
                counts |= {name: sum(self.tally.has(name, sent) for sent in wanted) for name, wanted in due.items()}
                self.view.show(counts)
                whole = all(counts[name] == len(wanted) for name, wanted in due.items())
                if whole and all(task.done() for task in others):
                    return
                await asyncio.sleep(0.2)
        finally:
            self.view.close()
        self.wrong.append(f"the province did not settle: nothing moved for {STALL_S:.0f} s")

    async def _until_same(self, look: Callable[[], Any]) -> Slice:
        """What the pages show may lag a moment behind: looked at again while something is wrong."""
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        while True:
            found: Slice = await look()
            if not found.wrong or asyncio.get_running_loop().time() > deadline:
                return found
            await asyncio.sleep(1.0)

    async def _dossiers(self, sent: Sent) -> Slice:
        answers = await self._answers(sent.dossiers)
        databases = self.portals["national"].database, self.portals["provincial"].database
        return await asyncio.to_thread(checker_dossiers.check, sent, *databases, answers)

    async def _answers(self, codes: Sequence[str] | dict[str, Any]) -> dict[str, dict[str, Any]]:
        """code -> what GET /v1/dossiers/{code} says."""
        console, out = self.settings.console, dict[str, dict[str, Any]]()
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as client:
            for code in codes:
                answer = await client.get(f"http://{console.host}:{console.port}/v1/dossiers/{code}")
                if answer.status_code == 200:
                    out[code] = answer.json()
        return out
