"""What the demo adds to the generated province is as wanted on whatever day it runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.connect.samples import VIETNAM
from hub.demo import citizens, extras
from hub.demo.checker import deadlines
from hub.demo.checker.deadlines import Feed
from hub.demo.checker.sent import Sent, read
from hub.demo.extras import Calendar
from hub.demo.generator import sinks
from hub.demo.generator.event import Event
from hub.demo.portals import Simulator
from hub.model import agencies

TABLE = agencies.table(None)


def calendar(day: str) -> Calendar:
    return Calendar(int(datetime.fromisoformat(f"{day}+00:00").astimezone(UTC).timestamp() * 1000))


DAYS = ["2026-11-24T03:00:00", "2026-11-28T20:00:00", "2026-12-01T00:30:00", "2027-01-04T10:00:00",
        "2027-02-17T01:00:00", "2027-03-01T17:30:00", "2027-05-01T09:00:00"]  # fmt: skip


def sent(folder: Path, events: list[Event]) -> Sent:
    path = folder / "events.ndjson"
    sinks.to_file(events, path, False, lambda _: None)
    return read(path)


@pytest.mark.parametrize("day", DAYS)
def test_near_deadlines_are_decided(tmp_path: Path, day: str) -> None:
    """By hand, of province.toml: both kinds of three dates that come, a warning of two, three that were over."""
    today = calendar(day)
    dossiers = sent(tmp_path, list(extras.near_deadlines(today, TABLE)))
    feed, after = Feed(today.now, today.now + 3_000), today.now + 30_000
    due = Counter(kind for _, kind in deadlines.codes_due(dossiers, feed, after))
    assert due == {"WARNING": 4, "DUE": 4, "TRANSFER_WARNING": 1, "TRANSFER_DUE": 2}
    assert len(dossiers.dossiers) == 10
    assert all(deadlines.expected(one, feed, after) is not None for one in dossiers.dossiers.values())
    assert extras.soonest(today) == today.now + 20_000


@pytest.mark.parametrize("day", DAYS)
def test_the_province_lies_before_today(day: str) -> None:
    today = calendar(day)
    events = extras.province_events(today, 400)
    local = datetime.fromtimestamp(max(event.arrived_at for event in events) / 1000, VIETNAM)
    assert local.date() < today.today
    assert today.month == f"{today.start:%Y-%m}" < f"{today.today:%Y-%m}"
    assert [event.arrived_at for event in events] == sorted(event.arrived_at for event in events)


def test_one_file_of_those_filed_nationally_is_out_of_reach() -> None:
    today, portal = calendar(DAYS[0]), Simulator("national", "http://127.0.0.1:8000", "", Path())
    filed = citizens.filed(today, portal)
    links = [one["TaiLieuNop"][0]["DuongDanTaiTepTin"].startswith(portal.address) for one in filed]
    assert links == [True, True, True, False]
    answers = list(citizens.answered(today, filed))
    assert [event.subject for event in answers] == [one["MaHoSo"] for one in filed]
    assert [event.data["step"] for event in answers] == [
        "RECEIVED", "RECEIVED", "SUPPLEMENT_REQUESTED", "NOT_ACCEPTED",
    ]  # fmt: skip
    moved = replace(portal, address="http://127.0.0.1:9000")
    assert citizens.filed(today, moved)[0]["MaHoSo"] == filed[0]["MaHoSo"]
