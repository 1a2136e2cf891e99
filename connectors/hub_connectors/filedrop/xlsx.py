"""XLSX, read row by row (openpyxl's read-only mode): values, not formulas."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from hub.errors import BadRecord
from hub_connectors.filedrop.mapping import FileFormat
from hub_connectors.filedrop.table import Place, Row, join_header

_UNREADABLE = (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, ParseError, EOFError, OSError)


class SheetTable:
    """The first sheet, or the one that the mapping names."""

    def __init__(self, path: Path, form: FileFormat) -> None:
        try:
            self._book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except _UNREADABLE as error:
            raise BadRecord("encoding", f"not an XLSX workbook ({type(error).__name__}); save it as .xlsx") from None
        try:
            self._sheet = self._open_sheet(form.sheet)
            self.first: Place = (0, form.skip_rows + form.header_rows + 1)
            self.columns = self._header(form)
        except BaseException:
            self.close()
            raise

    def _open_sheet(self, name: str) -> Any:
        if name and name not in self._book.sheetnames:
            raise BadRecord("missing_field", f"there is no sheet {name!r}; there are {self._book.sheetnames}", "sheet")
        return self._book[name or self._book.sheetnames[0]]

    def _header(self, form: FileFormat) -> Sequence[str]:
        last = self.first[1] - 1
        rows = [list(row.cells) for row in self._read((0, form.skip_rows + 1), last, keep_empty=True)]
        if len(rows) < form.header_rows or not any(rows):
            raise BadRecord("missing_field", f"the sheet ends before its header (row {last})", "header")
        return join_header([[as_text(cell) for cell in row] for row in rows])

    def rows(self, at: Place) -> Iterator[Row]:
        return self._read(at, None, keep_empty=False)

    def _read(self, at: Place, last: int | None, keep_empty: bool) -> Iterator[Row]:
        number = at[1]
        try:
            for cells in self._sheet.iter_rows(min_row=at[1], max_row=last, values_only=True):
                if keep_empty or any(cell is not None and as_text(cell).strip() for cell in cells):
                    yield Row(number, cells, _raw(cells), (0, number + 1))
                number += 1
        except _UNREADABLE as error:
            problem = f"the sheet breaks off after row {number - 1} ({type(error).__name__}); save it anew"
            raise BadRecord("encoding", problem) from None

    def close(self) -> None:
        self._book.close()


def as_text(cell: object) -> str:
    """A cell as a person sees it: whole numbers without a fraction, times in ISO form, nothing for an empty one."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | time):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)


def _raw(cells: Sequence[object]) -> bytes:
    """The row as a line of CSV in UTF-8: what a dead letter keeps of a sheet's row."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([as_text(cell) for cell in cells])
    return out.getvalue().encode(errors="replace")
