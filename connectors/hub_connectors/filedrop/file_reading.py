"""One file that was taken over: from its rows to batches, in a child process; what that does is the file's reason."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from hub.connect.source import Batch, Incoming, Refused
from hub.errors import BadRecord
from hub.events.envelope import derived_id
from hub_connectors.filedrop import cursor as cursors
from hub_connectors.filedrop import names, results
from hub_connectors.filedrop.cursor import FAILED, Cursor
from hub_connectors.filedrop.handles import Folder
from hub_connectors.filedrop.limits import Limits
from hub_connectors.filedrop.mapping import Mapping
from hub_connectors.filedrop.reader import ReaderDied, Reading
from hub_connectors.filedrop.rows import Converter
from hub_connectors.filedrop.table import Place, Row

log = logging.getLogger(__name__)

BATCH_ROWS = 500
_BATCH_BYTES = 8 * 2**20
_KEPT_OF_A_FAILED_FILE = 65_536
_TRIES = 2
"""Of a file whose reader dies: the first time somebody may have killed it."""


@dataclass(slots=True)
class Taken:
    """Rows up to a place. end: the file's; fault: why there is no more, though it is not."""

    events: list[Incoming]
    refused: list[Refused]
    after: Place | None = None
    end: bool = False
    fault: BadRecord | None = None


class FileReading:
    """`folder` is its name, `state` the hub's folder for it, with the file as it was taken over."""

    def __init__(
        self, folder: str, state: Folder, mapping: Mapping, limits: Limits, begun: Cursor, day_end: timedelta,
        batch_rows: int = BATCH_ROWS,
    ) -> None:  # fmt: skip
        self._folder, self._state, self._mapping, self._limits = folder, state, mapping, limits
        self._cursor, self._day_end, self._batch_rows = begun, day_end, batch_rows
        self._where = f"{folder}/{names.shown(begun.file_name)}"

    async def batches(self, stop: asyncio.Event) -> AsyncGenerator[Batch, None]:
        """From where the cursor is. Each batch must be confirmed before the next one is asked for."""
        results.cut_rejected(self._state, self._cursor.rejected)
        for tries in range(1, _TRIES + 1):
            reading = self._start()
            try:
                columns = await asyncio.to_thread(reading.columns)
                converter = Converter(self._mapping, columns, self._where, self._day_end)
                rows = reading.rows()
                while not stop.is_set():
                    taken = await asyncio.to_thread(self._take, rows, converter)
                    if taken.after is not None or taken.end:
                        yield self._batch(taken)
                        self._cursor = cursors.read(self._state) or self._cursor
                    if taken.fault is not None:
                        raise taken.fault
                    if taken.end:
                        return
                return
            except ReaderDied as error:
                log.error("%s, after line %s: %s", self._where, self._cursor.line, error.detail)
                if tries == _TRIES:
                    yield self.whole_refused(error)
            except BadRecord as error:
                yield self.whole_refused(error)
                return
            finally:
                reading.close()

    def _start(self) -> Reading:
        at = (self._cursor.offset, self._cursor.line) if self._cursor.line else None
        with self._state.open(cursors.TAKEN) as file:
            return Reading(file, self._mapping.file, self._limits, at)

    def _take(self, rows: Iterator[Row], converter: Converter) -> Taken:
        taken, size = Taken([], []), 0
        try:
            while len(taken.events) + len(taken.refused) < self._batch_rows and size < _BATCH_BYTES:
                if (row := next(rows, None)) is None:
                    taken.end = True
                    break
                found = converter.convert(row)
                if isinstance(found, Incoming):
                    taken.events.append(found)
                elif self._cursor.refused + len(taken.refused) < self._limits.max_refused:
                    taken.refused.append(found)
                else:
                    raise self._limits.over("max_refused", "more than {} rows are refused")
                taken.after, size = row.after, size + len(row.raw)
        except BadRecord as error:
            taken.fault = error
        return taken

    def _batch(self, taken: Taken) -> Batch:
        offset, line = taken.after or (self._cursor.offset, self._cursor.line)
        refused = self._cursor.refused + len(taken.refused)
        state = replace(self._cursor, offset=offset, line=line, refused=refused, end=taken.end)
        encoding = "utf-8" if self._mapping.file.format == "xlsx" else self._mapping.file.encoding
        return Batch(taken.events, taken.refused, {"folder": self._folder, "encoding": encoding, "state": state})

    def whole_refused(self, error: BadRecord) -> Batch:
        """The file's last batch: no events, one refusal for the whole, with the file's beginning."""
        original = b""
        if not self._cursor.unread:
            with self._state.open(cursors.TAKEN) as file:
                original = file.read(_KEPT_OF_A_FAILED_FILE)
        digest = hashlib.sha256(self._cursor.identity.encode()).hexdigest()
        where = f"{self._where}:0#{digest[:12]}"
        detail = f"the whole file is refused: {error.detail}"
        if self._cursor.line:
            detail += f"; the rows before line {self._cursor.line} were taken"
        source = self._mapping.source
        refused = Refused(derived_id(source, "refused", where), source, error.reason, detail, original, where)
        state = replace(self._cursor, end=True, into=FAILED, failed=f"{error.reason}: {detail}")
        return Batch((), [refused], {"folder": self._folder, "encoding": "", "state": state})
