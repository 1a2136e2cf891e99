"""A month in figures against thirty dossiers computed by hand (data/figures_2026_10): through the core and SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine

from hub.config import Settings
from hub.errors import ConfigError
from hub.reports import monthly_report, monthly_report_xlsx
from hub.reports.dossier_case import HOUR_MS, Case, Period, Rules, Step, measure
from hub.reports.score import percent
from hub.reports.score_rules import parse, scheme
from tests.support.core import Core, record, step
from tests.support.figures import NOW, fill, ms, rows, told
from tests.support.readmodel import engine, postgres_url, project  # noqa: F401

AGENCIES = ("H11.12", "H11.13", "H11.20")
OCTOBER = Period(ms("10-01 00:00"), ms("11-01 00:00"))


@pytest.fixture
def october(engine: Engine) -> dict[str, Any]:  # noqa: F811
    core = fill(engine)
    assert not core.dead
    return monthly_report.monthly(engine, Settings(), "2026-10", now_ms=NOW)


def by_hand(column: str, value: str, agency: str) -> list[str]:
    return sorted(r["code"] for r in rows("dossiers") if r["agency"] == agency and r[column] == value)


def test_each_dossier_stands_where_the_sheet_says(october: dict[str, Any]) -> None:
    assert [a["agency"] for a in october["agencies"]] == list(AGENCIES)
    assert october["complete"]
    for agency in october["agencies"]:
        own, shown = agency["agency"], agency["figures"]
        assert sorted(shown["received"]["dossiers"]) == by_hand("counted", "received", own)
        for outcome in ("on_time", "late", "no_deadline", "withdrawn"):
            assert sorted(shown[outcome]["dossiers"]) == by_hand("outcome", outcome, own), (own, outcome)
        overdue = by_hand("outcome", "pending_overdue", own)
        assert sorted(shown["pending_overdue"]["dossiers"]) == overdue
        assert sorted(shown["pending"]["dossiers"]) == sorted([*by_hand("outcome", "pending", own), *overdue])


def numbers(agency: dict[str, Any]) -> dict[str, str]:
    """What agencies.csv holds, from the report: counts, `part/whole`, or a decimal number."""
    items = {i["item"]: i for g in agency["score"]["groups"] for i in g["items"]}
    out = {name: str(number["count"]) for name, number in agency["figures"].items()}
    for level in ("4", "3", "none"):
        part = agency["online"]["by_level"].get(level)
        out[f"online_level_{level}"] = f"{part['online']['count']}/{part['received']['count']}" if part else "0/0"
    out["online_none"] = out.pop("online_level_none")
    publication = agency["publication"]
    out["complete"] = f"{publication['complete']['count']}/{publication['procedures']['count']}"
    out["mean_hours"] = str(agency["mean_processing_hours"])
    for name, item in items.items():
        out[name] = f"{item['counted']['count']}/{item['total']['count']}" if item["value"] is not None else ""
    out["5.4"] = str(items["5.4"]["value"])
    for group in agency["score"]["groups"]:
        out[f"group_{group['group']}"] = str(group["points"])
    return out | {"total": str(agency["score"]["total"])}


@pytest.mark.parametrize("row", rows("agencies"), ids=lambda row: row["figure"])
def test_each_number_of_each_agency(row: dict[str, str], sqlite_october: dict[str, Any]) -> None:
    assert [a["agency"] for a in sqlite_october["agencies"]] == list(AGENCIES)
    for agency in sqlite_october["agencies"]:
        found, wanted = numbers(agency)[row["figure"]], row[agency["agency"]]
        if "/" in wanted or not wanted:
            assert found == wanted, agency["agency"]
        else:
            assert float(found) == pytest.approx(float(wanted), abs=1e-4), agency["agency"]


@pytest.fixture(scope="module")
def sqlite_october(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from hub.readmodel.database import open_engine

    own = open_engine(Settings(data_dir=tmp_path_factory.mktemp("figures")))
    fill(own)
    found = monthly_report.monthly(own, Settings(), "2026-10", now_ms=NOW)
    own.dispose()
    return found


def test_the_province_is_the_sum_of_its_agencies(sqlite_october: dict[str, Any]) -> None:
    assert sqlite_october["province"]["figures"]["received"]["count"] > 0
    for name, number in sqlite_october["province"]["figures"].items():
        every = [code for a in sqlite_october["agencies"] for code in a["figures"][name]["dossiers"]]
        assert sorted(number["dossiers"]) == sorted(every)
        assert number["count"] == len(every)


def test_bands_formulas_and_what_cannot_be_computed(sqlite_october: dict[str, Any]) -> None:
    first = sqlite_october["agencies"][0]
    assert [a["score"]["band"] for a in sqlite_october["agencies"]] == ["Trung bình", "Khá", "Trung bình"]
    items = {i["item"]: i for g in first["score"]["groups"] for i in g["items"]}
    assert items["2.1"]["written"] == "9 / 15 = 60,0 %"
    assert items["5.4"]["written"] == "100 % − 6 / 15 − 1 / 3 = 26,7 %"
    assert {name for name, item in items.items() if item["value"] is None} == {"1.2", "4.4", "5.1", "5.2", "5.3"}
    assert all(items[name]["why_not"] for name in ("1.2", "4.4", "5.1", "5.2", "5.3"))
    assert sum(g["of"] for g in first["score"]["groups"]) == 100
    assert all(18 <= g["of"] <= 22 for g in first["score"]["groups"])  # A: each group at most 18 to 22


def test_one_agency_in_either_form_and_its_present_office(engine: Engine) -> None:  # noqa: F811
    fill(engine)
    whole = monthly_report.monthly(engine, Settings(), "2026-10", now_ms=NOW)
    for written in ("H11.12", "000.00.12.H11"):
        (own,) = monthly_report.monthly(engine, Settings(), "2026-10", written, NOW)["agencies"]
        assert own == whole["agencies"][0]
    assert own["name"] == "UBND thành phố Phan Thiết"
    assert own["present_office"]["name"] == "UBND phường Phan Thiết"
    assert monthly_report.monthly(engine, Settings(), "2026-10", "H11", NOW)["agencies"] == whole["agencies"]
    assert monthly_report.monthly(engine, Settings(), "2026-10", "H11.99", NOW)["agencies"] == []


def test_a_dossier_that_names_no_agency_counts_for_the_one_in_its_code(engine: Engine) -> None:  # noqa: F811
    """Its code begins with the agency's, in either form (Thông tư 01/2018, Điều 19): 000.00.12.H11 is H11.12."""
    old, new = "000.00.12.H11-261005-0001", "H11.13-261006-0001"
    core = Core()
    for code, day in ((old, "10-05"), (new, "10-06")):
        core.run(record(step("RECEIVED", ms(f"{day} 08:00"), code, due_at=ms("11-09 17:00")), f"{code}-0"))
        core.run(record(step("RATED", ms(f"{day} 09:00"), code, rating=1), f"{code}-1"))
    project(engine, told(core))
    found = monthly_report.monthly(engine, Settings(), "2026-10", now_ms=NOW)["agencies"]
    received = {a["agency"]: a["figures"]["received"]["dossiers"] for a in found}
    assert received == {"H11.12": [old], "H11.13": [new]}
    (own,) = monthly_report.monthly(engine, Settings(), "2026-10", "000.00.12.H11", NOW)["agencies"]
    assert own == found[0]
    (disliked,) = [i for g in own["score"]["groups"] for i in g["items"] if i["item"] == "5.4"]
    assert disliked["written"] == "100 % − 0 / 1 − 1 / 1 = 0,0 %"  # pending in time; its only rating is a dislike
    assert monthly_report.monthly(engine, Settings(), "2026-10", "H11.99", NOW)["agencies"] == []


