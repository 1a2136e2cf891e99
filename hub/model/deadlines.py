"""When a dossier is due (NgayHenTra): limits in their units, pauses, new dates. Pure; moments are ms UTC.

A limit counts from the receipt or, outside working time, from when work can next begin (docs/field/time.md):

HOUR (Giờ)                  working time
WORKING_DAY (Ngày làm việc) working time, so many hours a day; Wednesday 9:00 and two days is Friday 9:00
DAY (Ngày)                  calendar days, the first not counted, until the office closes on the last; if that is a day
                            off, on the next working day (civil code 2015, Điều 147, 148), unless a province chooses
                            that it stays there
MONTH (Tháng)               the same day of a later month, or that month's last day; half a month is 15 days (Điều 146,
                            148); then as with days

A pause (waiting for a supplement or a payment) takes nothing from the limit: what was left when it began is left when
it ends. `PauseRule.CALENDAR_DAYS` is the rule of software in use instead: old date + calendar days waited - 1, then one
working day (docs/field/time.md#waiting-for-papers, grade C).
"""

from __future__ import annotations

import calendar as months
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from hub.model.calendar import DAY_MS, HOUR_MS, Calendar, date_of, day_of, midnight_of, number_of

HALF_MONTH_DAYS = 15
DUE_FIELDS = frozenset({"due_at", "step_due_at"})
"""Fields of DossierStep that name the end of a term. One that a source tells as a day means that whole day."""
# began, ended; None: it goes on
Pause = tuple[int, int | None]


class Unit(StrEnum):
    """DONVITINH (schemas/reference/time_unit.json)."""

    HOUR = "HOUR"
    DAY = "DAY"
    WORKING_DAY = "WORKING_DAY"
    MONTH = "MONTH"


UNITS = {"Giờ": Unit.HOUR, "Ngày": Unit.DAY, "Ngày làm việc": Unit.WORKING_DAY, "Tháng": Unit.MONTH}
"""By DONVITINH, as catalogues and transfers write it."""


class PauseRule(StrEnum):
    """How a wait moves the date: by working time, or by calendar days."""

    WORKING_TIME = "working-time"
    CALENDAR_DAYS = "calendar-days"


@dataclass(frozen=True, slots=True)
class Rules:
    """The calendar and what a province may choose.

    working_day_ms:     working time of one working day; a full day of the calendar unless set.
    days_skip_holidays: unit DAY does not count public holidays (weekends it does).
    days_off_move_on:   a limit in days or months that ends on a day off ends on the next working day.
    """

    calendar: Calendar
    working_day_ms: int
    days_skip_holidays: bool = False
    days_off_move_on: bool = True
    pause: PauseRule = PauseRule.WORKING_TIME


def due(rules: Rules, received: int, amount: float, unit: Unit) -> int:
    """When a limit that counts from `received` ends. ValueError for an amount that is not above 0, or a part of a month
    that is not its half."""
    if not amount > 0:
        raise ValueError(f"a time limit must be more than 0; got {amount}")
    start = rules.calendar.start(received)
    if unit is Unit.HOUR:
        return rules.calendar.add(start, round(amount * HOUR_MS))
    if unit is Unit.WORKING_DAY:
        return rules.calendar.add(start, round(amount * rules.working_day_ms))
    whole = int(amount)
    part, last = amount - whole, day_of(start)
    if unit is Unit.MONTH:
        if part not in (0, 0.5):
            raise ValueError(f"a limit in months may have half a month, no other part; got {amount}")
        return _closing(rules, _months_later(last, whole) + (HALF_MONTH_DAYS if part else 0))
    if whole:
        start = _closing(rules, _days_later(rules, last, whole))
    return rules.calendar.add(start, round(part * rules.working_day_ms))


def day_end(ends_at: str) -> timedelta:
    """From midnight to the end of a term that is told by its last day. ends_at: as 17:00; 24:00 (civil code 2015, Điều
    148 khoản 6) is the last millisecond, so that the date bears the name of that day and not of the next one."""
    hours, minutes = map(int, ends_at.split(":"))
    end = timedelta(hours=hours, minutes=minutes)
    return min(end, timedelta(days=1, milliseconds=-1))


def limit_end(rules: Rules, received: int, amount: float, unit: str) -> int | None:
    """`due` of a limit as catalogues write it (UNITS); None for a unit or an amount that cannot be counted."""
    try:
        return due(rules, received, amount, UNITS[unit]) if unit in UNITS else None
    except ValueError:
        return None


def paused(rules: Rules, due_at: int, began: int, ended: int, unit: Unit | None = None) -> int:
    """The date after one pause. One that began after the date changes nothing: it was late already.

    unit None: only the date is known, not the limit behind it; then working time counts.
    """
    if began >= due_at or ended <= began:
        return due_at
    if rules.pause is PauseRule.CALENDAR_DAYS:
        waited = day_of(ended) - day_of(began)
        return rules.calendar.add(due_at + (waited - 1) * DAY_MS, rules.working_day_ms)
    if unit in (Unit.DAY, Unit.MONTH):
        return _closing(rules, day_of(due_at) + day_of(ended) - day_of(began))
    if not rules.calendar.between(began, ended):
        return due_at
    return rules.calendar.add(ended, rules.calendar.between(began, due_at))


def running(rules: Rules, due_at: int, since: int, pauses: Iterable[Pause], unit: Unit | None = None) -> int | None:
    """The date that holds after these pauses, in order; None while one goes on.

    since: when `due_at` was promised (at receipt, or with an apology and a new date): what was waited before is in it.
    """
    for began, ended in pauses:
        if ended is None:
            return None
        due_at = paused(rules, due_at, max(began, since), ended, unit)
    return due_at


def warn_at(rules: Rules, due_at: int, working_days: float) -> int:
    """So many working days before the date."""
    return rules.calendar.subtract(due_at, round(working_days * rules.working_day_ms))


def _closing(rules: Rules, day: int) -> int:
    """When the office closes on that day, or, by the rules, on the next working day."""
    if not rules.days_off_move_on:
        return midnight_of(day) + rules.calendar.hours[-1][1]
    return rules.calendar.add(midnight_of(day), rules.calendar.day_ms)


def _days_later(rules: Rules, day: int, days: int) -> int:
    if not rules.days_skip_holidays:
        return day + days
    while days:
        day += 1
        days -= not rules.calendar.is_holiday(day)
    return day


def _months_later(day: int, count: int) -> int:
    first = date_of(day)
    year, month = divmod(first.year * 12 + first.month - 1 + count, 12)
    return number_of(date(year, month + 1, min(first.day, months.monthrange(year, month + 1)[1])))
