"""The checkers' own rules against the hub's: two programs, written apart, that must agree; and cases worked by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hub.config import DeadlineSettings
from hub.demo.checker import hours as checker_hours
from hub.demo.checker.hours import before, limit_end
from hub.demo.checker.sent import millis, read, statuses_of
from hub.demo.generator import events, sinks
from hub.model import agencies
from hub.model.deadline_rules import rules
from hub.model.deadlines import UNITS, due
from hub.model.step_history import History, order_key
from hub.model.transitions import STATUSES

RULES = rules(DeadlineSettings())


@pytest.mark.parametrize(
    ("at", "amount", "unit", "end"),
    [  # docs/deadlines.md, "Limits", and the land case of docs/joint.md
        ("2026-03-20T15:00:00+07:00", 3, "Giờ", "2026-03-23T08:00:00+07:00"),
        ("2026-03-04T09:00:00+07:00", 2, "Ngày làm việc", "2026-03-06T09:00:00+07:00"),
        ("2024-03-04T09:00:00+07:00", 5, "Ngày", "2024-03-11T17:00:00+07:00"),
        ("2026-03-03T08:00:00+07:00", 5, "Ngày", "2026-03-09T17:00:00+07:00"),
        ("2026-03-18T10:00:00+07:00", 16, "Giờ", "2026-03-20T10:00:00+07:00"),
    ],
)
def test_limits_by_hand(at: str, amount: float, unit: str, end: str) -> None:
    assert limit_end(millis(at), amount, unit) == millis(end)


@pytest.mark.parametrize(
    ("at", "warning"),
    [  # a working day before: 4.5 hours of the morning, 3.5 of the afternoon
        ("2026-03-20T10:00:00+07:00", "2026-03-19T10:00:00+07:00"),
        ("2026-03-23T08:00:00+07:00", "2026-03-20T08:00:00+07:00"),
        ("2026-11-23T17:00:00+07:00", "2026-11-23T07:00:00+07:00"),
        ("2026-11-22T12:00:00+07:00", "2026-11-20T07:00:00+07:00"),
    ],
)
def test_a_working_day_before_by_hand(at: str, warning: str) -> None:
    assert before(millis(at)) == millis(warning)


def test_limits_as_the_hub_counts_them() -> None:
    draw = random.Random(5)
    first, last = millis("2025-01-01T00:00:00Z"), millis("2026-12-20T00:00:00Z")
    for _ in range(400):
        at = draw.randrange(first, last) // 1000 * 1000
        unit, amount = draw.choice([("Giờ", 16), ("Ngày", 5), ("Ngày", 7), ("Ngày làm việc", 3), ("Giờ", 5)])
        assert limit_end(at, amount, unit) == due(RULES, at, amount, UNITS[unit]), (at, amount, unit)


def test_days_off_as_the_hub_knows_them() -> None:
    for number in range(730):
        day = date.fromordinal(date(2025, 1, 1).toordinal() + number)
        noon = limit_end(millis(f"{day}T07:00:00+07:00"), 1, "Giờ")
        assert checker_hours.is_working(day) == (noon == millis(f"{day}T08:00:00+07:00"))


def generated(folder: Path) -> Iterator[list[Any]]:
    wanted = events.Wanted(3, 3_000, date(2026, 9, 1), 60)
    path = folder / "events.ndjson"
    sinks.to_file(events.events(wanted, agencies.table(None)), path, False, lambda _: None)
    for dossier in read(path).dossiers.values():
        yield list(dossier.shown())


def test_statuses_as_the_core_gives_them(tmp_path: Path) -> None:
    """In the order of arrival, late steps and corrections among them."""
    late = 0
    for shown in generated(tmp_path):
        history = History()
        for step, status, is_late in shown:
            judged = history.add(order_key(step.at, step.kind, step.correction, hash(step.id)), 1_000)
            history = judged.history
            assert (STATUSES[judged.status], judged.late) == (status, is_late), step
            late += is_late
    assert late > 20


def test_a_new_date_keeps_the_status_and_a_correction_begins_anew() -> None:
    kinds = ["RECEIVED", "SUPPLEMENT_REQUESTED", "RESCHEDULED", "SUPPLEMENT_GIVEN", "FINISHED", "RESCHEDULED"]
    found = statuses_of((kind, False) for kind in kinds)
    assert found == ["ACCEPTED", "SUPPLEMENT", "SUPPLEMENT", "IN_PROCESS", "FINISHED", "FINISHED"]
    assert statuses_of([("FINISHED", False), ("RECEIVED", True)])[-1] == "ACCEPTED"
    assert statuses_of([("RESCHEDULED", False)]) == ["IN_PROCESS"]


def test_a_transfer_ends_no_wait() -> None:
    """By hand (docs/lifecycle.md): a fee owed stays owed; paid at filing or collection, a wait ends where it began."""
    for first, last in (("SUBMITTED", "NEW"), ("RECEIVED", "IN_PROCESS"), ("FINISHED", "FINISHED")):
        kinds = [first, "PAYMENT_REQUESTED", "TRANSFERRED", "PAYMENT_MADE"]
        assert statuses_of((kind, False) for kind in kinds)[1:] == ["PAYMENT", "PAYMENT", last]
    kinds = ["SUPPLEMENT_REQUESTED", "TRANSFERRED", "SUPPLEMENT_GIVEN", "TRANSFERRED"]
    assert statuses_of((kind, False) for kind in kinds) == ["SUPPLEMENT", "SUPPLEMENT", "IN_PROCESS", "IN_PROCESS"]
    assert statuses_of([("SUPPLEMENT_REQUESTED", False), ("TRANSFERRED", True)])[-1] == "IN_PROCESS"


def test_an_event_sent_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    wanted = events.Wanted(3, 3_000, date(2026, 9, 1), 60)
    sinks.to_file(events.events(wanted, agencies.table(None)), path, False, lambda _: None)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    sent = read(path)
    assert sent.lines == len(lines) == 3_000
    assert sum(sent.events.values()) == len({(one["source"], one["id"]) for one in lines}) < 3_000
