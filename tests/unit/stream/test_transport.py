"""The transport's part in the findings, on Faust's own objects without a broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types.tuples import TP

from tests.support.faust_transport import A, B, Bench, Broker


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    bench.consumer._thread.thread_loop.close()


async def test_a_fetch_becomes_chunks_partitions_in_turn(bench: Bench):
    assert sorted(await bench.turn()) == [(A, 0, 3), (A, 4, 7), (A, 8, 9), (B, 0, 3), (B, 4, 7), (B, 8, 9)]
    assert [m.tp for m in bench.delivered[:2]] in ([A, B], [B, A])
    assert sorted(await bench.turn())[0] == (A, 10, 13)


async def test_commits_are_the_ledgers_and_count_only_when_the_broker_has_them(bench: Bench):
    """docs/engine.md#acks-of-faust: Faust's acks, its read offsets and its own books of commits have no say."""
    bench.app.topics._acking_topics.add("src")  # type: ignore[attr-defined]  # Faust's own, not in its types
    await bench.turn()
    chunks = [m for m in bench.delivered if m.tp == A]
    for message in reversed(chunks):
        message.ack(bench.consumer)
        bench.consumer.ack(message)
    await bench.consumer._add_gap(A, 0, 9)
    assert not await bench.consumer.commit()
    assert bench.broker.commits == []
    assert chunks[0].item
    bench.ledger.finish(chunks[0].item)
    bench.broker.accepts = False
    assert not await bench.consumer.commit()
    bench.broker.accepts = True
    assert await bench.consumer.commit()
    assert bench.broker.commits == [{A: 4}, {A: 4}]
    assert not await bench.consumer.commit()


async def test_an_error_of_an_agent_commits_nothing(bench: Bench):
    await bench.turn()
    bench.finish(0)
    await bench.consumer.on_task_error(ValueError())
    assert bench.broker.commits == []


async def test_a_partition_without_a_commit_is_sought_to_its_beginning(bench: Bench):
    """docs/engine.md#a-partition-without-a-commit: aiokafka leaves it behind what was fetched and dropped."""
    bench.broker.start[A] = 3
    bench.broker.committed[B] = 6
    await bench.turn()
    await bench.consumer.perform_seek()
    assert sorted(await bench.turn())[0] == (A, 3, 6)
    assert bench.broker.position[B] == 16


@pytest.mark.parametrize("fault", ["generation", "flow", "seek"])
async def test_what_was_fetched_and_not_delivered_is_fetched_again(bench: Bench, fault: str):
    """docs/engine.md#epoch-of-a-chunk, in each way a fetch can be overtaken."""

    async def overtake() -> None:
        if fault == "generation":
            bench.app.consumer_generation_id = 2
        elif fault == "flow":
            bench.consumer.stop_flow()
        else:
            bench.ledger.seek_all()

    bench.broker.on_fetch = overtake
    assert await bench.turn() == []
    bench.broker.on_fetch = None
    bench.consumer.resume_flow()
    assert sorted(await bench.turn())[0] == (A, 0, 3)


async def test_a_fetch_dropped_while_a_seek_is_under_way_is_sought_again_too(bench: Bench):
    """Found by killing: the seek had set the position, the fetch moved it, and then the seek ended."""
    fetching, seeking = asyncio.Event(), asyncio.Event()

    async def fetch() -> None:
        bench.consumer.stop_flow()
        fetching.set()
        await seeking.wait()

    async def earliest(*tps: TP) -> dict[TP, int]:
        seeking.set()
        await asyncio.wait([turn])
        return dict.fromkeys(tps, 0)

    bench.broker.committed = {A: 2, B: 2}
    bench.broker.on_fetch = fetch
    turn = asyncio.create_task(bench.turn())
    await fetching.wait()
    bench.broker.earliest_offsets = earliest  # type: ignore[method-assign]
    bench.consumer.earliest_offsets = earliest  # type: ignore[method-assign]
    await bench.consumer.perform_seek()
    assert turn.result() == []
    bench.broker.on_fetch = None
    bench.consumer.earliest_offsets = Broker.earliest_offsets.__get__(bench.broker)  # type: ignore[method-assign]
    bench.consumer.resume_flow()
    assert sorted(await bench.turn())[0] == (A, 2, 5)


