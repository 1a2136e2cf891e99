"""Lanes against a model: arrivals, workers, retries, holds and losses interleaved keep each dossier's order."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.avro.records import Dossier
from hub.delivery.entries import Entry, Mode
from hub.delivery.lanes import Lane, Lanes, Place
from hub.delivery.parking import record, restored

KEYS = [f"H11.12-261124-000{n}" for n in range(4)]
PARTITION = {key: n % 2 for n, key in enumerate(KEYS)}
FOLD = 3


def entry(key, seq, mode=Mode.NEW, family="dossier"):
    return Entry(key, f"{key}#{seq}", seq, family, "hub.events", PARTITION.get(key, 0), seq, 0, mode=mode)


class LanesMachine(RuleBasedStateMachine):
    """The model: what arrived per key, what is over per key, which lanes are busy, parked, held and until when."""

    def __init__(self):
        super().__init__()
        self.lanes = Lanes()
        self.arrived = defaultdict(list)
        self.over = defaultdict(list)
        self.busy = {}
        self.parked = {}
        self.held = {}
        self.closed = set()
        self.now = 0.0

    @rule(key=st.sampled_from(KEYS))
    def arrive(self, key):
        seq = len(self.arrived[key]) + 1
        self.arrived[key].append(seq)
        self.lanes.append(entry(key, seq))

    @rule()
    def take(self):
        lane = self.lanes.take()
        if lane is None:
            ready = [
                key
                for key in KEYS
                if len(self.over[key]) < len(self.arrived[key])
                and key not in {*self.busy, *self.parked, *self.held}
                and PARTITION[key] not in self.closed
            ]
            assert ready == [], "a lane that could be worked was not given out"
            return
        assert lane.key not in self.busy, "two workers on one dossier"
        assert lane.key not in self.held, "a held dossier was given out"
        assert self.parked.get(lane.key) is None, "a parked dossier was given out before its time"
        assert PARTITION[lane.key] not in self.closed
        self.busy[lane.key] = (lane, lane.head(FOLD))

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def delivered(self, data):
        key = data.draw(st.sampled_from(sorted(self.busy)))
        lane, entries = self.busy.pop(key)
        done = [e.hub_seq for e in entries]
        begin = len(self.over[key])
        assert done == self.arrived[key][begin : begin + len(done)], "not the next events in order"
        self.over[key] += done
        self.lanes.advance(lane, len(done))

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), wait=st.floats(0.1, 10))
    def fails(self, data, wait):
        key = data.draw(st.sampled_from(sorted(self.busy)))
        lane, _ = self.busy.pop(key)
        lane.not_before = self.now + wait
        self.parked[key] = lane.not_before
        self.lanes.park(lane)

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def refused(self, data):
        key = data.draw(st.sampled_from(sorted(self.busy)))
        lane, _ = self.busy.pop(key)
        self.held[key] = lane
        self.lanes.hold(lane)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), skip=st.booleans())
    def operator(self, data, skip):
        key = data.draw(st.sampled_from(sorted(self.held)))
        lane = self.held.pop(key)
        self.lanes.seize(lane)
        if skip:
            self.over[key].append(lane.queue[0].hub_seq)
            self.lanes.advance(lane, 1)
        else:
            self.lanes.release(lane)

    @rule(seconds=st.floats(0.1, 5))
    def time_goes(self, seconds):
        self.now += seconds
        self.lanes.wake(self.now)
        self.parked = {key: due for key, due in self.parked.items() if due > self.now}

    @rule()
    def portal_is_back(self):
        self.lanes.hasten(self.now)
        self.lanes.wake(self.now)
        self.parked = {}

    @rule(partition=st.sampled_from([0, 1]))
    def close_or_open(self, partition):
        if partition in self.closed:
            self.closed.discard(partition)
            self.lanes.open(partition)
        else:
            self.closed.add(partition)
            self.lanes.close(partition)

    @rule(partition=st.sampled_from([0, 1]))
    def taken_away_and_given_back(self, partition):
        """What was not over is read again; late outcomes of the old owner's lanes must not touch the new ones."""
        late = [self.busy.pop(key) for key in list(self.busy) if PARTITION[key] == partition]
        for places in (self.parked, self.held):
            for key in [key for key in places if PARTITION[key] == partition]:
                del places[key]
        self.lanes.forget(partition)
        self.closed.discard(partition)
        for key in KEYS:
            if PARTITION[key] == partition:
                for seq in self.arrived[key][len(self.over[key]) :]:
                    self.lanes.append(entry(key, seq))
        for number, (lane, entries) in enumerate(late):
            if number % 2:
                self.lanes.advance(lane, len(entries))
            else:
                lane.not_before = self.now
                self.lanes.park(lane)

    @invariant()
    def nothing_is_lost(self):
        for key in KEYS:
            lane = self.lanes.get(key)
            waiting = [e.hub_seq for e in lane.queue] if lane else []
            assert self.over[key] + waiting == self.arrived[key]

    @invariant()
    def places_are_as_counted(self):
        assert self.lanes.count(Place.BUSY) == len(self.busy)
        assert self.lanes.count(Place.HELD) == len(self.held)
        assert self.lanes.count(Place.PARKED) == len(self.parked)


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=150, stateful_step_count=60)


