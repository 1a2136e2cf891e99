"""The source against the simulated portal: what becomes an event, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.config import Settings
from hub.errors import ConfigError
from hub.sources.role import make_source
from hub_connectors.national_portal.tests.catalogue_world import events, told, world
from hub_connectors.simulation.faults import FaultOrder


async def test_a_first_round_publishes_all_and_the_second_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        first = await w.round()
        wanted = dict.fromkeys(w.catalogue["LayThuTuc"], "PUBLISHED") | {"1.004194.01": "PUBLISHED"}
        wanted |= {"1.001193.01": "PUBLISHED"} | dict.fromkeys(("2.002621.H11", "1.005280", "1.006391"), "WITHDRAWN")
        assert dict(told(first)) == wanted
        assert len(told(first)) == len(wanted)
        skills = events(first)["1.004194"].data
        assert (skills.field_code, skills.authority_level, skills.fee_vnd) == ("G03-GD10", "Cấp tỉnh", 200000)
        assert (skills.time_limit, skills.time_limit_unit) == (10.0, "Ngày làm việc")
        assert [paper.code for paper in skills.components] == ["G1.001", "G1.002"]
        assert [form.name for form in skills.forms] == ["Mẫu đơn số 01"]
        law = skills.legal_bases[0]
        # 28 February 2014, 00:00 in Việt Nam
        assert (law.number, law.issued_on) == ("04/2014/TT-BGDĐT", 1_393_520_400_000)
        assert told(await w.round()) == []
        assert json.loads((tmp_path / "hub/sources/national-catalogue/LayDanhMucCoQuan.json").read_text("utf-8"))


async def test_amended_withdrawn_published_again_and_new(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        first = events(await w.round())
        one = w.catalogue["LayThuTuc"]["1.004227"]
        limit = one["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]
        limit["THOIGIANGIAIQUYET"] = "7"
        del w.catalogue["LayThuTuc"]["1.000656"]
        w.catalogue["LayDanhSachTTHC"] = [r for r in w.catalogue["LayDanhSachTTHC"] if r["MATTHC"] != "1.000656"]
        w.catalogue["LayThuTuc"]["1.005280"]["TRANGTHAI"] = "1"
        w.put()
        second = await w.round()
        assert sorted(told(second)) == [("1.000656", "WITHDRAWN"), ("1.004227", "AMENDED"), ("1.005280", "PUBLISHED")]
        limit["THOIGIANGIAIQUYET"] = "10"
        w.put()
        third = events(await w.round())
        assert third["1.004227"].data.time_limit == 10.0
        assert third["1.004227"].envelope.id != first["1.004227"].envelope.id
        limit["THOIGIANGIAIQUYET"] = "7"
        w.put()
        fourth = events(await w.round())
        assert fourth["1.004227"].envelope.id != events(second)["1.004227"].envelope.id, "what goes back is a new event"


async def test_killed_before_the_confirmation_it_sends_the_same_events(tmp_path: Path) -> None:
    async with world(tmp_path, batch=3) as w:
        lost = (await w.round(confirm=2))[-1]
        assert len(lost.events) == 3
        again = events(await w.round())
        for event in lost.events:
            assert again[event.envelope.subject] == event
        assert len(again) == len(w.catalogue["LayThuTuc"]) + 2 - 6, "what was confirmed is not sent again"


async def test_details_of_unchanged_rows_are_read_only_now_and_then(tmp_path: Path) -> None:
    async with world(tmp_path, detail_every_s=3_600.0) as w:
        await w.round()
        before = w.site.app.plan.calls
        await w.round()
        assert w.site.app.plan.calls - before < 10
        w.catalogue["LayDanhSachTTHC"][0]["TENTTHC"] = "Tên khác"
        w.put()
        count = "SELECT count(*) FROM calls WHERE service = 'LayThuTuc'"
        ((calls,),) = w.site.rows(count)
        await w.round()
        assert w.site.rows(count) == [(calls + 1,)]


async def test_a_procedure_without_detail_waits_for_the_next_round(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        detail = w.catalogue["LayThuTuc"].pop("1.004884")
        w.put()
        assert "1.004884" not in events(await w.round())
        w.catalogue["LayThuTuc"]["1.004884"] = detail
        w.put()
        assert told(await w.round()) == [("1.004884", "PUBLISHED")]


@pytest.mark.parametrize(("profile", "gone"), [("two-portals", []), ("single-window", [("1.001193.01", "WITHDRAWN")])])
async def test_a_service_that_is_gone(tmp_path: Path, profile: str, gone: list[tuple[str, str]]) -> None:
    async with world(tmp_path, profile=profile) as w:
        await w.round()
        w.catalogue["LayDVC"].pop()
        w.put()
        assert told(await w.round()) == gone


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        make_source("national-catalogue", Settings(data_dir=tmp_path, sources={"national-catalogue": {"pol_s": 1}}))
    assert caught.value.field == "sources.national-catalogue.pol_s"


async def test_forms_have_the_hash_of_their_file(tmp_path: Path) -> None:
    async with world(tmp_path, form_hosts=["127.0.0.1"]) as w:
        paper = w.catalogue["LayThuTuc"]["1.000894"]["THANHPHANHOSO"][0]["GIAYTO"][0]
        paper["URL"] = f"{w.site.url}/no-such-form"
        w.put()
        assert events(await w.round())["1.000894"].data.forms[0].sha256 is None, "a dead link has none"
        paper["URL"] = f"{w.site.url}/_admin/faults"
        w.put()
        (form,) = events(await w.round())["1.000894"].data.forms
        assert len(form.sha256) == 64
        w.site.app.plan.order(FaultOrder(hang_s=1))
        again = events(await w.round())
        assert again["1.000894"].data.forms[0].sha256 != form.sha256, "another file under the same address"
