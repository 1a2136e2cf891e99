"""Slice 7: dossiers filed on the national portal, written by hand; each alteration is told."""

from __future__ import annotations

import contextlib
import copy
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.demo.checker import national as checker_national
from hub.demo.checker.result import Slice
from hub.demo.checker.sent import Sent, millis, read
from hub_connectors.national_portal.simulator.ledger import Ledger

A, B = "H36.20-261124-9101", "H36.20-261124-9102"
INBOUND = "urn:vn:gov:dvcqg:inbound"
START, END = millis("2026-10-01T00:00:00Z"), millis("2026-11-01T00:00:00Z")


def step(id: str, code: str, kind: str, at: str = "2026-11-24T01:00:00Z", **facts: Any) -> dict[str, Any]:
    data = {"dossier_code": code, "step": kind, "occurred_at": at, **facts}
    return {"id": id, "source": "x", "type": "vn.hub.dossier.step", "subject": code, "time": at, "data": data}


def sent(folder: Path, *events: dict[str, Any]) -> Sent:
    path = folder / f"{len(events)}.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in events), "utf-8")
    return read(path)


def filed(code: str, host: str) -> dict[str, Any]:
    id = f"F-{code[-4:]}"
    return {"MaHoSo": code, "TaiLieuNop": [{"TepDinhKemId": id, "DuongDanTaiTepTin": f"http://127.0.0.1{host}/{id}"}]}


FILED = [filed(A, ":8000"), filed(B, ":1")]


@pytest.fixture
def national(tmp_path: Path) -> Path:
    """What the portal keeps when all went well: the filing, the agency's answer, its line."""
    path = tmp_path / "national.sqlite"
    ledger = Ledger(path, "append")
    for code, status in ((A, "2"), (B, "5")):
        ledger.write_dossiers([{"MaHoSo": code, "TrangThaiHoSo": "1"}], "False")
        ledger.write_answer({"MaHoSo": code, "TrangThai": status})
        ledger.write_dossiers([{"MaHoSo": code, "TrangThaiHoSo": status}], "True")
        line = {"MaHoSo": code, "NguoiXuLy": "x", "ThoiDiemXuLy": "20261124080000", "NoiDungXuLy": "x"}
        ledger.write_lines([line | {"TrangThai": status}])
    ledger.log("DongBoDanhGia", "", "-1", "")
    ledger.log("DongBoDanhGia", "", "0", "")
    ledger.close()
    return path


def answers() -> dict[str, Any]:
    first, other = ({"step": "SUBMITTED", "source": INBOUND} for _ in range(2))
    named = "files out of reach, 1 of 1 links: F-9102 connect; {}"
    return copy.deepcopy({
        A: {"status": "ACCEPTED", "events": [first], "deliveries": [{"subscriber": "national", "answer": "{}"}]},
        B: {"status": "SUPPLEMENT", "events": [other], "deliveries": [{"subscriber": "national", "answer": named}]},
    })  # fmt: skip


def check(folder: Path, national: Path, alter: Callable[[dict[str, Any]], object] = lambda _: None) -> Slice:
    shown = answers()
    alter(shown)
    answered = sent(folder, step("a", A, "RECEIVED"), step("b", B, "SUPPLEMENT_REQUESTED"))
    return checker_national.check(FILED, answered, national, shown, INBOUND, Slice())


def test_what_went_well_is_right(tmp_path: Path, national: Path) -> None:
    found = check(tmp_path, national)
    assert found.wrong == []
    assert found.figures == {"filed": 2, "answered": 2, "sent_back": 0, "files_out_of_reach": 1}


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            f"DELETE FROM answers WHERE ma_ho_so = '{A}'",
            "answered to the national portal: {'2'} is due, set() is shown",
        ),
        (f"UPDATE dossiers SET trang_thai = '1' WHERE ma_ho_so = '{B}'", "status: 5 is due, 1 is shown"),
        (f"DELETE FROM progress_lines WHERE ma_ho_so = '{B}'", "lines: {'5'} is due, set() is shown"),
        (
            "INSERT INTO dossier_history (ma_ho_so, is_updating, trang_thai, body, arrived_at)"
            f" VALUES ('{A}', 'True', '1', '{{}}', 'x')",
            "how often shown as new: 1 is due, 2 is shown",
        ),
    ],
)
def test_each_alteration_at_the_portal_is_told(tmp_path: Path, national: Path, statement: str, sentence: str) -> None:
    with contextlib.closing(sqlite3.connect(national)) as db:
        assert db.execute(statement).rowcount == 1
        db.commit()
    found = check(tmp_path, national)
    (told,) = found.wrong
    assert told.endswith(sentence)
    assert found.figures["sent_back"] == ("as new" in sentence)


@pytest.mark.parametrize(
    ("alter", "word"),
    [
        (lambda shown: shown[A].update(status="NEW"), "in the read API, status"),
        (lambda shown: shown[A]["events"][0].update(source="urn:other"), "how it came in"),
        (lambda shown: shown[B]["deliveries"][0].update(answer="{}"), "F-9102 named as out of reach: True is due"),
        (
            lambda shown: shown[A]["deliveries"][0].update(answer="files out of reach, F-9101 http_404"),
            "F-9101 named as out of reach: False is due",
        ),
    ],
)
def test_each_alteration_in_the_read_api_is_told(
    tmp_path: Path, national: Path, alter: Callable[[dict[str, Any]], object], word: str
) -> None:
    (told,) = check(tmp_path, national, alter).wrong
    assert word in told


def test_ratings_of_the_month_the_last_of_each_dossier(tmp_path: Path, national: Path) -> None:
    rated = sent(
        tmp_path,
        step("1", A, "RATED", "2026-10-02T00:00:00Z", rating=1),
        step("2", A, "RATED", "2026-10-03T00:00:00Z", rating=5),
        step("3", B, "RATED", "2026-11-03T00:00:00Z", rating=5),
    )

    def wrong(*counts: int) -> list[str]:
        return checker_national.check_satisfaction(rated, START, END, {"counts": counts}, national).wrong

    assert wrong(0, 0, 0, 0, 1) == []
    assert wrong(1, 0, 0, 0, 1) == ["ratings of the month: [0, 0, 0, 0, 1] is due, [1, 0, 0, 0, 1] is shown"]
    with contextlib.closing(sqlite3.connect(national)) as db:
        db.execute("DELETE FROM calls WHERE error_code = '0'")
        db.commit()
    assert wrong(0, 0, 0, 0, 1) == ["DongBoDanhGia was never taken by the national portal"]


def test_questions(national: Path) -> None:
    """7001 was answered, 7002 is open."""
    ledger = Ledger(national, "append")
    ledger.write_question_answers([{"HOIDAPID": "7001", "NOIDUNGTRALOI": "Tại bộ phận một cửa."}])
    ledger.close()
    asked, seen = [{"HOIDAPID": 7001}, {"HOIDAPID": 7002}], {"before": ["7001", "7002"], "after": ["7002"]}

    def wrong(text: str = "Tại bộ phận một cửa.", **changes: list[str]) -> list[str]:
        return checker_national.check_questions(asked, {"7001": text}, seen | changes, national).wrong

    assert wrong() == []
    assert wrong(before=["7001"]) == [
        "questions asked on the national portal: ['7001', '7002'] is due, ['7001'] is shown"
    ]
    assert wrong(after=["7001", "7002"]) == ["questions still open: ['7002'] is due, ['7001', '7002'] is shown"]
    assert wrong("Khác") == ["answer to question 7001: Khác is due, Tại bộ phận một cửa. is shown"]
