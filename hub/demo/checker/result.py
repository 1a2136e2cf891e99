"""What a checker of the generated province hands back, and how it reads a portal's database. Imports nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]
"""What the hub or a portal says in JSON, or a line of the report. The hub's own name for it is not imported."""


@dataclass
class Slice:
    """One slice's result. figures: for the report. shown: the same for people. wrong: a sentence for each thing that is
    not as it must be."""

    figures: JsonObject = field(default_factory=dict)
    shown: str = ""
    wrong: list[str] = field(default_factory=list)

    def same(self, what: str, due: Any, shown: Any) -> bool:
        """Notes a difference."""
        if due != shown:
            self.wrong.append(f"{what}: {due} is due, {shown} is shown")
        return bool(due == shown)


def rows(database: Path, query: str) -> Iterator[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        yield from db.execute(query)
