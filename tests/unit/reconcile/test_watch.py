"""The watch: what is missing, when, and that healing ends. Oracle: a portal that drops, doubles and reorders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.config import ReconcileSettings
from hub.control.records import Subscriber
from hub.control.requests import Request
from hub.kafka import topics
from hub.reconcile.watch import Watch, version
from hub.stream.stage import Outputs, Record, Stored
from tests.support.codecs import fixed_codec
from tests.support.events import delivery, dossier_event

CODEC = fixed_codec()
CODE = "000.00.12.H11-231114-0001"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class World:
    """One partition: its state, what the watch wrote, and a clock that the test moves."""

    def __init__(self, *names: str) -> None:
        self.now = 1_000.0
        self.subscribers = {n: Subscriber(name=n, kind="x", created_at=LONG_AGO) for n in names or ("national",)}
        self.state: dict[tuple[str, bytes], Stored] = {}
        self.requests: list[Request] = []
        self.discrepancies: list[dict[str, Any]] = []
        self.dead_letters = 0
        self.offset = 0
        self.fresh()

    def fresh(self) -> None:
        """A new process takes the partition over."""
        self.watch = Watch(
            CODEC, ReconcileSettings(missing_after_s=60), lambda: self.subscribers, lambda *_: True, lambda: self.now
        )

    def get(self, store: str, key: bytes) -> Stored | None:
        return self.state.get((store, key))

    def keys(self, store: str) -> Iterable[bytes]:
        return [key for s, key in self.state if s == store]

    def waiting(self, store: str) -> Iterable[bytes]:
        return self.keys(store)

    def apply(self, out: Outputs) -> None:
        for record in out.records:
            if record.topic == topics.REQUESTS:
                self.requests.append(Request.model_validate_json(record.value or b""))
            elif record.topic == topics.DISCREPANCIES:
                self.discrepancies.append(orjson.loads(record.value or b""))
            else:
                self.dead_letters += 1
        for key, stored in out.state.items():
            if stored is None:
                self.state.pop(key, None)
            else:
                self.state[key] = stored

    def run(self, records: Sequence[Record]) -> None:
        self.apply(self.watch.step(records, self))

    def tick(self, after: float = 0.0) -> None:
        self.now += after
        self.apply(self.watch.tick(0, self, self.now))

    def event(self, seq: int, offset: int | None = None) -> Record:
        self.offset += 1
        key, value, headers = dossier_event(CODEC, CODE, seq)
        return Record(topics.EVENTS, 0, self.offset if offset is None else offset, 0, key, value, headers)

    def receipt(self, seqs: list[int], outcome: str = "DELIVERED", subscriber: str = "national", **more: Any) -> Record:
        value = delivery(CODEC, CODE, subscriber, seqs, outcome, **more)
        return Record(topics.DELIVERIES, 0, 0, 0, CODE.encode(), value, ())


def test_no_receipt_within_its_time_is_missing_healed_and_closed_by_the_receipt() -> None:
    w = World()
    w.tick()
    w.run([w.event(1), w.event(2)])
    w.run([w.receipt([1])])
    w.tick(59)
    assert (w.requests, w.discrepancies) == ([], [])
    w.tick(2)
    assert [(r.action, r.subscriber, r.key, [p.hub_seq for p in r.pointers]) for r in w.requests] == [
        ("resend", "national", CODE, [2])
    ]
    assert [(d["kind"], d["subscriber"], d["healed_at"]) for d in w.discrepancies] == [("MISSING", "national", None)]
    w.tick(60)  # not at once again: the second re-send waits twice as long
    assert len(w.requests) == 1
    w.run([w.receipt([2])])
    assert [d["healed_at"] is not None for d in w.discrepancies] == [False, True]
    w.tick(10_000)
    assert (len(w.requests), len(w.discrepancies)) == (1, 2)


def test_the_discrepancy_opens_once_however_often_it_is_healed() -> None:
    w = World()
    w.tick()
    w.run([w.event(1)])
    for _ in range(40):
        w.tick(60)
    assert len(w.discrepancies) == 1
    assert 4 <= len(w.requests) <= 7  # 60 s, then 2, 4, 8 … times as long
    assert len({r.id for r in w.requests}) == len(w.requests)


@pytest.mark.parametrize("outcome", ["DELIVERED", "SKIPPED", "DEAD_LETTERED"])
def test_what_is_settled_is_not_missing(outcome: str) -> None:
    w = World()
    w.tick()
    w.run([w.event(1)])
    w.run([w.receipt([1], outcome)])
    w.tick(1_000)
    assert w.requests == []


def test_a_scheduled_retry_and_a_held_dossier_are_waited_for() -> None:
    w = World()
    w.tick()
    w.run([w.event(1)])
    w.run([w.receipt([1], "RETRY_SCHEDULED", not_before=int((w.now + 500) * 1000))])
    w.tick(400)
    assert w.requests == []
    w.tick(200)
    assert len(w.requests) == 1
    held = World()
    held.tick()
    held.run([held.event(1), held.event(2)])
    held.run([held.receipt([1, 2], "HELD")])
    held.tick(100_000)
    assert held.requests == []


def test_a_receipt_may_be_read_before_its_event() -> None:
    w = World()
    w.tick()
    w.run([w.receipt([1, 2])])
    w.run([w.event(1), w.event(2), w.event(3)])
    w.tick(61)
    assert [p.hub_seq for r in w.requests for p in r.pointers] == [3]


def test_a_repeated_chunk_after_a_crash_changes_nothing() -> None:
    w = World()
    w.tick()
    events = [w.event(1), w.event(2)]
    w.run(events)
    w.run([w.receipt([1, 2])])
    w.run(events)
    w.tick(1_000)
    assert w.requests == []


def test_a_new_owner_first_reads_the_receipts_that_wait() -> None:
    w = World()
    w.run([w.event(1)])
    w.now += 10_000
    w.fresh()  # the role was down for hours; receipts stand unread
    w.tick()
    assert w.requests == []
    w.run([w.receipt([1])])
    w.tick(100)
    assert w.requests == []


def test_paused_subscribers_are_not_reproached() -> None:
    w = World()
    w.subscribers = {"national": w.subscribers["national"].model_copy(update={"paused": True})}
    w.tick()
    w.run([w.event(1)])
    w.tick(1_000)
    assert w.requests == []


def test_a_removed_subscriber_is_forgotten_and_its_open_discrepancy_closed() -> None:
    w = World("national", "provincial")
    w.tick()
    w.run([w.event(1)])
    w.run([w.receipt([1], subscriber="provincial")])
    w.tick(61)
    del w.subscribers["national"]
    w.tick(1)
    assert [(d["subscriber"], d["healed_at"] is not None) for d in w.discrepancies] == [
        ("national", False),
        ("national", True),
    ]
    assert "national" not in orjson.loads(w.state[topics.EXPECTATIONS, CODE.encode()].value)


def test_what_was_accepted_before_a_subscriber_came_is_its_backfill_s_business() -> None:
    w = World()
    late = datetime(2024, 1, 1, tzinfo=UTC)  # events of the test were accepted in November 2023
    w.subscribers = {"national": w.subscribers["national"].model_copy(update={"created_at": late})}
    w.tick()
    w.run([w.event(1)])
    w.tick(1_000)
    assert (w.requests, w.state) == ([], {})


def test_a_record_that_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on() -> None:
    w = World()
    w.tick()
    good = w.event(1)
    w.run([Record(topics.EVENTS, 0, 9, 0, b"x", b"\x00\x00\x00\x00\x03broken", good.headers), good])
    assert w.dead_letters == 1
    w.tick(61)
    assert len(w.requests) == 1


def test_a_receipt_with_an_outcome_that_is_none_settles_nothing() -> None:
    """An outcome of -1 is the last word of the list to a reader that trusts it."""
    w = World()
    w.tick()
    w.run([w.event(1)])
    good = w.receipt([1], subscriber="national")
    assert good.value is not None
    at = good.value.index(CODE.encode()) + len(CODE)
    w.run([good._replace(value=good.value[:at] + b"\x01" + good.value[at + 1 :])])
    assert w.dead_letters == 1
    w.tick(61)
    assert len(w.requests) == 1


def test_the_version_of_a_stored_expectation_is_the_highest_seq_judged() -> None:
    w = World()
    w.run([w.event(1), w.event(2)])
    assert version(w.state[topics.EXPECTATIONS, CODE.encode()]) == 2


class Portal:
    """Gets events, may lose the receipt or the event; gives what it shows to the watch in any order."""

    def __init__(self) -> None:
        self.has: set[int] = set()


@settings(max_examples=60)
@given(data=st.data(), events=st.integers(1, 12))
def test_rounds_of_healing_end_with_nothing_missing(data: st.DataObject, events: int) -> None:
    """Whatever the first deliveries dropped, doubled or reordered: with the portal up, repeated rounds reach zero."""
    w, portal = World(), Portal()
    w.tick()
    feed: list[Record] = [w.event(seq) for seq in range(1, events + 1)]
    receipts: list[Record] = []
    for seq in range(1, events + 1):
        for _ in range(data.draw(st.integers(0, 2), label="times delivered")):
            portal.has.add(seq)
            if data.draw(st.booleans(), label="receipt kept"):
                receipts.append(w.receipt([seq]))
    receipts = data.draw(st.permutations(receipts))
    while feed or receipts:
        source = feed if feed and (not receipts or data.draw(st.booleans(), label="events first")) else receipts
        count = data.draw(st.integers(1, len(source)), label="chunk")
        w.run(source[:count])
        del source[:count]
        if data.draw(st.booleans(), label="restart"):
            w.fresh()
    served = 0
    for _ in range(20):
        w.tick(4_000)
        for request in w.requests[served:]:
            portal.has.update(p.hub_seq for p in request.pointers)
            w.run([w.receipt([p.hub_seq for p in request.pointers])])
        served = len(w.requests)
    assert portal.has == set(range(1, events + 1))
    still_open = {d["subscriber"] for d in w.discrepancies if d["healed_at"] is None} - {
        d["subscriber"] for d in w.discrepancies if d["healed_at"] is not None
    }
    assert still_open == set()
    before = len(w.requests)
    w.tick(100_000)
    assert len(w.requests) == before
