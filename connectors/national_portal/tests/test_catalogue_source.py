"""The source against the simulated portal: what becomes an event, what does not, and every bad answer."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.national_portal.catalogue import cursor as cursors
from connectors.national_portal.catalogue import watch
from connectors.national_portal.catalogue.pull import connected
from connectors.national_portal.catalogue.settings import CatalogueSettings
from connectors.national_portal.catalogue.watch import NationalCatalogue
from connectors.national_portal.tests.site import NationalSite, national_site
from connectors.national_portal.tests.test_catalogue_compare import load
from connectors.simulation.faults import FaultOrder
from hub.config import Settings
from hub.errors import ConfigError
from hub.intake.source import Batch, Incoming
from hub.intake.source_role import make_source, records
from tests.support.codecs import fixed_codec

AT = 1_795_478_400.0  # 2026-11-24T00:00:00Z
FAST = {"poll_s": 0.01, "retry_s": 0.01, "detail_every_s": 0.0}


class World:
    """The portal's catalogue file, and a source that reads it; `clock` is a minute later at each round."""

    def __init__(self, folder: Path, site: NationalSite, profile: str = "two-portals", **own: Any) -> None:
        self.folder, self.site = folder, site
        self.catalogue: dict[str, Any] = load("national")
        self.clock = AT
        self.settings = Settings(data_dir=folder / "hub", profile=profile)
        self.own = CatalogueSettings(**(FAST | own))
        self.put()

    def put(self) -> None:
        (self.folder / "catalogue.json").write_text(json.dumps(self.catalogue, ensure_ascii=False), "utf-8")

    def source(self) -> NationalCatalogue:
        def now() -> float:
            self.clock += 60
            return self.clock

        return NationalCatalogue(self.settings, self.own, lambda: connected(self.site.subscriber()), now)

    async def round(self, confirm: int = 1_000) -> list[Batch]:
        """Batches until a round is at its end, confirmed; or the first `confirm` of them, then the process is gone."""
        source, stop = self.source(), asyncio.Event()
        out: list[Batch] = []
        batches = source.batches(stop)
        try:
            async with asyncio.timeout(20):
                async for batch in batches:
                    out.append(batch)
                    records(batch, fixed_codec())
                    if len(out) > confirm:
                        break
                    await source.confirmed(batch)
                    if batch.cursor["change"].round_at == 0:
                        break
        finally:
            await batches.aclose()
        return out


@asynccontextmanager
async def world(folder: Path, **own: Any) -> AsyncIterator[World]:
    (folder / "catalogue.json").write_text("{}", "utf-8")
    async with national_site(folder, catalogue=str(folder / "catalogue.json")) as site:
        yield World(folder, site, **own)


def told(batches: list[Batch]) -> list[tuple[str, str]]:
    return [(e.envelope.subject, e.data["change"]) for b in batches for e in b.events]


def events(batches: list[Batch]) -> dict[str, Incoming]:
    return {e.envelope.subject: e for b in batches for e in b.events}


async def test_a_first_round_publishes_all_and_the_second_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        first = await w.round()
        wanted = dict.fromkeys(w.catalogue["LayThuTuc"], "PUBLISHED") | {"1.004194.01": "PUBLISHED"}
        wanted |= {"1.001193.01": "PUBLISHED"} | dict.fromkeys(("2.002621.H11", "1.005280", "1.006391"), "WITHDRAWN")
        assert dict(told(first)) == wanted
        assert len(told(first)) == len(wanted)
        skills = events(first)["1.004194"].data
        assert (skills["field_code"], skills["authority_level"], skills["fee_vnd"]) == ("G03-GD10", "Cấp tỉnh", 200000)
        assert (skills["time_limit"], skills["time_limit_unit"]) == (10.0, "Ngày làm việc")
        assert [paper["code"] for paper in skills["components"]] == ["G1.001", "G1.002"]
        assert [form["name"] for form in skills["forms"]] == ["Mẫu đơn số 01"]
        law = skills["legal_bases"][0]
        # 28 February 2014, 00:00 in Việt Nam
        assert (law["number"], law["issued_on"]) == ("04/2014/TT-BGDĐT", 1_393_520_400_000)
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
        assert third["1.004227"].data["time_limit"] == 10.0
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


@pytest.mark.parametrize("fault", ["html", "empty", "http_500", "http_502", "reset", "dropped_reply", "http_429"])
async def test_a_bad_answer_in_mid_round_loses_and_withdraws_nothing(tmp_path: Path, fault: str) -> None:
    async with world(tmp_path, batch=2) as w:
        w.site.app.plan.retry_after_s = 0
        for place in (1, 6, 9):
            w.site.app.plan.order(FaultOrder(force=("none",) * place + (fault,)))
        found = await w.round()
        assert len(told(found)) == len(dict(told(found))) == len(w.catalogue["LayThuTuc"]) + 2
        assert w.site.app.plan.counts[fault] == 3


