"""The watchdog's rounds, with the broker's answers made up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from faust.types.tuples import TP

from hub.stream.commit_watchdog import Watchdog
from hub.stream.errors import Parted
from hub.stream.offset_ledger import Ledger

HERE = TP("t", 0)


class Bench:
    def __init__(self) -> None:
        self.ledger: Ledger[TP] = Ledger()
        self.busy = False
        self.idle = True
        self.flowing = True
        self.dog = Watchdog(
            "test", self.ledger, lambda: [HERE], self.committed, lambda n: self.busy, lambda: self.idle,
            lambda tp: None, lambda: self.flowing, limit_s=10.0,
        )  # fmt: skip

    async def committed(self, _: Sequence[TP]) -> dict[TP, int | None]:
        raise AssertionError("only `run` asks the broker")

    def worked(self, first: int, end: int) -> None:
        item = self.ledger.hand_out(HERE, first, end)
        assert item
        self.ledger.finish(item)


def test_committed_follows_what_is_worked():
    bench = Bench()
    for now in range(0, 100, 2):
        bench.worked(now * 10, now * 10 + 20)
        bench.dog.look({HERE: now * 10}, float(now))  # always one chunk behind, always moving


def test_commits_that_are_refused_are_seen_although_work_goes_on():
    bench = Bench()
    with pytest.raises(Parted, match="committed 5"):
        for now in range(0, 100, 2):
            bench.worked(now * 10, now * 10 + 20)
            bench.dog.look({HERE: 5}, float(now))


def test_a_chunk_lost_on_the_way_is_seen_although_nothing_comes_after_it():
    bench = Bench()
    bench.ledger.hand_out(HERE, 0, 10)
    bench.dog.look({HERE: None}, 0.0)
    bench.dog.look({HERE: None}, 9.0)
    with pytest.raises(Parted):
        bench.dog.look({HERE: None}, 11.0)


def test_a_long_chunk_is_no_lost_chunk():
    bench = Bench()
    bench.busy = True
    bench.ledger.hand_out(HERE, 0, 10)
    bench.dog.look({HERE: None}, 0.0)
    bench.dog.look({HERE: None}, 60.0)


def test_a_chunk_that_waits_while_other_lanes_work_is_no_lost_chunk_until_they_rest():
    bench = Bench()
    bench.idle = False
    bench.ledger.hand_out(HERE, 0, 10)
    for now in range(0, 100, 2):
        bench.dog.look({HERE: None}, float(now))
    bench.idle = True
    with pytest.raises(Parted):
        bench.dog.look({HERE: None}, 100.0)


def test_a_rebalance_that_does_not_end_is_seen():
    bench = Bench()
    bench.flowing = False
    bench.dog.look_at_flow(0.0)
    bench.flowing = True
    bench.dog.look_at_flow(9.0)
    bench.flowing = False
    bench.dog.look_at_flow(12.0)
    with pytest.raises(Parted, match="rebalance"):
        bench.dog.look_at_flow(23.0)
