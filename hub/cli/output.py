"""How commands speak: tables for people, JSON for scripts (`--json`), the same data behind both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="for scripts: one JSON value on stdout")]


def print_json(value: Any) -> None:
    """One JSON value; what JSON has no form for (paths, times) as text."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A rich table; cells are printed as they are, without markup."""
    from rich.console import Console  # not needed for --json
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    Console().print(table)
