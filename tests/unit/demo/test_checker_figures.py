"""Slice 8: the checker's own counting against thirty dossiers computed by hand, and against an altered report."""

from __future__ import annotations

import copy
import csv
from pathlib import Path
from typing import Any

import pytest

from hub.demo import extras
from hub.demo.checker import figures as checker_figures
from hub.demo.checker.sent import Dossier, Sent, Step, millis, read
from hub.demo.generator import sinks
from hub.model import agencies

SHEET = Path(__file__).parents[2] / "data" / "figures_2026_10" / "dossiers.csv"
START, END = millis("2026-10-01T00:00:00+07:00"), millis("2026-11-01T00:00:00+07:00")
BY_LIMIT = {"H11.12-261019-0001", "H11.12-261020-0001"}
"""Without a date: judged by the procedure's limit, which no dossier of the generator needs."""


def moment(text: str) -> str:
    day, time = text.split()
    return f"2026-{day}T{time}:00+07:00"


def sheet() -> list[dict[str, str]]:
    with SHEET.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["code"] not in BY_LIMIT]


def dossier(row: dict[str, str]) -> Dossier:
    out = Dossier(row["code"])
    for number, words in enumerate(row["steps"].split("; ")):
        kind, _, when = words.partition(" ")
        facts: dict[str, Any] = {"agency_code": row["agency"], "channel": row["channel"]} if number == 0 else {}
        for name, column in (("received_at", "received"), ("due_at", "due")):
            if number == 0 and row[column]:
                facts[name] = moment(row[column])
        step, correction = kind.partition(":")[0].rstrip("!"), kind.endswith("!")
        out.steps.append(Step(f"{row['no']}-{number}", millis(moment(when)), step, correction, number, facts))
    return out


SENT = Sent(dossiers={row["code"]: dossier(row) for row in sheet()})


def test_the_sheet_computed_by_hand() -> None:
    counted = checker_figures.count(SENT, START, END)
    assert len(sheet()) == 30 - len(BY_LIMIT)  # docs/figures.md: thirty dossiers
    for row in sheet():
        own = counted[row["agency"]].codes
        found = [
            name for name in ("on_time", "late", "no_deadline", "pending", "withdrawn") if row["code"] in own[name]
        ]
        due = row["outcome"].replace("pending_overdue", "pending")
        assert found == ([due] if due else []), row
        assert (row["code"] in own["received"]) == (row["counted"] == "received"), row
        assert (row["code"] in own["online"]) == (row["counted"] == "received" and row["channel"] == "ONLINE"), row


def one(code: str, steps: str, **facts: Any) -> dict[str, checker_figures.Counted]:
    """What is counted of a dossier with these steps; facts: told with its first one."""
    found = Dossier(code)
    for number, words in enumerate(steps.split("; ")):
        kind, _, when = words.partition(" ")
        found.steps.append(Step(str(number), millis(moment(when)), kind, False, number, {} if number else facts))
    return checker_figures.count(Sent(dossiers={code: found}), START, END)


def test_a_dossier_that_names_no_agency_is_of_the_one_in_its_code() -> None:
    counted = one("000.00.12.H11-261005-0001", "RECEIVED 10-05 08:00")
    assert counted["H11.12"].codes["received"] == ["000.00.12.H11-261005-0001"]


def test_waiting_before_the_receipt_is_not_subtracted() -> None:
    """Papers asked for on 1/10, given on 5/10 07:00, received an hour later; due 13/10 17:00, done 15/10 08:00: late.

    Four days less it would have been 11/10. A request on 3/10 answered on 7/10 waits two days after the receipt of
    5/10 08:00: 15/10 16:00 less two days is on time by an hour.
    """
    dates = {"received_at": moment("10-05 08:00"), "due_at": moment("10-13 17:00"), "agency_code": "H11.12"}
    before = "SUBMITTED 10-01 07:00; SUPPLEMENT_REQUESTED 10-01 08:00; SUPPLEMENT_GIVEN 10-05 07:00; "
    counted = one("c", before + "RECEIVED 10-05 08:00; FINISHED 10-15 08:00", **dates)
    assert counted["H11.12"].codes["late"] == ["c"]
    over = "SUBMITTED 10-03 07:00; SUPPLEMENT_REQUESTED 10-03 08:00; SUPPLEMENT_GIVEN 10-07 08:00; "
    assert one("c", over + "FINISHED 10-15 16:00", **dates)["H11.12"].codes["on_time"] == ["c"]