async def test_a_chunk_cut_off_between_ledger_and_queue_stops_commits(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """docs/engine.md#handed-out-before-the-queue: it is in the ledger before it can get lost."""
    delivered = bench.consumer._deliver

    async def lost(message: Any) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(bench.consumer, "_deliver", lost)
    chunks = [message async for tp, message in bench.consumer.getmany(timeout=1.0) if tp == A]
    with pytest.raises(asyncio.CancelledError):
        await bench.consumer.callback(chunks[0])
    monkeypatch.setattr(bench.consumer, "_deliver", delivered)
    await bench.consumer.callback(chunks[1])
    bench.finish(0)
    assert not await bench.consumer.commit()


async def test_the_partitions_asked_for_are_a_copy_and_never_empty(bench: Bench):
    """docs/engine.md#no-partitions-means-all, and Faust's set changes while aiokafka waits."""

    async def pause() -> None:
        bench.consumer.on_buffer_full(A)
        bench.consumer.on_buffer_full(B)

    bench.broker.on_fetch = pause
    await bench.turn()
    assert bench.broker.asked == [{A, B}]
    began = time.monotonic()
    assert await bench.turn() == []
    assert len(bench.broker.asked) == 1
    assert time.monotonic() - began < 5


async def test_a_late_pressure_callback_does_not_wake_a_revoked_partition(bench: Bench):
    """docs/engine.md#a-late-pressure-callback."""
    bench.consumer.on_buffer_full(A)
    await bench.consumer.on_partitions_revoked({A, B})
    bench.consumer.on_buffer_drop(A)
    assert bench.consumer._get_active_partitions() == set()


async def test_revoking_pauses_and_ends_all_epochs(bench: Bench):
    await bench.turn()
    item = bench.delivered[0].item
    assert item
    await bench.consumer.on_partitions_revoked({A, B})
    assert bench.told == ["pausing", "faust"]
    assert not bench.ledger.live(item)


async def test_before_giving_back_chunks_in_work_end_and_are_committed(bench: Bench):
    """docs/engine.md#giving-back-partitions; Faust calls this on revoke and at the end."""
    await bench.turn()

    async def drained() -> None:
        for number, message in enumerate(bench.delivered):
            if message.tp == A:
                bench.finish(number)

    object.__setattr__(bench.consumer.link, "drained", drained)
    await bench.consumer.wait_empty()
    assert bench.broker.commits == [{A: 10}]


async def test_sources_that_are_not_assigned_alike_end_the_engine(bench: Bench):
    object.__setattr__(bench.consumer.link.config, "sources", ("src", "other"))
    await bench.consumer.on_partitions_assigned({A, B, TP("other", 0)}, 1)
    assert "assigned [0, 1]" not in bench.told
    assert bench.app._crashed.is_set() or bench.consumer._crashed.is_set()


async def test_one_agent_one_actor_no_tables_no_web(bench: Bench):
    """docs/engine.md: #table-recovery, #handed-out-before-the-queue, #fausts-web-server."""
    (agent,) = bench.app.agents.values()
    assert agent.concurrency == 1
    assert not bench.app.tables
    assert not list(bench.app.boot_strategy.web_server())  # type: ignore[attr-defined]  # Faust's own, not in its types
    assert bench.app.conf.table_standby_replicas == 0


async def test_without_a_generation_nothing_is_committed(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """docs/engine.md#a-commit-without-a-generation: it would be taken for an administrator's."""
    commits: list[Any] = []

    async def commit(offsets: Any) -> None:
        commits.append(offsets)

    aiokafka = SimpleNamespace(_coordinator=SimpleNamespace(generation=-1), commit=commit)
    thread = bench.consumer._thread
    monkeypatch.setattr(thread, "_ensure_consumer", lambda: aiokafka)
    assert not await thread._commit({A: 5})
    assert commits == []
    aiokafka._coordinator.generation = 3
    assert await thread._commit({A: 5})
    assert len(commits) == 1


async def test_the_consumer_thread_cannot_hold_up_the_end_of_the_process(bench: Bench):
    """docs/engine.md#the-consumer-thread."""
    assert bench.consumer._thread.Worker(bench.consumer._thread).daemon
