"""Good files with a damaged bit, cut short or swollen: the same ones for the same seed."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path

import openpyxl

from tests.support.bombs import sheet, strings, workbook
from tests.support.file_drop import HEAD, row

BOMBS = {
    "rows": lambda: workbook(sheet([b'<row r="999999999"><c><v>1</v></c></row>'])),
    "texts": lambda: workbook(sheet([]), strings([b"<si><t>x</t></si>" * 1000] * 60)),
    "size": lambda: workbook(sheet(b" " * 2**20 for _ in range(80))),
}
"""Each is over a limit of LIMITS; the row before the bomb is good, where the header is read at all."""
LIMITS = {"max_unpacked_bytes": 64 * 2**20, "max_rows": 100_000, "max_strings": 50_000, "max_memory_mb": 512,
          "max_seconds": 60}  # fmt: skip
BOMB_CODES = {"rows": ["000.00.12.H11-111011-0001"], "texts": [], "size": []}
_ROWS = 12


def good_csv() -> bytes:
    rows = [row(n) if n % 4 else row(n).replace("RECEIVED", '"RECEIVED"') for n in range(_ROWS)]
    return (HEAD + "".join(rows)).encode()


def good_sheet() -> bytes:
    book = openpyxl.Workbook()
    made = book.active
    assert made is not None
    for line in (HEAD, *map(row, range(_ROWS))):
        made.append(line.strip().split(","))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(name, content): of ten, five CSV and four workbooks are damaged, and one is a bomb in every hundred."""
    rng, texts, book = random.Random(seed), good_csv(), good_sheet()
    bombs = {name: make() for name, make in BOMBS.items()}
    for number in range(count):
        if number % 100 == 99:
            kind = rng.choice(sorted(bombs))
            yield f"{number:05d}-bomb-{kind}.xlsx", bombs[kind]
        elif number % 2:
            yield f"{number:05d}.csv", _damaged(texts, rng)
        else:
            yield f"{number:05d}.xlsx", _damaged(book, rng)


def _damaged(content: bytes, rng: random.Random) -> bytes:
    """One to three flipped bits; or cut short; or, seldom, as it was."""
    how = rng.random()
    if how < 0.1:
        return content[: rng.randrange(len(content))]
    if how < 0.15:
        return content
    out = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def write(folder: Path, count: int, seed: int) -> None:
    for name, content in files(count, seed):
        (folder / name).write_bytes(content)
