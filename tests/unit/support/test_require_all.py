"""With HUB_REQUIRE_ALL=1 a skip is a failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INNER = """
import pytest
def test_skips(): pytest.skip("no such thing here")
@pytest.mark.xfail(strict=True)
def test_known(): assert False
"""


@pytest.mark.parametrize(("value", "line", "code"), [("1", "1 failed, 1 xfailed", 1), ("", "1 skipped, 1 xfailed", 0)])
def test_a_skip_is_a_failure_only_when_all_is_required(tmp_path, monkeypatch, value, line, code):
    (tmp_path / "test_inner.py").write_text(INNER)
    monkeypatch.setenv("HUB_REQUIRE_ALL", value)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir"]
    done = subprocess.run(
        [*words, tmp_path, "-c", ROOT / "pyproject.toml", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert line in done.stdout
    assert done.returncode == code
