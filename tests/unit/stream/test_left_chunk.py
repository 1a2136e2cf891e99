"""A chunk that is left undone, and what Faust's iterator does with one that is handed out (docs/engine.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.events import Event
from faust.types.tuples import TP

from hub.stream.chunk_runner import Job
from hub.stream.offset_ledger import Ledger
from tests.support.chunk_runner import Bench as Runner
from tests.support.chunk_runner import chunk
from tests.support.faust_transport import A, B, Bench, Broker


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    bench.consumer._thread.thread_loop.close()


def leave(bench: Bench, number: int) -> None:
    item = bench.delivered[number].item
    assert item
    bench.consumer.leave(item)


@pytest.mark.parametrize("lost", ["lease", "state"])
async def test_after_a_chunk_that_was_left_none_of_its_epoch_is_worked(tmp_path: Path, lost: str):
    """docs/engine.md#a-chunk-that-was-left.

    The coordinator forgot us in a freeze, or the partitions are being taken away and come back: the next
    chunk would be numbered on a state without this one."""
    bench, ledger = Runner(tmp_path), Ledger[int]()
    bench.lease = lost != "lease"
    own, asked = bench.runner._state.own, [lost == "state", False]

    async def not_yet(partition: int) -> Any:
        return None if asked.pop(0) else await own(partition)

    bench.runner._state.own = not_yet  # type: ignore[method-assign]
    for first in (0, 5):
        item = ledger.hand_out(0, first, first + 5)
        assert item is not None
        live, leave = partial(ledger.live, item), partial(ledger.seek, 0)
        await bench.runner.dispatch(Job(0, chunk(first, 5), live, partial(ledger.finish, item), leave))
    await bench.runner.drained(5)
    assert bench.steps == ([[0, 1, 2, 3, 4]] if lost == "lease" else [])
    assert ledger.to_commit() == {}


async def test_leaving_a_chunk_ends_its_epoch_and_all_is_fetched_again(bench: Bench):
    """The commit is where it goes on, for every chunk that was handed out after the one left."""
    bench.broker.committed = {A: 4, B: 0}
    bench.broker.position[A] = 4
    await bench.turn()
    of_a, of_b = ([n for n, m in enumerate(bench.delivered) if m.tp == tp] for tp in (A, B))
    leave(bench, of_a[0])
    assert [bench.ledger.live(bench.delivered[n].item) for n in of_a] == [False] * len(of_a)  # type: ignore[arg-type]
    assert [bench.ledger.live(bench.delivered[n].item) for n in of_b] == [True] * len(of_b)  # type: ignore[arg-type]
    assert sorted(await bench.turn()) == [(A, 4, 7), (A, 8, 11), (A, 12, 13), (B, 0, 3), (B, 4, 7), (B, 8, 9)]


async def test_leaving_a_chunk_of_an_ended_epoch_disturbs_nothing(bench: Bench):
    """A rebalance came first: what was handed out since is being worked."""
    await bench.turn()
    await bench.consumer.perform_seek()
    again = await bench.turn()
    leave(bench, 0)
    assert again
    assert [bench.ledger.live(m.item) for m in bench.delivered[-len(again) :]] == [True] * len(again)  # type: ignore[arg-type]
    assert sorted(await bench.turn())[0] == (A, 10, 13)


async def test_nothing_is_fetched_before_a_seek_that_failed_has_succeeded(bench: Bench, monkeypatch: Any):
    """The position is behind the chunk that was left; fetching from there would pass it for good."""

    async def away(*tps: TP) -> dict[TP, int]:
        raise KafkaConnectionError("coordinator away")

    await bench.turn()
    leave(bench, 0)
    monkeypatch.setattr(bench.consumer, "earliest_offsets", away)
    asked = len(bench.broker.asked)
    assert [await bench.turn() for _ in range(3)] == [[], [], []]
    assert len(bench.broker.asked) == asked
    monkeypatch.setattr(bench.consumer, "earliest_offsets", Broker.earliest_offsets.__get__(bench.broker))
    assert sorted(await bench.turn())[0] == (A, 0, 3)


async def test_fausts_iterator_acknowledges_nothing(bench: Bench):
    """The one in C does it by itself, past `Consumer.ack`; its books would grow without end."""
    jobs: list[Job] = []

    async def dispatch(job: Job) -> None:
        jobs.append(job)

    object.__setattr__(bench.app.link, "dispatch", dispatch)
    bench.app.consumer = bench.consumer
    bench.app.topics._acking_topics.add("src")  # type: ignore[attr-defined]  # Faust's own, not in its types
    bench.app.flow_control.resume()
    await bench.turn()
    (agent,) = bench.app.agents.values()
    channel = bench.app.channel()
    stream = bench.app.stream(channel)
    working = asyncio.create_task(agent.fun(stream))
    try:
        for message in bench.delivered:
            await channel.put(Event(bench.app, None, None, {}, message))
        async with asyncio.timeout(60):
            while len(jobs) < len(bench.delivered):
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)  # the iterator has gone on behind the last one
    finally:
        working.cancel()
        await asyncio.wait([working])
        await stream.stop()
    assert [job.records for job in jobs] == [message.records for message in bench.delivered]
    assert not bench.consumer._acked
    assert not any(message.acked for message in bench.delivered)
