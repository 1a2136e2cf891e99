"""An agency's folder in the drop: what stands in it, what may be read, and taking a file over.

The agency writes here at any moment, whatever it likes. So a file is opened once, judged by its handle, and copied into
the hub's own folder before a byte of it is read as a row.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from hub.errors import BadRecord
from hub_connectors.filedrop import names
from hub_connectors.filedrop.handles import Folder, LinkError, copy, kind
from hub_connectors.filedrop.mapping import OLD_NAME
from hub_connectors.filedrop.settings import FileDropSettings

REFUSED = ".refused"
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload", REFUSED)
_HEAD_BYTES = 65_536
_MOST_NAMES = 10_000
"""Of one look into a folder: the rest has its turn when these are done."""

State = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is still: its name, and what it was when it was seen."""

    name: str
    state: State


class NotStill(Exception):
    """The file changed, or went away, while it was looked at: its turn comes again."""


class Inbox:
    """What was seen in one folder. settle_s: how long an entry must not change before it has its turn."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._seen: dict[str, tuple[State, float]] = {}
        self._ready: deque[Found] = deque()

    def ready(self, folder: Folder, pattern: str) -> Iterator[Found]:
        """Entries that are still, oldest first, as far as they are asked for; the rest has its turn the next time.

        The folder is looked through anew only at the beginning and when nothing is left: what cannot be dealt with is
        found again at each look, and must not hold the caller.
        """
        if not self._ready:
            self._look(folder, pattern)
        while self._ready:
            yield self._ready.popleft()

    def _look(self, folder: Folder, pattern: str) -> None:
        now, seen, ready = time.monotonic(), {}, []
        for name in folder.names(_MOST_NAMES):
            if not _is_candidate(name, pattern) or (stat := folder.stat(name)) is None or kind(stat) == "a folder":
                continue
            state = _state(stat)
            known, since = self._seen.get(name, (None, now))
            seen[name] = (state, since if known == state else now)
            if known == state and now - since >= self._settle_s:
                ready.append((stat.st_mtime_ns, name, Found(name, state)))
        self._seen = seen
        self._ready.extend(found for _, _, found in sorted(ready, key=lambda one: one[:2]))


def take(folder: Folder, found: Found, state: Folder, to: str, settings: FileDropSettings) -> str:
    """Copies the file durably into the hub's folder; what tells it from another of the same name.

    BadRecord (`right`, `limit`): it is nothing that may be read. NotStill: it is not what was found.
    """
    stat = folder.stat(found.name)
    if stat is None or _state(stat) != found.state:
        raise NotStill
    if what := kind(stat):
        raise BadRecord("right", f"it is {what}; the file drop reads regular files only, put the file itself there")
    try:
        with folder.open(found.name) as file:
            opened = os.fstat(file.fileno())
            if kind(opened) or _state(opened) != found.state:
                raise NotStill
            if opened.st_nlink > 1 and not settings.hard_links:
                raise BadRecord(
                    "right", "the file has another name too (a hard link); copy it, or set sources.filedrop.hard_links"
                )
            if opened.st_size > settings.max_file_bytes:
                raise settings.limits.over("max_file_bytes", "the file is larger than {} bytes")
            head = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
            file.seek(0)
            part = f"{to}.part"
            with state.new(part) as target:
                copy(file, target, opened.st_size)
                os.fsync(target.fileno())
            if _state(os.fstat(file.fileno())) != found.state:
                raise NotStill
    except (LinkError, FileNotFoundError, ValueError):
        raise NotStill from None
    state.rename(part, to)
    state.sync()
    return f"{opened.st_size}-{opened.st_mtime_ns}-{head[:32]}"


def identity_of_entry(found: Found) -> str:
    """Of what may not be read: nothing but what the folder says of it."""
    return ",".join(map(str, found.state))


def state_of(identity: str) -> State:
    """The other way round."""
    size, mtime, inode, links = map(int, identity.split(","))
    return size, mtime, inode, links


def remove(folder: Folder, name: str, identity: str) -> None:
    """Takes the file away, if it still is the one that was read: a new one of its name stays."""
    stat = folder.stat(name)
    if stat is None or kind(stat) or not identity.startswith(f"{stat.st_size}-{stat.st_mtime_ns}-"):
        return
    with folder.open(name) as file:
        head = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
    if identity.endswith(head[:32]):
        folder.remove(name)
        folder.sync()


def put_aside(folder: Folder, name: str, identity: str) -> None:
    """Renames what was refused unread, so that it has no turn again: it is not the hub's to take away."""
    stat = folder.stat(name)
    if stat is not None and _state(stat) == state_of(identity):
        folder.rename(name, names.result(name) + REFUSED)


def _is_candidate(name: str, pattern: str) -> bool:
    """Hidden ones, Excel's lock files and unfinished names are left alone."""
    left_alone = name.startswith((".", "~$")) or name.endswith(UNFINISHED) or name == OLD_NAME
    return not left_alone and fnmatchcase(name, pattern)


def _state(stat: os.stat_result) -> State:
    return stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_nlink
