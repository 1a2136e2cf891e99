"""The generator: the same seed gives the same bytes, every event is lawful for the core but the planted ones, and the
shape is that of the sample data."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path

import httpx
import pytest

from hub.avro.records import DossierDeadlineEvent
from hub.cli.main import main
from hub.deadletter.reasons import REASONS
from hub.demo.generator import sinks
from hub.demo.generator.bad import KINDS
from hub.demo.generator.event import Event
from hub.demo.generator.events import Wanted, events, sources
from hub.demo.generator.shape import plan
from hub.errors import BadRecord, StartError
from hub.events import families
from hub.ingress.json_data import read_data
from hub.model.agencies import table
from hub.model.calendar import midnight_of, number_of
from tests.support.core import Core, record

START = date(2026, 1, 5)
LOCAL = timezone(timedelta(hours=7))


def made(count: int, bad: int = 0, seed: int = 1, start: date = START, days: int = 300) -> list[Event]:
    return list(events(Wanted(seed, count, start, days, bad), table()))


@pytest.fixture(scope="module")
def many() -> list[Event]:
    return made(20_000, bad=70)


def steps(found: list[Event]) -> list[Event]:
    return [e for e in found if e.type == families.DOSSIER.published and not e.bad]


def dossiers(found: list[Event]) -> dict[str, list[Event]]:
    """By code: the distinct steps in order of time."""
    out: dict[str, dict[str, Event]] = defaultdict(dict)
    for event in steps(found):
        out[event.subject][event.id] = event
    return {code: sorted(own.values(), key=lambda e: e.at) for code, own in out.items()}


# --- lawful ------------------------------------------------------------------------------------------------------


def test_the_core_takes_all_of_them_but_the_planted_ones(many: list[Event]) -> None:
    core = Core()
    bad: list[Event] = []
    for start in range(0, len(many), 500):
        chunk = many[start : start + 500]
        core.run(*(record(e.data, e.id, e.type, start + n, e.source) for n, e in enumerate(chunk)))
        bad += [e for e in chunk if e.bad]
    assert len(many) == 20_070
    assert [(d.event_id, d.reason) for d in core.dead] == [(e.id, KINDS[e.bad]) for e in bad]
    assert {e.bad for e in bad} == set(KINDS)
    assert set(KINDS.values()) <= set(REASONS)
    good = {(e.source, e.id) for e in many if not e.bad}
    assert len(core.events) == len(good)


def test_all_of_it_is_lawful_even_where_nearly_everything_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    much = {"corrected": 0.6, "late_arrival": 0.3, "duplicate": 0.1, "newer_facts": 0.5, "one_supplement": 0.4}
    much |= {"joint": 0.4, "refused": 0.1, "withdrawn": 0.1, "stopped": 0.1}
    for name, share in much.items():
        monkeypatch.setitem(plan()["shares"], name, share)
    core, found = Core(), made(10_000)
    for start in range(0, len(found), 500):
        chunk = found[start : start + 500]
        core.run(*(record(e.data, e.id, e.type, start + n, e.source) for n, e in enumerate(chunk)))
    assert [(d.reason, d.detail) for d in core.dead] == []
    assert any(event.late for event in core.events if not isinstance(event, DossierDeadlineEvent))


def test_they_pass_the_gateway_s_check_of_the_data(many: list[Event]) -> None:
    good = [event for event in many[:3000] if not event.bad]
    assert len(good) > 2_900
    for event in good:
        read_data(families.BY_PUBLISHED[event.type].published_record, sinks.cloud_event(event)["data"])
    data = sinks.cloud_event(good[0])["data"]
    with pytest.raises(BadRecord):  # the check is one: it takes no time that is none
        read_data(families.BY_PUBLISHED[good[0].type].published_record, data | {"occurred_at": "yesterday"})


def test_none_is_later_than_the_last_day_and_the_number_is_exact() -> None:
    for count, days in ((1_000, 30), (1_000, 300), (3_333, 7)):
        found = made(count, days=days)
        assert len(found) == count
        end = midnight_of(number_of(START) + days)
        assert max(e.at for e in found) < end
        assert max(e.arrived_at for e in found) < end
        assert all(a.arrived_at <= b.arrived_at for a, b in itertools.pairwise(found))


def test_the_load_is_even_over_the_months(many: list[Event]) -> None:
    by_month = Counter(datetime.fromtimestamp(e.arrived_at / 1000, LOCAL).month for e in steps(many))
    whole = [by_month[month] for month in range(3, 10)]  # what begins in January ends in February at the earliest
    assert max(whole) < 1.3 * min(whole), by_month


# --- the same seed -----------------------------------------------------------------------------------------------


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed in zip(paths, (5, 5, 6), strict=True):
        sinks.to_file(events(Wanted(seed, 2_000, START, 300, 10), table()), path, False, lambda _: None)
    assert digest(paths[0]) == digest(paths[1]) != digest(paths[2])


def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing hangs on the hash of a string, which each process has its own."""
    own, other = tmp_path / "own", tmp_path / "other"
    sinks.to_file(events(Wanted(3, 1_000, START, 300, 7), table()), own, False, lambda _: None)
    command = [
        sys.executable,
        "-m",
        "hub",
        "generate",
        "--seed",
        "3",
        "--events",
        "1000",
        "--bad",
        "7",
        "--out",
        str(other),
    ]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "7"}, cwd=tmp_path, timeout=60)
    assert digest(own) == digest(other)


