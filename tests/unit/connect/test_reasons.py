"""A connector's refusals use the words that dead letters, metrics and filters know."""

from __future__ import annotations

import re
from pathlib import Path

from hub.connect.http_call import check_status
from hub.deadletter.reasons import REASONS

CONNECTORS = Path(__file__).parents[3] / "connectors" / "hub_connectors"


def test_every_reason_is_in_the_catalogue() -> None:
    sources = [path for path in CONNECTORS.rglob("*.py") if "tests" not in path.parts]
    used = {word for path in sources for word in re.findall(r'Rejected\(\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    used |= set(check_status.__globals__["_ABOUT_THE_MESSAGE"].values()) | {"refused"}
    assert {"status", "date", "gone", "unsupported"} <= used
    assert used <= REASONS.keys()
