"""`hub demo`: the main job on real input.

All roles and the embedded broker under the supervisor, two portals that fail in 5 % of their calls, 8,577 real steps by
file, HTTP and Kafka with 40 bad records among them, and a kill -9 of the core and of each delivery role while work is
in flight. Then the checker counts what the portals hold. The second act is in hub/demo/province.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from hub.config import Settings
from hub.connect.samples import SAMPLE, Step
from hub.demo import report as demo_report
from hub.demo.bad_records import KINDS, Planted, plant
from hub.demo.checker import sample as checker
from hub.demo.checker.sample import Finding
from hub.demo.feed import Fed, feed_files, feed_http, feed_kafka
from hub.demo.kills import Kill, kill_at_work, lags
from hub.demo.portals import Simulator, add_all, simulators
from hub.demo.province import Province
from hub.demo.sample_input import agencies, plan, some, steps, write_manifest
from hub.demo.topic_counts import Tally, follow
from hub.demo.view import View
from hub.errors import StartError
from hub.kafka.topics import EVENTS, INGRESS
from hub.registry.client import open_codec
from hub.supervisor.role_process import State
from hub.supervisor.supervisor import Supervisor
from hub.untyped import JsonObject

PORTALS = ("national", "provincial")
UP_S = 180.0
STALL_S = 120.0
"""So long nothing may move before the demo gives up waiting."""
QUIET_S = 2.0
DRAINED_S = 1.0
"""After all is settled: time for what should not come any more."""
CORE_AT, DELIVERY_AT = 0.2, 0.02
"""Share of the events after which the core and the delivery roles are killed."""


@dataclass
class Demo:
    """One run. `settings` are those of the hub that it starts; `report` is where the report goes; `due` is how many
    events each portal must show, as committed in sample.toml. province_events: size of the second act, 0: none."""

    settings: Settings
    report: Path
    view: View
    steps: Sequence[Step] = field(default_factory=steps)
    due: int = field(default_factory=lambda: int(plan()["source_events"]))
    province_events: int = 0
    more: str = ""
    kills: list[Kill] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    fed: Fed = field(default_factory=Fed)

    async def run(self, stop: asyncio.Event, stay: bool) -> bool:
        """True if everything is as it must be. stay: afterwards the hub runs on until `stop`."""
        supervisor = Supervisor(self.settings)
        self.settings = supervisor.settings
        async with simulators(self.settings, self.folder) as portals, _kept(supervisor) as supervised:
            work = asyncio.create_task(self._work(supervisor, portals))
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait([work, supervised, stopping], return_when=asyncio.FIRST_COMPLETED)
                if supervised.done():
                    supervised.result()
                if not work.done():
                    raise StartError("the demo was stopped before its end")
                passed = work.result()
                if stay:
                    self._say_where()
                    await asyncio.wait([supervised, stopping], return_when=asyncio.FIRST_COMPLETED)
                return passed
            finally:
                for task in (work, stopping):
                    task.cancel()
                await asyncio.gather(work, stopping, return_exceptions=True)

    @property
    def dossiers(self) -> int:
        return len({step.code for step in self.steps})

    def take_only(self, dossiers: int) -> None:
        """A short demo."""
        self.steps = some(self.steps, dossiers)
        self.due = len(self.steps)

    @property
    def folder(self) -> Path:
        """Manifest, the portals' databases, their logs."""
        return self.settings.data_dir / "portals"

    async def _work(self, supervisor: Supervisor, portals: dict[str, Simulator]) -> bool:
        self.view.say("starting the broker and all roles …")
        await _until(lambda: supervisor.health()[0] and len(supervisor.children) > len(PORTALS), UP_S, "the hub")
        keys = await add_all(self.settings, portals)
        deliveries = [f"deliver:{name}" for name in PORTALS]
        await _until(
            lambda: all(n in supervisor.children and supervisor.children[n].state is State.READY for n in deliveries),
            UP_S,
            "the delivery roles",
        )
        planted = plant(self.steps)
        write_manifest(self.folder / "manifest.json", self.steps, [bad.entry() for bad in planted])
        tally = Tally(PORTALS, await open_codec(self.settings))
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow(self.settings, tally))
            killing = group.create_task(self._kill(supervisor, tally))
            feeding = group.create_task(self._feed(keys, planted, lambda: _drained(tally, killing)))
            await self._settled(tally, planted, [killing, feeding])
            elapsed = tally.moved_at - began
            await asyncio.sleep(QUIET_S)
            report, wrong = await self._judge(tally, planted, portals, elapsed)
            if self.province_events and not wrong:
                core = supervisor.children["core"]
                province = Province(self.settings, portals, core, self.view, tally, self.province_events, self.folder)
                report["province"] = await province.run()
                wrong = province.wrong
                self.more = f"{'':24}hub catalogue compare; hub figures --month {province.month}\n"
            following.cancel()
        demo_report.write(report, self.report)
        self.view.table(report, wrong)
        self.view.say(f"report: {self.report}")
        return not wrong

    async def _feed(
        self, keys: dict[str, str], planted: Sequence[Planted], drained: Callable[[], Awaitable[None]]
    ) -> None:
        async with asyncio.TaskGroup() as group:
            for number, agency in enumerate(agencies()):
                mine = [step for step in self.steps if step.agency == agency]
                bad = [p for p in planted if p.step.agency == agency and KINDS[p.kind][0] == agency.carrier]
                match agency.carrier:
                    case "http":
                        group.create_task(feed_http(self.settings, keys[agency.name], mine, self.fed, drained))
                    case "kafka":
                        group.create_task(feed_kafka(self.settings, agency, mine, bad, self.fed))
                    case _:
                        group.create_task(feed_files(self.settings, agency, mine, bad, self.fed, repeat=number == 1))

    async def _kill(self, supervisor: Supervisor, tally: Tally) -> None:
        core_at, delivery_at = (round(share * len(self.steps)) for share in (CORE_AT, DELIVERY_AT))

        def reached(portal: str) -> Callable[[], bool]:
            return lambda: tally.reached(portal) > delivery_at

        victims = [("core", INGRESS, lambda: tally.accepted > core_at)]
        victims += [(f"deliver:{portal}", EVENTS, reached(portal)) for portal in PORTALS]
        async with lags(self.settings) as known:
            jobs = [kill_at_work(supervisor.children[role], topic, known, due) for role, topic, due in victims]
            await asyncio.gather(*map(self._note_kill, jobs))

    async def _note_kill(self, job: Coroutine[Any, Any, Kill]) -> None:
        try:
            kill = await job
        except StartError as error:
            self.problems.append(str(error))
            return
        self.kills.append(kill)
        what = "chunks" if kill.role == "core" else "calls"
        self.view.say(
            f"killed {kill.role} (pid {kill.pid}, exit {kill.exit_status}): {kill.unfinished} {what} cut off, "
            f"{kill.unfinished_records} records unfinished; ready again after {kill.back_after_s} s"
        )

    async def _settled(self, tally: Tally, planted: Sequence[Planted], others: Sequence[asyncio.Task[None]]) -> None:
        """Returns when every event has its receipts and every bad record its dead letter, or nothing moves any more."""
        total, clock = len(self.steps), asyncio.get_running_loop().time
        self.view.open({"handed": total, "accepted": total, "dead": len(planted), **dict.fromkeys(PORTALS, total)})
        tally.moved_at = clock()
        try:
            while clock() - tally.moved_at < STALL_S:
                counts = {name: tally.reached(name) for name in PORTALS}
                self.view.show(
                    {"handed": self.fed.events, "accepted": tally.accepted, "dead": len(tally.dead), **counts}
                )
                full = tally.accepted >= total and len(tally.dead) >= len(planted)
                if full and min(counts.values()) >= len(tally.recorded) and all(task.done() for task in others):
                    return
                await asyncio.sleep(0.2)
        finally:
            self.view.close()
        self.view.say(f"nothing has moved for {STALL_S:.0f} s; counting what is there")
        for task in others:
            task.cancel()

    async def _judge(
        self, tally: Tally, planted: Sequence[Planted], portals: dict[str, Simulator], elapsed: float
    ) -> tuple[JsonObject, list[str]]:
        """(the report of the first act, what is wrong)."""
        findings = await asyncio.to_thread(self._check, portals)
        faults = {name: await portal.faults() for name, portal in portals.items()}
        report = demo_report.figures(tally, self.fed, planted, findings, faults, self.kills, elapsed, len(self.steps))
        wrong = demo_report.faults_of(report, findings, self.due, list(tally.dead.values()), planted)
        demo_report.write({n: asdict(f) for n, f in findings.items()}, self.folder / "findings.json")
        return report, wrong + demo_report.without_duplicate(tally.doubled, self.fed) + self.problems

    def _check(self, portals: dict[str, Simulator]) -> dict[str, Finding]:
        with (
            resources.as_file(resources.files(SAMPLE) / "receipt.csv") as sample,
            resources.as_file(resources.files("hub.demo") / "sample.toml") as mapping,
        ):
            databases = {name: portal.database for name, portal in portals.items()}
            return checker.check(sample, mapping, self.folder / "manifest.json", **databases)

    def _say_where(self) -> None:
        at = self.settings
        here = {"HUB_DATA_DIR": str(at.data_dir)}
        for name in ("embedded", "registry", "gateway", "console"):
            port = getattr(at, name).port
            if port != type(getattr(at, name)).model_fields["port"].default:
                here[f"HUB_{name.upper()}__PORT"] = str(port)
        self.view.say(
            f"\nThe hub runs on. Pages:  http://{at.console.host}:{at.console.port}/\n"
            f"Events by HTTP:         http://{at.gateway.host}:{at.gateway.port}/v1/events\n"
            f"Commands, after:        export {' '.join(f'{k}={v}' for k, v in here.items())}\n"
            f"                        hub status; hub trace {self.steps[0].code}; hub dead-letters list\n"
            f"{self.more}Ctrl-C stops everything."
        )


@contextlib.asynccontextmanager
async def _kept(supervisor: Supervisor) -> AsyncIterator[asyncio.Task[None]]:
    """The supervisor's task; at the end it is asked to stop and awaited."""
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)


async def _drained(tally: Tally, killing: asyncio.Task[None]) -> None:
    """Until the portals have caught up, or nobody is left to be killed; no longer than DRAINED_S: some wait for a
    retry."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_S):
            while not killing.done() and min(map(tally.reached, PORTALS)) < len(tally.recorded):
                await asyncio.sleep(0.02)


async def _until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise StartError(f"{what} did not become ready within {seconds:.0f} s; see the logs folder") from None
