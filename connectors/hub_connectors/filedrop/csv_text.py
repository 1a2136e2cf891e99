"""CSV as a stream of bytes: each row is decoded by itself, so that one bad row does not spoil the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hub.errors import BadRecord
from hub_connectors.filedrop.encodings import UTF8_BOM, decode
from hub_connectors.filedrop.limits import DEFAULT, Limits
from hub_connectors.filedrop.table import ROW_LIMIT, Form, Place, Row, join_header

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class TextTable:
    """Delimiter and quote are ASCII and every supported encoding holds ASCII unchanged: rows are split as bytes.

    file: a path, or the descriptor of an open file, which is closed with the table.
    """

    def __init__(self, file: Path | int, form: Form, limits: Limits = DEFAULT) -> None:
        self._form, self._limits, self._cells = form, limits, 0
        self._quote = form.quote.encode()
        self._opens = form.delimiter.encode() + self._quote
        self._opens_or_ends = re.compile(b"\n|" + re.escape(self._opens))
        self._file = open(file, "rb")  # noqa: SIM115
        try:
            self.columns, self.first = self._header()
        except BaseException:
            self._file.close()
            raise

    def _header(self) -> tuple[Sequence[str], Place]:
        start = self._file.read(3)
        if start[:2] in _UTF16:
            raise BadRecord("encoding", f"the file is UTF-16, its mapping says {self._form.encoding}; save it as that")
        at: Place = (3, 1) if start == UTF8_BOM and self._form.encoding == "utf-8" else (0, 1)
        header: list[Sequence[str]] = []
        for number in range(self._form.skip_rows + self._form.header_rows):
            row = self._next(at)
            if row is None:
                raise BadRecord("missing_field", f"the file ends in line {at[1]}, before its header", "header")
            if number >= self._form.skip_rows:
                if row.error is not None:
                    raise BadRecord(row.error.reason, f"header, line {row.line}: {row.error.detail}", "header")
                header.append([str(cell) for cell in row.cells])
            at = row.after
        return join_header(header), at

    def rows(self, at: Place) -> Iterator[Row]:
        while (row := self._next(at)) is not None:
            self._limits.check_place(row.line)
            self._cells += len(row.cells)
            self._limits.check_cells(self._cells)
            at = row.after
            if row.error is not None or any(str(cell).strip() for cell in row.cells):
                yield row

    def close(self) -> None:
        self._file.close()

    def _next(self, at: Place) -> Row | None:
        """The row at that place; None at the end of the file."""
        offset, line = at
        self._file.seek(offset)
        raw = first = self._file.readline(ROW_LIMIT + 1)
        if not raw:
            return None
        if self._leaves_open(raw) and len(raw) <= ROW_LIMIT:
            more = self._file.read(ROW_LIMIT + 1 - len(raw))
            end = self._end_of_row(more)
            if end < 0:
                # Not closed: only the first line is lost, the next one is read as a row again.
                fault = BadRecord("row", "a quote is opened and never closed; double the quotes inside a cell")
                return Row(line, (), first, (offset + len(first), line + 1), fault)
            raw = first + more[:end]
        if len(raw) > ROW_LIMIT:
            fault = BadRecord("limit", f"the row is longer than {ROW_LIMIT} bytes")
            return Row(line, (), raw[:ROW_LIMIT], self._skip(offset, line), fault)
        lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
        return self._parsed(line, raw, (offset + len(raw), line + lines))

    def _skip(self, offset: int, line: int) -> Place:
        """Where the line after this one begins."""
        self._file.seek(offset)
        while (part := self._file.readline(ROW_LIMIT)) and not part.endswith(b"\n"):
            pass
        return self._file.tell(), line + 1

    def _parsed(self, line: int, raw: bytes, after: Place) -> Row:
        try:
            text = decode(raw, self._form.encoding)
            cells = next(csv.reader([text], delimiter=self._form.delimiter, quotechar=self._form.quote), [])
            if len(cells) > self._limits.max_columns:
                raise self._limits.over("max_columns", "the row has more than {} cells")
            if any(len(cell) > self._limits.max_cell_chars for cell in cells):
                raise self._limits.over("max_cell_chars", "a cell is longer than {} characters")
            return Row(line, cells, raw, after)
        except BadRecord as error:
            return Row(line, (), raw, after, error)
        except csv.Error as error:
            return Row(line, (), raw, after, BadRecord("row", f"cannot be split into cells: {error}"))

    def _leaves_open(self, line: bytes) -> bool:
        """Whether a quoted cell is still open at the line's end. A quote opens only at a cell's beginning."""
        if line.startswith(self._quote):
            at = 1
        elif (at := line.find(self._opens)) >= 0:
            at += 2
        else:
            return False
        return self._end_of_row(line, at) < 0

    def _end_of_row(self, text: bytes, at: int = 0) -> int:
        """Where the row ends whose quoted cell is open at `at`; -1 where the cell is not closed in here."""
        while (at := text.find(self._quote, at)) >= 0:
            at += 1
            if text[at : at + 1] == self._quote:  # doubled: it stands for itself
                at += 1
                continue
            found = self._opens_or_ends.search(text, at)
            if found is None:
                return len(text)
            if found[0] == b"\n":
                return found.end()
            at = found.end()
        return -1