def test_a_month_that_runs_is_counted_up_to_now(engine: Engine) -> None:  # noqa: F811
    fill(engine)
    found = monthly_report.monthly(engine, Settings(), "2026-10", now_ms=ms("10-09 12:00"))
    assert not found["complete"]
    first = found["agencies"][0]["figures"]
    # By hand: of Phan Thiết only number 15 (5/10) had ended, in time; nine and the carried one had come.
    assert first["on_time"]["dossiers"] == ["000.00.12.H11-260921-0001"]
    assert first["late"]["count"] == 0
    assert first["received"]["count"] == 10
    # 4, 5: due at 17:00 that day; 9: asked once only so far, given at 08:00.
    assert first["pending_overdue"]["count"] == 0


def test_a_month_without_anything_and_one_that_is_none(engine: Engine) -> None:  # noqa: F811
    empty = monthly_report.monthly(engine, Settings(), "2026-02", now_ms=NOW)
    assert empty["agencies"] == []
    assert empty["province"]["score"]["total"] is None
    for text in ("2026-13", "10-2026", "", "2026-12", "0000-01"):
        with pytest.raises(ConfigError, match="month"):
            monthly_report.monthly(engine, Settings(), text, now_ms=NOW)
    with pytest.raises(ConfigError, match="agency"):
        monthly_report.monthly(engine, Settings(), "2026-10", "Phan Thiết", NOW)


