"""The drop folder: what is read when, where it goes, and that a stop at any point loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import openpyxl
import pytest

from hub.connect.source import Batch
from hub.errors import StartError
from hub_connectors.filedrop import folders
from hub_connectors.filedrop.watch import FileDrop

MAPPING = """
source = "urn:vn:gov:H11.12:motcua"
[dates]
forms = ["%d/%m/%Y %H:%M:%S"]
[columns]
"Mã" = "dossier_code"
"Bước" = "step"
"Lúc" = "occurred_at"
"""
HEAD = "Mã,Bước,Lúc\n"


def row(number: int, day: str = "11/10/2011") -> str:
    return f"000.00.12.H11-111011-{number:04d},RECEIVED,{day} 08:00:00\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop" / "phan-thiet"
    made.mkdir(parents=True)
    (made / "mapping.toml").write_text(MAPPING, "utf-8")
    return made


@contextlib.asynccontextmanager
async def watching(folder: Path, rows: int = 2) -> AsyncIterator[tuple[FileDrop, AsyncIterator[Batch], asyncio.Event]]:
    stop = asyncio.Event()
    drop = FileDrop(folder.parent, poll_s=0.01, settle_s=0.02, batch_rows=rows)
    batches = drop.batches(stop)
    try:
        yield drop, batches, stop
    finally:
        stop.set()
        await batches.aclose()
        await drop.close()


async def following(batches: AsyncIterator[Batch]) -> Batch:
    return await asyncio.wait_for(anext(batches), 60)


async def until(condition: object) -> None:
    async with asyncio.timeout(60):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def drain(folder: Path, count: int, rows: int = 2) -> list[Batch]:
    """Reads and confirms until `count` events and refusals were seen."""
    out: list[Batch] = []
    async with watching(folder, rows) as (drop, batches, _):
        while sum(len(b.events) + len(b.refused) for b in out) < count:
            out.append(await following(batches))
            await drop.confirmed(out[-1])
        waiting = asyncio.ensure_future(anext(batches))
        await until(lambda: not (folder / ".cursor.json").exists() or waiting.done())
        if waiting.done() and not waiting.cancelled() and not waiting.exception():
            await drop.confirmed(waiting.result())
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
    return out


async def test_a_file_is_read_moved_and_its_rejected_rows_stand_beside_it(folder: Path) -> None:
    rows = [row(1), row(2, "31/02/2011"), row(3), row(4, "30/02/2011"), row(5)]
    (folder / "tháng 10.csv").write_text(HEAD + "".join(rows), "utf-8")
    found = await drain(folder, 5)
    assert sum(len(b.events) for b in found) == 3
    assert not (folder / "tháng 10.csv").exists()
    assert (folder / "done" / "tháng 10.csv").read_text("utf-8") == HEAD + "".join(rows)
    raw = (folder / "done" / "tháng 10.csv.rejected.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = raw.decode("utf-8-sig").splitlines()
    assert lines[0] == "line,reason,detail,row"
    assert [line[:7] for line in lines[1:]] == ["3,date,", "5,date,"]
    assert "31/02/2011" in lines[1]


async def test_what_was_not_confirmed_comes_again_with_the_same_ids(folder: Path) -> None:
    (folder / "a.csv").write_text(HEAD + "".join(row(n, "31/02/2011" if n == 4 else "11/10/2011") for n in range(1, 8)))
    async with watching(folder) as (drop, batches, _):
        first = await following(batches)
        await drop.confirmed(first)
        lost = await following(batches)  # rows 3 and 4, sent and not confirmed: the process dies here
    again = await drain(folder, 5)
    assert [e.envelope.id for e in again[0].events] == [e.envelope.id for e in lost.events]
    assert [r.id for r in again[0].refused] == [r.id for r in lost.refused]
    seen = {e.envelope.subject[-4:] for b in (first, *again) for e in b.events}
    assert seen == {"0001", "0002", "0003", "0005", "0006", "0007"}
    rejected = (folder / "done" / "a.csv.rejected.csv").read_text("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in rejected] == ["line", "5"]


async def test_a_kill_between_confirmation_and_move_is_mended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.csv").write_text(HEAD + row(1) + row(2, "31/02/2011"))
    async with watching(folder, rows=9) as (drop, batches, _):
        batch = await following(batches)
        real = os.replace

        def dies_at_the_move(source: Path, target: Path) -> None:
            if Path(target) == folder / "done" / "a.csv":
                raise InterruptedError
            real(source, target)

        monkeypatch.setattr(os, "replace", dies_at_the_move)
        with pytest.raises(InterruptedError):
            await drop.confirmed(batch)
        monkeypatch.undo()
    assert (folder / "a.csv").exists()
    (folder / "b.csv").write_text(HEAD + row(9))
    later = await drain(folder, 1)
    assert [e.envelope.subject[-4:] for b in later for e in b.events] == ["0009"]
    assert sorted(p.name for p in (folder / "done").iterdir()) == ["a.csv", "a.csv.rejected.csv", "b.csv"]


async def test_a_kill_between_the_rejected_rows_and_the_cursor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.csv").write_text(HEAD + row(1, "31/02/2011") + row(2) + row(3))
    async with watching(folder, rows=2) as (drop, batches, _):
        batch = await following(batches)
        with monkeypatch.context() as patched:
            patched.setattr(folders, "write_cursor", dies)
            with pytest.raises(InterruptedError):
                await drop.confirmed(batch)
    # Somebody mends the mapping meanwhile: what was refused then is none of the refused rows now.
    (folder / "mapping.toml").write_text(MAPPING.replace('"%d/%m/%Y', '"31/02/2011 %H:%M:%S", "%d/%m/%Y'), "utf-8")
    await drain(folder, 3)
    assert [p.name for p in (folder / "done").iterdir()] == ["a.csv"]


async def test_a_kill_between_the_move_and_the_cursors_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.csv").write_text(HEAD + row(1) + row(2, "31/02/2011"))
    async with watching(folder, rows=9) as (drop, batches, _):
        batch = await following(batches)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", dies)
            with pytest.raises(InterruptedError):
                await drop.confirmed(batch)
    assert (folder / ".cursor.json").exists()
    (folder / "a.csv").write_text(HEAD + row(3))
    later = await drain(folder, 1)
    assert [e.envelope.subject[-4:] for b in later for e in b.events] == ["0003"]
    assert (folder / "done" / "a.csv").read_text() == HEAD + row(1) + row(2, "31/02/2011")
    assert (folder / "done" / "a~2.csv").exists()


def dies(*_: object, **__: object) -> None:
    raise InterruptedError


async def test_a_workbook_goes_on_where_it_was_confirmed(folder: Path) -> None:
    (folder / "mapping.toml").write_text(MAPPING + '[file]\nformat = "xlsx"\n', "utf-8")
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in ("Mã,Bước,Lúc", *(row(n).strip() for n in range(1, 6))):
        sheet.append(cells.split(","))
    book.save(folder / "a.xlsx")
    async with watching(folder) as (drop, batches, _):
        await drop.confirmed(await following(batches))
    rest = await drain(folder, 3)
    assert [e.envelope.subject[-4:] for b in rest for e in b.events] == ["0003", "0004", "0005"]


async def test_an_unfinished_file_waits(folder: Path) -> None:
    part = folder / "a.csv.part"
    part.write_text(HEAD + row(1))
    (folder / ".hidden.csv").write_text(HEAD + row(2))
    async with watching(folder) as (drop, batches, _):
        waiting = asyncio.ensure_future(following(batches))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        part.rename(folder / "a.csv")
        batch = await waiting
        await drop.confirmed(batch)
    assert [e.envelope.subject[-4:] for e in batch.events] == ["0001"]


async def test_a_growing_file_waits(folder: Path) -> None:
    stop = asyncio.Event()
    drop = FileDrop(folder.parent, poll_s=0.01, settle_s=0.3)
    batches = drop.batches(stop)
    waiting = asyncio.ensure_future(following(batches))
    path = folder / "a.csv"
    path.write_text(HEAD)
    for number in range(1, 5):
        await asyncio.sleep(0.15)
        assert not waiting.done()
        with path.open("a") as file:
            file.write(row(number))
    batch = await waiting
    stop.set()
    await batches.aclose()
    await drop.close()
    assert len(batch.events) == 4


async def test_an_unreadable_file_is_refused_whole_with_its_reason(folder: Path) -> None:
    (folder / "a.csv").write_text("Mã,Bước,Khi\n" + row(1))
    (batch,) = await drain(folder, 1)
    assert [r.reason for r in batch.refused] == ["missing_field"]
    assert "'Lúc'" in batch.refused[0].detail
    assert (folder / "failed" / "a.csv").exists()
    assert "'Lúc'" in (folder / "failed" / "a.csv.reason.txt").read_text("utf-8-sig")


async def test_a_wrong_mapping_lets_other_folders_go_on(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = folder.parent / "bac-binh"
    other.mkdir()
    (other / "mapping.toml").write_text(MAPPING.replace('"step"', '"stepp"'), "utf-8")
    (other / "b.csv").write_text(HEAD + row(1))
    (folder / "a.csv").write_text(HEAD + row(2))
    (batch,) = await drain(folder, 1)
    assert [e.envelope.subject[-4:] for e in batch.events] == ["0002"]
    assert (other / "b.csv").exists()
    assert sum("stepp" in r.message for r in caplog.records) == 1


async def test_a_second_file_of_the_same_name_does_not_replace_the_first(folder: Path) -> None:
    for number in (1, 2):
        (folder / "a.csv").write_text(HEAD + row(number))
        await drain(folder, 1)
    assert (folder / "done" / "a.csv").read_text() == HEAD + row(1)
    assert (folder / "done" / "a~2.csv").read_text() == HEAD + row(2)


async def test_two_processes_do_not_watch_one_drop(folder: Path) -> None:
    (folder / "a.csv").write_text(HEAD + row(1))
    async with watching(folder) as (_, batches, _stop):
        await following(batches)
        async with watching(folder) as (_, others, _stop):
            with pytest.raises(StartError, match="another process"):
                await following(others)
