"""Says what must come of damaged files, without the hub: a program that reads a folder in so many bytes of memory.

{name: {"whole": the file is read to its end, "codes": the dossiers of the rows that become events}}. What a CSV means
is written here a second time, from docs/filedrop.md; of a workbook the library itself is asked, in this process.
"""

from __future__ import annotations

import csv
import json
import re
import resource
import sys
import unicodedata
import warnings
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl

COLUMNS = ("Mã", "Bước", "Lúc")
CODE = re.compile(r"(\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|[A-Z]\d{2}(\.[0-9A-Z]+)*)-(\d{8}|\d{6})-(\d{4,})", re.ASCII)
STEPS = (
    "SUBMITTED", "RECEIVED", "NOT_ACCEPTED", "IN_PROCESS", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN",
    "PAYMENT_REQUESTED", "PAYMENT_MADE", "TRANSFERRED", "STOPPED", "FINISHED", "RETURNED", "WITHDRAWN", "RATED",
    "RESCHEDULED",
)  # fmt: skip


def event(cells: list[Any], places: list[int]) -> str | None:
    """The dossier's code, if the row tells a step."""
    texts = [unicodedata.normalize("NFC", str(cells[n] or "")).strip() if n < len(cells) else "" for n in places]
    code = CODE.fullmatch(texts[0])
    if code is None or texts[1] not in STEPS:
        return None
    try:
        datetime.strptime(code[3] if len(code[3]) == 8 else "20" + code[3], "%Y%m%d")
        datetime.strptime(texts[2], "%d/%m/%Y %H:%M:%S")
    except ValueError:
        return None
    return code[0]


def header(cells: list[Any]) -> list[int] | None:
    names = [unicodedata.normalize("NFC", " ".join(str(cell or "").split())) for cell in cells]
    return [names.index(name) for name in COLUMNS] if set(COLUMNS) <= set(names) else None


def split(raw: bytes) -> list[list[str] | None]:
    """Rows of a CSV; None for one that cannot be split. A quote opens at a cell's beginning; not closed, its line is
    lost alone."""
    rows: list[list[str] | None] = []
    while raw:
        quoted, start, at = False, True, 0
        while at < len(raw):
            byte = raw[at : at + 1]
            at += 1
            if quoted:
                quoted = byte != b'"'
            elif byte == b'"' and start:
                quoted = True
            elif byte == b"\n":
                break
            else:
                start = byte == b","
        if quoted:
            at = raw.find(b"\n") + 1 or len(raw)
        line, raw = raw[:at], raw[at:]
        try:
            text = unicodedata.normalize("NFC", line.decode())
            rows.append(None if quoted else next(csv.reader([text]), []))
        except (UnicodeDecodeError, csv.Error):
            rows.append(None)
    return rows


def of_csv(raw: bytes) -> dict[str, Any]:
    rows = split(raw.removeprefix(b"\xef\xbb\xbf"))
    places = header(rows[0]) if rows and rows[0] is not None and raw[:2] not in (b"\xff\xfe", b"\xfe\xff") else None
    if places is None:
        return {"whole": False, "codes": []}
    width = len(rows[0] or [])
    good = [row for row in rows[1:] if row is not None and not any(cell.strip() for cell in row[width:])]
    return {"whole": True, "codes": [code for row in good if (code := event(row, places))]}


def of_sheet(path: Path, unpacked: int) -> dict[str, Any]:
    """unpacked: bytes that its parts may declare in all (a flipped bit may declare gigabytes)."""
    codes: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > unpacked:
                return {"whole": False, "codes": []}
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = book[book.sheetnames[0]].iter_rows(values_only=True)
        first = next(iter(rows), None)
        places = header(list(first)) if first else None
        if places is None or first is None:
            return {"whole": False, "codes": []}
        for row in book[book.sheetnames[0]].iter_rows(min_row=2, values_only=True):
            if not any(str(cell or "").strip() for cell in row[len(first) :]) and (code := event(list(row), places)):
                codes.append(code)
    except BaseException:
        return {"whole": False, "codes": codes}
    return {"whole": True, "codes": codes}


def main() -> None:
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))  # a flipped size may ask for more
    found = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        found[path.name] = of_csv(path.read_bytes()) if path.suffix == ".csv" else of_sheet(path, int(sys.argv[3]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
