"""docs/glossary.md has every word of the schemas, and Vietnamese is written alike everywhere."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORDS = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "glossary.md").read_text("utf-8")))
SCHEMAS = sorted((ROOT / "schemas").glob("*.avsc"))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_every_field_and_symbol_stands_in_the_glossary(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    words = {field["name"] for field in schema.get("fields", ())} | set(schema.get("symbols", ()))
    assert words
    assert words - WORDS == set()


PAGES = [
    ROOT / "README.md",
    *(page for folder in ("docs", "connectors", "deploy") for page in (ROOT / folder).rglob("*.md")),
]


@pytest.mark.parametrize("path", sorted(PAGES), ids=lambda path: str(path.relative_to(ROOT)))
def test_vietnamese_is_nfc(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text == unicodedata.normalize("NFC", text)
