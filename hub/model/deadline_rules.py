"""The settings' `deadlines` section as the rules that count with it."""

from __future__ import annotations

from hub.config import DeadlineSettings
from hub.model.calendar import HOUR_MS, Calendar, file_rows, hours_of, own_rows
from hub.model.deadlines import PauseRule, Rules


def rules(settings: DeadlineSettings) -> Rules:
    """ConfigError names the setting, or the row of the calendar file, that is wrong."""
    rows = own_rows() + (file_rows(settings.calendar_file) if settings.calendar_file else [])
    calendar = Calendar(hours_of(settings.hours), rows)
    unit = settings.hours_per_working_day
    return Rules(
        calendar=calendar,
        working_day_ms=calendar.day_ms if unit is None else round(unit * HOUR_MS),
        days_skip_holidays=settings.days_skip_holidays,
        pause=PauseRule(settings.pause),
    )
