"""Working time in Vietnam: which days and hours count (docs/field/time.md).

Days: Monday to Friday but public holidays (labour code 2019, Điều 112; library `holidays`, with its days in lieu), and
the swaps that the government decides year by year (`working_days.json`, which wins over the library).
Hours: 7:00 to 11:30 and 13:30 to 17:00 unless the settings say otherwise.

Moments are int milliseconds since the epoch, UTC; amounts of working time are int milliseconds. Days are counted from
1970-01-01 in local time, which has been UTC+7 without a break since 1975 (Asia/Ho_Chi_Minh).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import holidays

from hub.errors import ConfigError

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OFFSET_MS = 7 * HOUR_MS
_EPOCH = date(1970, 1, 1)
_EPOCH_WEEKDAY = 3  # a Thursday
_SATURDAY = 5
SEARCH_DAYS = 3_660
"""A limit that finds no end within ten years is a fault of the settings or of the limit."""

# Parts of a working day, (from, to) in ms after midnight, in order.
Hours = tuple[tuple[int, int], ...]


class Row(NamedTuple):
    """One decision: a day that is worked, or off, against the general rule."""

    day: date
    working: bool


class Calendar:
    """hours: of every working day. rows: decisions; of two for one day the later one wins."""

    def __init__(self, hours: Hours, rows: Iterable[Row] = ()) -> None:
        self.hours = hours
        self.day_ms = sum(end - start for start, end in hours)
        self._rows: Mapping[int, bool] = {(row.day - _EPOCH).days: row.working for row in rows}
        self._holidays: dict[int, frozenset[int]] = {}
        self._working: dict[int, bool] = {}

    # --- days -----------------------------------------------------------------------------------------------------

    def is_holiday(self, day: int) -> bool:
        """Off by law or decision; a plain weekend is not."""
        decided = self._rows.get(day)
        return not decided if decided is not None else day in self._of_year((_EPOCH + timedelta(day)).year)

    def is_working(self, day: int) -> bool:
        known = self._working.get(day)
        if known is None:
            known = self._rows.get(day)
            if known is None:
                known = (day + _EPOCH_WEEKDAY) % 7 < _SATURDAY and not self.is_holiday(day)
            self._working[day] = known
        return known

    def _of_year(self, year: int) -> frozenset[int]:
        known = self._holidays.get(year)
        if known is None:
            found = holidays.country_holidays("VN", years=year)
            known = self._holidays[year] = frozenset((day - _EPOCH).days for day in found if day.year == year)
        return known

    # --- working time ---------------------------------------------------------------------------------------------

    def start(self, moment: int) -> int:
        """When work on something that comes at `moment` can begin: itself, or the beginning of the next stretch."""
        return next(max(moment, begin) for begin, end in self._ahead(moment) if end > moment)

    def add(self, moment: int, work: int) -> int:
        """When `work` has been done since `moment`: at the end of a stretch, not the beginning of the next."""
        if work == 0:
            return moment
        for begin, end in self._ahead(moment):
            room = end - max(begin, moment)
            if room <= 0:
                continue
            if work <= room:
                return end - room + work
            work -= room
        raise AssertionError("unreachable: _ahead raises")

    def subtract(self, moment: int, work: int) -> int:
        """The latest moment from which `work` is done until `moment`."""
        if work == 0:
            return moment
        for begin, end in self._back(moment):
            room = min(end, moment) - begin
            if room <= 0:
                continue
            if work <= room:
                return begin + room - work
            work -= room
        raise AssertionError("unreachable: _back raises")

    def between(self, start: int, end: int) -> int:
        """Working time from start to end; 0 if end is not later."""
        total = 0
        for day in range(day_of(start), day_of(end) + 1):
            if self.is_working(day):
                midnight = midnight_of(day)
                total += sum([max(0, min(end, midnight + b) - max(start, midnight + a)) for a, b in self.hours])
        return total

    def _ahead(self, moment: int) -> Iterator[tuple[int, int]]:
        first = day_of(moment)
        for day in range(first, first + SEARCH_DAYS):
            if self.is_working(day):
                midnight = midnight_of(day)
                yield from ((midnight + a, midnight + b) for a, b in self.hours)
        raise ValueError(f"no end within {SEARCH_DAYS} days")

    def _back(self, moment: int) -> Iterator[tuple[int, int]]:
        first = day_of(moment)
        for day in range(first, first - SEARCH_DAYS, -1):
            if self.is_working(day):
                midnight = midnight_of(day)
                yield from ((midnight + a, midnight + b) for a, b in reversed(self.hours))
        raise ValueError(f"no beginning within {SEARCH_DAYS} days")


def day_of(moment: int) -> int:
    """Local day number of a moment."""
    return (moment + OFFSET_MS) // DAY_MS


def midnight_of(day: int) -> int:
    return day * DAY_MS - OFFSET_MS


def number_of(day: date) -> int:
    return (day - _EPOCH).days


def date_of(day: int) -> date:
    return _EPOCH + timedelta(day)


# --- from settings and data ---------------------------------------------------------------------------------------


def hours_of(parts: Iterable[tuple[str, str]], field: str = "deadlines.hours") -> Hours:
    """`(("07:00", "11:30"), ("13:30", "17:00"))` -> Hours. ConfigError names what is wrong."""
    out: list[tuple[int, int]] = []
    for part in parts:
        try:
            start, end = (_minutes(text) * 60_000 for text in part)
        except ValueError:
            raise ConfigError(field, f"must be pairs of times as 07:00; got {list(part)}") from None
        if not (out[-1][1] if out else 0) <= start < end <= DAY_MS:
            raise ConfigError(field, f"stretches must lie in order within one day; got {list(part)}")
        out.append((start, end))
    if not out:
        raise ConfigError(field, "must have at least one stretch of working time")
    return tuple(out)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    if len(minutes) != 2 or not (0 <= int(hours) <= 24 and 0 <= int(minutes) < 60):
        raise ValueError
    return int(hours) * 60 + int(minutes)


def own_rows() -> list[Row]:
    """The decisions that come with the hub."""
    return read_rows((resources.files("hub.model") / "working_days.json").read_text("utf-8"), "working_days.json")


def file_rows(path: Path) -> list[Row]:
    """A province's own file, of the same shape. ConfigError if it cannot be used."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("deadlines.calendar_file", f"{path}: cannot be read: {error}") from None
    return read_rows(text, str(path))


def read_rows(text: str, name: str) -> list[Row]:
    """ConfigError names file and row. A row needs its reason and source: a day off that nobody can explain is wrong."""
    try:
        rows = json.loads(text)["days"]
    except (ValueError, KeyError, TypeError):
        raise ConfigError("deadlines.calendar_file", f'{name}: must be JSON with a list "days"') from None
    out = []
    for number, row in enumerate(rows, 1):
        try:
            day, working = date.fromisoformat(row["day"]), row["working"]
            complete = isinstance(working, bool) and row["why"] and row["source"]
        except (ValueError, KeyError, TypeError):
            complete = False
        if not complete:
            raise ConfigError(
                "deadlines.calendar_file",
                f"{name}: row {number} must have day (YYYY-MM-DD), working (true or false), why and source",
            )
        out.append(Row(day, working))
    return out
