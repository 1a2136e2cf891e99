"""What the portal takes: fields, lengths, dates, status codes (docs/field/packets.md, docs/field/portal.md#simulator).

Written from those notes, not from the connector: it shares no code with it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from hub.untyped import JsonObject

DOSSIER_REQUIRED = (
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "LoaiDoiTuong", "Email", "SoDienThoai", "TrichYeuHoSo",
    "NgayTiepNhan", "NgayHenTra", "TrangThaiHoSo", "HinhThuc", "DonViXuLy",
)  # fmt: skip
DOSSIER_DATES = ("NgayTiepNhan", "NgayHenTra", "NgayTra", "NgayKetThucXuLy", "NgayTuChoi", "NgayNopHoSo")
DOSSIER_LIMITS = {"TrichYeuHoSo": 1000, "GhiChu": 2000}
LINE_REQUIRED = ("MaHoSo", "NguoiXuLy", "ThoiDiemXuLy", "NoiDungXuLy", "TrangThai")
LINE_OPTIONAL = ("ChucDanh", "PhongBanXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh")
LINE_DATES = ("ThoiDiemXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh")
LINE_LIMITS = {"NguoiXuLy": 50}
LISTS = (
    "TaiLieuNop", "DanhSachLePhi", "DanhSachTepDinhKemKhac", "DanhSachHoSoBoSung", "DanhSachGiayToKetQua",
    "DinhDanhCHS", "DSKetNoiCSDL",
)  # fmt: skip
_STATUS = re.compile(r"[1-9]|10")
_DATE = re.compile(r"[0-9]{14}")


def dossier_fault(entry: Any) -> str:
    """Why an entry of DongBoHoSoMC.data is refused (Vietnamese, for the message), "" if it is taken."""
    if not isinstance(entry, dict):
        return "Hồ sơ không phải là đối tượng"
    for name in LISTS:
        if not isinstance(entry.get(name, []), list):
            return f"{name} không phải là danh sách"
    for name, allowed in (("LoaiDoiTuong", "1234"), ("HinhThuc", "01")):
        if name in entry and (not isinstance(entry[name], str) or entry[name] not in tuple(allowed)):
            return f"{name} không hợp lệ"
    return _fault(entry, DOSSIER_REQUIRED, DOSSIER_DATES, DOSSIER_LIMITS, "TrangThaiHoSo")


def line_fault(entry: Any) -> str:
    """Why an entry of CapNhatTienDoHoSoMC.data is refused, "" if it is taken."""
    if not isinstance(entry, dict):
        return "Tiến độ không phải là đối tượng"
    if unknown := set(entry) - set(LINE_REQUIRED) - set(LINE_OPTIONAL):
        return f"Trường không có trong quy định: {', '.join(sorted(unknown))}"
    if entry.get("ThoiDiemXuLy") == "":
        return "ThoiDiemXuLy trống"
    return _fault(entry, LINE_REQUIRED, LINE_DATES, LINE_LIMITS, "TrangThai")


SHARES = ("PhanTramDanhGiaRatHaiLong", "PhanTramDanhGiaHaiLong", "PhanTramDanhGiaChuaHaiLong")


def satisfaction_fault(body: JsonObject) -> str:
    """Why DongBoDanhGia is refused, "" if it is taken: its date, a count, shares that make up the whole."""
    try:
        total = int(body["TongSoNguoiDanhGia"])
        shares = sum(float(body[name]) for name in SHARES)
    except (KeyError, ValueError, TypeError):
        return "Số liệu đánh giá không hợp lệ"
    if not body.get("NgayTongHop") or not _is_date(body["NgayTongHop"]):
        return "NgayTongHop không đúng dạng yyyyMMddHHmmss"
    return "" if not total or abs(shares - 100) < 0.1 else "Tổng tỷ lệ phải là 100"


QUESTION_ANSWER = ("HOIDAPID", "MADONVI", "NGUOITRALOI", "CHUCVUNGUOITRALOI", "NGAYTRALOI", "NOIDUNGTRALOI")
_DAY = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}")


def question_answer_fault(entry: Any) -> str:
    """Why an entry of DongBoKetQuaHoiDapGuiTuDVCQG.data is refused, "" if it is taken."""
    if not isinstance(entry, dict) or set(entry) != set(QUESTION_ANSWER):
        return f"data phải có đúng các trường {', '.join(QUESTION_ANSWER)}"
    if not all(isinstance(value, str) for value in entry.values()):
        return "Các trường phải là chuỗi ký tự"
    if not entry["HOIDAPID"] or not entry["NOIDUNGTRALOI"].strip():
        return "HOIDAPID hoặc NOIDUNGTRALOI trống"
    day = entry["NGAYTRALOI"]
    return "" if day and (_is_date(day) or _DAY.fullmatch(day)) else "NGAYTRALOI không đúng dạng"


ANSWER = ("MaHoSo", "MaHoSoDonVi", "MaDoiTuong", "NoiDung", "NgayXuLy", "TaiLieuXuLy", "TrangThai")


def answer_fault(data: Any) -> str:
    """Why the data of DongBoTrangThaiHoSo is refused, "" if it is taken (docs/field/packets.md#answer-back)."""
    if not isinstance(data, dict) or set(data) != set(ANSWER):
        return f"data phải có đúng các trường {', '.join(ANSWER)}"
    if not isinstance(data["TaiLieuXuLy"], list) or not all(
        isinstance(data[n], str) for n in ANSWER if n != "TaiLieuXuLy"
    ):
        return "TaiLieuXuLy phải là danh sách, các trường khác là chuỗi ký tự"
    if not data["MaHoSo"] or not data["NgayXuLy"] or not _is_date(data["NgayXuLy"]):
        return "MaHoSo hoặc NgayXuLy không hợp lệ"
    return "" if data["TrangThai"] in ("2", "3", "5", "11") else "TrangThai phải là 2, 3, 5 hoặc 11"


def _fault(
    entry: JsonObject, required: tuple[str, ...], dates: tuple[str, ...], limits: dict[str, int], status: str
) -> str:
    for name in required:
        if name not in entry:
            return f"Thiếu trường {name}"
    for name, value in entry.items():
        if not isinstance(value, str) and name not in LISTS:
            return f"{name} phải là chuỗi ký tự"
    if not entry["MaHoSo"]:
        return "MaHoSo trống"
    if not _STATUS.fullmatch(entry[status]):
        return f"{status} phải từ 1 đến 10"
    for name in dates:
        if not _is_date(entry.get(name, "")):
            return f"{name} không đúng dạng yyyyMMddHHmmss"
    for name, limit in limits.items():
        if len(entry.get(name, "")) > limit:
            return f"{name} dài quá {limit} ký tự"
    return ""


def _is_date(value: Any) -> bool:
    if value == "":
        return True
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        datetime.strptime(value, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return True
