"""The drop as a Source: goes round the agencies' folders, reads one file at a time, keeps the cursor.

drop/<name>/*.csv, *.xlsx       left by the agency; taken over once they have been still for `settle_s`
mappings/<name>.toml            how to read them (mapping.py); the operator's
state/<name>/                   the file that is being read, and how far (cursor.py); the hub's
results/<name>/done/, failed/   where it goes, with `<file>.rejected.csv` or `<file>.reason.txt` beside it; the hub's
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import AsyncGenerator
from datetime import timedelta

from msgspec.structs import replace

from hub.connect.source import Batch, Check
from hub.errors import BadRecord, ConfigError
from hub.observe.metrics import LINK_LAST_ERROR, LINK_LAST_SUCCESS, LINK_UP
from hub_connectors.filedrop import checks, inbox, names, results
from hub_connectors.filedrop import cursor as cursors
from hub_connectors.filedrop.cursor import Cursor
from hub_connectors.filedrop.fields import END_OF_DAY
from hub_connectors.filedrop.file_reading import BATCH_ROWS, FileReading
from hub_connectors.filedrop.grounds import Grounds
from hub_connectors.filedrop.handles import Folder, LinkError
from hub_connectors.filedrop.inbox import Found, Inbox, NotStill
from hub_connectors.filedrop.mapping import Mapping, load
from hub_connectors.filedrop.reader import NotStarted
from hub_connectors.filedrop.settings import FileDropSettings, Places

log = logging.getLogger(__name__)

_MOST_STUCK = 10_000


class FileDrop:
    """day_end: of a due date that is told by day. poll_s: how often the folders are looked at. settle_s: how long size
    and time of a file must not change."""

    name = "filedrop"

    def __init__(
        self, places: Places, settings: FileDropSettings, day_end: timedelta = END_OF_DAY, poll_s: float = 0.5,
        settle_s: float = 1.0, batch_rows: int = BATCH_ROWS,
    ) -> None:  # fmt: skip
        self._grounds, self._settings, self.day_end = Grounds(places), settings, day_end
        self._poll_s, self._settle_s, self._batch_rows = poll_s, settle_s, batch_rows
        self._inboxes: dict[str, Inbox] = {}
        self._complained: dict[str, str] = {}
        self._stuck: dict[str, deque[Found]] = {}

    async def batches(self, stop: asyncio.Event) -> AsyncGenerator[Batch, None]:
        """StartError when another process watches the same drop, or the drop is reached by a link."""
        self._grounds.open()
        while not stop.is_set():
            idle = True
            for name in await asyncio.to_thread(self._grounds.names):
                async with contextlib.aclosing(self._turn(name, stop)) as found:
                    async for batch in found:
                        idle = False
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
        self._grounds.close()

    def checks(self) -> list[Check]:
        """What `hub doctor` looks at: owner and mode of each place, links, what an older version left in the drop."""
        return checks.checks(self._grounds.places)

    async def _turn(self, name: str, stop: asyncio.Event) -> AsyncGenerator[Batch, None]:
        """At most one file of one folder. What is wrong with the folder stops this folder only."""
        try:
            mapping = load(self._grounds.mapping(name))
            with self._grounds.state(name) as state:
                begun = await asyncio.to_thread(self._begin, name, state, mapping)
                if begun is None:
                    self._complained.pop(name, None)
                elif isinstance(begun, Batch):
                    yield begun
                else:
                    reading = self._reading(name, state, mapping, begun)
                    async with contextlib.aclosing(reading.batches(stop)) as found:
                        async for batch in found:
                            self._complained.pop(name, None)
                            yield batch
        except ConfigError as error:
            self._complain(name, "mapping", f"files in {name} wait until its mapping is mended: {error}")
        except OSError as error:
            self._complain(name, "folder", f"files in {name} wait: {_said(error)}")

    def _reading(self, name: str, state: Folder, mapping: Mapping, begun: Cursor) -> FileReading:
        return FileReading(name, state, mapping, self._settings.limits, begun, self.day_end, self._batch_rows)

    def _begin(self, name: str, state: Folder, mapping: Mapping) -> Cursor | Batch | None:
        """The file that was begun; or the next one, taken over; or the refusal of what may not be read; or nothing."""
        if (begun := cursors.read(state)) is not None:
            if begun.end:
                self._finish(name, state, begun)
                return None
            if state.has(cursors.TAKEN):
                return begun
            log.error("%s of %s is gone from %s", names.shown(begun.file_name), name, state.path)
            results.clear(state)
        with self._grounds.inbox(name) as folder:
            for left in checks.left_by_an_older_version(folder, self._grounds.mapping(name)):
                if self._complained.get(left) is None:
                    log.warning("%s", left)
                    self._complained[left] = left
            ready = self._inboxes.setdefault(name, Inbox(self._settle_s))
            for found in ready.ready(folder, mapping.pattern):
                if (begun_now := self._taken_over(name, state, mapping, folder, found)) is not None:
                    return begun_now
        return None

    def _taken_over(
        self, name: str, state: Folder, mapping: Mapping, folder: Folder, found: Found
    ) -> Cursor | Batch | None:
        if found in self._stuck.get(name, ()):
            return None
        file = os.fsencode(found.name)
        try:
            identity = inbox.take(folder, found, state, cursors.TAKEN, self._settings)
        except NotStill:
            return None
        except BadRecord as error:
            unread = Cursor(file=file, identity=inbox.identity_of_entry(found), unread=True)
            return self._reading(name, state, mapping, unread).whole_refused(error)
        begun = Cursor(file=file, identity=identity)
        cursors.write(state, begun)
        return begun

    def _confirm(self, batch: Batch) -> None:
        name, cursor = batch.cursor["folder"], batch.cursor["state"]
        with self._grounds.state(name) as state:
            if batch.refused and not cursor.failed:
                length = results.append_rejected(state, cursor.rejected, batch.refused, batch.cursor["encoding"])
                cursor = replace(cursor, rejected=length)
            if cursor.end:
                with self._grounds.results(name) as folder:
                    cursor = replace(cursor, name=results.named(folder, cursor))
            cursors.write(state, cursor)
            if cursor.end:
                try:
                    self._finish(name, state, cursor)
                except OSError as error:  # its cursor stays: the next turn of this folder does it
                    self._complain(name, "folder", f"files in {name} wait: {_said(error)}")

    def _finish(self, name: str, state: Folder, cursor: Cursor) -> None:
        """The file's results to their place, then the file out of the drop, then the cursor away."""
        with self._grounds.results(name) as folder:
            results.finish(state, folder, cursor)
        try:
            with self._grounds.inbox(name) as folder:
                leave = inbox.put_aside if cursor.unread else inbox.remove
                leave(folder, cursor.file_name, cursor.identity)
        except FileNotFoundError:
            pass  # the operator took the folder away
        except OSError:
            if not cursor.unread:
                raise  # it would be read again and again
            stuck = self._stuck.setdefault(name, deque(maxlen=_MOST_STUCK))
            stuck.append(Found(cursor.file_name, inbox.state_of(cursor.identity)))
        results.clear(state)
        log.info("%s/%s is read to its end and moved to %s/", name, names.shown(cursor.file_name), cursor.into)

    def _complain(self, about: str, what: str, text: str) -> None:
        if self._complained.get(about) != text:
            log.error("%s", text)
            self._complained[about] = text
        LINK_LAST_ERROR.labels(self.name, what).set(time.time())


def _said(error: OSError) -> str:
    return (
        f"{error.strerror}"
        if isinstance(error, LinkError | NotStarted)
        else f"{error.filename or 'a file'}: {error.strerror}"
    )
