"""What an agency gets back: refused rows, the reason of a refused file, and the file itself under done/ or failed/.

The results folder is the hub's; the agency's group may read it. All that must survive a kill is written beside, synced
and renamed; every move may be done again.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence

from hub.connect import spreadsheet
from hub.connect.source import Refused
from hub.errors import BadRecord
from hub_connectors.filedrop import cursor as cursors
from hub_connectors.filedrop import names
from hub_connectors.filedrop.cursor import REJECTED, TAKEN, Cursor
from hub_connectors.filedrop.encodings import decode
from hub_connectors.filedrop.handles import Folder

BOM = "\ufeff"
FOLDER_MODE, FILE_MODE = 0o750, 0o640
_HEADER = ("line", "reason", "detail", "row")


def cut_rejected(state: Folder, length: int) -> None:
    """Takes away what stands behind the first `length` bytes: it was written for rows that were not confirmed."""
    if not length:
        state.remove(REJECTED)
        return
    descriptor = os.open(REJECTED, os.O_WRONLY | os.O_NOFOLLOW, dir_fd=state.handle)
    try:
        os.ftruncate(descriptor, length)
    finally:
        os.close(descriptor)


def append_rejected(state: Folder, length: int, refused: Sequence[Refused], encoding: str) -> int:
    """Appends the refused rows after the first `length` bytes, synced.

    UTF-8 with byte-order mark, so that spreadsheets show Vietnamese, and no cell is a formula. Returns the new length.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    if length == 0:
        out.write(BOM)
        writer.writerow(_HEADER)
    for row in refused:
        line = row.where.rpartition(":")[2].partition("#")[0]
        cells = (line, row.reason, row.detail, _shown(row.original, encoding))
        writer.writerow([spreadsheet.cell(cell) for cell in cells])
    cut_rejected(state, length)
    descriptor = os.open(REJECTED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600, dir_fd=state.handle)
    with os.fdopen(descriptor, "ab") as file:
        file.write(out.getvalue().encode(errors="replace"))
        file.flush()
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def named(results: Folder, cursor: Cursor) -> str:
    """A name that neither a file nor what goes with it has there: `x.csv`, `x~2.csv`, …"""
    name = names.result(cursor.file_name)
    stem, suffix = os.path.splitext(name)
    number, free = 1, name
    with results.inner(cursor.into, FOLDER_MODE) as folder:
        while any(folder.has(free + end) for end in ("", ".rejected.csv", ".reason.txt")):
            number += 1
            free = f"{stem}~{number}{suffix}"
    return free


def finish(state: Folder, results: Folder, cursor: Cursor) -> None:
    """Moves the file and its refused rows to their results; may be called again after a kill in the middle."""
    with results.inner(cursor.into, FOLDER_MODE) as folder:
        if cursor.failed:
            folder.write(f"{cursor.name}.reason.txt", (BOM + cursor.failed + "\n").encode(errors="replace"), FILE_MODE)
        if cursor.rejected and state.has(REJECTED):
            state.move(REJECTED, f"{cursor.name}.rejected.csv", folder, FILE_MODE)
        if state.has(TAKEN):
            state.move(TAKEN, cursor.name, folder, FILE_MODE)
        folder.sync()


def clear(state: Folder) -> None:
    """The file is dealt with: nothing of it is left in the state folder."""
    for name in (TAKEN, REJECTED, cursors.CURSOR):
        state.remove(name)
    state.sync()


def _shown(raw: bytes, encoding: str) -> str:
    try:
        return decode(raw, encoding).rstrip("\r\n")
    except BadRecord:
        return raw.decode("latin-1").rstrip("\r\n")
