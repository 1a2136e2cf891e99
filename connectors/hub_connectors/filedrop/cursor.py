"""How far a folder's file is read: a record in the hub's own folder, where no agency writes.

state/<name>/cursor.json   this record, until the file is read to its end and its results are in their place
state/<name>/taken         the file, as it was taken over
state/<name>/rejected.csv  its refused rows so far
"""

from __future__ import annotations

import logging
import os

import msgspec

from hub_connectors.filedrop.handles import Folder

log = logging.getLogger(__name__)

CURSOR, TAKEN, REJECTED = "cursor.json", "taken", "rejected.csv"
DONE, FAILED = "done", "failed"


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """file: the bytes of its name in the drop, which need be no UTF-8.
    offset, line: the place up to which the broker has confirmed everything; line 0: nothing yet.
    rejected, refused: bytes and rows of rejected.csv. name, into, failed: where and as what the results go at the end.
    unread: it was refused as an entry and never taken over.
    """

    file: bytes
    identity: str
    offset: int = 0
    line: int = 0
    rejected: int = 0
    refused: int = 0
    end: bool = False
    into: str = DONE
    name: str = ""
    failed: str = ""
    unread: bool = False

    @property
    def file_name(self) -> str:
        return os.fsdecode(self.file)


def read(state: Folder) -> Cursor | None:
    """None: no file is begun. A damaged record is set aside, and the file is read again from its beginning: the rows
    have the same ids, so nothing is doubled."""
    try:
        raw = state.read(CURSOR)
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(raw, type=Cursor)
    except ValueError as error:
        log.error("%s/%s is damaged (%s): set aside, its file is read again from the start", state.path, CURSOR, error)
        for name in (CURSOR, TAKEN, REJECTED):
            if state.has(name):
                state.rename(name, f"{name}.damaged")
        state.sync()
        return None


def write(state: Folder, cursor: Cursor) -> None:
    state.write(CURSOR, msgspec.json.encode(cursor))
