"""The owner of a partition against a model: in whatever order things happen, no event is lost, overtaken or repeated.

Only Kafka and the portal are stand-ins (tests/support/delivery_model.py); attempts, outcomes, orders, parking, takeover
and commits are the role's own. A restart knows nothing but what was written.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from hub.connect.portal import Answer, Strategy
from hub.control.requests import Pointer
from hub.errors import Rejected, Retryable
from hub.kafka.topics import EVENTS, REQUESTS
from tests.support.delivery_model import LATER, Call, Connection, Logs, Process, event

KEYS = [f"H11.12-261124-000{n}" for n in range(3)]
ENDS = ("good", "lost answer", "timeout", "busy", "refused", "wrong key")
ACTS = (
    *("arrives", "read", "confirm", "order") * 2, *("hand_out", "answer") * 4,
    "commit", "portal_is_back", "read_orders", "crash", "rebalance",
)  # fmt: skip
"""What happens most has most places."""


class PartitionMachine(RuleBasedStateMachine):
    """The model: what arrived per dossier, what the portal took, what an operator asked for."""

    strategy = Strategy.EVENT_LOG

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.logs = Logs()
        self.arrived: dict[str, list[Pointer]] = defaultdict(list)
        self.took: dict[str, set[int]] = defaultdict(set)
        self.stands: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.ordered: set[str] = set()
        self.refused: set[str] = set()
        self.wrong: list[str] = []
        self.sound = False

    # --- what happens ---

    @initialize(counts=st.lists(st.integers(0, 3), min_size=len(KEYS), max_size=len(KEYS)))
    def first_life(self, counts: list[int]) -> None:
        self._begin()
        for key, count in zip(KEYS, counts, strict=True):
            self._arrive(key, count)
        self.process.read(EVENTS, 1_000)
        self.sound = True

    @rule(chance=st.randoms(use_true_random=True), count=st.integers(1, 12))
    def things_happen(self, chance: Random, count: int) -> None:
        """In any order. One rule for all: Hypothesis leaves some rules out of each run and draws what is simple, and
        here they matter together, in long runs."""
        for _ in range(count):
            act = chance.choice(ACTS)
            note(act)
            self.sound = False
            getattr(self, f"_{act}")(chance)
            self._check()
            self.sound = True

    def _arrives(self, chance: Random) -> None:
        self._arrive(chance.choice(KEYS), chance.randint(1, 3))

    def _read(self, chance: Random) -> None:
        self.process.read(EVENTS, chance.choice([1, 2, 3, 1_000]))

    def _hand_out(self, chance: Random) -> None:
        """To some workers; if the time has gone on, also what was parked."""
        now = chance.choice([None, LATER])
        for _ in range(chance.randint(1, 3)):
            self._run(self.process.hand_out(now))

    def _answer(self, chance: Random) -> None:
        """A call ends; of a fold a part may have been answered before the rest failed."""
        if not self._calls():
            self._hand_out(chance)
        if calls := self._calls():
            connection = chance.choice(calls)
            self._end(connection, chance.choice(ENDS), chance.randint(0, 3))

    def _confirm(self, chance: Random) -> None:
        self.process.confirm(chance.choice([1, 2, 1_000]))

    def _commit(self, chance: Random) -> None:
        self.process.commit()

    def _portal_is_back(self, chance: Random) -> None:
        self.process.context.portal_is_back()

    def _order(self, chance: Random) -> None:
        """About what is held, if anything is, or about anything at all."""
        told = {
            key: one["pointers"][0]["event_id"] for key, one in self.logs.parked().items() if one["place"] == "held"
        }
        keys = sorted(told if told and chance.random() < 0.5 else (key for key in self.arrived if self.arrived[key]))
        if not keys:
            return
        key = chance.choice(keys)
        about = [one for one in self.arrived[key] if one.event_id == told.get(key, one.event_id)]
        pointer = chance.choice(about)
        action = chance.choice(["skip", "replay", "resend"])
        if action != "skip":
            self.ordered.add(pointer.event_id)
        note(f"  {action} {key[-1]} [{pointer.hub_seq}]")
        self.process.order(action, key, [pointer])
        if chance.random() < 0.5:
            self.process.read(REQUESTS, 10)

    def _read_orders(self, chance: Random) -> None:
        self.process.read(REQUESTS, 10)

    def _crash(self, chance: Random) -> None:
        """After any write of a batch; the calls under way may have reached the portal."""
        waiting = sum(len(one.first) + len(one.then) for one in self.process.box)
        self._lose_answers(chance)
        self._run(self.process.crash(chance.randint(0, waiting)))
        self._begin()

    def _rebalance(self, chance: Random) -> None:
        """Taken away and given back to the same process."""
        self._lose_answers(chance)
        self._run(self.process.lose_partition(chance.randint(0, 3)))
        self._run(self.process.take_over())

    # --- what must hold ---

    def _started(self, call: Call) -> None:
        """A call begins. What is wrong with it is kept: from here it would count as a fault of the connector."""
        if self.in_flight.get(call.key) is not None:
            self.wrong.append(f"{call.seqs}: two calls for one dossier")
        self.in_flight[call.key] = call
        given_up = self.logs.receipted("SKIPPED") | (self.logs.dead() if self._goes_on() else set())
        for pointer in self.arrived[call.key][: min(call.seqs) - 1]:
            if pointer.hub_seq not in self.took[call.key] and pointer.event_id not in given_up:
                self.wrong.append(f"{call.seqs} overtakes {pointer.hub_seq}")
        again = set(call.ids) & self.logs.receipted("DELIVERED")
        if not self._goes_on():
            again = (again | set(call.ids) & self.refused) - self.ordered
        if again:
            self.wrong.append(f"{call.seqs} again, after the receipt was confirmed or the portal had refused it")

    def _check(self) -> None:
        assert not self.wrong, self.wrong
        self._nothing_is_committed_that_is_not_safe()
        self._what_is_read_is_somewhere()

    def _nothing_is_committed_that_is_not_safe(self) -> None:
        """Receipted, given up, or named by the parking record of its dossier."""
        over = self.logs.receipted("DELIVERED", "SKIPPED")
        if self.strategy is Strategy.STATE:
            over |= self.logs.dead()
        named = {one["event_id"] for told in self.logs.parked().values() for one in told["pointers"]}
        committed = self.logs.committed.get(EVENTS, (0, ""))[0]
        for pointers in self.arrived.values():
            for pointer in pointers:
                assert pointer.offset >= committed or pointer.event_id in over | named, "committed, and lost by a crash"

    def _what_is_read_is_somewhere(self) -> None:
        """Each event that was read is over, or waits in its dossier's delivery."""
        owner = self.process.owner
        over = self.logs.receipted("DELIVERED", "SKIPPED") | (self.logs.dead() if self._goes_on() else set())
        read = owner.offsets.position(EVENTS)
        for key, pointers in self.arrived.items():
            delivery = owner.get(key)
            waits = {entry.event_id for entry in delivery.entries} if delivery is not None else set()
            for pointer in pointers:
                assert pointer.offset >= read or pointer.event_id in over | waits, "it is nowhere"

    def teardown(self) -> None:
        """In the end everything arrives: the portal takes all, an operator skips what is held."""
        try:
            if self.sound:
                self._to_the_end()
        finally:
            self.runner.close()

    def _to_the_end(self) -> None:
        for _ in range(20 + 3 * sum(map(len, self.arrived.values()))):
            self._all_good()
            for key, told in self.logs.parked().items():
                if told["place"] == "held":
                    head = told["pointers"][0]["event_id"]
                    self.process.order("skip", key, [one for one in self.arrived[key] if one.event_id == head])
            assert not self.wrong, self.wrong
            if self._all_is_over():
                return
        raise AssertionError(f"something waits for ever: {[(d.key, d.state) for d in self.process.owner]}")

    def _all_good(self) -> None:
        self.process.read(EVENTS, 1_000)
        self.process.read(REQUESTS, 1_000)
        while self._run(self.process.hand_out(LATER)) is not None:
            pass
        for connection in self._calls():
            self._end(connection, "good", 0)
        self.process.confirm()
        self.process.commit()

    def _all_is_over(self) -> bool:
        ends = {topic: len(self.logs.logs.get(topic, ())) for topic in (EVENTS, REQUESTS)}
        committed = {topic: self.logs.committed.get(topic, (0, ""))[0] for topic in ends}
        if committed != ends or self.logs.parked() or len(self.process.owner):
            return False
        over = self.logs.receipted("DELIVERED", "SKIPPED") | self.logs.dead()
        lost = {one.event_id for pointers in self.arrived.values() for one in pointers} - over
        assert not lost, "an event is lost"
        return True

    # --- how ---

    def _goes_on(self) -> bool:
        return self.strategy is Strategy.STATE

    def _arrive(self, key: str, count: int) -> None:
        for _ in range(count):
            seq = len(self.arrived[key]) + 1
            made = event(key, seq)
            offset = self.logs.write(EVENTS, *made)
            event_id = dict(made[2])["ce_id"].decode()
            self.arrived[key].append(Pointer(offset=offset, hub_seq=seq, event_id=event_id))

    def _begin(self) -> None:
        self.in_flight: dict[str, Call] = {}
        self.process = Process(self.logs, self.strategy, self._started)
        self._run(self.process.take_over())

    def _run(self, work: Any) -> Any:
        return self.runner.run(work)

    def _turn(self) -> None:
        self._run(self.process.turn())

    def _calls(self) -> list[Connection]:
        return [one for one in self.process.flights.values() if one.call is not None and not one.call.end.done()]

    def _end(self, connection: Connection, how: str, part: int) -> None:
        call = connection.call
        assert call is not None
        del self.in_flight[call.key]
        note(f"  {call.key[-1]} {call.seqs} with state {call.state_seq} ends: {how}, answered {part}")
        if how == "refused":
            self.refused |= set(call.ids)
        if how in ("good", "lost answer"):
            self._takes(call, len(call.seqs))
        elif 0 < part < len(call.seqs):
            self._takes(call, part)
            connection.answered = part
        error = {
            "lost answer": Retryable("reset", "no answer"),
            "timeout": Retryable("timeout", "no answer"),
            "busy": Retryable("busy", "later", retry_after=500.0, status=429),
            "refused": Rejected("schema", "never", 422),
            "wrong key": Rejected("forbidden", "who are you", 401),
        }.get(how)
        self._run(_ended(call, error))
        self._turn()

    def _takes(self, call: Call, count: int) -> None:
        """The portal has the first `count`, and the dossier as the call carried it."""
        note(f"  the portal has {call.key[-1]} {call.seqs[:count]}, state {call.state_seq}")
        self.took[call.key] |= set(call.seqs[:count])
        if self._goes_on():
            # What was taken without an answer, and became a dead letter in the end, is not known to stand there.
            dead = self.logs.dead()
            known = max((seq for seq, carrier in self.stands[call.key] if carrier not in dead), default=0)
            assert call.state_seq >= known, "the portal's state went back"
            self.stands[call.key].append((call.state_seq, call.ids[-1]))

    def _lose_answers(self, chance: Random) -> None:
        """Of calls under way that will never be answered, some reached the portal as a whole or in part."""
        for connection in self._calls():
            call = connection.call
            assert call is not None
            count = chance.randint(0, len(call.seqs))
            if count:
                self._takes(call, count)
            if self._goes_on() and 0 < count < len(call.seqs) and chance.random() < 0.5:
                connection.answered = count
        self.in_flight.clear()
        self.refused.clear()  # what was not confirmed is tried again


async def _ended(call: Call, error: Exception | None) -> None:
    if error is None:
        call.end.set_result(Answer(200, "ok"))
    else:
        call.end.set_exception(error)


class StateMachine(PartitionMachine):
    strategy = Strategy.STATE


MACHINES = pytest.mark.parametrize("machine", [PartitionMachine, StateMachine], ids=["event log", "state portal"])


def _held_to(machine: type[PartitionMachine], examples: int, steps: int) -> None:
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # what chance made cannot be made smaller: the acts are told instead
    )
    run_state_machine_as_test(machine, settings=limits)


@MACHINES
def test_no_event_is_lost_overtaken_or_repeated(machine: type[PartitionMachine]) -> None:
    _held_to(machine, examples=80, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(900)
@MACHINES
def test_no_event_is_lost_overtaken_or_repeated_in_long_runs(machine: type[PartitionMachine]) -> None:
    _held_to(machine, examples=500, steps=40)
