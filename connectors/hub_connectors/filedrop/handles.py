"""A folder held open: everything in it is reached by name from its handle, and no link is ever followed.

Between a look at a path and its use an agency can put a link in any part of it. A handle cannot be exchanged.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_COPY = 1 << 20


class LinkError(OSError):
    """A part of the path is a link, or no folder."""


class Folder:
    """Close it, or use `opened`."""

    def __init__(self, handle: int, path: Path) -> None:
        self.handle, self.path = handle, path

    def close(self) -> None:
        os.close(self.handle)

    def names(self, most: int) -> list[str]:
        with os.scandir(self.handle) as found:
            return [entry.name for entry in islice(found, most)]

    def stat(self, name: str) -> os.stat_result | None:
        """Of the entry itself, a link too; None: there is none."""
        try:
            return os.stat(name, dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        return self.stat(name) is not None

    def open(self, name: str) -> IO[bytes]:
        """For reading. LinkError for a link; a FIFO or a device does not block, and is for the caller to refuse."""
        try:
            return os.fdopen(os.open(name, _READ, dir_fd=self.handle), "rb")
        except OSError as error:
            raise _link_error(error, self.path / name) from None

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    def new(self, name: str, mode: int = 0o600) -> IO[bytes]:
        """An empty file for writing, with that mode whatever the umask says; what stands there is taken away."""
        self.remove(name)
        descriptor = os.open(name, _NEW, 0o600, dir_fd=self.handle)
        os.fchmod(descriptor, mode)
        return os.fdopen(descriptor, "wb")

    def write(self, name: str, content: bytes, mode: int = 0o600) -> None:
        """Durably: the whole new content, or the old one."""
        part = f".{name}.part"
        with self.new(part, mode) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self.rename(part, name)
        self.sync()

    def rename(self, name: str, to: str, into: Folder | None = None) -> None:
        os.replace(name, to, src_dir_fd=self.handle, dst_dir_fd=(into or self).handle)

    def move(self, name: str, to: str, into: Folder, mode: int) -> None:
        """Into another folder of the hub, on another disk too; may be done again after a kill in the middle."""
        os.chmod(name, mode, dir_fd=self.handle)
        try:
            self.rename(name, to, into)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with self.open(name) as source, into.new(f".{to}.part", mode) as target:
                copy(source, target)
                os.fsync(target.fileno())
            into.rename(f".{to}.part", to)
            into.sync()
            self.remove(name)

    def remove(self, name: str) -> None:
        """Also when there is none."""
        try:
            os.unlink(name, dir_fd=self.handle)
        except FileNotFoundError:
            pass

    def sync(self) -> None:
        """Makes renames and removals in it durable."""
        os.fsync(self.handle)

    @contextmanager
    def inner(self, name: str, make: int | None = None) -> Iterator[Folder]:
        """A folder in it, made with that mode if it is missing. LinkError: it is a link."""
        made = make is not None and not self.has(name)
        if made:
            os.mkdir(name, 0o700, dir_fd=self.handle)
        try:
            found = Folder(os.open(name, _FOLDER, dir_fd=self.handle), self.path / name)
        except OSError as error:
            raise _link_error(error, self.path / name) from None
        if made and make is not None:  # whatever the umask; the group that it has from its parent stays
            os.fchmod(found.handle, make | os.fstat(found.handle).st_mode & stat.S_ISGID)
        try:
            yield found
        finally:
            found.close()


def copy(source: IO[bytes], target: IO[bytes], most: int | None = None) -> int:
    """Bytes copied; more than `most` is a ValueError."""
    done = 0
    while part := source.read(_COPY):
        done += len(part)
        if most is not None and done > most:
            raise ValueError(done)
        target.write(part)
    target.flush()
    return done


@contextmanager
def opened(path: Path) -> Iterator[Folder]:
    """The folder, each part of its path opened from the part before. LinkError names the part that is a link."""
    at, walked = os.open("/", _FOLDER), Path("/")
    try:
        for part in path.absolute().parts[1:]:
            try:
                following = os.open(part, _FOLDER, dir_fd=at)
            except OSError as error:
                raise _link_error(error, walked / part) from None
            os.close(at)
            at, walked = following, walked / part
        yield Folder(at, walked)
    finally:
        os.close(at)


def _link_error(error: OSError, path: Path) -> OSError:
    """ELOOP, or ENOTDIR for a link where a folder was asked for, as an error that says so."""
    if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
        return error
    what = "a link" if path.is_symlink() else "no folder"
    return LinkError(error.errno, f"{path} is {what}; the file drop follows none", str(path))


def kind(found: os.stat_result) -> str:
    """What an entry is, in words; empty for a regular file."""
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device",
             stat.S_IFCHR: "a device", stat.S_IFDIR: "a folder", stat.S_IFREG: ""}  # fmt: skip
    return kinds.get(stat.S_IFMT(found.st_mode), "no regular file")
