"""What rests on weak evidence is a setting: each one, changed, changes the wire; a wrong one is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.avro.records import Applicant, Attachment, Handler
from hub.connect.portal import make_portal
from hub.connect.satisfaction import summed_up
from hub.control.records import Subscriber
from hub.errors import ConfigError, Rejected
from hub.untyped import JsonObject, SettingsTable
from hub_connectors.national_portal.catalogue import mapping as catalogue
from hub_connectors.national_portal.catalogue.pull import connected
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.catalogue.settings import read as read_catalogue
from hub_connectors.national_portal.mapping import WireMapping
from hub_connectors.national_portal.names import KNOWN, Names
from hub_connectors.national_portal.portal import NationalPortal, portal
from hub_connectors.national_portal.satisfaction import satisfaction
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.tests.site import GOLDEN, national_site
from tests.support.contract_events import changed, dossier_event_of, dossier_items, dossier_of

CODE = "H11.12-260302-0001"
GOOD: SettingsTable = {"adapter_url": "http://x/", "madonvi": "H11", "username": "u"}


def settings(**given: Any) -> NationalPortalSettings:
    return NationalPortalSettings.model_validate(GOOD | given)


def dossier(changes: JsonObject, **given: Any) -> JsonObject:
    """The dossier's fields on the wire."""
    item = changed(dossier_items(CODE, 1)[0], dossier=changes)
    return WireMapping(settings(**given)).dossier(dossier_of(item))


def line(changes: JsonObject, **given: Any) -> JsonObject:
    item = changed(dossier_items(CODE, 1)[0], step=changes)
    return WireMapping(settings(**given)).line(dossier_event_of(item))


PAPER = Attachment(id="F")
OWNER = Applicant(name="Sở A", kind="STATE_AGENCY")


@pytest.mark.parametrize(
    ("given", "changes", "field", "before", "after"),
    [
        ({"applicant_kinds": {"STATE_AGENCY": "4"}}, {"applicant": OWNER}, "LoaiDoiTuong", "3", "4"),
        ({"channels": {"POST": "4"}}, {"channel": "POST"}, "KenhThucHien", "3", "4"),
        ({"payment_codes": {"2": "9"}}, {"online_payment": 2}, "DuocThanhToanTrucTuyen", "2", "9"),
        ({"payment_codes": {"2": "9"}}, {"online_payment": None}, "DuocThanhToanTrucTuyen", None, None),
        ({"by_post_tells": "filing"}, {"channel": "POST", "return_by_post": False}, "HinhThuc", "0", "1"),
        ({"limits": {"TrichYeuHoSo": 4}}, {"abstract": "abcdef"}, "TrichYeuHoSo", "abcdef", "abc…"),
        ({"limits": {"GhiChu": 3000}}, {"remark": "x" * 2001}, "GhiChu", "x" * 1999 + "…", "x" * 2001),
        ({"limits": {"ChuHoSo": 3}}, {"applicant": OWNER}, "ChuHoSo", "Sở A", "Sở…"),
        ({"limit_units": "code_points"}, {"abstract": "😀" * 600}, "TrichYeuHoSo", "😀" * 499 + "…", "😀" * 600),
        ({"untold": "empty"}, {"online_payment": None}, "DuocThanhToanTrucTuyen", None, ""),
        ({"filed_at": "1"}, {"filed_at_portal": None}, "NoiNopHoSo", "2", "1"),
        ({"status_codes": {"NEW": "2"}}, {"status": "NEW"}, "TrangThaiHoSo", "1", "2"),
        ({"later_additions": False}, {"channel": "ONLINE"}, "KenhThucHien", "2", None),
    ],
)
def test_of_a_dossier(given: JsonObject, changes: JsonObject, field: str, before: Any, after: Any) -> None:
    assert dossier(changes).get(field) == before
    assert dossier(changes, **given).get(field) == after


def test_of_a_paper_nobody_told_whether_it_was_digitised() -> None:
    assert "DuocSoHoa" not in dossier({"attachments": (PAPER,)})["TaiLieuNop"][0]
    assert dossier({"attachments": (PAPER,)}, untold="empty")["TaiLieuNop"][0]["DuocSoHoa"] == ""


