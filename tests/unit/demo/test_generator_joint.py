"""Generated joint handling against the land case drawn by hand (docs/joint.md), and apologies with a new date."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from hub.avro.records import DossierEvent
from hub.demo.generator.event import Event
from hub.demo.generator.events import Wanted, events, sources
from hub.demo.generator.shape import plan
from hub.events import families
from hub.model.agencies import table
from tests.support.core import Core, record

LAND_LEASE = "1.012761"
"""The procedure of the plan that is the land case: land office -> finance department (part) -> price council (none) ->
tax office (part, asks for money) -> land office -> centre."""
LOCAL = timezone(timedelta(hours=7))


@dataclass
class Made:
    """steps: by code, the distinct ones in order of time. core: after all of them."""

    all: list[Event]
    steps: dict[str, list[dict[str, Any]]]
    core: Core

    def land(self) -> list[str]:
        """Codes of land cases that came to their end."""
        return [
            code
            for code, own in self.steps.items()
            if own[0].get("procedure_code") == LAND_LEASE and own[-1]["step"] in ("RETURNED", "RATED")
        ]

    def parts(self, code: str) -> list[list[dict[str, Any]]]:
        found = [own for own in self.steps.values() if any(step.get("parent_code") == code for step in own)]
        return sorted(found, key=lambda own: own[0]["occurred_at"])


def plain(own: list[dict[str, Any]]) -> list[str]:
    """Kinds of its steps, without apologies."""
    return [step["step"] for step in own if "Xin lỗi" not in step.get("note", "")]


def make(start: date, count: int = 12_000) -> Made:
    found = list(events(Wanted(11, count, start, 300), table()))
    core = Core()
    for at in range(0, len(found), 500):
        chunk = found[at : at + 500]
        core.run(*(record(e.data, e.id, e.type, at + n, e.source) for n, e in enumerate(chunk)))
    assert [(dead.reason, dead.detail) for dead in core.dead] == []
    by_code: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for event in found:
        if event.type == families.DOSSIER.published:
            by_code[event.subject][event.id] = event.data
    return Made(
        found, {code: sorted(own.values(), key=lambda d: d["occurred_at"]) for code, own in by_code.items()}, core
    )


@pytest.fixture(scope="module")
def made() -> Made:
    return make(date(2026, 1, 5))


def test_a_land_case_goes_round_four_agencies_as_drawn_by_hand(made: Made) -> None:
    cases = made.land()
    assert len(cases) >= 5
    for code in cases:
        own = made.steps[code]
        assert own[0]["agency_code"] == "H36.30"
        assert own[0]["receiving_agency_code"] == "H36.40"
        to = [step["transferred_to"] for step in own if step["step"] == "TRANSFERRED"]
        # Between finance, price council and tax it may be handed straight on, as the price council does in the drawing.
        assert [other for other in to if other != "H36.30"] == ["H36.05", "H36.06", "H36.45", "H36.40"]
        assert to[-2:] == ["H36.30", "H36.40"]
        kinds = [step["step"] for step in own]
        assert kinds.index("FINISHED") < len(kinds) - 1 - kinds[::-1].index("TRANSFERRED") < kinds.index("RETURNED")
        assert kinds.count("PAYMENT_REQUESTED") == kinds.count("PAYMENT_MADE") == 1
        finance, tax = made.parts(code)
        assert plain(finance) == ["RECEIVED", "IN_PROCESS", "FINISHED"]
        assert plain(tax) == [
            "RECEIVED", "IN_PROCESS", "PAYMENT_REQUESTED", "PAYMENT_MADE", "FINISHED",
        ]  # fmt: skip
        assert [part[0]["agency_code"] for part in (finance, tax)] == ["H36.05", "H36.45"]
    rounds = {sum(step["step"] == "TRANSFERRED" for step in made.steps[code]) for code in cases}
    assert rounds <= {5, 6, 7}  # 05, 06, 45, back, centre; and back to the land office once or twice in between
    assert len(rounds) > 1


def test_households_land_goes_through_two_agencies_and_has_the_tax_office_s_part(made: Made) -> None:
    own = [steps for steps in made.steps.values() if steps[0].get("procedure_code") == "1.012775"]
    ended = [steps for steps in own if steps[-1]["step"] in ("RETURNED", "RATED")]
    assert len(ended) > 30
    for steps in ended:
        home = steps[0]["agency_code"]
        to = [step["transferred_to"] for step in steps if step["step"] == "TRANSFERRED"]
        assert [other for other in to if other != home] == ["H36.30", "H36.45", "H36.40"]
        assert [part[0]["agency_code"] for part in made.parts(steps[0]["dossier_code"])] == ["H36.45"]


def parts_of(made: Made) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """(parent, part), but those whose beginning the last day cut off."""
    return [
        (made.steps[own[0]["parent_code"]], own)
        for own in made.steps.values()
        if own[0].get("parent_code") in made.steps and made.steps[own[0]["parent_code"]][0].get("procedure_code")
    ]


def test_a_part_is_another_agency_s_dossier_opened_while_that_agency_holds_the_parent(made: Made) -> None:
    pairs = parts_of(made)
    assert len(pairs) > 60
    source, judged = {event.subject: event.source for event in made.all}, 0
    for parent, part in pairs:
        agency, code, opened = part[0]["agency_code"], part[0]["dossier_code"], part[0]["occurred_at"]
        passed = [step for step in parent if step["step"] == "TRANSFERRED" and step["occurred_at"] < opened]
        if not passed:
            continue  # the transfer is late and comes after the last day
        judged += 1
        assert passed[-1]["transferred_to"] == agency
        bears = code.split("-")[0]
        assert bears in (agency, f"000.00.{agency[4:]}.H36")
        assert code.split("-")[1] == f"{datetime.fromtimestamp(opened / 1000, LOCAL):%y%m%d}"
        assert source[code] == f"urn:vn:gov:{agency}:mot-cua" != source[parent[0]["dossier_code"]]
    assert judged > 0.9 * len(pairs)
    assert {source for source, _ in sources(Wanted(11, 1, date(2026, 1, 5), 300), table())} >= set(source.values())


def test_the_core_counts_the_date_that_the_part_has_from_the_transfer_s_limit(made: Made) -> None:
    """The same date by two ways: counted by the core from amount and unit, and told by the part."""
    held = {
        (event.dossier.dossier_code, event.dossier.holder_since): event.dossier.holder_due_at
        for event in made.core.events
        if isinstance(event, DossierEvent) and event.step.step == "TRANSFERRED" and not event.late
    }
    told = Counter[str]()
    for parent, part in parts_of(made):
        opened = part[0]["occurred_at"]
        passed = [step for step in parent if step["step"] == "TRANSFERRED" and step["occurred_at"] < opened]
        if not passed:
            continue
        due_at = held.get((parent[0]["dossier_code"], passed[-1]["occurred_at"]), "late")
        how = "limit" if "transfer_limit" in passed[-1] else "date" if "step_due_at" in passed[-1] else "none"
        if due_at != "late":
            told[how] += 1
            assert due_at == (None if how == "none" else part[0]["due_at"])
    assert min(told[how] for how in ("limit", "date", "none")) >= 3, told


def test_how_transfers_tell_their_limit_and_how_many_are_late(made: Made) -> None:
    told, late = Counter[str](), Counter[bool]()
    for own in made.steps.values():
        transfers = [step for step in own if step["step"] == "TRANSFERRED"]
        for step, following in itertools.pairwise(transfers):
            if "step_started_at" not in step:  # given back
                assert not {"transfer_limit", "step_due_at"} & set(step)
                continue
            told["limit" if "transfer_limit" in step else "date" if "step_due_at" in step else "none"] += 1
            if "step_due_at" in step:
                late[following["occurred_at"] > step["step_due_at"]] += 1
    whole = told.total()
    assert whole > 200
    assert told["limit"] / whole == pytest.approx(0.5, abs=0.08)
    assert told["date"] / whole == pytest.approx(0.4, abs=0.08)
    assert 0.1 < late[True] / late.total() < 0.35


def test_over_the_merger_a_part_is_opened_by_the_office_that_is_in_force_then() -> None:
    made, merger = make(date(2025, 4, 7)), date(2025, 7, 1)
    both = 0
    for parent, part in parts_of(made):
        opened = datetime.fromtimestamp(part[0]["occurred_at"] / 1000, LOCAL).date()
        assert part[0]["agency_code"].startswith("H36" if opened >= merger else "H11")
        both += parent[0]["agency_code"].startswith("H11") and opened >= merger
        for step in parent:
            if step["step"] == "TRANSFERRED":
                day = datetime.fromtimestamp(step["occurred_at"] / 1000, LOCAL).date()
                office = table().get(step["transferred_to"])
                assert office is not None
                assert office.in_force(day) or "nơi tiếp nhận" in step["note"]
    assert both > 0


def test_a_province_without_these_offices_has_no_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for procedure in plan()["procedure"]:
        for stop in procedure.get("stops", ()):
            monkeypatch.setitem(stop, "office", "99")
    made = make(date(2026, 1, 5), 2_000)
    assert len(made.steps) > 100
    assert not any("parent_code" in step for own in made.steps.values() for step in own)


def test_some_late_dossiers_are_told_a_new_date_before_or_after_the_old_one(made: Made) -> None:
    told, kept, how, all_late = Counter[str](), Counter[bool](), Counter[str](), 0
    for own in made.steps.values():
        due = [step for step in own if "due_at" in step]
        ended = next((step["occurred_at"] for step in own if step["step"] == "FINISHED"), None)
        if ended is None or not due:
            continue
        all_late += ended > due[0]["due_at"]
        if len(due) == 1:
            continue
        first, new = due
        assert ended > first["due_at"]  # nobody apologises for what is done in time
        assert "Xin lỗi" in new["note"]
        assert new["due_at"] > max(first["due_at"], new["occurred_at"])
        assert new["occurred_at"] < ended
        told["before" if new["occurred_at"] <= first["due_at"] else "after"] += 1
        kept[ended <= new["due_at"]] += 1
        how[new["step"]] += 1
    assert 0.4 * all_late < told.total() < all_late
    assert min(told.values()) >= 2
    assert kept[True] > kept[False] > 0
    assert set(how) == {"RESCHEDULED", "IN_PROCESS"}
    assert how["RESCHEDULED"] > how["IN_PROCESS"]
