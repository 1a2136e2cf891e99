"""The Vietnamese words that pages show, and how they write times and durations."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

# TrangThaiHoSo, domain notes 1.9
STATUS = {
    "NEW": "Mới đăng ký",
    "ACCEPTED": "Được tiếp nhận",
    "NOT_ACCEPTED": "Không được tiếp nhận",
    "IN_PROCESS": "Đang xử lý",
    "SUPPLEMENT": "Yêu cầu bổ sung giấy tờ",
    "PAYMENT": "Yêu cầu thực hiện nghĩa vụ tài chính",
    "WITHDRAWN": "Công dân yêu cầu rút hồ sơ",
    "STOPPED": "Dừng xử lý",
    "FINISHED": "Đã xử lý xong",
    "RETURNED": "Đã trả kết quả",
    "UNKNOWN": "Không rõ",
    "ACTIVE": "Đang áp dụng",
}
STEP = {
    "SUBMITTED": "Nộp hồ sơ",
    "RECEIVED": "Tiếp nhận",
    "NOT_ACCEPTED": "Từ chối tiếp nhận",
    "IN_PROCESS": "Xử lý",
    "SUPPLEMENT_REQUESTED": "Yêu cầu bổ sung",
    "SUPPLEMENT_GIVEN": "Đã bổ sung",
    "PAYMENT_REQUESTED": "Yêu cầu nộp phí, lệ phí",
    "PAYMENT_MADE": "Đã nộp phí, lệ phí",
    "TRANSFERRED": "Chuyển cơ quan phối hợp",
    "STOPPED": "Dừng xử lý",
    "FINISHED": "Xử lý xong",
    "RETURNED": "Trả kết quả",
    "WITHDRAWN": "Rút hồ sơ",
    "RATED": "Đánh giá",
    "PUBLISHED": "Công bố",
    "AMENDED": "Sửa đổi",
    "WARNING": "Sắp đến hạn",
    "DUE": "Đến hạn trả kết quả",
}
OUTCOME = {
    "DELIVERED": "Đã nhận",
    "RETRY_SCHEDULED": "Sẽ gửi lại",
    "DEAD_LETTERED": "Không gửi được",
    "SKIPPED": "Bỏ qua",
    "HELD": "Tạm giữ",
}
FAMILY = {"dossier": "Hồ sơ", "procedure": "Thủ tục hành chính", "service": "Dịch vụ công trực tuyến"}
APPLICANT_KIND = {
    "CITIZEN": "Công dân",
    "BUSINESS": "Doanh nghiệp",
    "STATE_AGENCY": "Cơ quan nhà nước",
    "ORGANISATION": "Tổ chức khác",
}
CHANNEL = {"DIRECT": "Trực tiếp", "ONLINE": "Trực tuyến", "POST": "Bưu chính"}
DISCREPANCY = {
    "MISSING": "Cổng chưa có",
    "STALE": "Cổng chậm hơn",
    "AHEAD": "Cổng đi trước",
    "UNKNOWN": "Không rõ nguồn",
    "CONFLICT": "Nội dung khác nhau",
}


def moment(ms: int | None) -> str:
    """24/11/2026 14:05:09, local time; a dash for none."""
    return datetime.fromtimestamp(ms / 1000, LOCAL).strftime("%d/%m/%Y %H:%M:%S") if ms is not None else "–"


def day(ms: int | None) -> str:
    return datetime.fromtimestamp(ms / 1000, LOCAL).strftime("%d/%m/%Y") if ms is not None else "–"


def ago(seconds: float | None) -> str:
    """How long ago, in the largest fitting unit."""
    if seconds is None:
        return "–"
    for size, word in ((86_400, "ngày"), (3_600, "giờ"), (60, "phút")):
        if seconds >= size:
            return f"{int(seconds // size)} {word} trước"
    return f"{max(0, int(seconds))} giây trước"


def number(value: int | None) -> str:
    """1.234.567, as Vietnamese writes it."""
    return "–" if value is None else f"{value:,}".replace(",", ".")


def decimal(value: float, places: int = 1) -> str:
    """1.234,5"""
    return f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))


def percent(value: float) -> str:
    """0.6 -> 60,0 %"""
    return decimal(100 * value) + " %"


def composed(text: str) -> str:
    """NFC, as everything the hub stores is: what a person types may be NFD (macOS)."""
    return unicodedata.normalize("NFC", text).strip()
