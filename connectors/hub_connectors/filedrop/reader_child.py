"""The child process that reads one outside file: standard input is the file, standard output takes messages.

It is started anew for each file, with no environment and no open file of the hub (reader.py). It lays limits on
itself before it reads the first byte. Whatever happens here is the file's reason; the role goes on.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable

import msgspec

from hub.errors import BadRecord
from hub_connectors.filedrop.limits import Limits
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.reader_messages import (
    MOST_ROWS,
    Header,
    Message,
    Ready,
    Rows,
    RowTold,
    Task,
    Whole,
    framed,
    reason,
    told,
)
from hub_connectors.filedrop.table import ROW_LIMIT

_DESCRIPTORS = 32


def main() -> None:
    """Reads the task of the command line from standard input to standard output."""
    task = msgspec.json.decode(sys.argv[-1], type=Task)
    if task.form.format == "xlsx":
        pass  # before the limits, and before the first byte
    confine(task.limits)
    send(Ready())
    send(answer(task, send))


def confine(limits: Limits) -> None:
    """Memory, processor time, no file, no process; no core dump, which would hold personal data."""
    memory, seconds = limits.max_memory_mb * 2**20, limits.max_seconds
    for what, most in (
        (resource.RLIMIT_AS, (memory, memory)),
        (resource.RLIMIT_CPU, (seconds, seconds + 1)),
        (resource.RLIMIT_FSIZE, (0, 0)),
        (resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS)),
        (resource.RLIMIT_NPROC, (0, 0)),
        (resource.RLIMIT_CORE, (0, 0)),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, most if hard == resource.RLIM_INFINITY else (min(most[0], hard), min(most[1], hard)))


def send(message: Message) -> None:
    left = memoryview(framed(message))
    while left:
        left = left[os.write(1, left) :]


def answer(task: Task, send: Callable[[Message], None]) -> Whole:
    """Sends header and rows; the file's end, or why it is refused."""
    try:
        _read(task, send)
        return Whole()
    except BadRecord as fault:
        return Whole(reason(fault), fault.detail.encode(errors="replace").decode()[:100_000])
    except MemoryError:
        return Whole(
            "limit", task.limits.over("max_memory_mb", "reading the file takes more than {} MiB of memory").detail
        )
    except BrokenPipeError:
        os._exit(0)  # the role wants no more of it
    except Exception as error:
        return Whole("encoding", f"the file cannot be read ({type(error).__name__}); save it anew")


def _read(task: Task, send: Callable[[Message], None]) -> None:
    table = open_table(0, task.form, task.limits)
    send(Header([name.encode(errors="replace").decode() for name in table.columns]))
    rows: list[RowTold] = []
    size = 0
    try:
        for row in table.rows(task.at or table.first):
            rows.append(told(row))
            size += len(row.raw)
            if len(rows) == MOST_ROWS or size > ROW_LIMIT:
                send(Rows(rows))
                rows, size = [], 0
    finally:  # where the file breaks off, the rows before are told
        if rows:
            send(Rows(rows))