def test_a_replay_goes_alone_and_older_events_are_not_folded_with_newer_ones():
    lanes = Lanes()
    for seq, mode in ((1, Mode.NEW), (2, Mode.NEW), (2, Mode.RESEND), (3, Mode.REPLAY), (4, Mode.NEW)):
        lane = lanes.append(entry("k", seq, mode))
    sizes = []
    while lane.queue:
        head = lane.head(10)
        sizes.append([(e.hub_seq, e.mode.value) for e in head])
        lanes.advance(lane, len(head))
    assert sizes == [[(1, "new"), (2, "new")], [(2, "resend")], [(3, "replay")], [(4, "new")]]


def test_after_a_refused_fold_the_events_go_one_by_one_and_then_together_again():
    lanes = Lanes()
    for seq in range(1, 6):
        lane = lanes.append(entry("k", seq))
    lane.alone, lane.newest = 2, Dossier(dossier_code="k", hub_seq=5, status="RETURNED", status_at=0)
    taken = []
    while lane.queue:
        head = lane.head(10)
        taken.append((len(head), lane.newest is not None))
        lanes.advance(lane, len(head))
    assert taken == [(1, True), (1, True), (3, False)]


def next_lane(lanes: Lanes) -> Lane:
    """The next lane; there is one."""
    lane = lanes.take()
    assert lane is not None
    return lane


def test_hasten_spares_those_whose_time_the_portal_named():
    lanes = Lanes()
    for key, patient in (("a", False), ("b", True)):
        lanes.append(entry(key, 1))
        lane = next_lane(lanes)
        lane.not_before, lane.patient = 100.0, patient
        lanes.park(lane)
    lanes.hasten(1.0)
    lanes.wake(1.0)
    assert next_lane(lanes).key == "a"
    assert lanes.take() is None
    lanes.wake(100.0)
    assert next_lane(lanes).key == "b"


def test_an_old_time_does_not_wake_a_lane_that_was_parked_anew():
    lanes = Lanes()
    lanes.append(entry("a", 1))
    lane = next_lane(lanes)
    lane.not_before = 100.0
    lanes.park(lane)
    lanes.hasten(1.0)
    lanes.wake(1.0)
    assert lanes.take() is lane
    lane.not_before = 200.0
    lanes.park(lane)
    lanes.wake(100.0)
    assert lanes.take() is None
    lanes.wake(200.0)
    assert lanes.take() is lane


def test_a_parking_record_brings_the_lane_back():
    lanes = Lanes()
    lanes.append(entry("k", 4))
    lane = lanes.append(entry("k", 5, Mode.RESEND))
    lane.attempt, lane.not_before, lane.error, lane.patient = 3, 1_795_000_000.5, "timeout", True
    topic, key, value, _ = record("national", lane, list(lane.queue), Place.PARKED)
    assert (topic, key) == ("hub.parking.national", b"k")
    assert value is not None
    again = restored("k", 7, value)
    assert (again.place, again.attempt, again.not_before, again.error, again.patient, again.stored) == (
        Place.PARKED, 3, 1_795_000_000.5, "timeout", True, True,
    )  # fmt: skip
    assert [(e.event_id, e.hub_seq, e.offset, e.mode, e.partition, e.record) for e in again.queue] == [
        ("k#4", 4, 4, Mode.NEW, 7, None), ("k#5", 5, 5, Mode.RESEND, 7, None),
    ]  # fmt: skip
    assert record("national", lane, [], Place.PARKED)[2] is None
    assert restored("k", 7, record("national", lane, list(lane.queue), Place.HELD)[2] or b"").place is Place.HELD
