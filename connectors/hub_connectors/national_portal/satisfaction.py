"""DongBoDanhGia (docs/field/portal.md#services): satisfaction of a month in the portal's words."""

from __future__ import annotations

from hub.connect.satisfaction import STARS, Satisfaction
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.wire import wire_time

SERVICE = "DongBoDanhGia"


def satisfaction(told: Satisfaction, settings: NationalPortalSettings) -> dict[str, object]:
    """The fields beside session, madonvi and service. Opinions in words are personal: not sent."""
    year, _, month = told.month.partition("-")
    very, content = settings.very_content_from, settings.content_from
    return {
        "NgayTongHop": wire_time(told.at),
        "TongSoNguoiDanhGia": str(told.total),
        "PhanTramDanhGiaRatHaiLong": _share(told.between(very, STARS), told.total),
        "PhanTramDanhGiaHaiLong": _share(told.between(content, very - 1), told.total),
        "PhanTramDanhGiaChuaHaiLong": _share(told.between(1, content - 1), told.total),
        "DanhSachNoiDungYKien": [],
        "MaThuTuc": "",
        "NoiDung": f"Tổng hợp đánh giá tháng {month}/{year}",
        "Madonvi": settings.madonvi,
        "TenDonVi": settings.unit_name,
    }


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.2f}" if total else "0"