def test_the_workbook_shows_the_numbers_and_each_opens_to_its_dossiers(
    sqlite_october: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "bao-cao.xlsx"
    monthly_report_xlsx.write(sqlite_october, path)
    book = openpyxl.load_workbook(path)
    sheet, listed = book["Số liệu"], book["Hồ sơ"]
    heads = [cell.value for cell in sheet[3]]
    (row,) = [r for r in sheet.iter_rows(min_row=4) if r[0].value == "H11.12"]
    late = row[heads.index("Quá hạn")]
    assert late.value == 5
    start = int(str(late.hyperlink and late.hyperlink.location).rpartition("A")[2])
    block = [[c.value for c in listed[n]] for n in range(start, start + 5)]
    assert {tuple(line[:2]) for line in block} == {("H11.12", "Quá hạn")}
    assert sorted(str(line[2]) for line in block) == by_hand("outcome", "late", "H11.12")
    formulas = [r[3].value for r in book["Điểm"].iter_rows() if r[1].value == "2.1"]
    assert "bổ sung quá một lần là quá hạn" in str(formulas[0])
    book.close()


def test_a_workbook_with_too_many_codes_says_where_they_are(
    sqlite_october: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monthly_report_xlsx, "MOST_ROWS", 20)
    monthly_report_xlsx.write(sqlite_october, tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    first, *_, last = book["Số liệu"].iter_rows(min_row=4)
    assert first[3].hyperlink is not None
    assert last[3].value == 25
    assert "--json" in str(last[3].comment and last[3].comment.text)
    assert book["Hồ sơ"].max_row <= 20
    book.close()


# --- measuring one dossier, where the sheet does not reach ---------------------------------------------------------


def case(*steps: tuple[str, str, str], due: str | None = "10-20 17:00", **more: Any) -> Case:
    made = tuple(Step(ms(at), step, status) for step, status, at in steps)
    facts = {"received_at": ms("10-05 08:00"), "due_at": ms(due) if due else None, "finished_at": None}
    return Case("c", "H11.12", None, None, steps=made, **(facts | more))


WAITED = (
    ("RECEIVED", "ACCEPTED", "10-05 08:00"), ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "10-19 08:00"),
    ("SUPPLEMENT_GIVEN", "IN_PROCESS", "10-20 08:00"), ("FINISHED", "FINISHED", "10-23 08:00"),
)  # fmt: skip


def outcome(found: Case, rules: Rules = Rules()) -> str:  # noqa: B008
    return measure(found, OCTOBER, rules, lambda _: None).outcome


def test_what_rests_on_one_source_is_a_rule() -> None:
    assert outcome(case(*WAITED)) == "late"  # 23/10 less one day is after 20/10
    assert outcome(case(*WAITED), Rules(one_supplement_ends="always")) == "on_time"  # the request of 19/10 is the end
    assert outcome(case(*WAITED, due="10-22 17:00")) == "on_time"
    assert outcome(case(*WAITED, due="10-22 17:00"), Rules(subtract_supplement=False)) == "late"
    twice = (*WAITED[:3], ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "10-21 08:00"), WAITED[3])
    assert outcome(case(*twice, due="10-30 17:00")) == "late"
    assert outcome(case(*twice, due="10-30 17:00"), Rules(many_supplements_late=False)) == "on_time"


