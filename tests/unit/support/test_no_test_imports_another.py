"""What tests share stands in tests/support or beside a connector's tests, never in a module of tests."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
OF_A_TEST = re.compile(r"^\s*(?:from [\w.]*\.test_\w+ import |from [\w.]+ import .*\btest_|import [\w.]*\.test_)", re.M)


def test_no_module_imports_a_module_of_tests() -> None:
    files = [path for folder in ("tests", "connectors") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 300
    assert [str(path.relative_to(ROOT)) for path in files if OF_A_TEST.search(path.read_text("utf-8"))] == []
