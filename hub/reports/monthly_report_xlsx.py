"""The monthly report as a workbook: figures, score, formulas, and the dossiers that every number links to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from hub.connect import spreadsheet
from hub.untyped import JsonObject

COLUMNS = (
    ("received", "Tiếp nhận"),
    ("on_time", "Đúng hạn"),
    ("late", "Quá hạn"),
    ("no_deadline", "Không xác định hạn"),
    ("withdrawn", "Rút hồ sơ"),
    ("pending", "Đang giải quyết"),
    ("pending_overdue", "trong đó quá hạn"),
    ("online", "Nộp trực tuyến"),
)
"""Figures in the order in which people read them, with their names."""

LEVELS = {"1": "Mức độ 1", "2": "Mức độ 2", "3": "Mức độ 3", "4": "Mức độ 4", "none": "Không có dịch vụ trực tuyến"}
KINDS = {"whole": "Toàn trình", "part": "Một phần", "none": "Không rõ"}
FIGURES, SCORE, ONLINE, DOSSIERS = "Số liệu", "Điểm", "Trực tuyến", "Hồ sơ"
_HEAD = PatternFill("solid", fgColor="EFE3D3")
_LINK = Font(color="9D1C20", underline="single")
_BOLD = Font(bold=True)


_SCORE_HEAD = (
    "Cơ quan", "Mục", "Tên", "Công thức", "Bằng số", "Đạt", "Trên", "Giá trị", "Đủ điểm từ", "Hệ số", "Điểm nhóm",
    "Tối đa", "Không tính được vì", "Mức tin cậy",
)  # fmt: skip


MOST_ROWS = 300_000
"""Most rows of the sheet with the codes: a workbook is made in memory, and a sheet ends at 1,048,576 rows anyway."""


_TOO_MANY = "Quá nhiều mã cho một tệp: xem hub figures --json, hoặc lập tệp cho từng cơ quan."


class _Lists:
    """Sheet "Hồ sơ": one block of codes for each number, and the cell where it begins."""

    def __init__(self, sheet: Worksheet) -> None:
        self._sheet = sheet
        sheet.append(["Cơ quan", "Chỉ tiêu", "Mã"])
        self._next = 2

    def link(self, cell: Any, agency: str, what: str, number: JsonObject) -> None:
        """Put the count into the cell and, if there is any, link it to its codes; past MOST_ROWS say where they are."""
        cell.value = number["count"]
        if self._next + number["count"] > MOST_ROWS:
            cell.comment = Comment(_TOO_MANY, "hub")
        elif number["dossiers"]:
            cell.hyperlink = Hyperlink(cell.coordinate, location=f"'{DOSSIERS}'!A{self._next}")
            cell.font = _LINK
            for code in number["dossiers"]:
                self._sheet.append([agency, what, code])
            self._next += number["count"]


def write(report: JsonObject, path: Path) -> None:
    """The workbook; an existing file is replaced."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = FIGURES
    score, online, listed = (book.create_sheet(title) for title in (SCORE, ONLINE, DOSSIERS))
    lists = _Lists(listed)
    every = [*report["agencies"], report["province"]]
    _figures(first, report, every, lists)
    _score(score, every, lists)
    _online(online, every, lists)
    for sheet, top in ((first, 3), (score, 1), (online, 1), (listed, 1)):
        _disarm(sheet)
        _dress(sheet, top)
    book.save(path)


def _who(agency: JsonObject) -> str:
    return str(agency["agency"] or agency["name"])