def test_a_date_that_is_put_off_after_the_end_is_no_work_and_the_new_date_counts() -> None:
    """Finished on the 21st, a day after the first date; told on the 22nd that the result is there on the 23rd."""
    steps = (
        ("RECEIVED", "ACCEPTED", "10-05 08:00"), ("FINISHED", "FINISHED", "10-21 09:00"),
        ("RESCHEDULED", "FINISHED", "10-22 09:00"),
    )  # fmt: skip
    assert outcome(case(*steps)) == "late"
    put_off = case(*steps, due="10-23 17:00")
    assert outcome(put_off) == "on_time"
    assert measure(put_off, OCTOBER, Rules(), lambda _: None).end == ms("10-21 09:00")
    assert outcome(put_off, Rules(apology_is_late=True)) == "late"
    assert outcome(case(*steps[:2]), Rules(apology_is_late=True)) == "late"
    assert outcome(case(*steps[:2], due="10-23 17:00"), Rules(apology_is_late=True)) == "on_time"  # nobody apologised


def test_an_end_that_only_a_fact_tells() -> None:
    told = case(("RECEIVED", "ACCEPTED", "10-05 08:00"), finished_at=ms("10-12 08:00"))
    assert outcome(told) == "on_time"
    turned_back = case(("IN_PROCESS", "IN_PROCESS", "10-13 08:00"), finished_at=ms("10-12 08:00"))
    assert outcome(turned_back) == "pending"


def test_steps_of_one_moment_and_a_day_of_receipt_that_nobody_told() -> None:
    same = case(("FINISHED", "FINISHED", "10-12 08:00"), ("IN_PROCESS", "IN_PROCESS", "10-12 08:00"))
    assert outcome(same) == "on_time"
    untold = case(("SUBMITTED", "NEW", "09-30 08:00"), ("RECEIVED", "ACCEPTED", "10-01 08:00"), received_at=None)
    assert measure(untold, OCTOBER, Rules(), lambda _: None).received
    assert not measure(case(received_at=ms("11-02 08:00")), OCTOBER, Rules(), lambda _: None).received


def test_waiting_before_the_receipt_is_not_subtracted() -> None:
    """Papers asked for at the counter on 1/10 and given on 5/10 at 07:00; received on 5/10 at 08:00; due 13/10 17:00.

    The end, 15/10 08:00, is after the due date, and nothing of 1/10 to 5/10 lies between receipt and end: late, and in
    work from 5/10 08:00 to 15/10 08:00, 10 x 24 hours. The four days would have made it 11/10.
    """
    steps = (
        ("SUBMITTED", "NEW", "10-01 07:00"), ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "10-01 07:00"),
        ("SUPPLEMENT_GIVEN", "NEW", "10-05 07:00"), ("RECEIVED", "ACCEPTED", "10-05 08:00"),
        ("FINISHED", "FINISHED", "10-15 08:00"),
    )  # fmt: skip
    found = measure(case(*steps, due="10-13 17:00"), OCTOBER, Rules(), lambda _: None)
    assert (found.outcome, found.supplement_ms, found.processing_ms) == ("late", 0, 240 * HOUR_MS)


