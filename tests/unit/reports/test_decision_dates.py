"""Item 1.2: decisions of the month and how fast they were made public, twelve procedures worked out by hand.

October 2026 begins on a Thursday and has no holiday. Working days are those after the day of the decision.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from hub.avro.records import Procedure
from hub.config import FiguresSettings, Settings
from hub.events import families
from hub.kafka import topics
from hub.readmodel.database import open_engine
from hub.reports import monthly_report
from hub.reports.decision_dates import decided_at
from hub.stream.stage import Record
from tests.support.core import Core, record
from tests.support.figures import NOW, ms
from tests.support.readmodel import Rec, project

NFD = unicodedata.normalize("NFD", "Quyết định số 2102/QĐ-UBND ngày 2 tháng 10 năm 2026")
BASES = {"2103/QĐ-UBND": "10-16 00:00", "103/QĐ-UBND": "10-16 00:00"}

# code, decision, legal basis, changes, what comes of it
SHEET = [
    ("2.100001", "2101/QĐ-UBND ngày 05/10/2026", "", "PUBLISHED 10-12 16:00", "in time"),  # 6 7 8 9 12: the fifth day
    ("2.100002", "2101/QĐ-UBND ngày 05/10/2026", "", "PUBLISHED 10-13 08:00", "late"),  # the sixth
    ("2.100003", NFD, "", "PUBLISHED 10-09 23:00", "in time"),  # Friday to Friday: 5 6 7 8 9
    ("2.100004", "2103/QĐ-UBND", "2103/QĐ-UBND", "PUBLISHED 10-26 08:00", "late"),  # 19 20 21 22 23 26
    ("2.100005", "2103/QĐ-UBND", "103/QĐ-UBND", "PUBLISHED 10-26 08:00", "unknown"),  # another document
    ("2.100006", "2001/QĐ-UBND ngày 30/09/2026", "", "PUBLISHED 10-01 08:00", "another month"),
    ("2.100007", "2104/QĐ-UBND ngày 12/10/2026", "", "PUBLISHED 05-04 08:00; AMENDED 10-14 08:00", "in time"),
    ("2.100008", "2105/QĐ-UBND ngày 09/10/2026", "", "PUBLISHED 10-08 08:00", "in time"),  # public before it was signed
    ("2.100009", "2101/QĐ-UBND ngày 05/10/2026", "", "PUBLISHED 10-06 08:00; WITHDRAWN 10-20 08:00", "withdrawn"),
    ("2.100010", "2106/QĐ-UBND ngày 31/02/2026", "", "PUBLISHED 10-06 08:00", "unknown"),  # no such day
    ("2.100011", "2107/QĐ-UBND ngày 30-10-2026", "", "PUBLISHED 11-06 08:00", "in time"),  # 2 3 4 5 6 November
    ("2.100012", "", "", "PUBLISHED 10-06 08:00", "unknown"),
]


def changes() -> list[Record]:
    out = []
    for code, decision, basis, told, _ in SHEET:
        for text in told.split("; "):
            kind, _, at = text.partition(" ")
            datum: dict[str, Any] = {"procedure_code": code, "change": kind, "occurred_at": ms(at)}
            if kind != "WITHDRAWN":
                bases = [{"number": basis, "issued_on": ms(BASES[basis])}] if basis else None
                datum |= {"agency_code": "H11.12", "decision": decision or None, "legal_bases": bases}
            out.append(record(datum, f"{code}-{kind}", families.PROCEDURE.published))
    return out


def october_of(folder: Path, settings: Settings) -> dict[str, Any]:
    core, engine = Core(), open_engine(Settings(data_dir=folder))
    core.run(*changes())
    assert not core.dead
    events = [one for one in core.out if one.topic == topics.EVENTS]
    project(engine, [Rec(topics.EVENTS, 0, n, one.key, one.value, one.headers) for n, one in enumerate(events)])
    found = monthly_report.monthly(engine, settings, "2026-10", now_ms=NOW)
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return october_of(tmp_path_factory.mktemp("decisions"), Settings())


def item(found: dict[str, Any], id: str) -> dict[str, Any]:
    (agency,) = found["agencies"]
    return next(i for g in agency["score"]["groups"] for i in g["items"] if i["item"] == id)


def test_each_decision_stands_where_the_sheet_says(october: dict[str, Any]) -> None:
    found = item(october, "1.2")
    assert sorted(found["counted"]["dossiers"]) == [row[0] for row in SHEET if row[4] == "in time"]
    assert sorted(found["total"]["dossiers"]) == [row[0] for row in SHEET if row[4] in ("in time", "late")]
    assert (found["written"], found["value"]) == ("5 / 7 = 71,4 %", 0.7143)


def test_a_ministry_has_ten_days(tmp_path: Path) -> None:
    text = (Path(monthly_report.__file__).parent / "score.toml").read_text("utf-8")
    own = tmp_path / "ministry.toml"
    own.write_text(text.replace("working_days_after_decision = 5 ", "working_days_after_decision = 10"), "utf-8")
    found = october_of(tmp_path, Settings(data_dir=tmp_path, figures=FiguresSettings(rules_file=own)))
    assert item(found, "1.2")["written"] == "7 / 7 = 100,0 %"


def test_what_cannot_be_known_says_why(october: dict[str, Any]) -> None:
    for id, word in (("4.4", "DuocLayTuKhoDMQG"), ("5.1", "phản ánh"), ("5.2", "phản ánh"), ("5.3", "phản ánh")):
        found = item(october, id)
        assert (found["value"], found["worth"], found["total"]["count"]) == (None, None, 0)
        assert word in found["why_not"]


@pytest.mark.parametrize(
    ("decision", "day"),
    [
        ("QĐ 1/QĐ-UBND NGÀY 5.10.2026 của Chủ tịch", "10-05 00:00"),
        ("ngày ký: 05/10/2026", None),
        ("1/QĐ-UBND ngày 05/10/26", None),
        ("1/QĐ-UBND ngày 05/10/2026, sửa đổi ngày 07/10/2026", "10-05 00:00"),
        (None, None),
    ],
)
def test_the_day_in_the_words_of_a_decision(decision: str | None, day: str | None) -> None:
    assert decided_at(
        Procedure(procedure_code="1.000001", hub_seq=1, active=True, changed_at=NOW, decision=decision)
    ) == (ms(day) if day else None)
