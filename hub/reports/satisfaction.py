"""Ratings of a month summed up from the read model, and when that is due by setting `figures.satisfaction`.

A slot is a local day: on it, from `figures.satisfaction_hour` on, the month of the day before is told, with the ratings
given before that midnight. On the first of a month the whole month before it is told.
"""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine

from hub.config import FiguresSettings
from hub.connect.satisfaction import Satisfaction, summed_up
from hub.model.calendar import HOUR_MS, date_of, day_of, midnight_of, number_of
from hub.readmodel import tables
from hub.reports import figures_query
from hub.reports.dossier_case import Period
from hub.reports.monthly_report import month_of

_MOST = 12
"""Months that a stop may have missed and that are still made up for."""


def read(engine: Engine, month: str, now_ms: int) -> Satisfaction:
    """A month, of a running one what is over. ConfigError (`month`)."""
    return _read(engine, month, month_of(month, now_ms), now_ms)


def read_slot(engine: Engine, slot: date, hour: int) -> Satisfaction:
    """What is due on that day: the same whenever it is read, so that it may be sent twice."""
    midnight = _moment(slot, 0)
    month = month_told(slot)
    start = month_of(month, midnight).start
    return _read(engine, month, Period(start, midnight), _moment(slot, hour))


def month_told(slot: date) -> str:
    return f"{slot - timedelta(days=1):%Y-%m}"


def _read(engine: Engine, month: str, period: Period, at: int) -> Satisfaction:
    g = tables.current(engine)
    with engine.connect() as connection:
        given = figures_query.ratings(connection, g, period)
    return summed_up(month, at, (rating for _, _, rating in given))


def _moment(day: date, hour: int) -> int:
    return midnight_of(number_of(day)) + hour * HOUR_MS


def due(own: FiguresSettings, last: date | None, now_ms: int) -> list[date]:
    """The slots to send, the oldest first. last: the last one that was sent, None for none ever.

    Of the slots that a stop missed the last of each month: each tells all that those before it would have told. At the
    very first time only the present one.
    """
    if own.satisfaction == "off":
        return []
    latest = _latest(own, now_ms)
    if last is None:
        return [latest]
    day, found = last + timedelta(days=1), dict[str, date]()
    while day <= latest:
        if own.satisfaction == "day" or day.day == 1:
            found[month_told(day)] = day
        day += timedelta(days=1)
    return sorted(found.values())[-_MOST:]


def _latest(own: FiguresSettings, now_ms: int) -> date:
    """The last slot whose hour has come."""
    day = date_of(day_of(now_ms - own.satisfaction_hour * HOUR_MS))
    return day if own.satisfaction == "day" else day.replace(day=1)
