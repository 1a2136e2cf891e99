"""Values on the wire, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from hub.avro.records import Applicant, Handler
from hub.errors import Rejected
from hub_connectors.national_portal.mapping import WireMapping
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.wire import fit, length, wire_time
from tests.support.contract_events import changed, dossier_event_of, dossier_items, dossier_of, milliseconds


def mapping(**settings: Any) -> WireMapping:
    return WireMapping(NationalPortalSettings(adapter_url="http://x", madonvi="H11", username="u", **settings))


@pytest.mark.parametrize(
    ("moment", "wire"),
    [
        ("2026-03-02T01:15:00Z", "20260302081500"),
        ("2026-03-02T17:00:00Z", "20260303000000"),
        ("2025-12-31T16:59:59.999Z", "20251231235959"),
        ("2024-02-28T20:00:00Z", "20240229030000"),
        ("1969-12-31T16:59:59.500Z", "19691231235959"),
    ],
)
def test_times_are_those_of_viet_nam(moment: str, wire: str) -> None:
    assert wire_time(milliseconds(moment)) == wire


def test_no_time_is_empty_and_an_impossible_one_is_refused() -> None:
    assert wire_time(None) == ""
    with pytest.raises(Rejected) as caught:
        wire_time(2**62)
    assert caught.value.reason == "date"


def test_cut_counts_utf16_units_and_tears_no_pair() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("ab😀😀😀", 4) == "ab…"
    assert length("ab😀") == 4
    assert length(fit("😀" * 600, 1000)) <= 1000


def test_all_27_fields_of_qcvn_120_but_the_unknown_supplements() -> None:
    wire = mapping(later_additions=False).dossier(dossier_of(dossier_items("H11.12-260302-0001", 1)[0]))
    fields = (
        "MaHoSo MaTTHC TenTTHC MaLinhVuc TenLinhVuc ChuHoSo LoaiDoiTuong MaDoiTuong ThongTinKhac Email Fax SoDienThoai "
        "TrichYeuHoSo NgayTiepNhan NgayHenTra TrangThaiHoSo NgayTra ThongTinTra HinhThuc NgayKetThucXuLy DonViXuLy "
        "GhiChu TaiLieuNop DanhSachLePhi DanhSachTepDinhKemKhac DanhSachGiayToKetQua"
    )
    assert list(wire) == fields.split()
    assert len(wire) == 26


def test_supplements_pair_request_and_answer() -> None:
    items = dossier_items("H11.12-260302-0001")
    steps = [dossier_event_of(item).step for item in items]
    wire = mapping(supplement_requested="1", supplement_given="2").dossier(dossier_of(items[-1]), steps)
    assert [
        (s["NgayBoSung"], s["NgayTiepNhanBoSung"], s["TrangThaiBoSung"], s["NguoiYeuCauBoSung"])
        for s in wire["DanhSachHoSoBoSung"]
    ] == [("20260302101500", "20260302111500", "2", "Nguyễn Thị Hoa")]
    alone = mapping().dossier(dossier_of(items[3]), [steps[3]])["DanhSachHoSoBoSung"]
    assert [(s["NgayBoSung"], s["NgayTiepNhanBoSung"]) for s in alone] == [("", "20260302111500")]


def test_refusal_date_and_identity_kinds() -> None:
    given = dossier_of(dossier_items("H11.12-260302-0001", 1)[0])
    citizen = Applicant(name="A", kind="CITIZEN", identity_number="260123456")
    wire = mapping().dossier(structs.replace(given, status="NOT_ACCEPTED", applicant=citizen))
    assert (wire["TrangThaiHoSo"], wire["NgayTuChoi"]) == ("3", "20260302081500")
    assert wire["DinhDanhCHS"] == [{"LoaiDinhDanh": "2", "SoDinhDanh": "260123456"}]
    business = Applicant(name="B", kind="BUSINESS", identity_number="340012345678")
    assert mapping().dossier(structs.replace(given, applicant=business))["DinhDanhCHS"] == []


def test_a_status_without_code_is_refused_and_can_be_set() -> None:
    with pytest.raises(Rejected) as caught:
        mapping().status("UNKNOWN")
    assert caught.value.reason == "status"
    assert mapping(status_codes={"UNKNOWN": "8"}).status("UNKNOWN") == "8"


def test_handler_falls_back_to_department_then_agency() -> None:
    (item,) = dossier_items("H11.12-260302-0001", 1)
    for handler, name in ((Handler(department="Một cửa"), "Một cửa"), (None, "UBND TP Phan Thiết")):
        assert mapping().line(dossier_event_of(changed(item, step={"handler": handler})))["NguoiXuLy"] == name
