"""One dossier's delivery by itself: what goes in one call, when it is due again, what its parking record keeps."""

from __future__ import annotations

import pytest

from hub.avro.records import Dossier
from hub.delivery.entries import Entry, Mode, Source
from hub.delivery.parking import Wait, read, record
from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.partition.owner import PartitionDelivery, Plan, Terms
from hub.delivery.partition.partitions import Partitions
from hub.delivery.partition.states import MoveRefused, State
from hub.delivery.receipts import Receipts
from hub.delivery.settlement import Settlement
from hub.kafka.topics import EVENTS
from tests.support.codecs import fixed_codec

NEWEST = Dossier(dossier_code="k", hub_seq=5, status="RETURNED", status_at=0)


def entry(key, seq, mode=Mode.NEW, family="dossier", offset=None):
    return Entry(key, f"{key}#{seq}", seq, family, EVENTS, 0, seq if offset is None else offset, 0, mode=mode)


def opened(number=0) -> PartitionDelivery:
    owner = PartitionDelivery(number, Terms("national", "life", Receipts("national", fixed_codec())), Plan())
    assert owner.reading.begun()
    return owner


def with_events(*entries: Entry) -> tuple[PartitionDelivery, DossierDelivery]:
    """An owner that was given these by orders, so without an offset that waits for them; the first is in flight."""
    owner = opened()
    for one in entries:
        owner._append(one)
    return owner, in_flight(owner)


def in_flight(owner: PartitionDelivery) -> DossierDelivery:
    delivery = owner.take()
    assert delivery is not None
    return delivery


def confirm(settlement: Settlement) -> None:
    settlement.done()


def test_a_replay_goes_alone_and_older_events_are_not_folded_with_newer_ones() -> None:
    events = [(1, Mode.NEW), (2, Mode.NEW), (2, Mode.RESEND), (3, Mode.REPLAY), (4, Mode.NEW)]
    owner, delivery = with_events(*(entry("k", seq, mode) for seq, mode in events))
    sizes = []
    while True:
        head = delivery.head(10)
        sizes.append([(e.hub_seq, e.mode.value) for e in head])
        confirm(delivery.delivered(len(head), []))
        if delivery.state is State.OVER:
            break
        assert owner.take() is delivery
    assert sizes == [[(1, "new"), (2, "new")], [(2, "resend")], [(3, "replay")], [(4, "new")]]


def test_after_a_refused_fold_the_events_go_one_by_one_and_then_together_again() -> None:
    owner, delivery = with_events(*(entry("k", seq) for seq in range(1, 6)))
    confirm(delivery.taken_apart(2, NEWEST, [], 0))
    taken = []
    while delivery.state is not State.OVER:
        assert owner.take() is delivery
        head = delivery.head(10)
        taken.append((len(head), delivery.newest is not None))
        confirm(delivery.delivered(len(head), []))
    assert taken == [(1, True), (1, True), (3, False)]


def test_what_was_answered_before_a_fold_was_refused_is_not_taken_apart() -> None:
    owner, delivery = with_events(*(entry("k", seq) for seq in range(1, 6)))
    confirm(delivery.taken_apart(4, NEWEST, [], 2))
    taken = []
    while delivery.state is not State.OVER:
        assert owner.take() is delivery
        head = delivery.head(10)
        taken.append(([e.hub_seq for e in head], delivery.newest is not None))
        confirm(delivery.delivered(len(head), []))
    assert taken == [([3], True), ([4], True), ([5], False)]
    assert owner.known.seq("k") == 5


def test_hasten_spares_those_whose_time_the_portal_named() -> None:
    owner, first = with_events(entry("a", 1), entry("b", 2))
    second = in_flight(owner)
    confirm(first.retry(Wait(1, 100.0, False, "timeout"), 0.0, 1, [], 0))
    confirm(second.retry(Wait(1, 100.0, True, "busy"), 0.0, 1, [], 0))
    owner.hasten(1.0)
    owner.wake(1.0)
    assert (owner.take(), owner.take()) == (first, None)
    owner.wake(100.0)
    assert owner.take() is second


def test_an_old_time_does_not_wake_one_that_was_parked_anew() -> None:
    owner, delivery = with_events(entry("a", 1))
    confirm(delivery.retry(Wait(1, 100.0), 0.0, 1, [], 0))
    owner.hasten(1.0)
    owner.wake(1.0)
    assert owner.take() is delivery
    confirm(delivery.retry(Wait(2, 200.0), 0.0, 1, [], 0))
    owner.wake(100.0)
    assert owner.take() is None
    owner.wake(200.0)
    assert owner.take() is delivery