def _figures(sheet: Worksheet, report: JsonObject, every: list[JsonObject], lists: _Lists) -> None:
    sheet.append([f"Số liệu tháng {report['month']}" + ("" if report["complete"] else " (tháng chưa hết)")])
    sheet.append([f"Lập lúc {report['made_at']}"])
    names = [name for _, name in COLUMNS]
    sheet.append(
        ["Mã", "Cơ quan", "Cơ quan kế thừa", *names, "Giờ xử lý TB", "Thủ tục", "công khai đủ", "Điểm 766", "Xếp loại"]
    )
    for agency in every:
        row = sheet.max_row + 1
        present = agency["present_office"]
        sheet.cell(row, 1, agency["agency"])
        sheet.cell(row, 2, agency["name"])
        sheet.cell(row, 3, present["name"] if present else "")
        column = 4
        for key, name in COLUMNS:
            lists.link(sheet.cell(row, column), _who(agency), name, agency["figures"][key])
            column += 1
        sheet.cell(row, column, agency["mean_processing_hours"])
        lists.link(sheet.cell(row, column + 1), _who(agency), "Thủ tục", agency["publication"]["procedures"])
        lists.link(sheet.cell(row, column + 2), _who(agency), "Thủ tục công khai đủ", agency["publication"]["complete"])
        sheet.cell(row, column + 3, agency["score"]["total"])
        sheet.cell(row, column + 4, agency["score"]["band"])


def _score(sheet: Worksheet, every: list[JsonObject], lists: _Lists) -> None:
    sheet.append(list(_SCORE_HEAD))
    for agency in every:
        for group in agency["score"]["groups"]:
            sheet.append([_who(agency), group["group"], group["name"], *[None] * 7, group["points"], group["of"]])
            for cell in sheet[sheet.max_row]:
                cell.font = _BOLD
            for item in group["items"]:
                row = sheet.max_row + 1
                for column, value in _item_cells(agency, item):
                    sheet.cell(row, column, value)
                what = f"{item['item']} {item['name']}"
                lists.link(sheet.cell(row, 6), _who(agency), f"{what}: đạt", item["counted"])
                lists.link(sheet.cell(row, 7), _who(agency), f"{what}: trên", item["total"])


def _item_cells(agency: JsonObject, item: JsonObject) -> Iterator[tuple[int, Any]]:
    texts = (_who(agency), item["item"], item["name"], item["formula"], item["written"])
    yield from enumerate(texts, 1)
    yield from enumerate((item["value"], item["full_at"], item["worth"]), 8)
    yield 13, item["why_not"]
    yield 14, item["evidence"]


def _online(sheet: Worksheet, every: list[JsonObject], lists: _Lists) -> None:
    sheet.append(["Cơ quan", "Theo", "Tiếp nhận", "Nộp trực tuyến", "Tỷ lệ"])
    for agency in every:
        parts = [(LEVELS.get(key, key), part) for key, part in agency["online"]["by_level"].items()]
        parts += [(f"Loại: {KINDS.get(key, key)}", part) for key, part in agency["online"]["by_kind"].items()]
        for name, part in parts:
            row = sheet.max_row + 1
            sheet.cell(row, 1, _who(agency))
            sheet.cell(row, 2, name)
            lists.link(sheet.cell(row, 3), _who(agency), f"{name}: tiếp nhận", part["received"])
            lists.link(sheet.cell(row, 4), _who(agency), f"{name}: trực tuyến", part["online"])
            sheet.cell(row, 5, part["share"])


def _disarm(sheet: Worksheet) -> None:
    """No cell is a formula: names and codes come from agencies, and openpyxl takes any text that begins with =."""
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.value = spreadsheet.cell(cell.value)


_WIDTHS = {"Cơ quan": 26, "Cơ quan kế thừa": 26, "Tên": 34, "Công thức": 60, "Bằng số": 34, "Chỉ tiêu": 40, "Mã": 30,
           "Theo": 28, "Không tính được vì": 30, "Xếp loại": 12}  # fmt: skip


def _dress(sheet: Worksheet, top: int) -> None:
    """Head, widths, and the first row that scrolls."""
    for number in range(1, sheet.max_column + 1):
        cell = sheet.cell(top, number)
        cell.font, cell.fill = _BOLD, _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(str(cell.value), 11)
    sheet.freeze_panes = f"A{top + 1}"
