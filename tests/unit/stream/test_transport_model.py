"""The transport as a whole under any interleaving of fetch, loss, finish, commit, seek and rebalance.

Faust's consumer with our ledger stands between a broker in memory and a worker that finishes chunks in any order. No
committed offset may ever pass a record that was not worked; and when the faults end, everything is worked.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from faust.types.tuples import TP
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.faust_transport import A, B, Bench


class TransportModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.patch = pytest.MonkeyPatch()
        self.worked: dict[TP, set[int]] = {A: set(), B: set()}
        self.bench = self.run(self.make())
        self.broker = self.bench.broker
        self.broker.end = 40

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 60))

    async def make(self) -> Bench:
        return Bench(self.patch)

    def teardown(self) -> None:
        """The faults end: from here on everything must get through."""
        self.run(self.rebalance())
        self.broker.on_fetch = None
        for _ in range(10):
            self.run(self.bench.turn())
            for message in self.bench.delivered:
                self.finish_chunk(message)
            self.run(self.commit(True))
        assert self.broker.committed == {A: 40, B: 40}
        self.nothing_unworked_is_committed()
        self.bench.consumer._thread.thread_loop.close()
        self.patch.undo()
        self.loop.close()

    async def overtake(self, how: str) -> None:
        if how == "generation":
            self.bench.app.consumer_generation_id += 1
        elif how == "flow":
            self.bench.consumer.stop_flow()
        elif how == "seek":
            await self.bench.consumer.perform_seek()

    @rule(how=st.sampled_from(["", "", "generation", "flow", "seek"]))
    def fetch(self, how: str) -> None:
        self.broker.on_fetch = (lambda: self.overtake(how)) if how else None
        self.run(self.bench.turn())
        self.broker.on_fetch = None
        self.bench.consumer.resume_flow()

    @rule(at=st.integers(0, 3))
    def fetch_and_lose_one_on_the_way(self, at: int) -> None:
        """Cut off between ledger and queue, as a rebalance does it."""
        keep, seen = self.bench.deliver, [0]

        async def deliver(message: Any) -> None:
            seen[0] += 1
            if seen[0] - 1 != at:
                await keep(message)

        self.bench.consumer._deliver = deliver
        self.run(self.bench.turn())
        self.bench.consumer._deliver = keep

    @rule(before=st.integers(0, 12), during=st.integers(0, 12))
    def rebalance_while_a_fetch_is_under_way(self, before: int, during: int) -> None:
        """The fetch returns at some point of the seek; the numbers say how many turns of the loop each one takes."""

        async def both() -> None:
            async def slow_fetch() -> None:
                for _ in range(before):
                    await asyncio.sleep(0)

            answer = self.bench.consumer.earliest_offsets

            async def slow_answer(*tps: TP) -> dict[TP, int]:
                for _ in range(during):
                    await asyncio.sleep(0)
                return await answer(*tps)

            self.broker.on_fetch = slow_fetch
            self.bench.consumer.earliest_offsets = slow_answer
            turn = asyncio.create_task(self.bench.turn())
            await asyncio.sleep(0)
            await self.rebalance()
            await turn
            self.bench.consumer.earliest_offsets = answer
            self.broker.on_fetch = None

        self.run(both())

    async def rebalance(self) -> None:
        """As Faust goes about it: stop, revoke, assign, seek, and only then let it flow."""
        consumer = self.bench.consumer
        consumer.stop_flow()
        await consumer.on_partitions_revoked({A, B})
        self.bench.app.consumer_generation_id += 1
        await consumer.on_partitions_assigned({A, B}, self.bench.app.consumer_generation_id)
        await consumer.perform_seek()
        consumer.resume_flow()

    @rule()
    def work_in_peace(self) -> None:
        """A fetch, all of it worked and committed: what was passed over before shows now."""
        self.run(self.bench.turn())
        for message in self.bench.delivered:
            self.finish_chunk(message)
        self.run(self.commit(True))

    @rule()
    def rebalance_in_peace(self) -> None:
        self.run(self.rebalance())

    @precondition(lambda self: bool(self.bench.delivered))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self.finish_chunk(data.draw(st.sampled_from(self.bench.delivered[-12:])))

    def finish_chunk(self, message: Any) -> None:
        if self.bench.ledger.live(message.item):
            self.worked[message.tp].update(record.offset for record in message.records)
            self.bench.ledger.finish(message.item)

    @rule(accepts=st.booleans())
    def commit_at_some_time(self, accepts: bool) -> None:
        self.run(self.commit(accepts))

    async def commit(self, accepts: bool) -> None:
        self.broker.accepts = accepts
        before = len(self.broker.commits)
        await self.bench.consumer.commit()
        if accepts:
            for offsets in self.broker.commits[before:]:
                self.broker.committed |= offsets

    @invariant()
    def nothing_unworked_is_committed(self) -> None:
        for tp, offset in self.broker.committed.items():
            missing = set(range(offset or 0)) - self.worked[tp]
            assert not missing, f"{tp} is committed up to {offset}, and {sorted(missing)} were never worked"


TransportModel.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestTransportModel = TransportModel.TestCase