# --- what is in it -----------------------------------------------------------------------------------------------


def test_supplements_joint_handling_corrections_ratings_late_and_doubled(many: list[Event]) -> None:
    every = dossiers(many)
    kinds = [[e.data["step"] for e in own] for own in every.values()]
    whole = len(kinds)

    def share(name: str, least: int = 1) -> float:
        return sum(own.count(name) >= least for own in kinds) / whole

    assert 0.07 < share("SUPPLEMENT_REQUESTED") < 0.15
    assert 0.005 < share("SUPPLEMENT_REQUESTED", 2) < 0.04
    assert 0.05 < share("TRANSFERRED", 2) < 0.13
    assert 0.6 < share("RETURNED") < 0.95
    assert share("NOT_ACCEPTED") > 0.01
    assert share("WITHDRAWN") > 0.005
    assert share("RATED") > 0.05
    assert any(e.data.get("correction") for e in steps(many))
    copies = Counter((e.source, e.id) for e in steps(many))
    assert 0.005 < sum(n - 1 for n in copies.values()) / len(steps(many)) < 0.015
    seen: dict[str, int] = {}
    late = 0
    for event in steps(many):
        late += event.at < seen.get(event.subject, 0) and copies[event.source, event.id] == 1
        seen[event.subject] = max(event.at, seen.get(event.subject, 0))
    assert 0.002 < late / len(steps(many)) < 0.03


def test_codes_of_both_forms_many_agencies_and_no_dossier_twice(many: list[Event]) -> None:
    first: dict[str, str] = {}
    for event in steps(many):
        assert first.setdefault(event.subject, event.source) == event.source
    assert len({e.source for e in steps(many)}) > 40
    before = made(4_000, start=date(2024, 1, 8))
    assert any(e.subject.startswith("000.00.12.H11-") for e in before)
    assert any(e.subject.startswith("H11.12-") for e in before)


def test_two_seeds_share_no_dossier(many: list[Event]) -> None:
    assert not {e.subject for e in steps(many)} & {e.subject for e in steps(made(5_000, seed=2))}


def test_over_the_merger_new_dossiers_go_to_the_new_offices_and_old_ones_keep_their_code() -> None:
    found = dossiers(made(6_000, start=date(2025, 5, 5), days=120))
    merger = date(2025, 7, 1)
    days = {code: datetime.strptime(code.split("-")[1], "%y%m%d").date() for code in found}
    assert all(("H11" in code) == (days[code] < merger) for code in found)
    ends = [datetime.fromtimestamp(own[-1].at / 1000, LOCAL).date() for code, own in found.items() if "H11" in code]
    assert any(end > merger for end in ends)


# --- shape -------------------------------------------------------------------------------------------------------


def sample() -> dict[str, list[dict[str, str]]]:
    text = resources.files("hub_connectors.filedrop.sample").joinpath("receipt.csv").read_text("utf-8")
    cases: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in csv.DictReader(text.splitlines()):
        cases[row["case:concept:name"]].append(row)
    return cases


def test_channels_weekdays_and_amount_of_work_are_the_sample_s(many: list[Event]) -> None:
    every = {c: own for c, own in dossiers(many).items() if not any("parent_code" in e.data for e in own)}
    cases = sample()
    ended = {c: own for c, own in every.items() if own[-1].data["step"] in ("RETURNED", "RATED")}
    first = [own[0].data for own in every.values()]
    # By hand from the sample: Internet 1250 and e-mail 21 of 1434 are online, Post 53.
    known = [facts for facts in first if "procedure_code" in facts]  # of the last day some first steps are still late
    assert len(known) > 0.99 * len(first)
    could = [facts["channel"] for facts in known if facts["procedure_code"] != "2.000815"]
    assert could.count("ONLINE") / len(could) == pytest.approx(1271 / 1434, abs=0.03)
    assert sum(facts["channel"] == "POST" for facts in known) / len(known) == pytest.approx(53 / 1434, abs=0.015)
    received = [e for own in every.values() for e in own if "received_at" in e.data]
    weekday = Counter(datetime.fromtimestamp(e.at / 1000, LOCAL).weekday() for e in received)
    real = Counter(datetime.fromisoformat(rows[0]["time:timestamp"]).weekday() for rows in cases.values())
    for day in range(7):
        assert weekday[day] / weekday.total() == pytest.approx(real[day] / real.total(), abs=0.04)
    work = [sum(e.data["step"] == "IN_PROCESS" and "note" in e.data for e in own) for own in ended.values()]
    assert sum(work) / len(work) == pytest.approx(7066 / 1434, rel=0.1)


