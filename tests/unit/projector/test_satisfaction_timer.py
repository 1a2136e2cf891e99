"""When the ratings of a month are due, what they are then, and what a stop or a refusal makes of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from hub.config import FiguresSettings, Settings
from hub.connect.portal import Answer
from hub.connect.satisfaction import Satisfaction
from hub.control.audit import AuditEntry
from hub.control.changes import Change
from hub.control.records import SatisfactionSent, Subscriber
from hub.errors import Rejected, Retryable
from hub.projector import satisfaction_timer as timer
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub.reports.satisfaction import due, read_slot
from tests.support.contract_events import milliseconds

DAY, MONTH = FiguresSettings(satisfaction="day"), FiguresSettings(satisfaction="month")

# By hand; the times are UTC, 06:00 in Việt Nam is 23:00 of the day before.
CASES = [
    (MONTH, None, "2026-10-31T23:30:00Z", ["2026-11-01"]),
    (MONTH, None, "2026-10-31T22:59:59Z", ["2026-10-01"]),  # 05:59:59 on 1 November: the hour has not come
    (MONTH, "2026-11-01", "2026-11-24T10:00:00Z", []),
    (MONTH, "2026-11-01", "2026-12-01T00:00:00Z", ["2026-12-01"]),
    (MONTH, "2026-08-01", "2026-11-24T10:00:00Z", ["2026-09-01", "2026-10-01", "2026-11-01"]),
    (DAY, None, "2026-11-24T10:00:00Z", ["2026-11-24"]),
    (DAY, "2026-11-24", "2026-11-24T22:59:00Z", []),
    (DAY, "2026-11-24", "2026-11-24T23:00:00Z", ["2026-11-25"]),
    # down from 28 October to 24 November: October as a whole, told on 1 November, and November up to yesterday
    (DAY, "2026-10-28", "2026-11-24T10:00:00Z", ["2026-11-01", "2026-11-24"]),
    (DAY, "2026-12-31", "2026-11-24T10:00:00Z", []),  # the clock went back
    (FiguresSettings(), None, "2026-11-24T10:00:00Z", []),
    (FiguresSettings(satisfaction="day", satisfaction_hour=0), None, "2026-11-23T17:00:00Z", ["2026-11-24"]),
]


@pytest.mark.parametrize(("own", "last", "now", "slots"), CASES)
def test_what_is_due(own: FiguresSettings, last: str | None, now: str, slots: list[str]) -> None:
    found = due(own, date.fromisoformat(last) if last else None, milliseconds(now))
    assert [str(slot) for slot in found] == slots


def test_at_most_a_year_is_made_up_for() -> None:
    found = due(MONTH, date(2020, 1, 1), milliseconds("2026-11-24T10:00:00Z"))
    assert (len(found), str(found[0]), str(found[-1])) == (12, "2025-12-01", "2026-11-01")


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    found = open_engine(Settings(data_dir=tmp_path))
    g = tables.current(found)
    october, november = "2026-10-31T16:59:59Z", "2026-10-31T17:00:00Z"
    yesterday, today = "2026-11-23T16:59:00Z", "2026-11-23T17:00:00Z"
    given = [(october, 5), (november, 4), (yesterday, 1), (today, 2)]
    with found.begin() as connection:
        for number, (at, rating) in enumerate(given):
            key = f"H11.12-261001-{number:04}"
            connection.execute(
                g.dossiers.insert().values(key=key, family="dossier", hub_seq=1, status="RETURNED", state={})
            )
            row = {"key": key, "hub_seq": 1, "event_id": key, "type": "x", "source": "x", "step": "RATED"}
            row |= {"late": False, "occurred_at": milliseconds(at), "rating": rating, "partition": 0, "offset": number}
            connection.execute(g.events.insert().values(**row))
    yield found
    found.dispose()


def test_a_slot_tells_the_month_of_the_day_before_up_to_that_midnight(engine: Engine) -> None:
    october, november = read_slot(engine, date(2026, 11, 1), 6), read_slot(engine, date(2026, 11, 24), 6)
    assert (october.month, october.counts) == ("2026-10", (0, 0, 0, 0, 1))
    assert (november.month, november.counts) == ("2026-11", (1, 0, 0, 1, 0))
    assert november.at == milliseconds("2026-11-23T23:00:00Z")


class Site:
    """hub.control, the portal and the projector, as the timer sees them."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch, period: str = "day") -> None:
        figures = FiguresSettings.model_validate(
            {"national": "dvcqg", "satisfaction": period, "satisfaction_retry_s": 0.01}
        )
        self.settings, self.engine = Settings(figures=figures), engine
        self.subscribers = {"dvcqg": Subscriber(name="dvcqg", kind="national-portal")}
        self.audit: list[AuditEntry] = []
        self.noted: dict[str, SatisfactionSent] = {}
        self.sent: list[Satisfaction] = []
        self.answers: list[Any] = []
        self.now, self.at_end = milliseconds("2026-11-24T10:00:00Z") / 1000, True
        monkeypatch.setattr(timer, "LOOK_S", 0.0)
        monkeypatch.setattr(timer, "directory", self.directory)
        monkeypatch.setattr(timer, "change", self.change)
        monkeypatch.setattr(timer, "make_portal", lambda subscriber, vault: self)

    @contextlib.asynccontextmanager
    async def directory(self, _: Settings) -> AsyncIterator[Any]:
        yield SimpleNamespace(subscribers=self.subscribers, satisfaction=dict(self.noted))

    async def change(self, _: Settings, one: Change[SatisfactionSent], entry: AuditEntry) -> None:
        assert one.new is not None
        self.noted[one.name] = one.new
        self.audit.append(entry)

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    async def send_satisfaction(self, told: Satisfaction) -> Answer:
        self.sent.append(told)
        if self.answers and (verdict := self.answers.pop(0)) is not None:
            raise verdict
        return Answer(200)

    async def ends(self) -> dict[Any, int]:
        return {}

    def reached(self, _: Any) -> bool:
        return self.at_end

    async def turns(self, one: timer.Timer, count: int = 40) -> None:
        for _ in range(count):
            await one.turn(self)  # type: ignore[arg-type]
            await asyncio.sleep(0.005)

    def process(self) -> timer.Timer:
        return timer.Timer(self.settings, self.engine, lambda: self.now)


