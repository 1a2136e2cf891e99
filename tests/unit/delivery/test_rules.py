"""The small pure rules of delivery: filter, back-off, breaker, masking, secrets in time, offsets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.avro.free_text import masked
from hub.avro.records import Procedure, ProcedureChange, ProcedureEvent
from hub.config import DeliverySettings
from hub.connect import portal as portal_module
from hub.control import secrets
from hub.control.delivery_limits import own_limits
from hub.control.records import Filter, Subscriber
from hub.control.subscriber_filter import due
from hub.delivery import backoff
from hub.delivery.circuit_breaker import Breaker, State
from hub.delivery.partition.delivered import Delivered
from hub.delivery.partition.offsets import Commit, PartitionOffsets, read_commit
from hub.errors import ConfigError
from hub.events import families
from hub.kafka.topics import EVENTS
from tests.support.events import stands

# --- filter: codes as in docs/field/codes.md; see also test_delivery_filters.py ---


def event(step="IN_PROCESS", agency="H11.12", procedure="1.004194", **state):
    return stands(step, agency_code=agency, procedure_code=procedure, **state)


@pytest.mark.parametrize(
    ("wanted", "data", "expected"),
    [
        (Filter(), event(agency=None, procedure=None), True),
        (Filter(agencies=("H11",)), event(), True),
        (Filter(agencies=("H11",)), event(agency="000.00.12.H11"), True),
        (Filter(agencies=("000.00.12.H11",)), event(), True),
        (Filter(agencies=("H11.1",)), event(), False),  # a prefix of groups, not of letters
        (Filter(agencies=("H11.12",)), event(agency="H11"), False),
        (Filter(agencies=("H36",)), event(), False),
        (Filter(agencies=("H36",)), event(agency=None), False),
        (Filter(agencies=("H11.30",)), event(transferred_to="H11.30"), True),
        (Filter(agencies=("H11.30",)), event(receiving_agency_code="H11.30.5"), True),
        (Filter(procedures=("1.004194",)), event(), True),
        (Filter(procedures=("1.004194",)), event(procedure="1.004194.000.00.00.H11"), True),
        (Filter(procedures=("1.00419",)), event(), False),
        (Filter(procedures=("1.004194",)), event(procedure=None), False),
        (Filter(types=("RECEIVED",)), event(), False),
        (Filter(types=("RECEIVED", "IN_PROCESS")), event(), True),
        (Filter(types=(families.DOSSIER.event.type,)), event(), True),
        (Filter(types=(families.PROCEDURE.event.type,)), event(), False),
        (Filter(types=("RECEIVED",), agencies=("H11",)), event("RECEIVED", agency="H36.1"), False),
    ],
)
def test_due(wanted, data, expected):
    assert due(wanted, families.DOSSIER.event.type, data) is expected


def test_due_of_a_catalogue_event():
    data = ProcedureEvent(
        hub_seq=1,
        change=ProcedureChange(procedure_code="1.004194", change="WITHDRAWN", occurred_at=0),
        procedure=Procedure(procedure_code="1.004194", hub_seq=1, active=False, changed_at=0, agency_code="H11"),
    )
    assert due(Filter(types=("WITHDRAWN",), agencies=("H11",)), families.PROCEDURE.event.type, data)
    assert not due(Filter(types=("PUBLISHED",)), families.PROCEDURE.event.type, data)


# --- back-off ---


def test_delays_double_up_to_the_cap():
    low = [backoff.delay(n, 1.0, 60.0, jitter=lambda a, b: a) for n in range(1, 9)]
    high = [backoff.delay(n, 1.0, 60.0, jitter=lambda a, b: b) for n in range(1, 9)]
    assert low == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert high == [1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10_000), st.floats(0, 1e9))
def test_retry_after_is_not_undercut_and_clamped(attempt, retry_after):
    wait = backoff.delay(attempt, 0.5, 300.0, retry_after)
    assert min(retry_after, 300.0) <= wait <= 300.5


# --- breaker ---


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def state_of(breaker: Breaker) -> State:
    """Asked anew each time: a type checker takes an attribute to stay what it was."""
    return breaker.state


def test_breaker_opens_tries_once_and_closes():
    clock, closed = Clock(), []
    breaker = Breaker(3, 5.0, clock, on_close=lambda: closed.append(1))
    for _ in range(2):
        breaker.failure()
    assert state_of(breaker) is State.CLOSED
    breaker.failure()
    assert state_of(breaker) is State.OPEN
    assert breaker.wait() == 5.0
    clock.now += 5.0
    assert breaker.state is State.HALF_OPEN
    assert breaker.wait() == 0
    breaker.begin()
    assert breaker.wait() == float("inf")  # one trial, no second
    breaker.failure()
    assert breaker.wait() == 10.0  # longer each time
    breaker.failure()  # a straggler from before
    assert breaker.wait() == 10.0
    clock.now += 10.0
    breaker.begin()
    breaker.success()
    assert (breaker.state, breaker.wait(), closed) == (State.CLOSED, 0, [1])


def test_a_success_between_failures_keeps_it_closed():
    breaker = Breaker(2, 5.0, Clock())
    for _ in range(10):
        breaker.failure()
        breaker.success()
    assert breaker.state is State.CLOSED


def test_a_trial_cut_off_by_ourselves_lets_another_try():
    clock = Clock()
    breaker = Breaker(1, 5.0, clock)
    breaker.failure()
    clock.now += 5
    breaker.begin()
    breaker.undecided()
    assert breaker.wait() == 0


def test_a_portal_that_asks_for_quiet_gets_it():
    clock = Clock()
    breaker = Breaker(10, 5.0, clock)
    breaker.rest(30.0)
    assert breaker.wait() == 30.0
    clock.now += 30
    assert breaker.wait() == 0


# --- masking ---


@pytest.mark.parametrize(
    ("text", "hidden", "kept"),
    [
        ("Lỗi: Nguyễn Văn An chưa có", "Nguyễn Văn An", "Lỗi"),
        ("phone 0912345678.", "0912345678", "phone"),
        ("phone +84 912 345 678", "345 678", "phone"),
        ("CCCD 060203004567 sai", "060203004567", "CCCD"),
        ("CMND 261234567 sai", "261234567", "CMND"),
        ("mail an.nguyen@example.vn", "an.nguyen", "mail"),
        ('{"ChuHoSo":"Trần B","MaHoSo":"000.00.06.H56-231027-0361"}', "Trần B", "000.00.06.H56-231027-0361"),
        ('{"DiaChi": "12 Lê Lợi", "x": 1}', "Lê Lợi", '"x": 1'),
        ("G09.20-20260609-0092637 ok 20261124203012", "@", "G09.20-20260609-0092637 ok 20261124203012"),
    ],
)
def test_personal_data_is_masked_and_codes_are_not(text, hidden, kept):
    out = masked(text, ["Nguyễn Văn An"])
    assert hidden not in out
    assert kept in out


def test_an_answer_is_cut_to_a_kilobyte_of_whole_characters():
    out = masked("ộ" * 5000)
    assert len(out.encode()) == 1023  # 341 characters of 3 bytes
    assert set(out) == {"ộ"}


# --- secrets ---


def test_a_rotated_secret_works_on_for_its_overlap():
    now = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
    first = secrets.rotated({"signing": "a"}, "signing", "b", now + timedelta(hours=24), now)
    assert first == {"signing": "b", "signing.until.20261125T200000Z": "a"}
    assert secrets.valid(first, now + timedelta(hours=23)) == first
    later = now + timedelta(hours=25)
    assert secrets.valid(first, later) == {"signing": "b"}
    assert secrets.next_end(first, now) == now + timedelta(hours=24)
    assert secrets.rotated(first, "signing", "c", later, later) == {"signing": "c"}
    assert set(secrets.masked(first).values()) == {"********"}
    assert secrets.masked({"password": "env:PW"}) == {"password": "env:PW"}


# --- a subscriber's own limits ---


def test_own_limits_override_and_are_checked():
    shared = DeliverySettings(workers=3)
    name = {"name": "x", "kind": "k"}
    assert own_limits(Subscriber(**name, settings={"url": "u"}), shared) is shared
    assert own_limits(Subscriber(**name, settings={"delivery": {"retry_cap_s": 7}}), shared) == DeliverySettings(
        workers=3, retry_cap_s=7
    )
    with pytest.raises(ConfigError) as caught:
        own_limits(Subscriber(**name, settings={"delivery": {"workers": 0}}), shared)
    assert caught.value.field == "settings.delivery.workers"


# --- what stands at the portal ---


def test_delivered_remembers_the_highest_and_forgets_the_oldest():
    known = Delivered(most_keys=2, most_ids=2)
    known.add("a", [3], ["a3"])
    known.add("a", [1], ["a1"])
    known.add("b", [1, 2], ["b1", "b2"])
    assert (known.seq("a"), known.seq("b"), known.has("a3"), known.has("b1")) == (3, 2, False, True)
    known.add("c", [1], [])
    assert known.seq("a") == 0


# --- offsets ---

WHERE = EVENTS


def progress(start=10, receipts=100, old_until=0):
    return PartitionOffsets("life", start, receipts, old_until)


def committed(out):
    offsets = out.to_commit()
    out.confirm(offsets)
    return offsets


def test_a_commit_never_passes_an_unfinished_event():
    out = progress()
    first, second = out.source(WHERE, 10), out.source(WHERE, 12)
    out.skip(WHERE, 13)
    second.settle()
    assert committed(out) == {}
    first.settle()
    assert committed(out) == {WHERE: (14, "life|100")}
    assert committed(out) == {}
    assert (out.position(WHERE), out.committed(WHERE)) == (14, 14)


def test_a_commit_tells_where_the_receipts_of_what_is_behind_it_can_begin():
    out = progress(start=0, receipts=5, old_until=2)
    sources = []
    for offset, receipts_end in ((0, 50), (1, 60), (2, 70), (3, 80)):
        out.note_receipts(offset, receipts_end)
        sources.append(out.source(WHERE, offset))
    sources[0].settle()
    assert committed(out) == {WHERE: (1, "life|5|2")}  # 1 may have been delivered by an earlier process
    sources[1].settle()
    assert committed(out) == {WHERE: (2, "life|70")}
    sources[3].settle()
    assert committed(out) == {}
    sources[2].settle()
    assert committed(out) == {WHERE: (4, "life|80")}


def test_what_is_taken_away_is_neither_finished_nor_committed():
    out = progress()
    source = out.source(WHERE, 10)
    out.forget(WHERE)
    source.settle()
    assert committed(out) == {}


def test_a_commit_of_a_namesake_does_not_count():
    assert read_commit(7, "life|3", "life") == Commit(7, 3)
    assert read_commit(7, "life|3|9", "life") == Commit(7, 3, 9)
    assert read_commit(7, "life|3|x", "life") is None
    assert read_commit(7, "life|3", "another") is None
    assert read_commit(7, "", "life") is None
    assert read_commit(-1, "life|3", "life") is None
    assert read_commit(None, "", "life") is None


def test_several_entries_finish_one_source():
    out = progress()
    source = out.source(WHERE, 10, count=2)
    source.settle()
    assert committed(out) == {}
    source.settle()
    assert committed(out) == {WHERE: (11, "life|100")}


def test_what_is_installed_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal in trouble has workers connect anew again and again; reading all packages' metadata took half a core."""
    asked: list[str] = []

    def counted(**what: str) -> Any:
        asked.append(what["name"])
        return entry_points(**what)

    monkeypatch.setattr(portal_module, "entry_points", counted)
    portal_module._connector.cache_clear()
    made = [portal_module._connector("kafka-topic") for _ in range(3)]
    assert asked == ["kafka-topic"]
    assert made[0] is made[2]
