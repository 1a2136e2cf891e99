"""Workbooks that ask for more than they are worth; each small on disk. Made by hand, for openpyxl would not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.'
    'sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
HEADER = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("Mã", "Bước", "Lúc"))
GOOD = "".join(
    f'<c t="inlineStr"><is><t>{text}</t></is></c>'
    for text in ("000.00.12.H11-111011-0001", "RECEIVED", "11/10/2011 08:00:00")
)

Parts = Iterable[bytes]


def sheet(rows: Parts, before: str = "", doctype: str = "") -> Parts:
    """The parts of a sheet: the header's row, a good row, then `rows`."""
    yield f'<?xml version="1.0"?>{doctype}<worksheet xmlns="{MAIN}">{before}<sheetData>'.encode()
    yield f"<row>{HEADER}</row><row>{GOOD}</row>".encode()
    yield from rows
    yield b"</sheetData></worksheet>"


def strings(items: Parts, doctype: str = "") -> Parts:
    yield f'<?xml version="1.0"?>{doctype}<sst xmlns="{MAIN}">'.encode()
    yield from items
    yield b"</sst>"


def workbook(sheet1: Parts, shared: Parts = ()) -> bytes:
    """The whole file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
        for name, parts in (("xl/worksheets/sheet1.xml", sheet1), ("xl/sharedStrings.xml", shared or strings(()))):
            with archive.open(name, "w", force_zip64=True) as entry:
                for part in parts:
                    entry.write(part)
    return out.getvalue()


def lying(content: bytes, name: str, size: int) -> bytes:
    """The same, but that entry says in the central directory that it is so small."""
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(name.encode()))
    return content[: at + 24] + size.to_bytes(4, "little") + content[at + 28 :]


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE s [<!ENTITY l0 "lol">{entities}]>'
    return workbook(sheet([b'<row><c t="s"><v>0</v></c></row>']), strings([b"<si><t>&l11;</t></si>"], doctype))


SPACES = b" " * 2**20
TO_XFD = b'<row><c r="XFD%d"><v>1</v></c></row>'

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a gigabyte of nothing": (lambda: workbook(sheet(SPACES for _ in range(1024))), "max_unpacked_bytes"),
    "a text of 400 MB": (
        lambda: workbook(sheet([b'<row><c t="inlineStr"><is><t>', *[b"x" * 2**20] * 400, b"</t></is></c></row>"])),
        "max_memory_mb|max_cell_chars|max_seconds",
    ),
    "rows that are not there": (lambda: workbook(sheet([b'<row r="999999999"><c><v>1</v></c></row>'])), "max_rows"),
    "a sheet that says it is wide": (
        lambda: workbook(sheet([b'<row r="2000001"><c><v>1</v></c></row>'], '<dimension ref="A1:XFD1048576"/>')),
        "max_rows|max_cells|max_seconds",
    ),
    "cells at the right edge": (
        lambda: workbook(sheet(TO_XFD % n for n in range(3, 20_000))),
        "max_cells|max_refused|max_seconds",
    ),
    "one row of five million cells": (
        lambda: workbook(sheet([b"<row>", *[b"<c><v>1</v></c>" * 1000] * 5000, b"</row>"])),
        "max_memory_mb|max_columns|max_seconds",
    ),
    "a hundred thousand texts and one": (
        lambda: workbook(sheet([]), strings([b"<si><t>x</t></si>" * 1000] * 101)),
        "max_strings|max_seconds",
    ),
    "laughs": (_laughs, "not an XLSX workbook"),
    "an entry that lies of its size": (
        lambda: lying(workbook(sheet(SPACES for _ in range(1024))), "xl/worksheets/sheet1.xml", 1000),
        "breaks off|not an XLSX workbook|max_memory_mb|sheet",
    ),
}
"""Name -> how it is made, and what its reason says (a pattern)."""
