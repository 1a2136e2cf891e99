"""A3: ids of what the file drop reads: every row of the sample's files, rows by hand, refused rows and files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl

from hub.avro.record import as_told
from hub.avro.records import DossierStep
from hub.config import Settings
from hub.connect.samples import Step
from hub.connect.source import Incoming, Refused
from hub.demo.bad_records import plant
from hub.demo.sample_input import agencies, steps
from hub.events.envelope import trace_of
from hub.sources.role import refusal_record
from hub_connectors.filedrop.mapping import Mapping, load
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.rows import Converter
from hub_connectors.filedrop.sample.writer import quarters, render, set_up_folder
from hub_connectors.filedrop.settings import places, read
from hub_connectors.filedrop.watch import FileDrop
from tests.frozen.inputs import fixed

INPUTS = Path(__file__).parents[1] / "inputs" / "drop"
FIRST = 5
"""Readable ids of a file; of the others a hash."""

Found = Incoming | Refused


def outputs() -> dict[str, Any]:
    with fixed.moment(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {
            **{f"sample/{agency}": found for agency, found in _sample(folder / "sample").items()},
            "planted_rows": _planted(folder / "planted"),
            "rows_by_hand": _by_hand(folder / "hand"),
            "whole_files_refused": asyncio.run(_whole_files(folder / "whole")),
        }


def _sample(drop: Path) -> dict[str, Any]:
    """The five agencies that send files: for each file its hash, the hash of all ids, the first ids."""
    out, every = {}, steps()
    for agency in (one for one in agencies() if one.carrier == "file"):
        mapping, folder = set_up_folder(agency, Settings(data_dir=drop))
        files = quarters([step for step in every if step.agency == agency])
        out[agency.name] = {name: _of_file(folder, name, mapping, part, agency.title) for name, part in files.items()}
    return out


def _of_file(folder: Path, name: str, mapping: Mapping, part: Sequence[Step], title: str) -> dict[str, Any]:
    content = render(mapping, [dict(step.fields) | {"word": step.word} for step in part], title)
    path = folder / f"{name}.{mapping.file.format}"
    path.write_bytes(content)
    found = _read(path, mapping, f"{folder.name}/{path.name}")
    ids = [f"{one.envelope.id} {one.envelope.subject}" for one in found if isinstance(one, Incoming)]
    data = [_row(one, mapping) for one in found if isinstance(one, Incoming)]
    return {
        "file_sha": fixed.sha(content) if mapping.file.format == "csv" else "(a zip with the time in it)",
        "rows": len(found),
        "events": len(ids),
        "ids_sha": fixed.sha("\n".join(ids)),
        "data_sha": fixed.sha(json.dumps(data, sort_keys=True)),
        "first_ids": ids[:FIRST],
    }


def _row(event: Incoming, mapping: Mapping) -> dict[str, Any]:
    """What the row told, as it was recorded: a kind that is the schema's default, too, where a column tells it."""
    told, record = as_told(event.data), event.data
    if isinstance(record, DossierStep) and record.applicant and "applicant.kind" in mapping.columns.values():
        told["applicant"]["kind"] = record.applicant.kind
    return told


def _read(path: Path, mapping: Mapping, where: str) -> list[Found]:
    table = open_table(path, mapping.file)
    try:
        converter = Converter(mapping, table.columns, where)
        return [converter.convert(row) for row in table.rows(table.first)]
    finally:
        table.close()


def _planted(drop: Path) -> dict[str, Any]:
    """The demo's bad rows: each alone in a file, since it is the place in it that makes a refusal's id."""
    out = {}
    for bad in plant(steps()):
        if bad.kind in ("date", "word", "code"):
            mapping, folder = set_up_folder(bad.step.agency, Settings(data_dir=drop))
            path = folder / f"{bad.marker}.{mapping.file.format}"
            path.write_bytes(render(mapping, [bad.fields], "x"))
            (found,) = _read(path, mapping, f"{bad.step.agency.name}/{path.name}")
            out[bad.marker] = _told(found)
    return out


def _by_hand(folder: Path) -> dict[str, Any]:
    """rows.csv, and the same as a sheet whose days are date cells."""
    folder.mkdir()
    mapping = load(INPUTS / "mapping.toml")
    path = folder / "rows.xlsx"
    _sheet(path)
    sheet = mapping.model_copy(update={"file": mapping.file.model_copy(update={"format": "xlsx"})})
    return {
        "csv": [_told(found) for found in _read(INPUTS / "rows.csv", mapping, "frozen/rows.csv")],
        "xlsx": [_told(found) for found in _read(path, sheet, "frozen/rows.xlsx")],
    }


def _sheet(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Mã hồ sơ", "Thủ tục", "Bước", "Lúc", "Hẹn trả", "Hạn của bước", "Người nộp", "Số giấy tờ", "Kênh",
                  "Qua bưu điện", "Chuyển đến", "Hạn chuyển", "Sửa", "Điểm", "Ghi chú"])  # fmt: skip
    row = ["H11.12-260302-0001", "1.004194", "new", datetime(2026, 3, 2, 8, 15), date(2026, 3, 13), date(2026, 3, 5),
           "Nguyễn Văn An", 60090001234, "Trực tuyến", True, None, None, None, None, "ô ngày"]  # fmt: skip
    sheet.append(row)
    sheet.append([*row[:3], "không phải ngày"])
    book.save(path)


async def _whole_files(root: Path) -> dict[str, Any]:
    """Files that cannot be read at all, through the watch: time and size of a file are part of the id."""
    out = {}
    for name, content in {"no-columns.csv": b"a,b\n1,2\n", "empty.csv": b"", "no-utf8.csv": b"M\xe3,x\n1,2\n"}.items():
        settings = Settings(data_dir=root / name.removesuffix(".csv"))
        at = places(settings)
        at.mappings.mkdir(parents=True)
        shutil.copyfile(INPUTS / "mapping.toml", at.mappings / "frozen.toml")
        (folder := at.drop / "frozen").mkdir(parents=True)
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(1_772_414_100_000_000_000, 1_772_414_100_000_000_000))
        out[name] = await _watched(settings)
    return out


async def _watched(settings: Settings) -> list[Any]:
    drop, stop = FileDrop(places(settings), read(settings), poll_s=0.01, settle_s=0.0), asyncio.Event()
    async with asyncio.timeout(60), contextlib.aclosing(drop.batches(stop)) as batches:
        async for batch in batches:
            await drop.confirmed(batch)
            break
    await drop.close()
    return [*map(_told, batch.events), *map(_told, batch.refused)]


def _told(found: Found) -> dict[str, Any]:
    if isinstance(found, Refused):
        _, key, value, headers = refusal_record(found)
        return {"refused": found.id, "key": key, "headers": fixed.texts(headers), "value_sha": fixed.sha(value or b"")}
    envelope = found.envelope
    return {
        "headers": fixed.texts(envelope.headers()),
        "trace": trace_of(envelope.source, envelope.id),
        "data": as_told(found.data),
    }
