"""Working time in Vietnam as docs/deadlines.md tells it, for the checkers: written anew, not the hub's calculator.

Both read the library `holidays` and the decisions of single years (hub/model/working_days.json, as data).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import holidays

from hub.demo.checker.sample import VIETNAM

HALVES = ((time(7), time(11, 30)), (time(13, 30), time(17)))
DAY = timedelta(hours=8)
DECISIONS = Path(__file__).parents[2] / "model" / "working_days.json"


@cache
def _decided() -> Mapping[date, bool]:
    return {date.fromisoformat(row["day"]): row["working"] for row in json.loads(DECISIONS.read_text("utf-8"))["days"]}


@cache
def _off(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("VN", years=year))


def is_working(day: date) -> bool:
    decided = _decided().get(day)
    return decided if decided is not None else day.weekday() < 5 and day not in _off(day.year)


def local(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, VIETNAM)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def limit_end(at: int, amount: float, unit: str) -> int:
    """When a limit ends that begins at that moment. KeyError for a unit that no generated dossier has."""
    moment = local(at)
    if unit == "Ngày":
        day = _next_working(moment).date() + timedelta(days=round(amount))
        while not is_working(day):
            day += timedelta(days=1)
        return _ms(datetime.combine(day, HALVES[-1][1], VIETNAM))
    return _ms(_after(moment, amount * {"Giờ": timedelta(hours=1), "Ngày làm việc": DAY}[unit]))


def _next_working(moment: datetime) -> datetime:
    """The moment itself, or the beginning of the next half day."""
    while True:
        if is_working(moment.date()):
            for begins, ends in HALVES:
                if moment.time() < ends:
                    return max(moment, datetime.combine(moment.date(), begins, VIETNAM))
        moment = datetime.combine(moment.date() + timedelta(days=1), time(), VIETNAM)


def _after(moment: datetime, left: timedelta) -> datetime:
    while True:
        moment = _next_working(moment)
        ends = next(end for _, end in HALVES if moment.time() < end)
        half = datetime.combine(moment.date(), ends, VIETNAM) - moment
        if left <= half:
            return moment + left
        moment, left = moment + half, left - half


def before(at: int, left: timedelta = DAY) -> int:
    """The moment from which so much working time is left until `at`."""
    moment = local(at)
    while True:
        for begins, ends in reversed(HALVES):
            first = datetime.combine(moment.date(), begins, VIETNAM)
            if is_working(moment.date()) and moment > first:
                last = min(moment, datetime.combine(moment.date(), ends, VIETNAM))
                if left <= last - first:
                    return _ms(last - left)
                left -= last - first
        moment = datetime.combine(moment.date(), time(), VIETNAM) - timedelta(microseconds=1)
