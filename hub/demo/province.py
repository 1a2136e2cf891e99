"""The demo's second act: a generated province on the hub that runs already, slice by slice of the domain.

What is sent stands in one file; the checkers compute from it what each slice must show (hub/demo/domain_checks.py).
While it is under way the core is killed just before a deadline, which must be told once all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from hub.admin import organisations
from hub.config import Settings
from hub.control.audit import Actor
from hub.control.records import Organisation
from hub.demo import catalogue as demo_catalogue
from hub.demo import citizens
from hub.demo import domain_checks as demo_slices
from hub.demo.checker import deadlines
from hub.demo.checker.deadlines import Feed
from hub.demo.checker.sent import read
from hub.demo.commands import add_deadline_subscriber, follow_deadlines, metric
from hub.demo.domain_checks import Collected
from hub.demo.extras import PLANTED, Calendar, near_deadlines, outcomes, province_events, soonest
from hub.demo.generator import events as generate
from hub.demo.generator import sinks
from hub.demo.generator.event import Event
from hub.demo.portals import NATIONAL_LIST, Simulator
from hub.demo.topic_counts import Identity, Tally
from hub.demo.view import View
from hub.errors import StartError
from hub.events import families
from hub.model import agencies
from hub.supervisor.role_process import Child, State
from hub.untyped import JsonObject

ORGANISATION = "province"
STALL_S = 60.0
KILL_BEFORE_S = 1.0
DEADLINE_S = 60.0
"""So long after the soonest deadline everything that is due must have been told."""


def _now() -> int:
    """ms UTC."""
    return int(time.time() * 1000)


@dataclass
class Province:
    """settings: of the hub that runs. events: how many to generate. core: the role that is killed. tally: follows the
    hub's topics. folder: that of the portals, where what is sent is written, too."""

    settings: Settings
    portals: dict[str, Simulator]
    core: Child
    view: View
    tally: Tally
    events: int
    folder: Path
    wrong: list[str] = field(default_factory=list)
    handed: list[int] = field(default_factory=lambda: [0])
    filed: list[int] = field(default_factory=lambda: [0])
    early: dict[str, int] = field(default_factory=dict)
    core_back_s: float | None = None
    month: str = ""

    async def run(self) -> JsonObject:
        """The report's part; `wrong` says what is not as it must be."""
        began, calendar = time.monotonic(), Calendar(_now())
        self.month = calendar.month
        self.view.say(f"the generated province: from {calendar.start} until yesterday, {self.events} events …")
        rest = await asyncio.to_thread(province_events, calendar, self.events)
        key = await self._organisation(calendar)
        await add_deadline_subscriber(self.settings)
        calendar = Calendar(_now())
        first = [event for event in rest if event.type != families.DOSSIER.published]
        first += near_deadlines(calendar, agencies.table(None))
        events = [*first, *(event for event in rest if event.type == families.DOSSIER.published)]  # as they are sent
        planted = self._national_list(events)
        answers = self._write(calendar, events)
        found = Collected(
            self.settings, self.portals, self.tally, self.folder, calendar.month,
            sent=read(self.folder / "events.ndjson"), answered=read(self.folder / "answers.ndjson"), planted=planted,
            outcomes=outcomes(calendar, agencies.table(None)),
            feed=Feed(calendar.now, calendar.now), dead_before=frozenset(self.tally.dead),
        )  # fmt: skip
        out: JsonObject = {"events": sum(found.sent.events.values()), "elapsed_s": 0.0}
        try:
            out |= await self._show(found, events, len(first), answers, key, soonest(calendar))
        except* StartError as errors:
            self.wrong += [str(error) for error in errors.exceptions]
        return out | {"elapsed_s": round(time.monotonic() - began, 1)}

    async def _show(
        self, found: Collected, events: Sequence[Event], first: int, answers: Sequence[Event], key: str, deadline: int
    ) -> JsonObject:
        """Sends everything, so many events first; waits until it is there, and has it checked."""
        listed = len(demo_catalogue.codes(self.folder / NATIONAL_LIST))
        async with self._source(), asyncio.TaskGroup() as group:
            following = group.create_task(follow_deadlines(self.settings, found.told))
            work = [
                group.create_task(self._feed_in_order(events[:first], events[first:], key)),
                group.create_task(self._file(key, answers)),
                group.create_task(self._questions(found)),
            ]
            killing = group.create_task(self._down_over_a_deadline(deadline))
            await self._settled(events, answers, listed, work)
            found.feed = Feed(found.feed.begun, _now(), self.early)
            slices, wrong = demo_slices.report(await found.all(lambda: self._told(found, deadline, killing)))
            following.cancel()
        self.wrong += wrong
        slices["deadlines"] |= {"core_killed_before_s": KILL_BEFORE_S, "core_back_after_s": self.core_back_s}
        return slices

    # --- what is sent ---------------------------------------------------------------------------------------------

    async def _organisation(self, calendar: Calendar) -> str:
        """One key for all offices, as `hub generate --list-sources` says."""
        spoken = generate.sources(calendar.wanted(self.events), agencies.table(None))
        organisation = Organisation(
            name=ORGANISATION, title="Tỉnh được sinh ra", sources=tuple(source for source, _ in spoken),
            agencies=tuple(code for _, code in spoken),
        )  # fmt: skip
        return await organisations.add(self.settings, organisation, Actor("demo", why="the generated province"))

    def _national_list(self, events: Sequence[Event]) -> list[tuple[str, str]]:
        listed, planted = demo_catalogue.national_list(events)
        demo_catalogue.write(self.folder / NATIONAL_LIST, listed)
        return planted

    def _write(self, calendar: Calendar, events: Sequence[Event]) -> list[Event]:
        """Everything that will be sent, as files for the checkers; the agency's answers to what is filed nationally."""
        filed = citizens.filed(calendar, self.portals["national"])
        answers = list(citizens.answered(calendar, filed))
        (self.folder / "filed.json").write_text(json.dumps(filed, ensure_ascii=False, indent=1), "utf-8")
        for name, content in (("events.ndjson", events), ("answers.ndjson", answers)):
            sinks.to_file(content, self.folder / name, False, lambda _: None)
        return answers

    async def _feed_in_order(self, first: Sequence[Event], rest: Sequence[Event], key: str) -> None:
        """Procedures, services and near deadlines first. The rest follows once the core's copy of the catalogue has
        them: a dossier filed within a second of its service could be judged before."""
        await self._feed(first, key)
        deadline = time.monotonic() + STALL_S
        while any((event.source, event.id) not in self.tally.canonical for event in first):
            if time.monotonic() > deadline:
                self.wrong.append(f"the catalogue was not accepted within {STALL_S:.0f} s")
                return
            await asyncio.sleep(0.1)
        self.early = dict.fromkeys([event.subject for event in first], _now())
        accepted = time.monotonic()
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            while time.monotonic() < deadline:
                age = await metric(self.settings, http, "core", "hub_catalogue_copy_age_seconds")
                if age is not None and age < time.monotonic() - accepted:
                    break
                await asyncio.sleep(0.2)
        await self._feed(rest, key)

    async def _feed(self, events: Sequence[Event], key: str) -> None:
        gateway = self.settings.gateway

        def tick(number: int) -> None:
            self.handed[0] += number

        counts = await sinks.to_http(events, f"http://{gateway.host}:{gateway.port}/v1/events", key, tick)
        if counts["rejected"]:
            self.wrong.append(f"the gateway refused {counts['rejected']} events: {dict(counts)}")

    async def _file(self, key: str, answers: Sequence[Event]) -> None:
        """Citizens file on the national portal; once that has come in, the agency answers."""
        dossiers = json.loads((self.folder / "filed.json").read_text("utf-8"))
        await citizens.file_all(self.portals["national"], dossiers, self.filed)
        deadline = time.monotonic() + STALL_S
        while self._came_in(citizens.INBOUND_SOURCE) < len(dossiers):
            if time.monotonic() > deadline:
                self.wrong.append(f"what was filed nationally did not come in within {STALL_S:.0f} s")
                return
            await asyncio.sleep(0.1)
        await self._feed(answers, key)

    async def _questions(self, found: Collected) -> None:
        before, after = await citizens.answer_questions(self.settings, self.folder)
        found.questions = {"before": before, "after": after}

    def _came_in(self, source: str) -> int:
        return sum(own == source for own, _ in self.tally.canonical)

    @contextlib.asynccontextmanager
    async def _source(self) -> AsyncIterator[None]:
        """The national list is pulled meanwhile."""
        process = await demo_catalogue.start_source(self.settings)
        try:
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def _down_over_a_deadline(self, deadline: int) -> None:
        """kill -9 of the core just before the deadline; it takes longer than that until it is back."""
        await asyncio.sleep(max(0.0, deadline / 1000 - time.time() - KILL_BEFORE_S))
        if self.core.state is not State.READY or not self.core.pid:
            self.wrong.append("the core was not up to be killed before a deadline")
            return
        pid, starts, began = self.core.pid, self.core.starts, time.monotonic()
        os.kill(pid, signal.SIGKILL)
        while self.core.starts == starts or self.core.state is not State.READY:
            if time.monotonic() - began > STALL_S:
                self.wrong.append(f"the core was not back {STALL_S:.0f} s after its kill")
                return
            await asyncio.sleep(0.05)
        self.core_back_s = round(time.monotonic() - began, 2)
        self.view.say(
            f"killed core (pid {pid}) {KILL_BEFORE_S:.0f} s before a deadline; ready again after {self.core_back_s} s"
        )

    # --- until it is there ----------------------------------------------------------------------------------------

    async def _settled(
        self, events: Sequence[Event], answers: Sequence[Event], listed: int, work: Sequence[asyncio.Task[None]]
    ) -> None:
        """Returns when everything sent has its receipts, or nothing moves any more."""
        good = {(e.source, e.id): e.type for e in (*events, *answers) if not e.id.startswith(PLANTED)}
        dossiers = [sent for sent, type in good.items() if type == families.DOSSIER.published]
        due: dict[str, Sequence[Identity]] = {"accepted": list(good), "national": dossiers, "provincial": list(good)}
        handed = len(events) + len(answers)
        totals = {"handed": handed} | {name: len(wanted) for name, wanted in due.items()}
        totals |= {"filed": len(answers), "catalogue": listed}
        self.view.open(totals)
        clock = asyncio.get_running_loop().time
        self.tally.moved_at = clock()
        try:
            while clock() - self.tally.moved_at < STALL_S:
                counts = self._counts(due)
                self.view.show(counts)
                if counts == totals and all(task.done() for task in work):
                    return
                await asyncio.sleep(0.2)
        finally:
            self.view.close()
        behind = ", ".join(
            f"{name} {counts[name]} of {total}" for name, total in totals.items() if counts[name] < total
        )
        self.wrong.append(f"the province did not settle ({behind}): nothing moved for {STALL_S:.0f} s")

    def _counts(self, due: dict[str, Sequence[Identity]]) -> dict[str, int]:
        accepted = sum(sent in self.tally.canonical for sent in due["accepted"])
        portals = {name: sum(self.tally.has(name, sent) for sent in due[name]) for name in ("national", "provincial")}
        catalogue = self._came_in(self.settings.reconcile.reference_source)
        return {
            "handed": self.handed[0],
            "accepted": accepted,
            **portals,
            "filed": self.filed[0],
            "catalogue": catalogue,
        }

    async def _told(self, found: Collected, deadline: int, killing: asyncio.Task[None]) -> None:
        """Waits until the core is back and the deadlines that are due for certain have come; the checker says what is
        missing."""
        await killing
        until = deadline / 1000 + DEADLINE_S
        while time.time() < until:
            wanted = set(deadlines.codes_due(found.sent, found.feed, _now()))
            over = _now() > deadline + deadlines.NEAR_MS
            if over and wanted <= {(one.code, one.kind) for one in found.told}:
                return
            await asyncio.sleep(0.2)