def test_a_parking_record_brings_the_delivery_back() -> None:
    wait = Wait(3, 1_795_000_000.5, True, "timeout")
    given = [entry("k", 4), entry("k", 5, Mode.RESEND)]
    topic, key, value, _ = record("national", "k", wait, given, "parked")
    assert (topic, key) == ("hub.parking.national", b"k")
    assert value is not None
    owner = opened(7)
    owner.restore({"k": value})
    (again,) = owner
    assert (again.state, again.wait, again.partition) == (State.PARKED, wait, 7)
    assert [(e.event_id, e.hub_seq, e.offset, e.mode, e.partition, e.record) for e in again.entries] == [
        ("k#4", 4, 4, Mode.NEW, 7, None), ("k#5", 5, 5, Mode.RESEND, 7, None),
    ]  # fmt: skip
    assert record("national", "k", wait, [], "parked")[2] is None
    assert read(record("national", "k", wait, given, "held")[2] or b"").place == "held"


def test_what_is_read_again_and_has_its_receipt_is_not_put_behind_what_waits() -> None:
    """Its receipt would be out of sight when the commit has gone on, and the event would be sent again."""
    owner = PartitionDelivery(0, Terms("national", "life", Receipts("national", fixed_codec())), Plan(start=1))
    value = record("national", "k", Wait(1, 5.0), [entry("k", 3)], "parked")[2]
    owner.restore({"k": value or b""})
    owner.known.add("k", [1, 2], ["k#1", "k#2"])
    for seq in (1, 2, 3, 4):
        owner.event(entry("k", seq))
    (delivery,) = owner
    assert [one.hub_seq for one in delivery.entries] == [3, 4]
    assert owner.to_commit() == {EVENTS: (4, "life|0")}


def test_a_late_outcome_of_a_partition_that_was_taken_away_changes_nothing() -> None:
    owner, delivery = with_events(entry("k", 1))
    finished: list[int] = []
    delivery.entries[0].hang([Source(lambda: finished.append(1))])
    settlement = delivery.delivered(1, [])
    owner.revoke()
    confirm(settlement)
    assert (delivery.state, finished, len(owner), owner.known.seq("k")) == (State.REVOKED, [], 0, 0)


def test_an_attempt_that_ends_after_the_partition_was_taken_away_leaves_its_receipt_and_no_parking_record() -> None:
    owner, delivery = with_events(entry("k", 1))
    owner.revoke()
    receipt = ("hub.deliveries", b"k", b"", ())
    settlement = delivery.retry(Wait(1, 5.0), 0.0, 1, [receipt], 0)
    assert (settlement.first, settlement.then) == ([receipt], [])


def test_nothing_of_a_partition_is_handed_out_before_its_time_nor_after() -> None:
    owner = PartitionDelivery(0, Terms("national", "life", Receipts("national", fixed_codec())), Plan(start=1))
    owner.reading.catch_up(3)
    assert not owner.reading.begun()
    owner.event(entry("k", 1))
    assert (owner.take(), owner.reading.caught_up()) == (None, False)
    owner.event(entry("k", 2))
    assert owner.reading.caught_up()
    assert in_flight(owner).key == "k"
    owner.reading.close()
    owner.event(entry("l", 3))
    assert (owner.take(), owner.reading.caught_up(), owner.reading.begun()) == (None, False, False)


def test_partitions_take_turns() -> None:
    """Else the backlog of one would stand before the single event of another."""
    partitions = Partitions()
    for number in range(3):
        owner = opened(number)
        for seq in range(1, 3):
            owner._append(entry(f"{number}-{seq}", seq))
        partitions.add(owner)
    keys = [one.key for _ in range(6) if (one := partitions.take(0.0)) is not None]
    assert keys == ["0-1", "1-1", "2-1", "0-2", "1-2", "2-2"]
    assert partitions.take(0.0) is None


def test_two_outcomes_of_one_attempt_are_refused() -> None:
    _, delivery = with_events(entry("k", 1))
    delivery.delivered(1, [])
    with pytest.raises(MoveRefused, match="that is delivered cannot schedule"):
        delivery.retry(Wait(1, 5.0), 0.0, 1, [], 0)
    assert delivery.state is State.DELIVERED
