"""The Vietnamese words that pages show, and how they write times and durations."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.events.families import FAMILIES

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

# TrangThaiHoSo, docs/field/statuses.md#codes
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
    "RESCHEDULED": "Xin lỗi, hẹn lại ngày trả",
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
    "TRANSFER_WARNING": "Sắp hết hạn phối hợp",
    "TRANSFER_DUE": "Hết hạn phối hợp",
}
OUTCOME = {
    "DELIVERED": "Đã nhận",
    "RETRY_SCHEDULED": "Sẽ gửi lại",
    "DEAD_LETTERED": "Không gửi được",
    "SKIPPED": "Bỏ qua",
    "HELD": "Tạm giữ",
}
FAMILY = {family.name: family.title for family in FAMILIES}
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

LETTER = {
    "open": "Chưa xử lý",
    "replayed": "Đã gửi lại",
    "skipped": "Đã bỏ qua",
    "closed": "Đã đóng",
    "superseded": "Gửi lại lỗi, xem thư mới",
}
"""What has become of a dead letter."""

# Stages and reasons of dead letters, hub/deadletter/reasons.py
STAGE = {
    "gateway": "Cổng tiếp nhận",
    "intake": "Tiếp nhận từ cơ quan",
    "source": "Đọc tệp, bảng nguồn",
    "core": "Xử lý trung tâm",
    "crash": "Lỗi khi xử lý",
    "reconcile": "Đối soát",
    "deliver": "Gửi đến cổng",
}
REASON = {
    "envelope": "Thiếu hoặc sai phong bì sự kiện",
    "magic_byte": "Không đúng khuôn dạng Avro",
    "schema_id": "Không rõ mã lược đồ",
    "schema_mismatch": "Sai lược đồ của loại sự kiện",
    "truncated": "Dữ liệu bị cắt cụt",
    "utf8": "Chữ không phải UTF-8",
    "avro": "Không đúng lược đồ",
    "encoding": "Sai bảng mã chữ của tệp",
    "row": "Dòng không khớp tiêu đề cột",
    "missing_field": "Thiếu trường bắt buộc",
    "unknown_field": "Trường không có trong lược đồ",
    "type": "Sai kiểu dữ liệu",
    "date": "Ngày giờ không hợp lệ",
    "code": "Mã không hợp lệ",
    "status": "Không rõ từ chỉ trạng thái",
    "limit": "Vượt giới hạn độ dài, dung lượng",
    "key": "Khóa không phải mã hồ sơ, thủ tục, dịch vụ",
    "right": "Cơ quan không có quyền",
    "not_offered": "Thủ tục không nhận trực tuyến ở mức này",
    "transition": "Bước không hợp lệ trong quy trình",
    "conflict": "Trùng mã sự kiện, khác nội dung",
    "crash": "Bản ghi làm hỏng bước xử lý",
    "schema": "Cổng từ chối khuôn dạng",
    "refused": "Cổng từ chối",
    "forbidden": "Cổng không cho kết nối",
    "gone": "Địa chỉ cổng không còn",
    "exhausted": "Đã hết số lần gửi",
    "unsupported": "Cổng không nhận loại sự kiện này",
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
