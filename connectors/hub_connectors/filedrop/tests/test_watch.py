"""The drop: what is read when, where it goes, and that a stop at any point loses nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import openpyxl
import pytest

from hub.errors import StartError
from hub_connectors.filedrop import cursor as cursors
from hub_connectors.filedrop.handles import Folder
from tests.support.file_drop import HEAD, MAPPING, Site, following, row, subjects


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def dies(*_: object, **__: object) -> None:
    raise InterruptedError


async def test_a_file_is_read_moved_and_its_rejected_rows_stand_beside_it(site: Site) -> None:
    rows = [row(1), row(2, "31/02/2011"), row(3), row(4, "30/02/2011"), row(5)]
    (site.folder / "tháng 10.csv").write_text(HEAD + "".join(rows), "utf-8")
    found = await site.drain(site.idle)
    assert subjects(found) == ["0001", "0003", "0005"]
    assert list(site.folder.iterdir()) == []
    assert (site.done / "tháng 10.csv").read_text("utf-8") == HEAD + "".join(rows)
    raw = (site.done / "tháng 10.csv.rejected.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = raw.decode("utf-8-sig").splitlines()
    assert lines[0] == "line,reason,detail,row"
    assert [line[:7] for line in lines[1:]] == ["3,date,", "5,date,"]
    assert "31/02/2011" in lines[1]


async def test_the_results_can_be_read_by_the_agency_s_group_and_nobody_else(site: Site) -> None:
    (site.folder / "a.csv").write_text(HEAD + row(1, "31/02/2011"))
    await site.drain(site.idle)
    for path, mode in ((site.done, 0o750), (site.done / "a.csv", 0o640), (site.done / "a.csv.rejected.csv", 0o640)):
        assert path.stat().st_mode & 0o777 == mode, path
    assert site.places.state.stat().st_mode & 0o777 == 0o700


async def test_what_was_not_confirmed_comes_again_with_the_same_ids(site: Site) -> None:
    bad = "31/02/2011"
    (site.folder / "a.csv").write_text(HEAD + "".join(row(n, bad if n == 4 else "11/10/2011") for n in range(1, 8)))
    async with site.watching() as (drop, batches):
        first = await following(batches)
        await drop.confirmed(first)
        lost = await following(batches)  # rows 3 and 4, sent and not confirmed: the process dies here
    again = await site.drain(site.idle)
    assert [e.envelope.id for e in again[0].events] == [e.envelope.id for e in lost.events]
    assert [r.id for r in again[0].refused] == [r.id for r in lost.refused]
    assert set(subjects([first, *again])) == {"0001", "0002", "0003", "0005", "0006", "0007"}
    rejected = (site.done / "a.csv.rejected.csv").read_text("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in rejected] == ["line", "5"]


@pytest.mark.parametrize("at", range(1, 12))
async def test_a_kill_at_each_write_loses_and_doubles_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The process dies at its n-th write, rename or removal; another one goes on."""
    (site.folder / "a.csv").write_text(HEAD + row(1) + row(2, "31/02/2011") + row(3) + row(4, "30/02/2011") + row(5))
    left, seen = at, []

    def dying(real):
        def one(*args, **kwargs):
            nonlocal left
            left -= 1
            if left == 0:
                raise InterruptedError
            return real(*args, **kwargs)

        return one

    with monkeypatch.context() as patched:
        for module, name in ((os, "replace"), (os, "unlink"), (os, "ftruncate")):
            patched.setattr(module, name, dying(getattr(module, name)))
        async with site.watching() as (drop, batches):
            try:
                while left > 0 and not site.idle():
                    seen.append(await following(batches))
                    await drop.confirmed(seen[-1])
            except (InterruptedError, TimeoutError):
                pass
    assert left <= 0, "there is no such write"
    later = await site.drain(site.idle)
    assert set(subjects([*seen, *later])) == {"0001", "0003", "0005"}
    assert sorted(p.name for p in site.done.iterdir()) == ["a.csv", "a.csv.rejected.csv"]
    rejected = (site.done / "a.csv.rejected.csv").read_text("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in rejected] == ["line", "3", "5"]
    assert not any(site.state.iterdir())


async def test_a_kill_between_the_rejected_rows_and_the_cursor(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.folder / "a.csv").write_text(HEAD + row(1, "31/02/2011") + row(2) + row(3))
    async with site.watching() as (drop, batches):
        batch = await following(batches)
        with monkeypatch.context() as patched:
            patched.setattr(cursors, "write", dies)
            with pytest.raises(InterruptedError):
                await drop.confirmed(batch)
    # Somebody mends the mapping meanwhile: what was refused then is none of the refused rows now.
    site.map(MAPPING.replace('"%d/%m/%Y', '"31/02/2011 %H:%M:%S", "%d/%m/%Y'))
    await site.drain(site.idle)
    assert [p.name for p in site.done.iterdir()] == ["a.csv"]


async def test_a_file_that_comes_while_its_namesake_is_read_is_another_one(site: Site) -> None:
    (site.folder / "a.csv").write_text(HEAD + row(1) + row(2) + row(3))
    async with site.watching() as (drop, batches):
        await drop.confirmed(await following(batches))
        (site.folder / "b.csv.part").write_text(HEAD + row(4))
        os.replace(site.folder / "b.csv.part", site.folder / "a.csv")
    later = await site.drain(site.idle)
    assert subjects(later) == ["0003", "0004"]
    assert (site.done / "a.csv").read_text() == HEAD + row(1) + row(2) + row(3)
    assert (site.done / "a~2.csv").read_text() == HEAD + row(4)


async def test_a_file_that_is_taken_away_while_it_is_read_is_read_to_its_end(site: Site) -> None:
    (site.folder / "a.csv").write_text(HEAD + row(1) + row(2) + row(3))
    async with site.watching() as (drop, batches):
        await drop.confirmed(await following(batches))
        (site.folder / "a.csv").unlink()
    assert subjects(await site.drain(site.idle)) == ["0003"]
    assert (site.done / "a.csv").exists()


async def test_results_may_lie_on_another_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def across(name: str, to: str, **where: int) -> None:
        if where["src_dir_fd"] != where["dst_dir_fd"]:
            raise OSError(18, os.strerror(18))
        real(name, to, **where)

    monkeypatch.setattr(os, "replace", across)
    (site.folder / "a.csv").write_text(HEAD + row(1) + row(2, "31/02/2011"))
    await site.drain(site.idle)
    assert sorted(p.name for p in site.done.iterdir()) == ["a.csv", "a.csv.rejected.csv"]
    assert (site.done / "a.csv").read_text() == HEAD + row(1) + row(2, "31/02/2011")
    assert (site.done / "a.csv").stat().st_mode & 0o777 == 0o640


async def test_a_workbook_goes_on_where_it_was_confirmed(site: Site) -> None:
    site.map(MAPPING + '[file]\nformat = "xlsx"\n')
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in ("Mã,Bước,Lúc", *(row(n).strip() for n in range(1, 6))):
        sheet.append(cells.split(","))
    book.save(site.folder / "a.xlsx")
    async with site.watching() as (drop, batches):
        await drop.confirmed(await following(batches))
    assert subjects(await site.drain(site.idle)) == ["0003", "0004", "0005"]


async def test_an_unfinished_file_waits(site: Site) -> None:
    part = site.folder / "a.csv.part"
    part.write_text(HEAD + row(1))
    (site.folder / ".hidden.csv").write_text(HEAD + row(2))
    async with site.watching() as (drop, batches):
        waiting = asyncio.ensure_future(following(batches))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        part.rename(site.folder / "a.csv")
        batch = await waiting
        await drop.confirmed(batch)
    assert subjects([batch]) == ["0001"]


async def test_a_growing_file_waits(site: Site) -> None:
    async with site.watching(rows=9, settle_s=1.0) as (_, batches):
        waiting = asyncio.ensure_future(following(batches))
        path = site.folder / "a.csv"
        path.write_text(HEAD)
        for number in range(1, 5):
            await asyncio.sleep(0.3)
            assert not waiting.done()
            with path.open("a") as file:
                file.write(row(number))
        assert len((await waiting).events) == 4


async def test_an_unreadable_file_is_refused_whole_with_its_reason(site: Site) -> None:
    (site.folder / "a.csv").write_text("Mã,Bước,Khi\n" + row(1))
    (batch,) = await site.drain(site.idle)
    assert [r.reason for r in batch.refused] == ["missing_field"]
    assert "'Lúc'" in batch.refused[0].detail
    assert (site.failed / "a.csv").exists()
    assert "'Lúc'" in (site.failed / "a.csv.reason.txt").read_text("utf-8-sig")


async def test_a_wrong_mapping_lets_other_folders_go_on(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    other = site.add("bac-binh", MAPPING.replace('"step"', '"stepp"'))
    (other / "b.csv").write_text(HEAD + row(1))
    (site.folder / "a.csv").write_text(HEAD + row(2))
    assert subjects(await site.drain(site.idle)) == ["0002"]
    assert (other / "b.csv").exists()
    assert sum("stepp" in r.message for r in caplog.records) == 1


async def test_a_folder_that_is_not_there_lets_others_go_on(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(site.add("bac-binh"))
    (site.folder / "a.csv").write_text(HEAD + row(2))
    assert subjects(await site.drain(site.idle)) == ["0002"]
    assert any("bac-binh" in r.message for r in caplog.records)


async def test_a_second_file_of_the_same_name_does_not_replace_the_first(site: Site) -> None:
    for number in (1, 2):
        (site.folder / "a.csv").write_text(HEAD + row(number))
        await site.drain(site.idle)
    assert (site.done / "a.csv").read_text() == HEAD + row(1)
    assert (site.done / "a~2.csv").read_text() == HEAD + row(2)


async def test_two_processes_do_not_watch_one_drop(site: Site) -> None:
    (site.folder / "a.csv").write_text(HEAD + row(1))
    async with site.watching() as (_, batches):
        await following(batches)
        async with site.watching() as (_, others):
            with pytest.raises(StartError, match="another process"):
                await following(others)


async def test_a_full_disk_at_the_end_leaves_the_file_to_the_next_turn(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, left = Folder.move, [2]

    def full(self: Folder, *args: object) -> None:
        if left[0]:
            left[0] -= 1
            raise OSError(28, "No space left on device")
        real(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Folder, "move", full)
    (site.folder / "a.csv").write_text(HEAD + row(1))
    assert subjects(await site.drain(site.idle)) == ["0001"]
    assert (site.done / "a.csv").exists()
    assert any("No space left" in r.message for r in caplog.records)
