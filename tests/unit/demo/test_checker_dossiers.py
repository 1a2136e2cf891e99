"""Slices 4, 5 and 6 of the generated province: what is altered in what is shown is told, exactly that and nothing else.

The dossiers and what must come of them are written by hand.
"""

from __future__ import annotations

import contextlib
import copy
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.demo.checker import deadlines, dossiers
from hub.demo.checker import joint as checker_joint
from hub.demo.checker import sent as checker_sent
from hub.demo.checker.deadlines import DUE, WARNING, Feed, Told
from hub.demo.checker.result import Slice
from hub.demo.checker.sent import Sent, millis
from hub_connectors.national_portal.simulator.ledger import Ledger as NationalLedger
from hub_connectors.webhook.simulator.ledger import Ledger as ProvincialLedger

A, B, PART = "H36.20-261005-0001", "000.00.30.H36-261006-0002", "H36.45-261007-0003"
SOURCE = "urn:vn:gov:H36.20:mot-cua"


def event(id: str, code: str, step: str, at: str, **facts: Any) -> dict[str, Any]:
    data = {"dossier_code": code, "step": step, "occurred_at": at, "agency_code": "H36.20", **facts}
    return {"id": id, "source": SOURCE, "type": "vn.hub.dossier.step", "subject": code, "time": at, "data": data}


ONE_STOP = {"handler": {"name": "x", "department": "Một cửa"}}
# A: the work is told after the end, the receipt twice. B goes to the tax office, which opens a part and keeps B.
EVENTS = [
    event("a1", A, "RECEIVED", "2026-10-05T01:00:00Z", due_at="2026-10-05T02:00:00Z", **ONE_STOP),
    event("a1", A, "RECEIVED", "2026-10-05T01:00:00Z", due_at="2026-10-05T02:00:00Z", **ONE_STOP),
    event("a3", A, "FINISHED", "2026-10-07T01:00:00Z"),
    event("a2", A, "IN_PROCESS", "2026-10-06T01:00:00Z"),
    event("b1", B, "RECEIVED", "2026-10-06T01:00:00Z", due_at="2026-11-23T10:00:00Z"),
    # A Tuesday, 8:00 in Việt Nam; five days later is a Sunday, hence Monday 17:00.
    event("b2", B, "TRANSFERRED", "2026-10-06T01:00:00.000Z", transferred_to="H36.45", transfer_limit=5.0,
          transfer_limit_unit="Ngày"),
    event("p1", PART, "RECEIVED", "2026-10-07T03:00:00Z", parent_code=B, agency_code="H36.45"),
]  # fmt: skip
EVENTS[5]["data"]["occurred_at"] = "2026-10-06T01:00:01Z"
B_SENT = millis("2026-10-06T01:00:01Z")
B_DUE = millis("2026-10-12T10:00:00Z")
# event -> (status at the portals, late)
SHOWN = {"a1": ("ACCEPTED", False), "a3": ("FINISHED", False), "a2": ("IN_PROCESS", True), "b1": ("ACCEPTED", False),
         "b2": ("IN_PROCESS", False), "p1": ("ACCEPTED", False)}  # fmt: skip
FINAL = {A: "FINISHED", B: "IN_PROCESS", PART: "ACCEPTED"}
CODES = {"ACCEPTED": "2", "IN_PROCESS": "4", "FINISHED": "9"}
TIMES = {"a1": "20261005080000", "a2": "20261006080000", "a3": "20261007080000", "b1": "20261006080000",
         "b2": "20261006080001", "p1": "20261007100000"}  # fmt: skip


@pytest.fixture
def sent(tmp_path: Path) -> Sent:
    path = tmp_path / "events.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in EVENTS), "utf-8")
    return checker_sent.read(path)


@pytest.fixture
def portals(tmp_path: Path) -> tuple[Path, Path]:
    """(national, provincial), which got everything."""
    national, provincial = tmp_path / "national.sqlite", tmp_path / "provincial.sqlite"
    ledger, hooks, seqs = NationalLedger(national, "append"), ProvincialLedger(provincial), dict[str, int]()
    for one in {one["id"]: one for one in EVENTS}.values():
        code, (status, late) = one["subject"], SHOWN[one["id"]]
        seq = seqs[code] = seqs.get(code, 0) + (2 if one["id"] == "b2" else 1)  # the hub told a deadline in between
        standing = FINAL[code] if late else status
        line = {"MaHoSo": code, "NguoiXuLy": "x", "ThoiDiemXuLy": TIMES[one["id"]], "NoiDungXuLy": "x",
                "TrangThai": CODES[status], "PhongBanXuLy": "Một cửa" if one["id"] == "a1" else ""}  # fmt: skip
        ledger.write_dossiers([{"MaHoSo": code, "TrangThaiHoSo": CODES[standing]}], "True")
        ledger.write_lines([line])
        data = {"hub_seq": seq, "late": late, "status": status, "step": one["data"], "dossier": {"status": standing}}
        hooks.receive(one["id"], "vn.hub.dossier.event", code, seq, json.dumps({"data": data}))
    ledger.close()
    hooks.close()
    return national, provincial