def test_of_a_wait_that_goes_on_over_the_receipt_the_part_after_it_is_subtracted() -> None:
    """Asked for on 3/10 08:00, given on 7/10 08:00; received meanwhile, on 5/10 08:00: two of four days count.

    Due 13/10 17:00. The end, 15/10 16:00 less two days, is 13/10 16:00: on time. At work 10 days and 8 hours, less the
    two days: 200 hours. Finished at 18:00 it is 13/10 18:00: late; all four days would have made it 11/10.
    """
    steps = (
        ("SUBMITTED", "NEW", "10-03 07:00"), ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "10-03 08:00"),
        ("SUPPLEMENT_GIVEN", "IN_PROCESS", "10-07 08:00"),
    )  # fmt: skip
    kept = case(*steps, ("FINISHED", "FINISHED", "10-15 16:00"), due="10-13 17:00")
    found = measure(kept, OCTOBER, Rules(), lambda _: None)
    assert (found.outcome, found.supplement_ms, found.processing_ms) == ("on_time", 48 * HOUR_MS, 200 * HOUR_MS)
    assert outcome(case(*steps, ("FINISHED", "FINISHED", "10-15 18:00"), due="10-13 17:00")) == "late"


def test_a_request_before_the_receipt_is_no_end() -> None:
    """One request, on 3/10, before the receipt on 5/10: what ends before it began cannot be measured there.

    Finished on 21/10, a day after the date: late with either reading of "only one request: its time is the end".
    Still waiting at the month's end: it waits since the receipt, so its clock stands at 5/10 08:00: in time.
    """
    asked = (("SUBMITTED", "NEW", "10-03 07:00"), ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "10-03 08:00"))
    done = case(*asked, ("SUPPLEMENT_GIVEN", "NEW", "10-04 08:00"), ("RECEIVED", "ACCEPTED", "10-05 08:00"),
                ("FINISHED", "FINISHED", "10-21 08:00"))  # fmt: skip
    found = measure(done, OCTOBER, Rules(one_supplement_ends="always"), lambda _: None)
    assert (found.outcome, found.processing_ms) == ("late", 16 * 24 * HOUR_MS)
    waits = measure(case(*asked), OCTOBER, Rules(), lambda _: None)
    assert (waits.outcome, waits.overdue) == ("pending", False)
    assert waits.supplement_ms == ms("11-01 00:00") - ms("10-05 08:00")


NEVER_ACCEPTED = {
    "refused at the counter": (("SUBMITTED", "NEW", "10-01 08:00"), ("NOT_ACCEPTED", "NOT_ACCEPTED", "10-12 08:00")),
    "refused, papers handed back": (
        ("SUBMITTED", "NEW", "10-01 08:00"), ("NOT_ACCEPTED", "NOT_ACCEPTED", "10-02 08:00"),
        ("RETURNED", "RETURNED", "10-12 08:00"),
    ),
    "withdrawn": (("SUBMITTED", "NEW", "10-01 08:00"), ("WITHDRAWN", "WITHDRAWN", "10-12 08:00")),
    "stopped": (("SUBMITTED", "NEW", "10-01 08:00"), ("STOPPED", "STOPPED", "10-12 08:00")),
    "asked twice for papers": (
        ("SUBMITTED", "NEW", "10-01 08:00"), ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "10-02 08:00"),
        ("SUPPLEMENT_GIVEN", "NEW", "10-03 08:00"), ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "10-05 08:00"),
    ),
    "waits for the fee": (("SUBMITTED", "NEW", "10-01 08:00"), ("PAYMENT_REQUESTED", "PAYMENT", "10-02 08:00")),
    "passed on unopened": (("SUBMITTED", "NEW", "10-01 08:00"), ("TRANSFERRED", "NEW", "10-02 08:00")),
}  # fmt: skip


