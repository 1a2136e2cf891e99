"""Limits, pauses and new dates against cases worked by hand on paper calendars, and laws that hold for all of them."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hub.config import DeadlineSettings
from hub.errors import ConfigError
from hub.model import calendar as cal
from hub.model.deadline_rules import rules as from_settings
from hub.model.deadlines import Rules, Unit, due, paused, running, warn_at

ORACLE = json.loads((Path(__file__).parents[2] / "data" / "deadlines.json").read_text("utf-8"))
LOCAL = timezone(timedelta(hours=7))
RULES = from_settings(DeadlineSettings())
HOUR = 3_600_000
DAY = 24 * HOUR


def ms(text: str) -> int:
    """`Mon 2024-03-04 08:00`, local time."""
    moment = datetime.strptime(text, "%a %Y-%m-%d %H:%M").replace(tzinfo=LOCAL)
    assert moment.strftime("%a") == text[:3], f"{text} is no {text[:3]}"
    return int(moment.timestamp() * 1000)


def shown(moment: int | None) -> str | None:
    return datetime.fromtimestamp(moment / 1000, LOCAL).strftime("%a %Y-%m-%d %H:%M") if moment is not None else None


def worked(case: dict[str, Any]) -> int | None:
    rules = from_settings(DeadlineSettings(**case.get("rules", {})))
    unit = Unit(case["unit"])
    since, end = ms(case["received"]), due(rules, ms(case["received"]), case["amount"], unit)
    if "moved" in case:
        since, end = (ms(text) for text in case["moved"])
    pauses = [(ms(a), ms(b) if b is not None else None) for a, b in case.get("pauses", ())]
    if "moved" in case:  # those that were over when the new date was given are in it
        pauses = [(a, b) for a, b in pauses if b is None or b > since]
    return running(rules, end, since, pauses, unit)


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: f"{case['no']} {case['title']}")
def test_worked_by_hand(case: dict[str, Any]):
    assert shown(worked(case)) == case["due"], case["why"]


@pytest.mark.parametrize("case", ORACLE["warnings"], ids=lambda case: case["title"])
def test_warnings_worked_by_hand(case: dict[str, Any]):
    assert shown(warn_at(RULES, ms(case["due"]), case["working_days"])) == case["at"], case["why"]


# --- laws ----------------------------------------------------------------------------------------------------------


def moments(seed: int, count: int) -> list[int]:
    """Anywhere from 2023 to 2027, on the minute or not, some of them at the edges of working time."""
    rng, first = random.Random(seed), ms("Sun 2023-01-01 00:00")
    edges = (0, 7, 11.5, 13.5, 17, 24)
    return [
        first + rng.randrange(5 * 365) * DAY + round(rng.choice(edges) * HOUR)
        if rng.random() < 0.3
        else first + rng.randrange(5 * 365 * DAY)
        for _ in range(count)
    ]


def amounts(seed: int, count: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.choice((0, rng.randrange(1, 9 * HOUR), rng.randrange(60 * 8) * HOUR)) for _ in range(count)]


def test_add_is_additive_and_inverse_to_between():
    add, between = RULES.calendar.add, RULES.calendar.between
    for at, first, second in zip(moments(1, 800), amounts(2, 800), amounts(3, 800), strict=True):
        assert add(add(at, first), second) == add(at, first + second)
        assert between(at, add(at, first)) == first
        assert between(RULES.calendar.subtract(at, first), at) == first


def test_between_is_additive():
    between = RULES.calendar.between
    for a, b, c in (sorted(moments(seed, 3)) for seed in range(100, 400)):
        assert between(a, c) == between(a, b) + between(b, c)


def test_a_later_receipt_or_a_longer_limit_is_never_due_earlier():
    rng = random.Random(4)
    pairs = zip(moments(5, 800), moments(6, 800), strict=True)
    for first, other in pairs:
        later = first + abs(other - first) % (20 * DAY)
        for unit, most in ((Unit.HOUR, 80), (Unit.DAY, 60), (Unit.WORKING_DAY, 40), (Unit.MONTH, 6)):
            amount = rng.randint(1, most)
            end = due(RULES, first, amount, unit)
            assert end <= due(RULES, later, amount, unit)
            assert end <= due(RULES, first, amount + 1, unit)
            assert end >= RULES.calendar.start(first)
            assert RULES.calendar.is_working(cal.day_of(end))


def test_a_pause_takes_nothing_and_gives_nothing():
    """What was left in working time when it began is left when it ends; of two pauses the order does not matter."""
    rng, between = random.Random(7), RULES.calendar.between
    for received in moments(8, 600):
        end = due(RULES, received, rng.randint(1, 30), Unit.WORKING_DAY)
        began = rng.randrange(received, end)
        ended = began + rng.randrange(40 * DAY)
        after = paused(RULES, end, began, ended)
        assert between(ended, after) == between(began, end)
        assert after >= end
        middle = rng.randint(began, ended)
        assert paused(RULES, paused(RULES, end, began, middle), middle, ended) == after
        assert between(received, after) - between(began, ended) == between(received, end)


def test_no_pause_shortens_whatever_the_rule():
    for rule in ("working-time", "calendar-days"):
        rules = from_settings(DeadlineSettings(pause=rule))
        for end, began in zip(moments(9, 300), moments(10, 300), strict=True):
            assert paused(rules, end, began, began + 3 * DAY) >= end


# --- the calendar ---------------------------------------------------------------------------------------------------


def test_working_days_of_the_years():
    """Weekdays of the year (counted on paper) less the days off on weekdays, and the Saturdays worked."""

    def count(year: int) -> int:
        first, last = cal.number_of(date(year, 1, 1)), cal.number_of(date(year, 12, 31))
        return sum(RULES.calendar.is_working(day) for day in range(first, last + 1))

    # 262: 1/1, 5 Tết, 18/4, 29/4-1/5, 2/9-3/9 are 12; 4/5 worked
    assert count(2024) == 262 - 12 + 1
    # 261: 1/1, 5 Tết, 7/4, 30/4-2/5, 1/9-2/9 are 12; 26/4 worked
    assert count(2025) == 261 - 12 + 1
    # 261: 1/1-2/1, 5 Tết, 27/4, 30/4-1/5, 31/8-2/9, 24/11 are 14; 10/1 and 22/8 worked
    assert count(2026) == 261 - 14 + 2


def test_a_province_s_own_file_wins(tmp_path: Path):
    own = tmp_path / "2027.json"
    own.write_text('{"days": [{"day": "2026-11-24", "working": true, "why": "not here", "source": "letter 1/2026"}]}')
    rules = from_settings(DeadlineSettings(calendar_file=own))
    day = cal.number_of(date(2026, 11, 24))
    assert rules.calendar.is_working(day)
    assert not RULES.calendar.is_working(day)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", 'must be JSON with a list "days"'),
        ('{"days": [{"day": "2026-13-01", "working": true, "why": "a", "source": "b"}]}', "row 1"),
        ('{"days": [{"day": "2026-11-24", "working": 1, "why": "a", "source": "b"}]}', "row 1"),
        ('{"days": [{"day": "2026-11-24", "working": true, "why": "a"}]}', "source"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, told: str):
    own = tmp_path / "own.json"
    own.write_text(text)
    with pytest.raises(ConfigError, match=r"deadlines\.calendar_file") as raised:
        from_settings(DeadlineSettings(calendar_file=own))
    assert told in str(raised.value)
    assert "own.json" in str(raised.value)


@pytest.mark.parametrize("hours", [(), (("08:00", "07:00"),), (("08:00", "12:00"), ("11:00", "17:00")), (("8", "9"),)])
def test_bad_hours_are_named(hours: Any):
    with pytest.raises(ConfigError, match=r"deadlines\.hours"):
        from_settings(DeadlineSettings(hours=hours))


@pytest.mark.parametrize(("amount", "unit"), [(0, "HOUR"), (-1, "DAY"), (float("nan"), "DAY"), (1.25, "MONTH")])
def test_limits_that_are_none(amount: float, unit: str):
    with pytest.raises(ValueError, match="limit"):
        due(RULES, ms("Mon 2024-03-04 08:00"), amount, Unit(unit))


def test_without_working_days_the_search_ends():
    closed = cal.Calendar(RULES.calendar.hours, [cal.Row(cal.date_of(day), False) for day in range(40_000)])
    with pytest.raises(ValueError, match="no end within"):
        closed.add(ms("Mon 2024-03-04 08:00"), 1)
    with pytest.raises(ValueError, match="no beginning within"):
        closed.subtract(ms("Mon 2024-03-04 08:00"), 1)


def test_rules_are_a_plain_value():
    assert Rules(RULES.calendar, 8 * HOUR) == RULES