def test_of_a_line() -> None:
    assert line({"note": None})["NoiDungXuLy"] == "Tiếp nhận hồ sơ"
    assert line({"note": None}, step_texts={"RECEIVED": "Đã nhận"})["NoiDungXuLy"] == "Đã nhận"
    assert line({"note": "riêng"}, step_texts={"RECEIVED": "Đã nhận"})["NoiDungXuLy"] == "riêng"
    handler = Handler(name="Lê " * 20)
    assert len(line({"handler": handler})["NguoiXuLy"]) == 50
    assert len(line({"handler": handler}, limits={"NguoiXuLy": 60})["NguoiXuLy"]) == 60


def test_too_long_may_be_refused_instead_of_cut() -> None:
    with pytest.raises(Rejected) as refused:
        dossier({"abstract": "x" * 1001}, too_long="refuse")
    assert refused.value.reason == "limit"
    assert "TrichYeuHoSo has 1001 characters" in str(refused.value)
    assert "xxx" not in str(refused.value)
    assert dossier({"abstract": "x" * 1000}, too_long="refuse")["TrichYeuHoSo"] == "x" * 1000


def test_steps_without_a_line() -> None:
    events = [dossier_event_of(item) for item in dossier_items(CODE, 3)]
    steps = [event.step.step for event in events]
    assert len(WireMapping(settings()).lines(events)) == 3
    left = WireMapping(settings(no_line_for=[steps[1]])).lines(events)
    assert [one["ThoiDiemXuLy"] for one in left] == ["20260302081500", "20260302101500"]


def test_where_stars_meet_the_portals_three_steps() -> None:
    told = summed_up("2026-10", 0, [5, 4, 4, 3, 1])
    shares = ("PhanTramDanhGiaRatHaiLong", "PhanTramDanhGiaHaiLong", "PhanTramDanhGiaChuaHaiLong")
    assert [satisfaction(told, settings())[name] for name in shares] == ["20.00", "60.00", "20.00"]
    stricter = settings(very_content_from=4, content_from=4)
    assert [satisfaction(told, stricter)[name] for name in shares] == ["60.00", "0.00", "40.00"]


