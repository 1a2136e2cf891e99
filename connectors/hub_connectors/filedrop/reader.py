"""Reads an outside file in a child process, which may do whatever it does: the role gets rows, or the file's reason.

Nothing of a file is parsed in the role. The child is a program started anew (not a fork: it holds none of the role's
memory, secrets or descriptors), gets the open file and a pipe, and dies with the role.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
import openpyxl

import hub
import hub_connectors
from hub.errors import BadRecord
from hub.machine.child_process import die_with_parent
from hub_connectors.filedrop.limits import Limits
from hub_connectors.filedrop.reader_messages import (
    HEAD,
    MOST_BYTES,
    FormTold,
    Header,
    Message,
    Ready,
    Rows,
    Task,
    Whole,
    decoded,
    row_of,
)
from hub_connectors.filedrop.table import Form, Place, Row

_START = (
    "import sys; sys.path[:0] = sys.argv[1].split('\\n'); from hub_connectors.filedrop.reader_child import main; main()"
)


_START_S = 60.0
_MOST_SAID = 65_536


class ReaderDied(BadRecord):
    """The child ended without a word. Somebody may have killed it: the file deserves a second try."""


class NotStarted(OSError):
    """The child could not be started: no fault of the file, which waits."""


class Reading:
    """One file being read. Start it in a thread that lives as long as the role; the rest may block."""

    def __init__(self, file: IO[bytes], form: Form, limits: Limits, at: Place | None) -> None:
        self._limits, self._left_s, self._pending = limits, _START_S, bytearray()
        told = FormTold(
            form.format, form.encoding, form.delimiter, form.quote, form.skip_rows, form.header_rows, form.sheet
        )
        task = msgspec.json.encode(Task(told, limits, at)).decode()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", _START, "\n".join(_folders()), task],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={},
            bufsize=0,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._pipe, self._in_use = self._process.stdout.fileno(), threading.Lock()

    @property
    def pid(self) -> int:
        return self._process.pid

    def columns(self) -> list[str]:
        """Waits for the header. BadRecord: the file is refused. NotStarted."""
        try:
            ready = isinstance(self._message(), Ready)
        except BadRecord:
            ready = False
        if not ready:
            self._process.kill()
            assert self._process.stderr is not None
            said = self._process.stderr.read(_MOST_SAID).decode(errors="replace").strip().rpartition("\n")[2]
            raise NotStarted(errno.ECHILD, f"the process that reads files cannot be started: {said or 'no word'}")
        self._left_s = float(self._limits.max_seconds)
        message = self._message()
        if isinstance(message, Header):
            return message.columns
        raise self._refused(message)

    def rows(self) -> Iterator[Row]:
        """To the file's end. BadRecord: the rest is refused."""
        while isinstance(message := self._message(), Rows):
            try:
                found = [row_of(row) for row in message.rows]
            except ValueError:
                raise self._nonsense() from None
            yield from found
        if not isinstance(message, Whole) or message.reason:
            raise self._refused(message)

    def close(self) -> None:
        """Ends the child; blocks no longer than the kernel takes for it."""
        self._process.kill()
        self._process.wait()
        with self._in_use:  # a thread that waits for the child hears of its end first
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()

    def _refused(self, message: Message) -> BadRecord:
        if isinstance(message, Whole) and message.reason:
            return BadRecord(message.reason, message.detail)
        return self._nonsense()

    def _message(self) -> Message:
        (length,) = HEAD.unpack(self._take(HEAD.size))
        if length > MOST_BYTES:
            raise self._nonsense()
        try:
            return decoded(self._take(length))
        except ValueError:
            raise self._nonsense() from None

    def _take(self, size: int) -> bytes:
        """So many bytes of the pipe. The time that counts is what the role waits here, not what Kafka takes."""
        with self._in_use:
            waiting = select.poll()
            waiting.register(self._pipe, select.POLLIN)
            while len(self._pending) < size:
                began = time.monotonic()
                ready = waiting.poll(max(0.0, self._left_s) * 1000)
                self._left_s -= time.monotonic() - began
                if not ready:
                    raise self._too_slow()
                part = os.read(self._pipe, 1 << 18)
                if not part:
                    raise self._died()
                self._pending += part
        taken = bytes(self._pending[:size])
        del self._pending[:size]
        return taken

    def _died(self) -> BadRecord:
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return self._too_slow()
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return ReaderDied("limit", f"the process that read the file ended {how}; save the file anew")

    def _too_slow(self) -> BadRecord:
        return self._limits.over("max_seconds", "reading the file takes more than {} seconds")

    def _nonsense(self) -> BadRecord:
        return BadRecord("encoding", "the file made its reader say what is no row; save the file anew")


def _folders() -> list[str]:
    """Where the child finds its modules: Python's own start-up files are not run there."""
    found = (*hub.__path__, *hub_connectors.__path__, *msgspec.__path__, *openpyxl.__path__)
    return list(dict.fromkeys(str(Path(path).parent) for path in found))
