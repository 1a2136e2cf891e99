"""Slices 2 and 3: differences between the lists and services that are not offered, by hand; each alteration is told."""

from __future__ import annotations

import contextlib
import copy
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.demo import catalogue as demo_catalogue
from hub.demo import extras
from hub.demo.checker import catalogue as checker_catalogue
from hub.demo.checker.sent import Sent, read
from hub.demo.generator import sinks
from hub_connectors.webhook.simulator.ledger import Ledger as ProvincialLedger

REFERENCE, OWN = "urn:vn:gov:dvcqg:catalogue", "urn:vn:gov:H36:mot-cua"


def change(id: str, type: str, code: str, change: str, at: str, **facts: Any) -> dict[str, Any]:
    data = {f"{type}_code": code, "change": change, "occurred_at": at, **facts}
    return {"id": id, "source": OWN, "type": f"vn.hub.{type}.change", "subject": code, "time": at, "data": data}


def online(id: str, code: str, procedure: str, at: str) -> dict[str, Any]:
    data = {"dossier_code": code, "step": "SUBMITTED", "occurred_at": at, "submitted_at": at, "channel": "ONLINE",
            "procedure_code": procedure}  # fmt: skip
    return {"id": id, "source": OWN, "type": "vn.hub.dossier.step", "subject": code, "time": at, "data": data}


def facts(days: float, fee: int) -> dict[str, Any]:
    return {"name": "x", "field_code": "F", "authority_level": "Cấp tỉnh", "time_limit": days,
            "time_limit_unit": "Ngày", "fee_vnd": fee}  # fmt: skip


EVENTS = [
    change("p1", "procedure", "1.000001", "PUBLISHED", "2026-07-01T00:00:00Z", **facts(10, 5)),
    change("p2", "procedure", "1.000002", "PUBLISHED", "2026-07-01T00:00:00Z", **facts(10, 5)),
    change("p3", "procedure", "1.000003", "PUBLISHED", "2026-07-01T00:00:00Z", **facts(10, 5)),
    change("p3w", "procedure", "1.000003", "WITHDRAWN", "2026-10-01T00:00:00Z"),
    change("p1a", "procedure", "1.000001", "AMENDED", "2026-08-01T00:00:00Z", time_limit=7.0),
    change("s1", "service", "1.000001.01", "PUBLISHED", "2026-07-01T00:00:00Z", procedure_code="1.000001", level=4,
           whole_process=True),
    change("s2", "service", "1.000002.01", "PUBLISHED", "2026-07-01T00:00:00Z", procedure_code="1.000002", level=2),
    online("d1", "H36.20-261005-0001", "1.000001", "2026-10-05T00:00:00Z"),
    online("d2", "H36.20-260905-0001", "1.000003", "2026-09-05T00:00:00Z"),  # before it was withdrawn
    online("planted-1", "H36.20-261005-0002", "1.000002", "2026-10-05T00:00:00Z"),  # only informs
    online("planted-2", "H36.20-261005-0003", "1.000003", "2026-10-05T00:00:00Z"),  # withdrawn
]  # fmt: skip


def row(code: str, days: str, fee: str, public: str = "1") -> dict[str, Any]:
    time = {"THOIGIANGIAIQUYET": days, "DONVITINH": "Ngày", "PHILEPHI": [{"SOTIEN": fee}]}
    return {"MATTHC": code, "TENTTHC": "x", "TRANGTHAI": public, "CAPTHUCHIEN": [{"TENCAP": "Cấp tỉnh"}],
            "LINHVUCTHUCHIEN": [{"MALINHVUC": "F"}], "CACHTHUCTHUCHIEN": [{"THOIGIAN": [time]}]}  # fmt: skip


ROWS = [row("1.000001", "7", "6"), row("1.000002", "10", "5", "0"), row("1.000004", "1", "1")]
LISTED = {"LayDanhSachTTHC": ROWS, "LayThuTuc": {one["MATTHC"]: one for one in ROWS}}
DIFFERENCES = {
    ("1.000001", "OTHER_FEE"),
    ("1.000002", "WITHDRAWN_STILL_PUBLISHED"),
    ("1.000002.01", "WITHDRAWN_STILL_OFFERED"),
    ("1.000004", "NOT_PUBLISHED"),
}