@pytest.mark.parametrize(("first", "calls"), [(True, ["TraCuuHoSo", "DongBoHoSoMC"]), (False, ["DongBoHoSoMC"])])
async def test_with_or_without_the_look_up(first: bool, calls: list[str], tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        one = make_portal(site.subscriber(look_up_first=first, answer_back=False))
        await one.open()
        items = dossier_items(CODE, 2)
        await one.deliver(items[:1])
        again = await one.deliver(items[1:])
        await one.close()
        made = [service for (service,) in site.rows("SELECT service FROM calls ORDER BY id")]
        assert made[: len(calls) + 1] == [*calls, "CapNhatTienDoHoSoMC"]
        assert again.detail["sent"] == "update", "found out by the answer"
        site.check(items)


class Heard(httpx.AsyncBaseTransport):
    """Takes everything; `bodies` as sent; `result` as the answer's."""

    def __init__(self, result: list[Any]) -> None:
        self.bodies: list[JsonObject] = []
        self._result = result

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        answer = {"session": "s", "error_code": 0, "message": "Thành công", "result": self._result}
        return httpx.Response(200, json=answer)


async def test_names_of_fields_out_and_back() -> None:
    given = {"HOIDAPID": "HoiDapId", "NOIDUNG": "NoiDungHoi", "DongBoDanhGia.Madonvi": "MaDonVi", "DonViXuLy": "CoQuan"}
    heard = Heard([{"HoiDapId": 7, "NoiDungHoi": "?", "TRALOIID": 1, "NOIDUNGTRALOI": "!"}])
    one = NationalPortal(settings(field_names=given), "p", heard)
    await one.open()
    (question,) = await one.questions("citizens")
    await one.send_satisfaction(summed_up("2026-10", 0, [5]))
    await one.deliver(dossier_items(CODE, 1))
    await one.close()
    assert (question.id, question.text) == ("7", "?")
    sent = {body["service"]: body for body in heard.bodies if "service" in body}
    assert sent["DongBoDanhGia"]["MaDonVi"] == "H11"
    assert "Madonvi" not in sent["DongBoDanhGia"]
    assert sent["DongBoDanhGia"]["madonvi"] == "H11", "the envelope keeps its names"
    (entry,) = sent["DongBoHoSoMC"]["data"]
    assert entry["CoQuan"] == "UBND TP Phan Thiết"
    assert "DonViXuLy" not in entry


async def test_names_of_fields_of_the_catalogue() -> None:
    heard = Heard([{"data": [{"MaDVC": "1.004194.01", "TENDVC": "x", "Ma": "1.004194"}]}])
    own = {"LayDVC.MADVC": "MaDVC", "LayDVC.MATTHC": "Ma"}
    subscriber = Subscriber(
        name="dvcqg", kind="national-portal", settings=GOOD | {"field_names": own}, secrets={"password": "p"}
    )
    async with connected(subscriber, heard) as client:
        (row,) = await client.whole("LayDVC", share=False)
    offer = catalogue.service(row, 0, CatalogueSettings())
    assert (offer.service_code, offer.procedure_code) == ("1.004194.01", "1.004194")


def test_a_name_for_one_service_counts_before_that_for_all() -> None:
    names = Names({"MaHoSo": "A", "TraCuuHoSo.MaHoSo": "B"})
    assert (names.out("TraCuuHoSo", {"MaHoSo": 1}), names.out("DongBoHoSoMC", {"MaHoSo": 1})) == ({"B": 1}, {"A": 1})
    assert names.back("TraCuuHoSo", ({"B": 1},)) == ({"MaHoSo": 1},)


def test_units_and_public_codes_of_the_catalogue() -> None:
    row = {"MATTHC": "1.004194", "TRANGTHAI": "2", "CACHTHUCTHUCHIEN": [
        {"KENH": "1", "THOIGIAN": [{"THOIGIANGIAIQUYET": "3", "DONVITINH": "Ngày LV"}]}]}  # fmt: skip
    told, public = catalogue.procedure(row, 0, CatalogueSettings())
    assert (told.time_limit_unit, public) == ("Ngày LV", False)
    own = CatalogueSettings(time_units={"Ngày LV": "Ngày làm việc"}, public_codes=("2",))
    told, public = catalogue.procedure(row, 0, own)
    assert told.time_limits is not None
    assert (told.time_limit_unit, told.time_limits[0].time_limit_unit) == ("Ngày làm việc",) * 2
    assert public


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"applicant_kinds": {"CITIZENS": "1"}},
            "settings.applicant_kinds: Value error, 'CITIZENS' is none of CITIZEN",
        ),
        ({"channels": {"WEB": "2"}}, "settings.channels: Value error, 'WEB' is none of DIRECT, ONLINE, POST"),
        ({"payment_codes": {"4": "4"}}, "settings.payment_codes"),
        ({"step_texts": {"SUBMITED": "x"}}, "settings.step_texts: Value error, 'SUBMITED' is none of SUBMITTED"),
        ({"no_line_for": ["RATE"]}, "settings.no_line_for"),
        ({"answer_codes": {"NO": "3"}}, "settings.answer_codes"),
        ({"limits": {"TrichYeu": 5}}, "settings.limits: Value error, TrichYeu: must be a field that is sent"),
        ({"limits": {"GhiChu": 1}}, "settings.limits"),
        ({"limit_units": "bytes"}, "settings.limit_units"),
        ({"field_names": {"HoiDap": "x"}}, "settings.field_names: Value error, HoiDap: the connector has no field"),
        (
            {"field_names": {"DongBo.GhiChu": "x"}},
            "settings.field_names: Value error, DongBo.GhiChu: there is no 'DongBo'",
        ),
        ({"field_names": {"GhiChu": "a b"}}, "settings.field_names: Value error, GhiChu: 'a b' is no name"),
        ({"field_names": {"GhiChu": "x", "Fax": "x"}}, "settings.field_names: Value error, Fax: GhiChu has the name"),
        ({"look_up_first": False}, "settings: Value error, answer_back needs look_up_first"),
        ({"content_from": 5, "very_content_from": 4}, "settings: Value error, content_from must not be above"),
    ],
)
def test_what_is_wrong_is_named(given: SettingsTable, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        portal(Subscriber(name="dvcqg", kind="national-portal", settings=GOOD | given, secrets={"password": "p"}))
    assert str(caught.value).startswith(says)


def test_a_wrong_unit_of_the_catalogue_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        read_catalogue({"time_units": {"Tuần": "Tuần"}})
    assert caught.value.field == "sources.national-catalogue.time_units"


def fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner)


def test_every_field_of_the_golden_calls_may_be_renamed() -> None:
    envelope = {"session", "madonvi", "service", "username", "password"}
    sent = set()
    for file in GOLDEN.glob("*.json"):
        told = json.loads(file.read_text("utf-8"))
        if {"connector", "satisfaction", "answer", "questions"} & set(told["for"]):
            sent |= {name for call in told["exchange"] for name in fields(call["request"].get("body", {}))}
    assert sent - envelope - set(KNOWN["call"]) == set()
