"""Contenders in turns, each a process of its own, watched from outside: what counts is what stands in the output topic.

A window opens with the first record in the output (so start-up, joining the group and a JVM's class loading before it
do not count) and closes after a fixed time, or when all input is worked. Rounds are interleaved: every contender once,
then every contender again, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from tests.bench import compiled
from tests.bench.place import PARTITIONS, Ends, Place
from tests.bench.spec import Spec

START_S = 60.0
_POLL_S = 0.05
ROOT = Path(__file__).parents[2]
Command = Callable[[Spec], Sequence[str]]


# Benchmark -> the Kafka Streams contender, by its name in the table; empty where there is no JDK.
Java = Mapping[str, Mapping[str, Command]]


def module(name: str, *more: str) -> Command:
    """A contender in Python, with the hub's modules plain; `more`: arguments after the specification."""
    return lambda spec: compiled.contender(name, spec, more, False)


def hub(name: str, *more: str) -> Command:
    """The hub itself: from the compiled wheel, where there is one."""
    return lambda spec: compiled.contender(name, spec, more, True)


def hub_rows(title: str, name: str) -> dict[str, Command]:
    """The compiled hub and the plain one beside it; the plain one alone where nothing is compiled."""
    plain = {f"{title}, plain": module(name)}
    return {title: hub(name), **plain} if compiled.there() else plain


def spec_of(place: Place, name: str, source: str, partitions: int = PARTITIONS) -> Spec:
    """A run of its own: topics (not made yet), group and folder that nobody else has."""
    run = place.name(name)
    folder = place.folder / run
    folder.mkdir()
    return Spec(
        bootstrap=place.bootstrap,
        source=source,
        sink=f"out.{run}",
        store=f"store.{run}",
        dead=f"dead.{run}",
        group=f"group.{run}",
        partitions=partitions,
        folder=str(folder),
        ids=place.ids,
    )


@dataclass(frozen=True)
class Mark:
    """What was seen at one moment. at: monotonic seconds. count: records in the output. cpu: seconds used so far."""

    at: float
    count: int
    cpu: float


@dataclass
class Window:
    """What was seen of one contender in one window."""

    marks: list[Mark] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.marks[-1].count if self.marks else 0

    def rate(self, first: int = 0, last: int | None = None) -> float | None:
        """Events a second between two counts of output, or to the window's end; None if it did not come that far."""
        begin = self._at(first)
        end = self._at(last) if last is not None and last < self.count else self.marks[-1]
        if begin is None or end is None or end.at <= begin.at:
            return None
        return (end.count - begin.count) / (end.at - begin.at)

    def cpu_us(self, events: int) -> float | None:
        """Microseconds of CPU an event, from the process's start to that many events."""
        mark = self._at(events)
        return mark.cpu / mark.count * 1e6 if mark else None

    def steady_cpu_us(self) -> float | None:
        """Microseconds of CPU an event, after the first output."""
        if len(self.marks) < 2:
            return None
        first, last = self.marks[0], self.marks[-1]
        return (last.cpu - first.cpu) / (last.count - first.count) * 1e6

    def _at(self, count: int) -> Mark | None:
        return next((mark for mark in self.marks if mark.count >= max(1, count)), None)


@dataclass(frozen=True)
class Race:
    """source: topic with the input, `events` records that lead to `outputs` records.

    seconds: of a window. enough: a window also closes at so many outputs.
    """

    place: Place
    source: str
    outputs: int
    seconds: float
    stores: bool = False
    enough: int | None = None

    async def run(
        self, contenders: Mapping[str, Command], rounds: int, tell: Callable[[str], None]
    ) -> tuple[dict[str, list[Window]], dict[str, str]]:
        """Windows by contender, and the topics with each one's last output (to be compared, then dropped)."""
        windows: dict[str, list[Window]] = {name: [] for name in contenders}
        kept: dict[str, str] = {}
        for number in range(rounds):
            for name, command in contenders.items():
                spec = spec_of(self.place, name, self.source)
                await self.place.topics(spec.sink)
                await self.place.topics(spec.dead, partitions=3)
                if self.stores:
                    await self.place.topics(spec.store, compact=True)
                window = await self._window(spec, command)
                windows[name].append(window)
                rate = window.rate()
                tell(f"  round {number + 1}/{rounds} {name}: {rate or 0:,.0f} events/s, {window.count:,} events")
                dropped = [spec.dead, *([spec.store] if self.stores else [])]
                if number + 1 < rounds:
                    dropped.append(spec.sink)
                else:
                    kept[name] = spec.sink
                await self.place.drop(*dropped)
        return windows, kept

    async def _window(self, spec: Spec, command: Command) -> Window:
        window = Window()
        log = Path(spec.folder) / "contender.log"
        enough = min(self.outputs, self.enough or self.outputs)
        async with Ends(self.place) as ends:
            with log.open("wb") as out:
                process = start(command(spec), out)
            try:
                await self._watch(window, spec, process, ends, enough)
                if not window.marks or process.poll() is not None:
                    raise RuntimeError(f"it died or wrote nothing ({process.poll()}):\n{log.read_text()[-3000:]}")
            finally:
                await asyncio.to_thread(end, process)
            window.ends = await ends.by_partition(spec.sink)
        return window

    async def _watch(
        self, window: Window, spec: Spec, process: subprocess.Popen[bytes], ends: Ends, enough: int
    ) -> None:
        seen, began = psutil.Process(process.pid), time.monotonic()
        while True:
            count, now = await ends.count(spec.sink), time.monotonic()
            if process.poll() is not None:
                return
            if count:
                used = seen.cpu_times()
                window.marks.append(Mark(now, count, used.user + used.system))
                if count >= enough or now - window.marks[0].at >= self.seconds:
                    return
            elif now - began > START_S:
                return
            await asyncio.sleep(_POLL_S)


def start(command: Sequence[str], out: IO[bytes]) -> subprocess.Popen[bytes]:
    """A contender's process."""
    return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and after a while kill."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def table(
    windows: Mapping[str, Sequence[Window]], unit: str, value: Callable[[Window], float | None]
) -> dict[str, dict[str, float | str]]:
    """A benchmark's rows; a contender without a value in every window has none."""
    rows = {name: summary([value(window) for window in found], unit) for name, found in windows.items()}
    return {name: row for name, row in rows.items() if row}


def summary(values: Sequence[float | None], unit: str) -> dict[str, float | str] | None:
    """Median, min and max of the windows; None if one of them has no value."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return {
        "median": round(statistics.median(known), 2),
        "min": round(min(known), 2),
        "max": round(max(known), 2),
        "unit": unit,
    }
