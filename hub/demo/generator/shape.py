"""What is measured in the sample data (receipt.csv of the file drop's sample): 1,434 cases to draw from.

A generated dossier takes one case's channel, due date, activities and the gaps between them, so that how these go
together is kept; weekdays and hours are drawn from all of them.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from itertools import pairwise

from hub.demo.sample_input import plan as demo_plan
from hub.demo.sample_input import sample_rows
from hub.untyped import SettingsTable

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_LEFT_OUT = frozenset({"RECEIVED", "RETURNED"})
"""Beginning and end of a dossier are the generator's own: the sample is the receipt phase of its process."""


@dataclass(frozen=True, slots=True)
class Work:
    """One activity. step: StepKind. gap_ms: since the one before it (the first: since the receipt)."""

    step: str
    word: str
    gap_ms: int


@dataclass(frozen=True, slots=True)
class SampleCase:
    """channel: as in vn.hub.Channel. due_ms: from receipt to the due date. works: in order of time."""

    channel: str
    due_ms: int
    works: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """weekdays: share of receipts, Monday first. times_of_day: ms after local midnight of every receipt, sorted.
    works_a_case: mean number of activities."""

    cases: tuple[SampleCase, ...]
    weekdays: tuple[float, ...]
    times_of_day: tuple[int, ...]
    works_a_case: float


@cache
def shape() -> Shape:
    """The sample, measured."""
    by_case: dict[str, list[dict[str, str]]] = {}
    for row in sample_rows():
        by_case.setdefault(row["case:concept:name"], []).append(row)
    receipts = [datetime.fromisoformat(rows[0]["time:timestamp"]) for rows in by_case.values()]
    weekdays = Counter(moment.weekday() for moment in receipts)
    cases = tuple(_case(rows) for rows in by_case.values())
    return Shape(
        cases=cases,
        weekdays=tuple(weekdays[day] / len(receipts) for day in range(7)),
        times_of_day=tuple(sorted(_after_midnight(moment) for moment in receipts)),
        works_a_case=sum(len(case.works) for case in cases) / len(cases),
    )


def _after_midnight(moment: datetime) -> int:
    """In the sample's own local time: offices open in the morning there, too."""
    return (moment.hour * 3600 + moment.minute * 60 + moment.second) * 1000 + moment.microsecond // 1000


def _case(rows: list[dict[str, str]]) -> SampleCase:
    known = demo_plan()["steps"]
    first = rows[0]
    times = [datetime.fromisoformat(row["time:timestamp"]) for row in rows]
    gaps = [round((after - before).total_seconds() * 1000) for before, after in pairwise(times)]
    works, gap_ms = [], 0
    for row, gap in zip(rows[1:], gaps, strict=True):
        activity = known[row["concept:name"]]
        gap_ms += max(0, gap)
        if activity["step"] not in _LEFT_OUT:
            works.append(Work(activity["step"], activity["word"], gap_ms))
            gap_ms = 0
    due = datetime.fromisoformat(first["case:deadline"] or first["case:enddate_planned"])
    due_ms = round((due - datetime.fromisoformat(first["case:startdate"])).total_seconds() * 1000)
    return SampleCase(demo_plan()["channels"][first["case:channel"]], max(DAY_MS, due_ms), tuple(works))


@cache
def plan() -> SettingsTable:
    """plan.toml."""
    return tomllib.loads(resources.files("hub.demo.generator").joinpath("plan.toml").read_text("utf-8"))
