"""CHANGELOG.md has the form that it names: Keep a Changelog."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[3] / "CHANGELOG.md").read_text("utf-8")
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def test_versions_come_first_and_each_kind_once_in_order() -> None:
    assert TEXT.startswith("# Changelog\n")
    first, *versions = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    assert "###" not in first
    assert versions[0].startswith("[Unreleased]\n")
    assert all(re.match(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}\n", version) for version in versions[1:])
    for version in versions:
        kinds = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds]


def test_no_kind_is_empty() -> None:
    for kind, entries in re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL):
        assert re.search(r"^- \S", entries, re.MULTILINE), kind
