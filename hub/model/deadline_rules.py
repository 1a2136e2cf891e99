"""The settings' `deadlines` section as the rules that count with it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from hub.model.calendar import HOUR_MS, Calendar, file_rows, hours_of, own_rows
from hub.model.deadlines import PauseRule, Rules


class Choices(Protocol):
    """What of the settings counts here; the model knows no settings of its own."""

    @property
    def hours(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def hours_per_working_day(self) -> float | None: ...
    @property
    def days_skip_holidays(self) -> bool: ...
    @property
    def days_off_move_on(self) -> bool: ...
    @property
    def pause(self) -> str: ...
    @property
    def calendar_file(self) -> Path | None: ...


def rules(settings: Choices) -> Rules:
    """ConfigError names the setting, or the row of the calendar file, that is wrong."""
    rows = own_rows() + (file_rows(settings.calendar_file) if settings.calendar_file else [])
    calendar = Calendar(hours_of(settings.hours), rows)
    unit = settings.hours_per_working_day
    return Rules(
        calendar=calendar,
        working_day_ms=calendar.day_ms if unit is None else round(unit * HOUR_MS),
        days_skip_holidays=settings.days_skip_holidays,
        days_off_move_on=settings.days_off_move_on,
        pause=PauseRule(settings.pause),
    )
