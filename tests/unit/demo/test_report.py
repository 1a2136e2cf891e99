"""The demo's verdict: each fault alone must be seen. And the planted bytes are what their kind says."""

from __future__ import annotations

from typing import Any

import pytest

from hub.deadletter.record import DeadLetter
from hub.demo.bad_records import KINDS, MARKER, Planted, plant
from hub.demo.checker.sample import Finding
from hub.demo.feed import Fed, bad_record, good_record
from hub.demo.report import UNPLANTED, _percentile, faults_of, marker_of, without_duplicate
from hub.demo.sample_input import agencies, some, steps
from hub.errors import DecodeError
from hub.events.envelope import read_headers
from tests.support.codecs import fixed_codec

STEPS = some(steps(), 120)
PLANTED = plant(STEPS)
DUE = len(STEPS)


def letter(bad: Planted | None, **changes: Any) -> DeadLetter:
    stage, reason = KINDS[bad.kind][1:] if bad else ("core", "code")
    value = f"…{bad.marker}…".encode() if bad else b"good"
    fields = {
        **dict.fromkeys(("detail", "field", "topic", "subscriber", "event_id", "source"), ""),
        "id": "x",
        "stage": stage,
        "reason": reason,
        "partition": 0,
        "offset": 0,
        "at_ms": 0,
        "key": None,
        "value": value,
        "headers": (),
    }
    return DeadLetter(**(fields | changes))


DEAD = [letter(bad) for bad in PLANTED]
REPORT = {
    "accepted": DUE,
    "source_events": DUE,
    "kills": [{"role": "core", "unfinished": 1}],
    "faults_injected": {"x": 1},
}


def verdict(dead: list[DeadLetter] = DEAD, finding: Finding | None = None, **report: Any) -> list[str]:
    finding = finding or Finding(due=DUE, delivered=DUE)
    return faults_of(REPORT | report, {"national": finding}, DUE, dead, PLANTED)


def test_all_well() -> None:
    assert verdict() == []


@pytest.mark.parametrize(
    ("finding", "word"),
    [
        (Finding(due=DUE, missing=["task-1"]), "1 missing, first: task-1"),
        (Finding(due=DUE, order=[("code", "late")]), "out of order"),
        (Finding(due=DUE, altered=[("task-1", "note", "a", "b")]), "altered"),
        (Finding(due=DUE, unexpected=["x"]), "unexpected"),
        (Finding(due=DUE - 1), "committed are"),
    ],
)
def test_what_the_checker_found_is_a_fault(finding: Finding, word: str) -> None:
    (sentence,) = verdict(finding=finding)
    assert word in sentence


@pytest.mark.parametrize(
    ("dead", "word"),
    [
        (DEAD[1:], f"no dead letter for {PLANTED[0].marker}"),
        ([*DEAD, letter(None)], "nobody planted"),
        ([*DEAD, letter(PLANTED[3], id="y")], f"2 dead letters for {PLANTED[3].marker}"),
        ([letter(PLANTED[0], reason="avro"), *DEAD[1:]], "source/date"),
    ],
)
def test_dead_letters_must_be_exactly_the_planted_ones(dead: list[DeadLetter], word: str) -> None:
    (sentence,) = verdict(dead)
    assert word in sentence


@pytest.mark.parametrize(
    "report",
    [{"accepted": DUE - 1}, {"kills": [{"role": "core", "unfinished": 0}]}, {"faults_injected": {}}],
    ids=["accepted", "kill", "faults"],
)
def test_the_figures_must_fit(report: dict[str, Any]) -> None:
    assert len(verdict(**report)) == 1


def test_duplicates_must_have_come_by_every_way() -> None:
    by_carrier = {agency.carrier: agency.source for agency in agencies()}
    doubled = {by_carrier["file"]: 3, by_carrier["kafka"]: 1}
    assert without_duplicate(doubled, Fed(duplicates=40)) == []
    assert without_duplicate(doubled, Fed()) == ["no duplicate was recognised that came by http"]
    del doubled[by_carrier["kafka"]]
    assert without_duplicate(doubled, Fed(duplicates=40)) == ["no duplicate was recognised that came by kafka"]


def test_percentile_by_nearest_rank() -> None:
    values = list(range(1, 101))
    assert (_percentile(values, 50), _percentile(values, 99), _percentile([7], 99)) == (50, 99, 7)
    assert _percentile([], 50) is None


@pytest.mark.parametrize("kind", [k for k, (carrier, *_) in KINDS.items() if carrier == "kafka"])
def test_planted_bytes_are_what_they_claim(kind: str) -> None:
    codec = fixed_codec()
    planted = [p for p in PLANTED if p.kind == kind]
    assert planted
    for bad in planted:
        _, key, value, headers = bad_record("t", bad, codec)
        assert value is not None
        found = marker_of(letter(None, value=value, event_id=read_headers(headers).id))
        assert found == bad.marker
        if kind in ("right", "conflict"):
            _, datum = codec.decode(value, "vn.hub.DossierStep")
            assert key == datum["dossier_code"].encode()
            good = good_record("t", bad.step, codec)
            assert (read_headers(good[3]).id == read_headers(headers).id) == (kind == "conflict")
            assert good[2] != value
        else:
            with pytest.raises(DecodeError) as caught:
                codec.decode(value)
            assert caught.value.reason == KINDS[kind][2]


def test_a_good_record_bears_no_marker() -> None:
    assert marker_of(letter(None)) == UNPLANTED
    assert MARKER.search(good_record("t", STEPS[0], fixed_codec())[2] or b"") is None
