"""The source against bad answers of the simulated portal: a clear error, nothing lost, the rest goes on."""

from __future__ import annotations

import copy
import json
import unicodedata
from pathlib import Path

import pytest

from hub_connectors.national_portal.catalogue import cursor as cursors
from hub_connectors.national_portal.tests.catalogue_world import AT, events, failing, told, world
from hub_connectors.simulation.faults import FaultOrder


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


async def test_ten_thousand_rows(tmp_path: Path) -> None:
    async with world(tmp_path, batch=1_000, references=(), detail_every_s=3_600.0) as w:
        one = w.catalogue["LayThuTuc"]["1.001193"]
        many = [f"1.{n:06}" for n in range(100_000, 110_000)]
        w.catalogue["LayDanhSachTTHC"] = [{"MATTHC": code, "TENTTHC": one["TENTTHC"] * 5} for code in many]
        # As long as the list says the same and the details are known, a round is a handful of calls.
        entry = cursors.Entry("x", "", int(AT * 1000), True)
        known = dict.fromkeys(many, entry)
        for row in w.catalogue["LayDanhSachTTHC"][10:]:
            known[row["MATTHC"]] = cursors.Entry("x", cursors.digest(row), int(AT * 1000), True)
        (tmp_path / "hub/sources/national-catalogue").mkdir(parents=True)
        cursors.write(tmp_path / "hub/sources/national-catalogue", cursors.Cursor(0, known, {}))
        w.catalogue["LayThuTuc"] = {code: {**one, "MATTHC": code} for code in many[:10]}
        w.put()
        found = await w.round()
        assert told(found)[:10] == [(code, "AMENDED") for code in many[:10]]
        assert len(told(found)) == 12


async def test_a_list_that_shifts_while_it_is_read(tmp_path: Path) -> None:
    """Between the list and the details one procedure goes, one comes, one changes: nothing is lost or told twice."""
    async with world(tmp_path, batch=1) as w:
        listed = [row["MATTHC"] for row in w.catalogue["LayDanhSachTTHC"]]
        gone, changed = listed[-1], listed[-2]

        def shift() -> None:
            rows = w.catalogue["LayDanhSachTTHC"]
            del w.catalogue["LayThuTuc"][gone]
            w.catalogue["LayDanhSachTTHC"] = [{"MATTHC": "1.999999", "TENTTHC": "Mới"}, *rows[:-1]]
            w.catalogue["LayThuTuc"]["1.999999"] = {**w.catalogue["LayThuTuc"][listed[0]], "MATTHC": "1.999999"}
            w.catalogue["LayThuTuc"][changed]["QUYETDINH"] = "9/QĐ"
            w.put()

        first = await w.round(between=shift)
        assert len(told(first)) == len(dict(told(first))), "nothing twice"
        assert {"1.999999", gone}.isdisjoint(events(first)), "one is not known yet, one has no detail any more"
        assert events(first)[changed].data.decision == "9/QĐ", "as it stood when it was read"
        assert told(await w.round()) == [("1.999999", "PUBLISHED")]
        assert told(await w.round()) == []


async def test_a_clock_that_goes_back_a_day_makes_no_change_older_than_the_one_before(tmp_path: Path) -> None:
    """The core would take it for late, and keep the older state."""
    async with world(tmp_path) as w:
        first = events(await w.round())["1.004227"]
        w.clock -= 86_400
        w.catalogue["LayThuTuc"]["1.004227"]["QUYETDINH"] = "9/QĐ"
        w.put()
        second = events(await w.round())["1.004227"]
        assert second.data.occurred_at > first.data.occurred_at
        assert (second.data.change, second.data.decision) == ("AMENDED", "9/QĐ")
        w.clock += 2 * 86_400
        w.catalogue["LayThuTuc"]["1.004227"]["QUYETDINH"] = "10/QĐ"
        w.put()
        third = events(await w.round())["1.004227"]
        assert third.data.occurred_at == int(w.clock * 1000), "the clock is believed again"


async def test_a_procedure_withdrawn_yesterday_that_is_still_listed_is_withdrawn_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.round()
        w.catalogue["LayThuTuc"]["1.004227"]["TRANGTHAI"] = "0"
        w.put()
        assert told(await w.round()) == [("1.004227", "WITHDRAWN")]
        w.clock += 86_400
        assert told(await w.round()) == []


async def test_text_as_long_as_a_row_can_be_is_kept_whole(tmp_path: Path) -> None:
    """The catalogue has no limits; those of 1000, 2000 and 50 are of what is sent (test_golden_connector)."""
    async with world(tmp_path) as w:
        w.catalogue["LayThuTuc"]["1.004227"]["TENTTHC"] = "Cấp giấy phép " * 1_000
        w.put()
        assert len(events(await w.round())["1.004227"].data.name) == 13_999