def answers() -> dict[str, dict[str, Any]]:
    held = {"holder_agency_code": "H36.45", "holder_since": B_SENT, "holder_due_at": B_DUE}
    moved = {"from_agency": "H36.30", "to_agency": "H36.45", "since": B_SENT, "due_at": B_DUE, "until": None}
    none: dict[str, Any] = {"state": {"x": 1}, "transfers": [], "parts": [], "parent": None, "agency_code": "H36.20"}
    return copy.deepcopy({
        A: {**none, "status": "FINISHED"},
        B: {**none, "status": "IN_PROCESS", "state": held, "transfers": [moved], "parts": [{"key": PART}]},
        PART: {**none, "status": "ACCEPTED", "parent": {"key": B}},
    })  # fmt: skip


def changed(database: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as db:
        for statement in statements:
            assert db.execute(statement).rowcount == 1, statement
        db.commit()


def test_what_is_shown_as_it_was_sent_is_right(sent: Sent, portals: tuple[Path, Path]) -> None:
    found = dossiers.check(sent, *portals, answers())
    assert found.wrong == []
    counted = {name: found.figures[name] for name in ("dossiers", "events", "sent_twice", "late")}
    assert counted == {"dossiers": 3, "events": 6, "sent_twice": 1, "late": 1}


@pytest.mark.parametrize(
    ("portal", "statement", "sentence"),
    [
        ("national", f"DELETE FROM dossiers WHERE ma_ho_so = '{B}'", "the dossier is missing"),
        ("national", "UPDATE dossiers SET trang_thai = '8' WHERE trang_thai = '9'", "status: 9 is due, 8 is shown"),
        ("national", "DELETE FROM progress_lines WHERE id = 3", "the line 20261006080000 4 is missing"),
        (
            "national",
            "INSERT INTO progress_lines SELECT 99, ma_ho_so, nguoi_xu_ly, chuc_danh, '20261031000000', '', 'x', '4',"
            " '', '', arrived_at, 1 FROM progress_lines WHERE id = 2",
            "nobody sent the line 20261031000000 4",
        ),
        ("provincial", "DELETE FROM events WHERE webhook_id = 'a3'", "number of events: 3 is due, 2 is shown"),
        (
            "provincial",
            "UPDATE events SET body = json_set(body, '$.data.late', json('false')) WHERE webhook_id = 'a2'",
            "event 3: ('IN_PROCESS', 'IN_PROCESS', True) is due, ('IN_PROCESS', 'IN_PROCESS', False) is shown",
        ),
        ("provincial", "UPDATE events SET hub_seq = 9 WHERE webhook_id = 'a3'", "out of order, hub_seq [1, 9, 3]"),
        (
            "provincial",
            "UPDATE events SET body = json_set(body, '$.data.dossier.status', 'STOPPED') WHERE webhook_id = 'b2'",
            "status: IN_PROCESS is due, STOPPED is shown",
        ),
    ],
)
def test_each_alteration_at_a_portal_is_told(
    sent: Sent, portals: tuple[Path, Path], portal: str, statement: str, sentence: str
) -> None:
    changed(portals[portal == "provincial"], statement)
    found = dossiers.check(sent, *portals, answers())
    assert len(found.wrong) == 1
    assert sentence in found.wrong[0]
    assert f"the {portal} portal" in found.wrong[0]


def test_another_status_in_the_read_api_is_told(sent: Sent, portals: tuple[Path, Path]) -> None:
    shown = answers()
    shown[PART]["status"] = "NEW"
    (sentence,) = dossiers.check(sent, *portals, shown).wrong
    assert sentence == f"{PART} in the read API, status: ACCEPTED is due, NEW is shown"


def joint(sent: Sent, alter: Callable[[dict[str, Any]], None] = lambda _: None) -> Slice:
    shown = answers()
    alter(shown)
    return checker_joint.check(sent, shown)


def test_transfers_and_parts_as_sent_are_right(sent: Sent) -> None:
    found = joint(sent)
    assert found.wrong == []
    assert found.figures == {"dossiers": 2, "transfers": 1, "due_by_limit": 1, "parents": 1, "parts": 1,
                             "held_elsewhere_now": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("alter", "word"),
    [
        (
            lambda shown: shown[B]["transfers"][0].update(due_at=B_DUE - 1),
            "due_at: 12/10/2026 17:00:00.000 is due, 12/10/2026 16:59:59.999 is shown",
        ),
        (lambda shown: shown[B]["transfers"][0].update(from_agency="H36.20"), "transfer 1"),
        (lambda shown: shown[B]["transfers"].pop(), "number of transfers: 1 is due, 0 is shown"),
        (lambda shown: shown[B]["state"].update(holder_agency_code="H36.30"), "who holds it"),
        (lambda shown: shown[B].update(parts=[]), "its parts"),
        (lambda shown: shown[PART].update(parent=None), "its parent"),
        (lambda shown: shown.pop(PART), "its parent"),
    ],
)
def test_each_alteration_of_joint_handling_is_told(
    sent: Sent, alter: Callable[[dict[str, Any]], None], word: str
) -> None:  # fmt: skip
    wrong = joint(sent, alter).wrong
    assert any(word in sentence for sentence in wrong)
    assert len(wrong) <= 2


FED, NOW = Feed(millis("2026-11-05T00:00:00Z"), millis("2026-11-05T00:01:00Z")), millis("2026-11-24T05:00:00Z")
B_DEADLINE = millis("2026-11-23T10:00:00Z")
TOLD = [Told("w", B, WARNING, B_DEADLINE), Told("d", B, DUE, B_DEADLINE), Told("d", B, DUE, B_DEADLINE),
        Told("t", B, "TRANSFER_DUE", B_DUE)]  # fmt: skip


def test_a_deadline_that_came_while_the_hub_ran_is_warned_of_and_told(sent: Sent) -> None:
    """B is in work; its date, Monday 23 November 17:00, was over at the moment of looking. A is finished, its date is
    more than thirty days back; the part has none. The tax office's date was over when the hub heard of it: no warning.
    The record that came twice has one id."""
    found = deadlines.check(sent, TOLD, FED, NOW)
    assert found.wrong == []
    assert found.figures["told"] == {DUE: 1, "TRANSFER_DUE": 1, WARNING: 1}
    assert (found.figures["due_for_certain"], found.figures["undecided_dossiers"]) == (3, 0)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ([TOLD[0], TOLD[3]], f"{B}: DUE is due 1 times, was told 0 times"),
        (TOLD[:3], f"{B}: TRANSFER_DUE is due 1 times, was told 0 times"),
        (
            [*TOLD, Told("x", B, "TRANSFER_WARNING", B_DUE)],
            f"{B}: TRANSFER_WARNING is due 0 times, was told 1 times",
        ),
        (TOLD[1:], f"{B}: WARNING is due 1 times, was told 0 times"),
        ([*TOLD, Told("x", PART, DUE, B_DUE)], f"{PART}: DUE is due 0 times, was told 1 times"),
        ([*TOLD, Told("x", A, DUE, millis("2026-10-05T02:00:00Z"))], f"{A}: DUE is due 0 times, was told 1 times"),
    ],
)
def test_each_deadline_too_few_or_too_many_is_told(sent: Sent, told: list[Told], sentence: str) -> None:
    assert deadlines.check(sent, told, FED, NOW).wrong == [sentence]


def test_one_that_is_told_twice_is_told(sent: Sent) -> None:
    wrong = deadlines.check(sent, [*TOLD, Told("again", B, DUE, B_DEADLINE)], FED, NOW).wrong
    assert wrong[0] == f"{B}: DUE was told 2 times for one deadline"


def test_a_date_while_the_hub_took_in_the_file_is_not_decided(sent: Sent) -> None:
    feed = Feed(B_DEADLINE - 1_000, B_DEADLINE + 20_000)
    found = deadlines.check(sent, TOLD[:1], feed, NOW)
    assert (found.wrong, found.figures["undecided_dossiers"]) == ([], 1)
    early = Feed(B_DEADLINE - 60_000, B_DEADLINE + 20_000, {B: B_DEADLINE - 50_000})
    assert deadlines.check(sent, TOLD[:1], early, NOW).wrong == [f"{B}: DUE is due 1 times, was told 0 times"]
