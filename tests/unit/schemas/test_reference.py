"""Reference data: well-formed, valid over time, and in step with the enums that it explains."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "schemas"
FILES = sorted((FOLDER / "reference").glob("*.json"))


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_has_one_shape(path: Path) -> None:
    content = _read(path)
    assert set(content) == {"wire_name", "enum", "source", "note", "values"}
    assert content["source"]
    assert content["values"]
    for value in content["values"]:
        assert set(value) == {"code", "symbol", "vi", "en", "valid_from", "valid_to"}
        assert value["vi"]
        assert value["en"]
        start, end = (date.fromisoformat(value[k]) if value[k] else None for k in ("valid_from", "valid_to"))
        assert not (start and end) or start <= end
    assert len({v["code"] for v in content["values"]}) == len(content["values"])


@pytest.mark.parametrize("path", [p for p in FILES if _read(p)["enum"]], ids=lambda p: p.stem)
def test_symbols_are_those_of_the_enum(path: Path) -> None:
    content = _read(path)
    enum = _read(FOLDER / f"{content['enum']}.avsc")
    assert [v["symbol"] for v in content["values"]] == [s for s in enum["symbols"] if s != "UNKNOWN"]


def test_the_national_portal_s_status_codes() -> None:
    """By hand from docs/field/statuses.md#codes, not from the file."""
    values = _read(FOLDER / "reference" / "dossier_status.json")["values"]
    assert {v["code"]: v["vi"] for v in values} == {
        "1": "Mới đăng ký",
        "2": "Được tiếp nhận",
        "3": "Không được tiếp nhận",
        "4": "Đang xử lý",
        "5": "Yêu cầu bổ sung giấy tờ",
        "6": "Yêu cầu thực hiện nghĩa vụ tài chính",
        "7": "Công dân yêu cầu rút hồ sơ",
        "8": "Dừng xử lý",
        "9": "Đã xử lý xong",
        "10": "Đã trả kết quả",
    }