def test_due_dates_are_the_sample_s(many: list[Event]) -> None:
    spans = sorted(
        (e.data["due_at"] - e.data["received_at"]) / 86_400_000
        for own in dossiers(many).values() for e in own if "received_at" in e.data
    )  # fmt: skip
    assert spans[len(spans) // 2] == pytest.approx(56, abs=0.1)  # measured in the sample: the median is 56.0 days
    assert 56 < spans[int(len(spans) * 0.95)] < 120


def test_memory_does_not_grow_with_the_number_of_events() -> None:
    """As many a day, for ten times as long."""
    peaks = []
    for count, days in ((2_000, 60), (20_000, 600)):
        found = events(Wanted(1, count, date(2024, 1, 8), days), table())
        next(found)  # what is read once: sample, plan, agencies
        tracemalloc.start()
        for _ in found:
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0] + 1_000_000, peaks


# --- ways out ----------------------------------------------------------------------------------------------------


def test_one_file_for_each_agency(tmp_path: Path) -> None:
    ticks: list[int] = []
    written = sinks.to_file(made(1_000), tmp_path / "out", True, ticks.append)
    assert sum(ticks) == 1_000
    assert sum(len(path.read_bytes().splitlines()) for path in written) == 1_000
    for path in written:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert {line["source"] for line in lines} == {f"urn:vn:gov:{path.stem}:mot-cua"}
    assert not list(tmp_path.rglob("*.part"))
    with pytest.raises(StartError, match="out"):
        sinks.to_file(made(1_000), tmp_path / "out", False, ticks.append)


class Gateway:
    """Answers as told, then takes everything; remembers ids."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.ids: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        batch = json.loads(request.content)
        self.ids += [event["id"] for event in batch]
        results = [{"id": e["id"], "status": "accepted"} for e in batch]
        return httpx.Response(202, json={"results": results})


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch):
    real = httpx.AsyncClient

    def to(gateway: Gateway) -> None:
        monkeypatch.setattr(httpx, "AsyncClient", lambda **more: real(transport=httpx.MockTransport(gateway), **more))

    return to


async def test_http_sends_a_batch_again_until_it_is_taken_and_keeps_the_order(client) -> None:
    away = httpx.ConnectError("refused")
    busy = httpx.Response(429, headers={"retry-after": "0.1"}, json={"detail": "busy"})
    gateway = Gateway(away, busy, httpx.Response(502, text="<html>"))
    client(gateway)
    found = made(1_000)
    counts = await sinks.to_http(found, "http://gateway/v1/events", "key", lambda _: None)
    assert gateway.ids == [e.id for e in found]
    assert counts == {"accepted": 1_000}


async def test_http_ends_at_a_wrong_key_and_counts_what_was_rejected(client) -> None:
    client(Gateway(httpx.Response(401, json={"detail": "send the key"})))
    with pytest.raises(StartError, match="401 send the key"):
        await sinks.to_http(made(1_000), "http://gateway/v1/events", "key", lambda _: None)
    refused = [{"id": "x", "status": "rejected", "reason": "right"}] * 400
    client(Gateway(httpx.Response(403, json={"results": refused})))
    counts = await sinks.to_http(made(1_000), "http://gateway/v1/events", "key", lambda _: None)
    assert counts == {"accepted": 600, "rejected": 400, "rejected: right": 400}


def test_the_rights_that_a_key_needs(many: list[Event]) -> None:
    assert {e.source for e in many} <= {source for source, _ in sources(Wanted(1, 1_000, START, 300), table())}


# --- the command -------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["generate", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "--events", "1000", "--bad", "5", "--out", "e.ndjson", "--json")
    assert (code, json.loads(out)["written"]) == (0, 1_005)
    assert len((tmp_path / "e.ndjson").read_bytes().splitlines()) == 1_005
    code, out, _ = run(capsys, "--list-sources")
    assert "--source urn:vn:gov:H36.101:mot-cua --agency H36.101" in out
    for words, says in (
        (("--to", "http"), "--key-file"),
        (("--to", "http", "--key-file", "missing"), "missing"),
        (("--to", "kafka", "--start", datetime.now(UTC).strftime("%Y-%m-%d")), "future"),
        (("--events", "999"), "events"),
        (("--events", "5000001"), "events"),
    ):
        code, _, err = run(capsys, *words)
        assert code == 2, words
        assert says in err
