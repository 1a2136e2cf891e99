"""CSV as a stream of bytes: each row is decoded by itself, so that one bad row does not spoil the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from hub.errors import BadRecord
from hub_connectors.filedrop.encodings import UTF8_BOM, decode
from hub_connectors.filedrop.mapping import FileFormat
from hub_connectors.filedrop.table import Place, Row, join_header

ROW_LIMIT = 262_144
"""Bytes of one row; a longer one is refused, its first bytes kept."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class TextTable:
    """Delimiter and quote are ASCII and every supported encoding holds ASCII unchanged: rows are split as bytes."""

    def __init__(self, path: Path, form: FileFormat) -> None:
        self._form = form
        self._delimiter, self._quote = form.delimiter.encode(), form.quote.encode()
        self._file = path.open("rb")
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
        lines, quoted = 1, self._open_quote(raw, False)
        while quoted and len(raw) <= ROW_LIMIT:
            more = self._file.readline(ROW_LIMIT + 1)
            if not more:
                break
            raw, lines, quoted = raw + more, lines + 1, self._open_quote(more, True)
        if quoted:
            # Not closed: only the first line is lost, the next one is read as a row again.
            after = (offset + len(first), line + 1) if first.endswith(b"\n") else self._skip(offset, line)
            fault = BadRecord("row", "a quote is opened and never closed; double the quotes inside a cell")
            return Row(line, (), first[:ROW_LIMIT], after, fault)
        if len(raw) > ROW_LIMIT:
            fault = BadRecord("limit", f"the row is longer than {ROW_LIMIT} bytes")
            return Row(line, (), raw[:ROW_LIMIT], self._skip(offset, line), fault)
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
            reader = csv.reader([text], delimiter=self._form.delimiter, quotechar=self._form.quote)
            return Row(line, next(reader, []), raw, after)
        except BadRecord as error:
            return Row(line, (), raw, after, error)
        except csv.Error as error:
            return Row(line, (), raw, after, BadRecord("row", f"cannot be split into cells: {error}"))

    def _open_quote(self, raw: bytes, quoted: bool) -> bool:
        """Whether a quoted cell is still open at the end of these bytes. A quote opens only at a cell's beginning."""
        if self._quote not in raw:
            return quoted
        quote, delimiter = self._quote[0], self._delimiter[0]
        at_start = True
        for byte in raw:
            if quoted:
                quoted = byte != quote
            elif byte == quote:
                # At a cell's beginning it opens; right after a closing one it was a doubled quote.
                quoted, at_start = at_start, at_start
            else:
                at_start = byte == delimiter
        return quoted
