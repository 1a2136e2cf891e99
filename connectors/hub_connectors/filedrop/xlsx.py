"""XLSX, read row by row (openpyxl's read-only mode): values, not formulas.

openpyxl says of a damaged workbook whatever comes up in it (zlib.error, IndexError, TypeError and so on): every
exception of its own is the file's reason, never one of the program.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from hub.errors import BadRecord
from hub_connectors.filedrop.limits import DEFAULT, Limits
from hub_connectors.filedrop.table import ROW_LIMIT, Form, Place, Row, as_text, join_header


class _Book(ExcelReader):
    """openpyxl's reader, with limits on what it unpacks and on the table of shared strings."""

    def __init__(self, file: Any, limits: Limits) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self._limits = limits
        # zipfile gives out no more of an entry than it declares, so what is declared is what can come.
        if sum(entry.file_size for entry in self.archive.infolist()) > limits.max_unpacked_bytes:
            raise limits.over("max_unpacked_bytes", "the workbook is larger than {} bytes when unpacked")

    def read_strings(self) -> None:
        """As openpyxl has it, but counted."""
        part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if part is None:
            return
        with self.archive.open(part.PartName[1:]) as source:
            for _, node in iterparse(source):
                if node.tag == f"{{{SHEET_MAIN_NS}}}si":
                    if len(self.shared_strings) >= self._limits.max_strings:
                        raise self._limits.over("max_strings", "the workbook has more than {} texts")
                    text = Text.from_tree(node)
                    self.shared_strings.append(text.content.replace("x005F_", "") if text else "")
                    node.clear()


class SheetTable:
    """The first sheet, or the one that the mapping names. file: see TextTable."""

    def __init__(self, file: Path | int, form: Form, limits: Limits = DEFAULT) -> None:
        self._limits, self._cells = limits, 0
        self._book: Any = None
        self._file = open(file, "rb")  # noqa: SIM115
        try:
            warnings.simplefilter("ignore")  # openpyxl's own, on parts that it leaves out
            self._book = self._open(limits)
            self._sheet = self._open_sheet(form.sheet)
            self.first: Place = (0, form.skip_rows + form.header_rows + 1)
            self.columns = self._header(form)
        except BaseException:
            self.close()
            raise

    def _open(self, limits: Limits) -> Any:
        try:
            reader = _Book(self._file, limits)
            reader.read()
            return reader.wb
        except (BadRecord, MemoryError):
            raise
        except Exception as error:
            raise BadRecord("encoding", f"not an XLSX workbook ({type(error).__name__}); save it as .xlsx") from None

    def _open_sheet(self, name: str) -> Any:
        names = self._book.sheetnames if self._book else []
        if not names or (name and name not in names):
            raise BadRecord("missing_field", f"there is no sheet {name!r}; there are {names}", "sheet")
        sheet = self._book[name or names[0]]
        if not hasattr(sheet, "iter_rows"):
            raise BadRecord("missing_field", f"the sheet {sheet.title!r} is a chart and has no rows", "sheet")
        if (sheet.max_column or 0) > self._limits.max_columns:
            sheet.reset_dimensions()  # whoever wrote it says how wide it is, and every row would be filled up to that
        return sheet

    def _header(self, form: Form) -> Sequence[str]:
        last = self.first[1] - 1
        rows = list(self._read((0, form.skip_rows + 1), last, keep_empty=True))
        if error := next((row.error for row in rows if row.error), None):
            raise error
        if len(rows) < form.header_rows or not any(row.cells for row in rows):
            raise BadRecord("missing_field", f"the sheet ends before its header (row {last})", "header")
        return join_header([[as_text(cell) for cell in row.cells] for row in rows])

    def rows(self, at: Place) -> Iterator[Row]:
        return self._read(at, None, keep_empty=False)

    def _read(self, at: Place, last: int | None, keep_empty: bool) -> Iterator[Row]:
        number = at[1]
        try:
            for cells in self._sheet.iter_rows(min_row=at[1], max_row=last, values_only=True):
                self._limits.check_place(number)
                self._cells += len(cells)
                self._limits.check_cells(self._cells)
                if keep_empty or any(cell is not None and as_text(cell).strip() for cell in cells):
                    yield self._row(number, cells)
                number += 1
        except (BadRecord, MemoryError, GeneratorExit):
            raise
        except Exception as error:
            problem = f"the sheet breaks off after row {number - 1} ({type(error).__name__}); save it anew"
            raise BadRecord("encoding", problem) from None

    def _row(self, number: int, cells: Sequence[object]) -> Row:
        fault, raw = None, _raw(cells)
        if len(cells) > self._limits.max_columns:
            fault = self._limits.over("max_columns", "the row has more than {} cells")
        elif any(isinstance(cell, str) and len(cell) > self._limits.max_cell_chars for cell in cells):
            fault = self._limits.over("max_cell_chars", "a cell is longer than {} characters")
        elif len(raw) > ROW_LIMIT:
            fault = BadRecord("limit", f"the row is longer than {ROW_LIMIT} bytes")
        if fault is not None:
            return Row(number, (), raw[:ROW_LIMIT], (0, number + 1), fault)
        return Row(number, cells, raw, (0, number + 1))

    def close(self) -> None:
        if self._book is not None:
            self._book.close()
        self._file.close()


def _raw(cells: Sequence[object]) -> bytes:
    """The row as a line of CSV in UTF-8: what a dead letter keeps of a sheet's row."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([as_text(cell) for cell in cells])
    return out.getvalue().encode(errors="replace")
