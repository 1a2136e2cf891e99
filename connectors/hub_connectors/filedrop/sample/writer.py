"""The agencies' files of the demo, each written as its committed mapping says it is read.

The demo finds this module by entry point (`hub.samples`).
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import openpyxl

from hub.config import Settings
from hub.connect.samples import SAMPLE, VIETNAM, Agency, Step
from hub_connectors.filedrop.encodings import UTF8_BOM, encode
from hub_connectors.filedrop.mapping import Mapping as FileMapping
from hub_connectors.filedrop.mapping import load
from hub_connectors.filedrop.settings import places

Row = Mapping[str, Any]
"""Field -> value as in a Step's fields; a string under a time or a word field is written as it stands."""


def set_up_folder(agency: Agency, settings: Settings) -> tuple[FileMapping, Path]:
    """The agency's mapping among the operator's, and its folder in the drop."""
    at = places(settings)
    at.mappings.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder := at.drop / agency.name).mkdir(parents=True, exist_ok=True, mode=0o755)
    with resources.as_file(resources.files(SAMPLE) / agency.name / "mapping.toml") as path:
        part = shutil.copyfile(path, at.mappings / f".{agency.name}.part")
    part.chmod(0o600)
    return load(part.replace(at.mappings / f"{agency.name}.toml")), folder


def quarters(steps: Sequence[Step]) -> dict[str, list[Step]]:
    """Name of a file -> its steps: one file a quarter, as an agency exports them."""
    out: dict[str, list[Step]] = {}
    for step in steps:
        day = datetime.fromtimestamp(step.at / 1000, VIETNAM)
        out.setdefault(f"{day.year}-quy-{(day.month + 2) // 3}", []).append(step)
    return out


def render(mapping: FileMapping, rows: Sequence[Row], title: str) -> bytes:
    """The whole file: letterhead, header, rows."""
    names = list(mapping.columns)
    head = [[title], *[[""]] * mapping.file.skip_rows][: mapping.file.skip_rows] + _header(mapping, names)
    body = [[_cell(mapping, row, mapping.columns[name], number) for name in names] for number, row in enumerate(rows)]
    if mapping.file.format == "xlsx":
        return _workbook(head + body)
    out = io.StringIO()
    csv.writer(out, delimiter=mapping.file.delimiter, quotechar=mapping.file.quote).writerows(head + body)
    bom = UTF8_BOM if mapping.file.encoding == "utf-8" else b""
    return bom + encode(out.getvalue(), mapping.file.encoding)


def _header(mapping: FileMapping, names: Sequence[str]) -> list[list[str]]:
    """Header rows: the parts of each name from above, a repeated upper part left empty as in a merged cell."""
    if mapping.file.header_rows == 1:
        return [list(names)]
    parts = [name.split(" / ") for name in names]
    upper = [part[0] if i == 0 or parts[i - 1][0] != part[0] else "" for i, part in enumerate(parts)]
    return [upper, [part[1] for part in parts]]


def _cell(mapping: FileMapping, row: Row, field: str, number: int) -> Any:
    value = row.get(field)
    if value is None:
        return ""
    if isinstance(value, str) and field in mapping.words:
        words = mapping.words[field]
        if field == "step" and row.get("word") in words:
            return row["word"]
        return next((word for word, meaning in words.items() if meaning == value), value)
    if mapping.targets[field].kind == "time" and isinstance(value, int):
        return _time(mapping, value, number)
    return value


def _time(mapping: FileMapping, value: int, number: int) -> Any:
    """In one of the mapping's forms, in turns; a sheet has a date cell."""
    seconds, ms = divmod(value, 1000)
    local = datetime.fromtimestamp(seconds, UTC).replace(microsecond=ms * 1000).astimezone(mapping.dates.zone)
    if mapping.file.format == "xlsx":
        return local.replace(tzinfo=None)
    forms = mapping.dates.forms
    return local.strftime(forms[number % len(forms)])


def _workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Hồ sơ")
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
