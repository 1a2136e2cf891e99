"""H4: what is over a limit is refused in words that name the setting, and costs seconds and bounded memory at most."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.support.bombs import BOMBS, strings, workbook
from tests.support.bombs import sheet as bomb_sheet
from tests.support.file_drop import HEAD, MAPPING, Site, row, subjects

XLSX = MAPPING + '[file]\nformat = "xlsx"\n'


def sheet(path: Path, *rows: list[Any]) -> None:
    book = openpyxl.Workbook()
    made = book.active
    assert made is not None
    for cells in (HEAD.strip().split(","), *rows):
        made.append(cells)
    book.save(path)


def cells(number: int, more: str = "") -> list[Any]:
    return [cell + more for cell in row(number).strip().split(",")]


async def reason(site: Site) -> str:
    """Of the one file, which is refused whole."""
    await site.drain(lambda: site.idle() and site.failed.exists() and bool(list(site.failed.glob("*.reason.txt"))))
    (file,) = site.failed.glob("*.reason.txt")
    return file.read_text("utf-8-sig")


WHOLE = {
    "max_file_bytes": (100, "larger than 100 bytes"),
    "max_rows": (3, "more than 3 rows"),
    "max_cells": (14, "more than 14 cells"),
    "max_refused": (2, "more than 2 rows are refused"),
}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("name", WHOLE)
async def test_a_file_over_a_limit_is_refused_and_the_setting_named(tmp_path: Path, name: str, form: str) -> None:
    limit, words = WHOLE[name]
    site = Site(tmp_path, XLSX if form == "xlsx" else MAPPING, **{name: limit})
    days = ["11/10/2011", "31/02/2011", "30/02/2011", "29/02/2011", "11/10/2011"]
    rows = [row(n, day) for n, day in enumerate(days)]
    if form == "xlsx":
        sheet(site.folder / "x.xlsx", *[list(one.strip().split(",")) for one in rows])
    else:
        (site.folder / "x.csv").write_text(HEAD + "".join(rows))
    told = await reason(site)
    assert told.startswith("limit: the whole file is refused: ")
    assert words in told
    assert f"the limit is sources.filedrop.{name}" in told


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(("name", "limit"), [("max_columns", 3), ("max_cell_chars", 30)])
async def test_a_row_over_a_limit_is_refused_alone(tmp_path: Path, name: str, limit: int, form: str) -> None:
    site = Site(tmp_path, XLSX if form == "xlsx" else MAPPING, **{name: limit})
    bad = [*cells(2), "", ""] if name == "max_columns" else [*cells(2)[:1], "x" * 31, *cells(2)[2:]]
    if form == "xlsx":
        if name == "max_columns":
            bad[-1] = "x"
        sheet(site.folder / "x.xlsx", cells(1), bad, cells(3))
    else:
        lines = [",".join(map(str, one)) for one in (cells(1), bad, cells(3))]
        (site.folder / "x.csv").write_text(HEAD + "\n".join(lines))
    found = await site.drain(site.idle)
    told = [r for b in found for r in b.refused]
    assert [r.reason for r in told] == ["limit"]
    assert f"the limit is sources.filedrop.{name}" in told[0].detail
    assert subjects(found) == ["0001", "0003"]


@pytest.mark.parametrize(("name", "limit"), [("max_unpacked_bytes", 1_500), ("max_strings", 5)])
async def test_a_workbook_over_a_limit_of_its_own(tmp_path: Path, name: str, limit: int) -> None:
    site = Site(tmp_path, XLSX, **{name: limit})
    texts = strings(f"<si><t>{n}</t></si>".encode() for n in range(6))
    (site.folder / "x.xlsx").write_bytes(workbook(bomb_sheet([]), texts))
    assert f"the limit is sources.filedrop.{name}" in await reason(site)


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_ends_in_seconds_and_the_role_pays_nothing(tmp_path: Path, bomb: str) -> None:
    make, words = BOMBS[bomb]
    site = Site(tmp_path, XLSX, max_seconds=10, max_memory_mb=512, max_strings=100_000, max_refused=500)
    content = make()
    assert len(content) < 12_000_000
    (site.folder / "x.xlsx").write_bytes(content)
    del content
    before, own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, resident()
    told = await reason(site)
    assert re.search(words, told), told
    assert resident() - own < 60_000, "KiB more than before"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600_000


def resident() -> int:
    """KiB that this process holds."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize("quotes", ["first", "each"])
async def test_an_open_quote_with_25_million_rows_ends_in_seconds(tmp_path: Path, quotes: str) -> None:
    site = Site(tmp_path)
    line, count = ("a,b\n", 25_000_000) if quotes == "first" else ('a,"b\n', 5_000_000)
    with (site.folder / "x.csv.part").open("w") as file:
        file.write(HEAD + row(1) + '"open\n')
        for _ in range(count // 100_000):
            file.write(line * 100_000)
    (site.folder / "x.csv.part").rename(site.folder / "x.csv")
    began = time.monotonic()
    found = await site.drain(lambda: (site.failed / "x.csv.reason.txt").exists() and site.idle(), rows=500)
    took = time.monotonic() - began
    print(f"{took:.1f} s, {sum(len(r.original) for b in found for r in b.refused):,} bytes of dead letters")
    told = (site.failed / "x.csv.reason.txt").read_text("utf-8-sig")
    assert "more than 10,000 rows are refused; the limit is sources.filedrop.max_refused" in told
    assert subjects(found) == ["0001"]
    assert sum(len(b.refused) for b in found) == 10_001
    assert sum(len(r.original) for b in found for r in b.refused) < 10_000_000


async def test_the_count_of_refused_rows_survives_a_restart(tmp_path: Path) -> None:
    site = Site(tmp_path, max_refused=3)
    (site.folder / "x.csv").write_text(HEAD + "".join(row(n, "31/02/2011") for n in range(6)))
    async with site.watching() as (drop, batches):
        first = await anext(batches)
        await drop.confirmed(first)
    later = await site.drain(site.idle)
    assert [len(b.refused) for b in (first, *later)] == [2, 1, 1]
    assert "more than 3 rows are refused" in (site.failed / "x.csv.reason.txt").read_text("utf-8-sig")
    assert (site.failed / "x.csv.rejected.csv").read_text("utf-8-sig").count("\n") == 4
