"""H3: whatever the process that reads a file does, dying too, is that file's reason; the next file is read."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from hub.connect.source import Batch
from hub.errors import BadRecord
from hub_connectors.filedrop import reader, reader_child
from hub_connectors.filedrop.limits import Limits
from hub_connectors.filedrop.mapping import FileFormat
from hub_connectors.filedrop.reader_messages import FormTold, Header, Task, Whole
from tests.support.file_drop import BOUND_S, HEAD, Site, following, row, subjects

MANY = 20_000
"""Rows that do not fit into a pipe: the child waits for the role."""
FORM = FormTold("csv", "utf-8", ",", '"', 0, 1, "")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def many(path: Path) -> Path:
    path.write_text(HEAD + "".join(f"000.00.12.H11-111011-{n:05d},RECEIVED,11/10/2011 08:00:00\n" for n in range(MANY)))
    return path


def started(path: Path, **limits: int) -> reader.Reading:
    with path.open("rb") as file:
        return reader.Reading(file, FileFormat(), Limits(**limits), None)


def test_it_has_no_environment_no_secret_no_descriptor_and_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_KAFKA__SASL_PASSWORD", "secret")
    secret = os.open(many(tmp_path / "secret"), os.O_RDONLY)
    os.set_inheritable(secret, True)
    reading = started(many(tmp_path / "x.csv"), max_memory_mb=300, max_seconds=7)
    try:
        reading.columns()
        proc = Path("/proc", str(reading.pid))
        assert (proc / "environ").read_bytes() == b""
        assert b"secret" not in (proc / "cmdline").read_bytes()
        held = {int(fd.name): os.readlink(fd) for fd in (proc / "fd").iterdir()}
        assert held.pop(0) == str(tmp_path / "x.csv")
        assert held.pop(1).startswith("pipe:")
        assert held.pop(2).startswith("pipe:")
        assert held == {}
        assert os.readlink(proc / "cwd") == "/"
        limits = {line[:25].strip(): line[25:].split()[:2] for line in (proc / "limits").read_text().splitlines()}
        assert limits["Max address space"] == [str(300 * 2**20)] * 2
        assert limits["Max cpu time"] == ["7", "8"]
        assert limits["Max file size"] == limits["Max processes"] == limits["Max core file size"] == ["0", "0"]
        assert limits["Max open files"] == ["32", "32"]
    finally:
        os.close(secret)
        reading.close()
    assert not Path("/proc", str(reading.pid)).exists()


def test_it_ends_with_the_role_even_when_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, signal; from pathlib import Path\n"
        "from hub_connectors.filedrop.tests.test_reader import started\n"
        "reading = started(Path(sys.argv[1])); reading.columns(); print(reading.pid, flush=True); signal.pause()\n"
    )
    command = [sys.executable, "-c", program, str(many(tmp_path / "x.csv"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as role:
        assert role.stdout is not None
        pid = int(role.stdout.readline())
        watch = os.pidfd_open(pid)
        role.kill()
        import select

        assert select.select([watch], [], [], BOUND_S)[0], "the reader outlives its role"
        os.close(watch)


async def test_killed_once_it_goes_on_where_the_broker_has_confirmed(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    many(site.folder / "x.csv")
    found: list[Batch] = []
    killed = set()
    async with site.watching(rows=500) as (drop, batches):
        while len(subjects(found)) < MANY:
            found.append(await following(batches))
            await drop.confirmed(found[-1])
            if len(found) == 3:
                (pid,) = children()
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
    subjects_seen = [e.envelope.subject for b in found for e in b.events]
    assert killed
    assert len(subjects_seen) == len(set(subjects_seen)) == MANY
    assert any("ended by signal 9" in r.message for r in caplog.records)


async def test_killed_each_time_the_file_is_refused_and_the_next_one_is_read(site: Site) -> None:
    many(site.folder / "x.csv")
    (site.folder / "y.csv").write_text(HEAD + row(1))
    os.utime(site.folder / "y.csv", (2**31, 2**31))
    found: list[Batch] = []
    async with site.watching(rows=500) as (drop, batches):
        while not (site.done / "y.csv").exists():
            found.append(await following(batches))
            for pid in children():
                os.kill(pid, signal.SIGKILL)
                await asyncio.to_thread(gone, pid)
                break
            await drop.confirmed(found[-1])
            if any(b.refused for b in found):
                break
        rest = await following(batches)
        await drop.confirmed(rest)
    reason = (site.failed / "x.csv.reason.txt").read_text("utf-8-sig")
    assert "ended by signal 9" in reason
    assert "the rows before line" in reason
    assert subjects([rest]) == ["0001"]


def children() -> list[int]:
    """Readers that this process has started."""
    text = Path("/proc/self/task", str(os.getpid()), "children").read_text()
    return [pid for pid in map(int, text.split()) if b"reader_child" in Path("/proc", str(pid), "cmdline").read_bytes()]


def gone(pid: int) -> None:
    """Waits until it is a zombie at least, so that the pipe ends."""
    watch = os.pidfd_open(pid)
    try:
        import select

        select.select([watch], [], [], BOUND_S)
    finally:
        os.close(watch)


PROGRAMS = {
    "ends": ("", "ended with code 0"),
    "ends with an error": ("import sys; sys.exit(3)", "ended with code 3"),
    "is killed": ("import os, signal; os.kill(os.getpid(), 9)", "ended by signal 9"),
    "crashes": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11"),
    "hangs": ("import time; time.sleep(600)", "more than 2 seconds; the limit is sources.filedrop.max_seconds"),
    "works for ever": ("while True: pass", "more than 2 seconds"),
    "says nonsense": ("import os; os.write(1, b'x' * 1000)", "what is no row"),
    "says too much": ("import os; os.write(1, b'\\xff\\xff\\xff\\x7f' + b'x')", "what is no row"),
    "says half of it": ("import os; os.write(1, b'\\x10\\0\\0\\0\\x81')", "ended with code 0"),
    "says deep": ("import os; os.write(1, (9000).to_bytes(4, 'little') + b'\\x91' * 9000)", "what is no row"),
    "says a type that is none": ("say({'type': 'Header', 'columns': [1]})", "what is no row"),
    "says rows at once": ("say({'type': 'Rows', 'rows': []})", "what is no row"),
    "says a reason that is none": ("say({'type': 'Whole', 'reason': 'x' * 9, 'detail': ''})", "what is no row"),
    "says a moment that is none": (
        "say({'type': 'Header', 'columns': ['Mã', 'Bước', 'Lúc']}); "
        "say({'type': 'Rows', 'rows': [[2, [{'type': 'Moment', 'text': '2026-99-99'}], b'x', [9, 3]]]})",
        "what is no row",
    ),
    "says two headers": ("say({'type': 'Header', 'columns': ['Mã', 'Bước', 'Lúc']});" * 2, "what is no row"),
}
SAY = (
    "import sys; sys.path[:0] = sys.argv[1].split('\\n'); import msgspec, os\n"
    "def say(what):\n"
    "    body = msgspec.msgpack.encode(what); os.write(1, len(body).to_bytes(4, 'little') + body)\n"
    "say({'type': 'Ready'})\n"
)


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_reader_that_does_anything_else_is_that_file_s_reason(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file would make it that takes the reader over."""
    program, word = PROGRAMS[name]
    site = Site(tmp_path, max_seconds=2) if "2 seconds" in word else Site(tmp_path)
    (site.folder / "x.csv").write_text(HEAD + row(1))
    before = children()
    with monkeypatch.context() as patched:
        patched.setattr(reader, "_START", SAY + program)
        found = await site.drain(site.idle)
    assert [r.reason for b in found for r in b.refused] in (["limit"], ["encoding"])
    assert word in (site.failed / "x.csv.reason.txt").read_text("utf-8-sig")
    (site.folder / "y.csv").write_text(HEAD + row(2))
    assert subjects(await site.drain(site.idle)) == ["0002"]
    assert children() == before


