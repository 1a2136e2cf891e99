"""The files around a drop folder: what is ready to be read, the cursor, done/, failed/ and the rejected rows.

Everything that must survive a kill is written to a new file, fsynced and renamed; every move may be done again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.connect.source import Refused
from hub.machine.durable_files import fsync_folder, write_durably
from hub_connectors.filedrop.mapping import FILE_NAME

CURSOR = ".cursor.json"
DONE, FAILED = "done", "failed"
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
_HEAD_BYTES = 65_536
_REJECTED_HEADER = ("line", "reason", "detail", "row")
BOM = "\ufeff"


def candidates(folder: Path, pattern: str) -> list[Path]:
    """Files that may be read, oldest first; hidden ones, Excel's lock files and unfinished names are left alone."""
    found = []
    for path in folder.glob(pattern):
        hidden = path.name.startswith((".", "~$")) or path.name == FILE_NAME or path.suffix in UNFINISHED
        if not hidden and path.is_file():
            found.append((path.stat().st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(found)]


def identity(path: Path) -> str:
    """What tells this file from another of the same name: size, time and the hash of its first 64 KiB."""
    stat = path.stat()
    with path.open("rb") as file:
        head = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
    return f"{stat.st_size}-{stat.st_mtime_ns}-{head[:32]}"


def read_cursor(folder: Path) -> dict[str, Any]:
    try:
        cursor = json.loads((folder / CURSOR).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return cursor if isinstance(cursor, dict) else {}


def write_cursor(folder: Path, cursor: Mapping[str, Any]) -> None:
    write_durably(folder / CURSOR, json.dumps(cursor, ensure_ascii=False).encode())


def rejected_part(path: Path) -> Path:
    """Where the refused rows of a file stand while it is being read."""
    return path.with_name(f".{path.name}.rejected.csv")


def cut_rejected(path: Path, length: int) -> None:
    """Takes away what stands behind the first `length` bytes: it was written for rows that were not confirmed."""
    part = rejected_part(path)
    if length:
        os.truncate(part, length)
    else:
        part.unlink(missing_ok=True)


def append_rejected(path: Path, length: int, refused: Sequence[Refused], encoding: str) -> int:
    """Appends the refused rows after the first `length` bytes, fsynced.

    UTF-8 with byte-order mark, so that spreadsheets show Vietnamese. Returns the new length.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    if length == 0:
        out.write(BOM)
        writer.writerow(_REJECTED_HEADER)
    for row in refused:
        line = row.where.rpartition(":")[2].partition("#")[0]
        writer.writerow([line, row.reason, row.detail, _shown(row.original, encoding)])
    with rejected_part(path).open("r+b" if length else "wb") as file:
        file.seek(length)
        file.write(out.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def free_name(folder: Path, name: str) -> str:
    """A name that neither a file nor its rejected rows has in that folder: `x.csv`, `x~2.csv`, …"""
    stem, suffix = os.path.splitext(name)
    number, free = 1, name
    while (folder / free).exists() or (folder / f"{free}.rejected.csv").exists():
        number += 1
        free = f"{stem}~{number}{suffix}"
    return free


def finish(folder: Path, cursor: Mapping[str, Any]) -> None:
    """Moves the file and its refused rows into done/ or failed/; may be called again after a kill in the middle.

    A file of that name that came after the move is another one and stays.
    """
    path, name, reason = folder / cursor["file"], cursor["name"], cursor["failed"]
    target = folder / cursor["into"]
    target.mkdir(exist_ok=True)
    if reason:
        write_durably(target / f"{name}.reason.txt", (BOM + reason + "\n").encode())
    if (part := rejected_part(path)).exists():
        os.replace(part, target / f"{name}.rejected.csv")
    if path.exists() and identity(path) == cursor["identity"]:
        os.replace(path, target / name)
    fsync_folder(target)
    (folder / CURSOR).unlink(missing_ok=True)
    fsync_folder(folder)


def _shown(raw: bytes, encoding: str) -> str:
    from hub.errors import BadRecord
    from hub_connectors.filedrop.encodings import decode

    try:
        return decode(raw, encoding).rstrip("\r\n")
    except BadRecord:
        return raw.decode("latin-1").rstrip("\r\n")
