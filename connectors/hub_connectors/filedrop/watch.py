"""The drop as a Source: watches the sub-folders, reads one file at a time, keeps the cursor.

drop/<name>/mapping.toml        how to read the files (connectors/hub_connectors/filedrop/mapping.py)
drop/<name>/*.csv, *.xlsx       left by the agency; read once they have been still for `settle_s`
drop/<name>/done/, failed/      where they go, with `<file>.rejected.csv` or `<file>.reason.txt` beside them
drop/<name>/.cursor.json        file, line and offset up to which the broker has confirmed everything
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any

from hub.connect.source import Batch, Incoming, Refused
from hub.errors import BadRecord, ConfigError, StartError
from hub.events.envelope import derived_id
from hub.observe.metrics import LINK_LAST_ERROR, LINK_LAST_SUCCESS, LINK_UP
from hub_connectors.filedrop import folders
from hub_connectors.filedrop.fields import END_OF_DAY
from hub_connectors.filedrop.mapping import FILE_NAME, Mapping, load
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.rows import Converter
from hub_connectors.filedrop.table import Row, Table

log = logging.getLogger(__name__)

BATCH_ROWS = 500
_KEPT_OF_A_FAILED_FILE = 65_536


class FileDrop:
    """day_end: of a due date that is told by day. poll_s: how often the folders are looked at. settle_s: how long size
    and time of a file must not change."""

    name = "filedrop"

    def __init__(
        self, root: Path, day_end: timedelta = END_OF_DAY, poll_s: float = 0.5, settle_s: float = 1.0,
        batch_rows: int = BATCH_ROWS,
    ) -> None:  # fmt: skip
        self._root, self.day_end = root, day_end
        self._poll_s, self._settle_s, self._batch_rows = poll_s, settle_s, batch_rows
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._complained: dict[Path, str] = {}
        self._lock: IO[str] | None = None

    async def batches(self, stop: asyncio.Event) -> AsyncGenerator[Batch, None]:
        """StartError when another process watches the same drop."""
        self._take_lock()
        while not stop.is_set():
            idle = True
            for folder in sorted(p.parent for p in self._root.glob(f"*/{FILE_NAME}")):
                if (mapping := self._mapping(folder)) is None:
                    continue
                self._tidy(folder)
                if (path := self._next(folder, mapping)) is not None:
                    idle = False
                    async with contextlib.aclosing(self._read(path, mapping, stop)) as found:
                        async for batch in found:
                            yield batch
            if idle:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s):
                        await stop.wait()

    async def confirmed(self, batch: Batch) -> None:
        await asyncio.to_thread(self._confirm, batch)
        LINK_UP.labels(self.name).set(1)
        LINK_LAST_SUCCESS.labels(self.name).set(time.time())

    async def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        lock = (self._root / ".lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StartError(f"another process watches {self._root}; stop it, or set another filedrop_dir") from None
        self._lock = lock

    def _mapping(self, folder: Path) -> Mapping | None:
        """None, and one complaint, while the mapping is wrong: the folder's files wait, other folders go on."""
        try:
            mapping = load(folder / FILE_NAME)
        except ConfigError as error:
            if self._complained.get(folder) != str(error):
                log.error("files in %s wait until its mapping is mended: %s", folder, error)
                self._complained[folder] = str(error)
            LINK_LAST_ERROR.labels(self.name, "mapping").set(time.time())
            return None
        self._complained.pop(folder, None)
        return mapping

    def _tidy(self, folder: Path) -> None:
        """Ends what a kill between the last confirmation and the move left over."""
        cursor = folders.read_cursor(folder)
        if cursor.get("end"):
            folders.finish(folder, cursor)
        elif cursor and not (folder / cursor["file"]).exists():
            log.warning("%s was taken away before it was read to its end (line %s)", cursor["file"], cursor["line"])
            folders.rejected_part(folder / cursor["file"]).unlink(missing_ok=True)
            (folder / folders.CURSOR).unlink()

    def _next(self, folder: Path, mapping: Mapping) -> Path | None:
        """The file that was begun, or the oldest one that is complete."""
        if begun := folders.read_cursor(folder).get("file"):
            return folder / str(begun)
        for path in folders.candidates(folder, mapping.pattern):
            stat = path.stat()
            state, now = (stat.st_size, stat.st_mtime_ns), time.monotonic()
            known, since = self._seen.get(path, (None, now))
            if known != state:
                self._seen[path] = (state, now)
            elif now - since >= self._settle_s:
                self._seen.pop(path)
                return path
        return None

    async def _read(self, path: Path, mapping: Mapping, stop: asyncio.Event) -> AsyncGenerator[Batch, None]:
        cursor = self._begin(path)
        where = f"{path.parent.name}/{path.name}"
        table: Table | None = None
        try:
            table = await asyncio.to_thread(open_table, path, mapping.file)
            converter = Converter(mapping, table.columns, where, self.day_end)
            rows = table.rows((cursor["offset"], cursor["line"]) if cursor["line"] else table.first)
            while not stop.is_set():
                taken = await asyncio.to_thread(_take, rows, converter, self._batch_rows)
                batch, cursor = self._batch(taken, cursor, path, mapping)
                yield batch
                if cursor["end"]:
                    return
                # The rejected rows' length is known only once they are written.
                cursor |= {"rejected": folders.read_cursor(path.parent)["rejected"]}
        except OSError as error:
            log.error("%s waits, it cannot be read: %s", where, error.strerror)
            LINK_LAST_ERROR.labels(self.name, "read").set(time.time())
            await asyncio.sleep(self._poll_s)
        except BadRecord as error:
            yield self._whole_refused(path, mapping, cursor, error, where)
        finally:
            if table is not None:
                table.close()

    def _begin(self, path: Path) -> dict[str, Any]:
        """The cursor of this file, or a new one when it has none or is not the file that was begun."""
        identity, cursor = folders.identity(path), folders.read_cursor(path.parent)
        if cursor.get("identity") != identity:
            cursor = {"file": path.name, "identity": identity, "offset": 0, "line": 0, "rejected": 0, "end": False,
                      "into": folders.DONE, "name": "", "failed": ""}  # fmt: skip
        folders.cut_rejected(path, cursor["rejected"])
        return cursor

    def _batch(
        self, taken: list[tuple[Row, Incoming | Refused]], cursor: dict[str, Any], path: Path, mapping: Mapping
    ) -> tuple[Batch, dict[str, Any]]:
        end = len(taken) < self._batch_rows
        cursor = cursor | {"end": end}
        if taken:
            cursor["offset"], cursor["line"] = taken[-1][0].after
        if end:
            cursor["name"] = folders.free_name(path.parent / folders.DONE, path.name)
        events = [found for _, found in taken if isinstance(found, Incoming)]
        refused = [found for _, found in taken if isinstance(found, Refused)]
        encoding = "utf-8" if mapping.file.format == "xlsx" else mapping.file.encoding
        return Batch(events, refused, {"folder": str(path.parent), "encoding": encoding, "state": cursor}), cursor

    def _whole_refused(
        self, path: Path, mapping: Mapping, cursor: dict[str, Any], error: BadRecord, where: str
    ) -> Batch:
        with path.open("rb") as file:
            original = file.read(_KEPT_OF_A_FAILED_FILE)
        digest = hashlib.sha256(cursor["identity"].encode()).hexdigest()
        where = f"{where}:0#{digest[:12]}"
        detail = f"the whole file is refused: {error.detail}"
        if cursor["line"]:
            detail += f"; the rows before line {cursor['line']} were taken"
        refused = Refused(
            derived_id(mapping.source, "refused", where), mapping.source, error.reason, detail, original, where
        )
        name = folders.free_name(path.parent / folders.FAILED, path.name)
        state = cursor | {"end": True, "into": folders.FAILED, "name": name, "failed": f"{error.reason}: {detail}"}
        return Batch((), [refused], {"folder": str(path.parent), "encoding": "", "state": state})

    def _confirm(self, batch: Batch) -> None:
        folder, state = Path(batch.cursor["folder"]), dict(batch.cursor["state"])
        path = folder / state["file"]
        if batch.refused and not state["failed"]:
            encoding = batch.cursor["encoding"]
            state["rejected"] = folders.append_rejected(path, state["rejected"], batch.refused, encoding)
        folders.write_cursor(folder, state)
        if state["end"]:
            folders.finish(folder, state)
            log.info("%s/%s is read to its end and moved to %s/", folder.name, state["file"], state["into"])


def _take(rows: Iterator[Row], converter: Converter, count: int) -> list[tuple[Row, Incoming | Refused]]:
    return [(row, converter.convert(row)) for row in islice(rows, count)]