@pytest.fixture
def sent(tmp_path: Path) -> Sent:
    path = tmp_path / "events.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in EVENTS), "utf-8")
    return read(path)


@pytest.fixture
def portal(tmp_path: Path) -> Path:
    """The provincial portal, which got every change, the national list's after the province's."""
    path = tmp_path / "provincial.sqlite"
    ledger = ProvincialLedger(path)
    got = [("procedure", "1.000001", "PUBLISHED", "AMENDED", "PUBLISHED"), ("procedure", "1.000004", "PUBLISHED"),
           ("procedure", "1.000002", "PUBLISHED", "WITHDRAWN"), ("procedure", "1.000003", "PUBLISHED", "WITHDRAWN"),
           ("service", "1.000001.01", "PUBLISHED"), ("service", "1.000002.01", "PUBLISHED")]  # fmt: skip
    for family, code, *changes in got:
        for seq, word in enumerate(changes, 1):
            body = json.dumps({"data": {"change": {"change": word}}})
            ledger.receive(f"{code}-{seq}", f"vn.hub.{family}.event", code, seq, body)
    ledger.close()
    return path


def lost(database: Path, id: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("DELETE FROM events WHERE webhook_id = ?", (id,)).rowcount == 1
        db.commit()


def state(active: bool, days: float, fee: int, *own: tuple[str, int]) -> dict[str, Any]:
    """The read API's: facts as the national list told them last, and events of both."""
    events = [{"step": step, "occurred_at": at, "source": OWN} for step, at in own]
    events.append({"step": "PUBLISHED", "occurred_at": 9, "source": REFERENCE})
    told = {"name": "x", "time_limit": days, "time_limit_unit": "Ngày", "fee_vnd": fee, "active": active}
    return {"state": told, "events": events}


def shown() -> dict[str, Any]:
    return copy.deepcopy({
        "compared": [{"code": code, "kind": kind} for code, kind in sorted(DIFFERENCES)],
        "answers": {
            "1.000001": state(True, 7.0, 6, ("AMENDED", 2), ("PUBLISHED", 1)),
            "1.000002": state(False, 10.0, 5, ("PUBLISHED", 1)),
            "1.000003": state(False, 10.0, 5, ("PUBLISHED", 1), ("WITHDRAWN", 3)),
            "1.000004": state(True, 1.0, 1),
        },
    })  # fmt: skip


def procedures(sent: Sent, portal: Path, alter: Callable[[dict[str, Any]], object] = lambda _: None) -> list[str]:
    given = shown()
    alter(given)
    compared = {"differences": given["compared"]}
    answers = given["answers"]
    return checker_catalogue.check_procedures(sent, LISTED, DIFFERENCES, compared, answers, REFERENCE, portal).wrong


def test_procedures_as_sent_are_right(sent: Sent, portal: Path) -> None:
    assert procedures(sent, portal) == []


def test_a_change_that_the_provincial_portal_lacks_is_told(sent: Sent, portal: Path) -> None:
    lost(portal, "1.000001-2")
    lost(portal, "1.000001.01-1")
    assert procedures(sent, portal) == [
        "1.000001 at the provincial portal: ['PUBLISHED', 'AMENDED', 'PUBLISHED'] is due, "
        "['PUBLISHED', 'PUBLISHED'] is shown"
    ]
    assert services(sent, portal) == ["1.000001.01 at the provincial portal: ['PUBLISHED'] is due, [] is shown"]


@pytest.mark.parametrize(
    ("alter", "sentence"),
    [
        (lambda s: s["compared"].pop(0), "1.000001: the difference OTHER_FEE is not told"),
        (
            lambda s: s["compared"].append({"code": "1.000001", "kind": "OTHER_NAME"}),
            "1.000001: the difference OTHER_NAME is told and is none",
        ),
        (lambda s: s["answers"].pop("1.000004"), "1.000004: the read API does not know the procedure"),
        (
            lambda s: s["answers"]["1.000002"]["state"].update(active=True),
            "1.000002 in the read API, active: False is due, True is shown",
        ),
        (
            lambda s: s["answers"]["1.000001"]["state"].update(time_limit=10.0),
            "1.000001 in the read API, time_limit: 7.0 is due, 10.0 is shown",
        ),
        (
            lambda s: s["answers"]["1.000003"]["events"].pop(1),
            "1.000003, its changes: ['PUBLISHED', 'WITHDRAWN'] is due, ['PUBLISHED'] is shown",
        ),
    ],
)
def test_each_alteration_of_procedures_is_told(
    sent: Sent, portal: Path, alter: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    assert procedures(sent, portal, alter) == [sentence]


def test_a_difference_that_was_planted_and_is_none_is_told(sent: Sent, portal: Path) -> None:
    planted = DIFFERENCES | {("1.000001", "OTHER_NAME")}
    compared = {"differences": shown()["compared"]}
    answers = shown()["answers"]
    found = checker_catalogue.check_procedures(sent, LISTED, planted, compared, answers, REFERENCE, portal)
    assert len(found.wrong) == 1
    assert "planted in the national list" in found.wrong[0]


COVERAGE: dict[str, Any] = {
    "procedures": 2, "offered": 1, "by_level": {"4": 1}, "stray": ["1.000002.01"],
    "lines": [
        {"code": "1.000001", "active": True, "offered": True, "level": 4},
        {"code": "1.000002", "active": False, "offered": False, "level": None},
        {"code": "1.000003", "active": False, "offered": False, "level": None},
        {"code": "1.000004", "active": True, "offered": False, "level": None},
    ],
}  # fmt: skip
DEAD = {"planted-1": "not_offered", "planted-2": "not_offered"}


def services(sent: Sent, portal: Path, dead: dict[str, str] = DEAD, **coverage: Any) -> list[str]:
    return checker_catalogue.check_services(sent, LISTED, COVERAGE | coverage, dead, portal).wrong


def test_services_as_sent_are_right(sent: Sent, portal: Path) -> None:
    assert services(sent, portal) == []


def test_each_alteration_of_services_is_told(sent: Sent, portal: Path) -> None:
    assert services(sent, portal, {"planted-1": "not_offered"}) == [
        "planted-2: a dead letter not_offered is due, there is none"
    ]
    assert services(sent, portal, DEAD | {"planted-2": "transition"}) == [
        "planted-2: a dead letter not_offered is due, there is transition"
    ]
    assert services(sent, portal, DEAD | {"d1": "not_offered"}) == [
        "d1: a dead letter (not_offered) that nobody planted"
    ]
    assert services(sent, portal, offered=2) == ["procedures offered online: 1 is due, 2 is shown"]
    assert services(sent, portal, stray=[]) == ["services of withdrawn procedures: ['1.000002.01'] is due, [] is shown"]
    lines = copy.deepcopy(COVERAGE["lines"])
    lines[0]["level"] = 3
    assert services(sent, portal, lines=lines) == [
        "coverage of 1.000001: (True, True, 4) is due, (True, True, 3) is shown"
    ]  # fmt: skip


def test_one_that_was_not_planted_and_cannot_be_filed_is_told(tmp_path: Path, portal: Path) -> None:
    path = tmp_path / "more.ndjson"
    more = [*EVENTS, online("d3", "H36.20-261005-0009", "1.000002", "2026-10-05T00:00:00Z")]
    path.write_text("".join(json.dumps(one) + "\n" for one in more), "utf-8")
    assert services(read(path), portal) == ["d3 was not planted, and the service of 1.000002 only informs"]


@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2026, 12, 1), date(2027, 3, 1)])
def test_what_the_demo_plants_is_what_the_checker_finds(tmp_path: Path, day: date) -> None:
    """On any day: the differences are those of the plan, and so are the dossiers that nobody can file online."""
    now = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    calendar = extras.Calendar(int(now.timestamp() * 1000))
    events = extras.province_events(calendar, 400)
    listed, planted = demo_catalogue.national_list(events)
    path = tmp_path / "events.ndjson"
    sinks.to_file(events, path, False, lambda _: None)
    sent = read(path)
    assert checker_catalogue.differences(sent, listed) == set(planted)
    assert len(planted) == 6
    assert len(sent.refused) == 6
    assert all(checker_catalogue.refusal(sent, step) for step in sent.refused.values())
    firsts = [dossier.steps[0] for dossier in sent.dossiers.values()]
    assert not any(checker_catalogue.refusal(sent, s) for s in firsts if s.data.get("channel") == "ONLINE")
    assert max(event.at for event in events) < calendar.now