@pytest.mark.parametrize("program", ["import no_such_module", "import os, signal; os.kill(os.getpid(), 9)", "pass"])
async def test_a_file_whose_reader_cannot_be_started_waits_and_is_not_blamed(
    site: Site, program: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The machine's fault: a broken installation, no memory, a unit that forbids setrlimit."""
    (site.folder / "x.csv").write_text(HEAD + row(1))
    with monkeypatch.context() as patched:
        patched.setattr(reader, "_START", program)
        await site.drain(lambda: any("cannot be started" in r.message for r in caplog.records))
    if "no_such" in program:
        assert any("No module named 'no_such_module'" in r.message for r in caplog.records)
    assert (site.folder / "x.csv").exists()
    assert not site.failed.exists()
    assert subjects(await site.drain(site.idle)) == ["0001"]


@pytest.mark.parametrize(
    "fault",
    [zlib.error("x"), IndexError(), TypeError(), zipfile.BadZipFile(), KeyError("x"), RecursionError(), MemoryError(),
     OSError(5, "x"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), AssertionError(), ZeroDivisionError()],
    ids=lambda fault: type(fault).__name__,
)  # fmt: skip
@pytest.mark.parametrize("when", ["opening", "header", "rows"])
def test_an_error_of_a_library_is_the_file_s_reason(
    fault: Exception, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking:
        columns, first = ["a"], (0, 1)

        def rows(self, at: object) -> object:
            raise fault

    def opening(*_: object) -> Breaking:
        if when == "opening":
            raise fault
        return Breaking()

    def sending(message: object) -> None:
        if when == "header" and isinstance(message, Header):
            raise fault

    monkeypatch.setattr(reader_child, "open_table", opening)
    found = reader_child.answer(Task(FORM, Limits(), None), sending)
    assert found.reason == ("limit" if isinstance(fault, MemoryError) else "encoding")
    assert ("max_memory_mb" if isinstance(fault, MemoryError) else type(fault).__name__) in found.detail


def test_a_refusal_of_ours_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: object) -> None:
        raise BadRecord("missing_field", "no \ud800 header")

    monkeypatch.setattr(reader_child, "open_table", refusing)
    assert reader_child.answer(Task(FORM, Limits(), None), print) == Whole("missing_field", "no ? header")


@pytest.mark.parametrize("day", ["01/01/0001", "31/12/9999", "01/01/0002", "31/12/9998"])
async def test_a_date_at_the_edge_of_the_calendar_stops_nothing(site: Site, day: str) -> None:
    (site.folder / "x.csv").write_text(HEAD + row(1, day) + row(2))
    found = await site.drain(site.idle)
    assert subjects(found)[-1] == "0002"
    assert [r.reason for b in found for r in b.refused] == (["date"] if day[-4:] in ("0001", "9999") else [])