@pytest.mark.parametrize("steps", NEVER_ACCEPTED.values(), ids=NEVER_ACCEPTED.keys())
@pytest.mark.parametrize("due", ["10-09 17:00", None])
def test_a_dossier_that_was_never_accepted_counts_nowhere(steps: Any, due: str | None) -> None:
    """Neither received nor late nor overdue, with a date (9/10) or a limit (five days) that is over."""
    found = measure(case(*steps, received_at=None, due=due), OCTOBER, Rules(), lambda at: at + 120 * HOUR_MS)
    assert (found.received, found.outcome, found.overdue) == (False, "", False)


def test_an_agency_that_tells_the_day_of_receipt_has_received_it_even_if_it_refuses_it() -> None:
    """Received 5/10 (NgayTiepNhan), due 9/10 17:00, refused 12/10: late, as status 3 is an end (item 2.1)."""
    found = case(*NEVER_ACCEPTED["refused at the counter"], due="10-09 17:00")
    assert outcome(found) == "late"


@pytest.mark.parametrize(
    "steps",
    [
        (("SUBMITTED", "NEW", "09-20 08:00"), ("IN_PROCESS", "IN_PROCESS", "10-02 08:00")),
        (("SUBMITTED", "NEW", "09-20 08:00"), ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "09-25 08:00"),
         ("SUPPLEMENT_GIVEN", "NEW", "09-28 08:00"), ("RECEIVED", "ACCEPTED", "10-02 08:00")),
        (("SUBMITTED", "NEW", "09-20 08:00"), ("RETURNED", "RETURNED", "10-02 08:00")),
        (("SUBMITTED", "NEW", "09-20 08:00"), ("NOT_ACCEPTED", "NOT_ACCEPTED", "09-25 08:00"),
         ("IN_PROCESS", "IN_PROCESS", "10-02 08:00")),
    ],
    ids=["work", "papers first", "result", "a refusal taken back"],
)  # fmt: skip
def test_without_a_told_day_the_first_step_that_shows_acceptance_is_the_receipt(steps: Any) -> None:
    """Each was submitted in September and is first seen accepted on 2/10 at 08:00."""
    since = case(*steps, received_at=None)
    assert measure(since, OCTOBER, Rules(), lambda _: None).received
    assert not measure(since, Period(ms("09-01 00:00"), ms("10-01 00:00")), Rules(), lambda _: None).received


def test_the_end_of_the_month_is_local_midnight() -> None:
    assert outcome(case(("FINISHED", "FINISHED", "10-31 23:59"), due="11-05 17:00")) == "on_time"
    assert outcome(case(("FINISHED", "FINISHED", "11-01 00:00"), due="11-05 17:00")) == "pending"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("points = 18", "punkte = 18"), "TypeError"),
        (('one_supplement_ends = "open"', 'one_supplement_ends = "never"'), "open or always"),
        (("full_at = 0.8", "full_at = 1.8"), "full_at"),
        (('id = "1.1"\ngroup = 1', 'id = "1.1"\ngroup = 9'), r"item 1\.1"),
        (("[measure]", "[measure"), "TOML"),
        (("[publish]", "[published]"), "publish"),
    ],
)
def test_rules_that_are_wrong_are_refused(change: tuple[str, str], says: str) -> None:
    text = (Path(monthly_report.__file__).parent / "score.toml").read_text("utf-8")
    with pytest.raises(ConfigError, match=says):
        parse(text.replace(*change, 1))


def test_the_province_s_own_rules(tmp_path: Path) -> None:
    text = (Path(monthly_report.__file__).parent / "score.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace("full_at = 0.5", "full_at = 0.6"), "utf-8")
    (online,) = [item for item in scheme(own).items if item.id == "3.3"]
    assert online.full_at == 0.6
    with pytest.raises(ConfigError, match=r"figures\.rules_file"):
        scheme(tmp_path / "missing.toml")
    assert scheme().band(100) == "Xuất sắc"
    assert scheme().band(49.99) == "Yếu"
    assert percent(0.6) == "60,0 %"