async def test_a_session_that_dies_in_mid_round_is_renewed(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.site.app.plan.order(FaultOrder(force=("none",) * 8 + ("expired_session",)))
        assert len(told(await w.round())) == 16
        assert w.site.app.plan.counts["expired_session"] == 1


async def failing(w: World) -> str:
    """The error of the next round; nothing may come of it."""
    source, stop, said = w.source(), asyncio.Event(), asyncio.get_running_loop().create_future()

    class Handler(logging.Handler):
        def emit(self, record: Any) -> None:
            if not said.done():
                said.set_result(record.getMessage())

    handler, log = Handler(logging.ERROR), logging.getLogger(watch.__name__)
    log.addHandler(handler)
    batches = source.batches(stop)
    try:
        next_batch = asyncio.ensure_future(anext(batches))
        done, _ = await asyncio.wait([next_batch, said], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert next_batch not in done
        next_batch.cancel()
        await asyncio.gather(next_batch, return_exceptions=True)
        return str(said.result())
    finally:
        log.removeHandler(handler)
        await batches.aclose()


async def test_an_empty_list_withdraws_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.round()
        rows, w.catalogue["LayDanhSachTTHC"] = w.catalogue["LayDanhSachTTHC"], []
        w.put()
        assert "LayDanhSachTTHC: the list is empty; nothing is withdrawn" in await failing(w)
        w.catalogue["LayDanhSachTTHC"] = rows
        w.put()
        assert told(await w.round()) == []


async def test_a_list_that_is_cut_short_withdraws_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.round()
        w.catalogue["LayDanhSachTTHC"] = w.catalogue["LayDanhSachTTHC"][:4]
        w.put()
        said = await failing(w)
        assert "8 of 11 known entries are missing" in said
        assert "max_missing" in said


async def test_a_repeated_page_counts_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.catalogue["LayDanhSachTTHC"] += copy.deepcopy(w.catalogue["LayDanhSachTTHC"])
        w.put()
        assert len(told(await w.round())) == 16


async def test_nfd_text_is_nfc_and_no_change(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.round()
        text = json.dumps(w.catalogue, ensure_ascii=False)
        w.catalogue = json.loads(unicodedata.normalize("NFD", text))
        w.put()
        assert told(await w.round()) == []


async def test_one_bad_entry_is_refused_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.catalogue["LayThuTuc"]["1.004884"]["MACOQUANCONGBO"] = "000.00.99.H11"
        w.catalogue["LayDanhSachTTHC"] += [{"MATTHC": "12", "TENTTHC": "?"}, {"TENTTHC": "không mã"}]
        w.catalogue["LayDVC"].append({"MADVC": "1.1"})
        w.put()
        found = await w.round()
        refused = {r.where: (r.reason, r.detail) for b in found for r in b.refused}
        assert refused["procedures 1.004884"] == ("code", "MACOQUANCONGBO: H11.99 stands in no LayDanhMucCoQuan")
        assert refused["procedures 12"][0] == "code"
        assert sorted(reason for reason, _ in refused.values()) == ["code", "code", "code", "missing_field"]
        assert len(told(found)) == 15
        again = await w.round()
        assert (told(again), [b.refused for b in again if b.refused]) == ([], [])
        w.catalogue["LayDanhMucCoQuan"].append({"MADONVI": "000.00.99.H11", "TENDONVI": "Mới", "CAPDONVI": "2"})
        w.put()
        assert told(await w.round()) == [("1.004884", "PUBLISHED")]


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


async def test_ten_thousand_rows(tmp_path: Path) -> None:
    async with world(tmp_path, batch=1_000, references=()) as w:
        one = w.catalogue["LayThuTuc"]["1.001193"]
        many = [f"1.{n:06}" for n in range(100_000, 110_000)]
        w.catalogue["LayDanhSachTTHC"] = [{"MATTHC": code, "TENTTHC": one["TENTTHC"] * 5} for code in many]
        # As long as the list says the same and the details are known, a round is a handful of calls.
        entry = cursors.Entry("x", "", int(AT * 1000) + 10**9, True)
        known = dict.fromkeys(many, entry)
        for row in w.catalogue["LayDanhSachTTHC"][10:]:
            known[row["MATTHC"]] = cursors.Entry("x", cursors.digest(row), int(AT * 1000) + 10**9, True)
        (tmp_path / "hub/sources/national-catalogue").mkdir(parents=True)
        cursors.write(tmp_path / "hub/sources/national-catalogue", cursors.Cursor(0, known, {}))
        w.catalogue["LayThuTuc"] = {code: {**one, "MATTHC": code} for code in many[:10]}
        w.put()
        found = await w.round()
        assert told(found)[:10] == [(code, "AMENDED") for code in many[:10]]
        assert len(told(found)) == 12


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        make_source("national-catalogue", Settings(data_dir=tmp_path, sources={"national-catalogue": {"pol_s": 1}}))
    assert caught.value.field == "sources.national-catalogue.pol_s"


async def test_forms_have_the_hash_of_their_file(tmp_path: Path) -> None:
    async with world(tmp_path, form_hosts=["127.0.0.1"]) as w:
        paper = w.catalogue["LayThuTuc"]["1.000894"]["THANHPHANHOSO"][0]["GIAYTO"][0]
        paper["URL"] = f"{w.site.url}/no-such-form"
        w.put()
        assert events(await w.round())["1.000894"].data["forms"][0]["sha256"] is None, "a dead link has none"
        paper["URL"] = f"{w.site.url}/_admin/faults"
        w.put()
        (form,) = events(await w.round())["1.000894"].data["forms"]
        assert len(form["sha256"]) == 64
        w.site.app.plan.order(FaultOrder(hang_s=1))
        again = events(await w.round())
        assert again["1.000894"].data["forms"][0]["sha256"] != form["sha256"], "another file under the same address"
