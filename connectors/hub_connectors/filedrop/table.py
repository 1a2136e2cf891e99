"""A file as a header and rows, read in a stream; what CSV and XLSX have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Protocol

from hub.errors import BadRecord
from hub_connectors.filedrop.encodings import nfc

ROW_LIMIT = 262_144
"""Bytes of one row; a longer one is refused, its first bytes kept."""

Place = tuple[int, int]
"""Where a row begins: (byte offset, line number) in a CSV, (0, row number) in a sheet; numbers count from 1."""


@dataclass(frozen=True, slots=True)
class Row:
    """cells: text, or what a sheet's cell holds; empty when `error` says why the row cannot be read.
    raw: its bytes as they stand in the file (of a sheet: the cells as text). after: where the next row begins."""

    line: int
    cells: Sequence[object]
    raw: bytes
    after: Place
    error: BadRecord | None = None


class Form(Protocol):
    """How a file is written: the mapping's `[file]` (mapping.py), and what the child process is told of it."""

    @property
    def format(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def delimiter(self) -> str: ...
    @property
    def quote(self) -> str: ...
    @property
    def skip_rows(self) -> int: ...
    @property
    def header_rows(self) -> int: ...
    @property
    def sheet(self) -> str: ...


class Table(Protocol):
    """An open file. `columns`: the header's names, NFC, without outer white space."""

    columns: Sequence[str]
    first: Place
    """Where the rows begin."""

    def rows(self, at: Place) -> Iterator[Row]:
        """All rows from there that are not empty."""
        ...

    def close(self) -> None: ...


def join_header(header: Sequence[Sequence[str]]) -> list[str]:
    """One name a column from several header rows, joined by " / ".

    An empty cell of an upper row takes the cell on its left, as a merged cell is exported; the last row fills nothing.
    """
    width = max((len(row) for row in header), default=0)
    filled = []
    for number, row in enumerate(header):
        cells, left = [], ""
        for cell in [*row, *[""] * (width - len(row))]:
            text = nfc(" ".join(cell.split()))
            if number < len(header) - 1:
                text = left = text or left
            cells.append(text)
        filled.append(cells)
    return [" / ".join(dict.fromkeys(part for part in column if part)) for column in zip(*filled, strict=True)]


def as_text(cell: object) -> str:
    """A cell as a person sees it: whole numbers without a fraction, times in ISO form, nothing for an empty one."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | time):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)