async def test_once_a_slot_by_whatever_process(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(engine, monkeypatch)
    for _ in range(3):
        await site.turns(site.process())
    assert [(told.month, told.counts) for told in site.sent] == [("2026-11", (1, 0, 0, 1, 0))]
    site.now += 86_400
    await site.turns(site.process())
    assert [told.counts for told in site.sent[1:]] == [(1, 1, 0, 1, 0)], "the next day tells one more"
    assert [entry.detail for entry in site.audit] == [
        f"2026-11 2026-11-{day}: sent, {n} ratings" for day, n in ((24, 2), (25, 3))
    ]


async def test_not_before_the_read_model_holds_what_the_log_holds(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(engine, monkeypatch)
    site.at_end = False
    process = site.process()
    await site.turns(process)
    assert site.sent == []
    site.at_end = True
    await site.turns(process)
    assert len(site.sent) == 1


async def test_away_paused_or_missing_it_is_tried_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(engine, monkeypatch, "month")
    known = site.subscribers.pop("dvcqg")
    process = site.process()
    await site.turns(process)
    site.subscribers["dvcqg"] = known.model_copy(update={"paused": True})
    await site.turns(process)
    assert site.sent == []
    site.subscribers["dvcqg"] = known
    site.answers = [Retryable("timeout", "no answer"), ValueError("a fault of the connector"), None]
    await site.turns(process, 80)
    assert [told.month for told in site.sent] == ["2026-10"] * 3
    assert site.sent[0] == site.sent[2], "the same each time"
    await process.close()


async def test_a_refusal_is_told_and_not_repeated(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(engine, monkeypatch)
    site.answers = [Rejected("refused", "error_code 5")]
    await site.turns(site.process())
    await site.turns(site.process())
    assert len(site.sent) == 1
    assert [entry.detail for entry in site.audit] == ["2026-11 2026-11-24: refused: refused, 2 ratings"]


async def test_nobody_rated(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(engine, monkeypatch, "month")
    site.now = milliseconds("2026-09-15T10:00:00Z") / 1000
    await site.turns(site.process())
    assert site.sent == []
    assert [entry.detail for entry in site.audit] == ["2026-08 2026-09-01: nobody rated, 0 ratings"]


async def test_off_it_looks_at_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(engine, monkeypatch, "off")
    await site.turns(site.process())
    assert (site.sent, site.audit) == ([], [])