@pytest.mark.parametrize(
    "steps",
    [
        "SUBMITTED 10-01 08:00; NOT_ACCEPTED 10-12 08:00",
        "SUBMITTED 10-01 08:00; NOT_ACCEPTED 10-02 08:00; RETURNED 10-12 08:00",
        "SUBMITTED 10-01 08:00; WITHDRAWN 10-12 08:00",
        "SUBMITTED 10-01 08:00; SUPPLEMENT_REQUESTED 10-02 08:00",
    ],
)
def test_what_was_never_accepted_counts_nowhere(steps: str) -> None:
    counted = one("c", steps, agency_code="H11.12", due_at=moment("10-09 17:00"))["H11.12"].codes
    assert not any(counted.values())
    answered = one("c", f"{steps.partition(';')[0]}; RETURNED 10-12 08:00", agency_code="H11.12")["H11.12"]
    assert answered.codes["received"] == ["c"]


def report() -> dict[str, Any]:
    def figures(own: checker_figures.Counted) -> dict[str, Any]:
        return {
            name: {"count": len(codes), "dossiers": [*codes, "H11.12-110101-0001"]} for name, codes in own.codes.items()
        }

    counted = checker_figures.count(SENT, START, END)
    agencies = [{"agency": agency, "figures": figures(own)} for agency, own in counted.items()]
    told = {"month": "2026-10", "from": "2026-10-01T00:00:00+07:00", "until": "2026-11-01T00:00:00+07:00"}
    return copy.deepcopy(told | {"agencies": agencies})


def test_a_report_with_the_same_numbers_is_right() -> None:
    """Dossiers of the same agency that were not sent here, as those of the demo's first act, do not count."""
    found = checker_figures.check(SENT, report(), {})
    assert found.wrong == []
    assert {name: found.figures[name] for name in ("received", "online", "withdrawn")} == {
        "received": 23, "online": 12, "withdrawn": 2,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["received", "on_time", "late", "pending", "online"])
def test_one_too_few_and_one_too_many_are_told(name: str) -> None:
    shown = report()
    own = next(one for one in shown["agencies"] if one["agency"] == "H11.12")["figures"][name]["dossiers"]
    gone = own.pop(0)
    own.append("H11.20-261028-0001")  # only submitted: it counts nowhere
    assert checker_figures.check(SENT, shown, {}).wrong == sorted(
        [
            f"2026-10, H11.12, {name}: {gone} is missing",
            f"2026-10, H11.12, {name}: H11.20-261028-0001 is counted and is none",
        ]
    )


def test_an_agency_that_is_left_out_is_told() -> None:
    shown = report()
    shown["agencies"] = [one for one in shown["agencies"] if one["agency"] != "H11.13"]
    wrong = checker_figures.check(SENT, shown, {}).wrong
    assert wrong
    assert all("H11.13" in sentence and "is missing" in sentence for sentence in wrong)


def test_an_outcome_worked_out_by_hand_that_is_not_counted_so_is_told() -> None:
    rows = [row for row in sheet() if row["outcome"] in checker_figures.OUTCOMES]
    planted = {row["code"]: row["outcome"] for row in rows}
    assert checker_figures.check(SENT, report(), planted).wrong == []
    code = rows[0]["code"]
    (sentence,) = checker_figures.check(SENT, report(), planted | {code: "late"}).wrong
    assert sentence == f"{code}, planted with an outcome: ['late'] is due, ['on_time'] is shown"


@pytest.mark.parametrize("day", ["2026-11-24", "2027-03-31", "2026-12-01"])
def test_what_the_demo_plants_is_counted_so(tmp_path: Path, day: str) -> None:
    calendar, table = extras.Calendar(millis(f"{day}T03:00:00Z")), agencies.table(None)
    path = tmp_path / "events.ndjson"
    sinks.to_file(extras.judged(calendar, table), path, False, lambda _: None)
    sent, month = read(path), extras.Calendar(calendar.now).month
    start = millis(f"{month}-01T00:00:00+07:00")
    end = millis(f"{calendar.today:%Y-%m}-01T00:00:00+07:00")
    counted = checker_figures.count(sent, start, end)
    (own,) = counted.values()
    assert sorted(own.codes["received"]) == sorted(sent.dossiers) == sorted(extras.outcomes(calendar, table))
    for code, outcome in extras.outcomes(calendar, table).items():
        assert [name for name in checker_figures.OUTCOMES if code in own.codes[name]] == [outcome], code
