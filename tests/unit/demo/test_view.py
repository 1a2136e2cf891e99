"""The closing tables: a line for each slice of the second act, and whether it is as it must be."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from hub.cli.demo import demo
from hub.demo.checker.result import Slice
from hub.demo.domain_checks import TITLES, report
from hub.demo.view import View
from hub.errors import ConfigError


def shown(wrong: list[str]) -> str:
    slices = {name: Slice({"n": number}, f"{name} shown") for number, name in enumerate(TITLES)}
    slices["figures"].wrong += wrong
    part, sentences = report(slices)
    out = io.StringIO()
    view = View(Console(file=out, width=60))
    view.table({"accepted": 1, "province": {"events": 9, "elapsed_s": 1.5, **part}}, sentences)
    return out.getvalue()


def test_each_slice_has_a_line_in_both_languages() -> None:
    text = shown([])
    for name, (number, english, vietnamese) in TITLES.items():
        line = next(line for line in text.splitlines() if english in line)
        assert f"│ {number} │" in line
        assert f"{name} shown" in line
        assert "✓" in line
        assert vietnamese in text
    assert "✗" not in text
    assert "9 events, 1.5 s" in text
    assert "✓ the generated province is shown as it was sent" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_slice_that_is_wrong_is_marked_and_said() -> None:
    text = shown(["x is missing", "y is missing"])
    line = next(line for line in text.splitlines() if TITLES["figures"][1] in line)
    assert "✗" in line
    assert "✗ slice 8, Figures of a month: 2 wrong, first: x is missing" in text
    assert "as it was sent" not in text


def test_a_province_that_is_too_small_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 300"):
        demo(province_events=100, data_dir=tmp_path / "data", report=tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []
