"""A new subscriber: the state first, then the log; and what a restart in between does."""

from __future__ import annotations

import asyncio

import pytest

from hub.connect.portal import Strategy
from hub.control.changes import write
from hub.control.directory import directory
from hub.control.records import BackfillProgress, Subscriber
from hub.events.envelope import derived_id
from hub.kafka import topics
from tests.support.delivery import Site, until
from tests.support.delivery_fixture import bench  # noqa: F401
from tests.support.topics import read_all

pytestmark = pytest.mark.broker


async def progress(bench):  # noqa: F811
    async with directory(bench.settings) as copy:
        return copy.all(BackfillProgress).get(bench.name)


@pytest.mark.parametrize("strategy", list(Strategy))
async def test_state_first_then_what_follows_it(bench, strategy):  # noqa: F811
    bench.site.strategy, bench.site.max_fold = strategy, 5 if strategy is Strategy.STATE else 1
    await bench.events(*[(0, seq) for seq in range(1, 4)], (1, 1))
    await bench.states((0, 3), (1, 1))
    await bench.subscribe(backfill="state")
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [3], "the state, not its history")
        await until(lambda: bench.site.delivered(bench.code(1)) == [1], "the other")
        await bench.events((0, 4), (2, 1))
        await until(lambda: bench.site.delivered(bench.code(0)) == [3, 4], "then the log")
        await until(lambda: bench.site.delivered(bench.code(2)) == [1], "and new dossiers")
        await until(lambda: _done(bench), "backfill marked as done")
    snapshot = next(call for call in bench.site.calls if call.key == bench.code(0))
    assert snapshot.ids == (derived_id("snapshot", "dossier", bench.code(0), "3"),)
    assert await bench.receipted(0) == [1, 2, 3, 4]  # the history is receipted as covered
    async with bench.running():
        await bench.events((0, 5))
        await until(lambda: bench.site.delivered(bench.code(0)) == [3, 4, 5], "goes on after a restart")


async def _done(bench):  # noqa: F811
    found = await progress(bench)
    return found is not None and found.done


async def test_an_event_whose_state_came_too_late_is_not_lost(bench):  # noqa: F811
    """The core writes a chunk's events before its states: the noted end may lie between them."""
    await bench.events((0, 1), (0, 2))
    await bench.states((0, 1))
    await bench.subscribe(backfill="state")
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 2], "both")


async def test_interrupted_it_goes_on_and_ends(bench):  # noqa: F811
    gate = asyncio.Semaphore(30)

    async def script(items):
        await gate.acquire()

    bench.site.script = script
    count = 120
    older = len([record async for record in read_all(bench.settings.bootstrap, topics.DOSSIERS)])
    await bench.states(*[(number, 2) for number in range(count)])
    await bench.subscribe(backfill="state")
    async with bench.crashing():
        await until(lambda: len(bench.site.calls) >= 30, "a part of the state")
        await until(lambda: _committed_more(bench, older), "a commit of what is settled")
    first = len(bench.site.calls)
    bench.site.script = None
    async with bench.running():
        await until(lambda: _all_delivered(bench, count), "all of it")
        await bench.events((0, 3))
        await until(lambda: bench.site.delivered(bench.code(0))[-1] == 3, "then the log")
    assert len(bench.site.calls) - first < count + 1, "the second run did not begin at nothing"


async def _committed_more(bench, older):  # noqa: F811
    return await bench.committed(topics.DOSSIERS) > older


def _all_delivered(bench, count):  # noqa: F811
    return {call.key for call in bench.site.calls if call.ok} == {bench.code(n) for n in range(count)}


async def test_log_and_none(bench):  # noqa: F811
    await bench.events((0, 1), (0, 2))
    await bench.subscribe(backfill="none")
    async with bench.running():
        await until(lambda: bench.site.probes, "started")
        await until(lambda: progress(bench), "ends noted")
        await bench.events((0, 3))
        await until(lambda: bench.site.delivered(bench.code(0)) == [3], "only what comes")


async def test_what_retention_deleted_is_healed_by_state(bench, caplog):  # noqa: F811
    await bench.events((1, 1))
    await bench.subscribe(backfill="log")
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(1)) == [1], "it runs")
        await until(bench.committed_all, "and commits")
    await bench.events((0, 1), (0, 2))
    await bench.states((1, 1), (0, 2))
    await bench.retention_passes()
    await bench.events((0, 3))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [2, 3], "the state, then what is left of the log")
    assert "deleted by retention" in caplog.text


async def test_removed_and_added_again_begins_anew(bench):  # noqa: F811
    await bench.states((0, 1), (1, 1))
    await bench.events((0, 1), (1, 1))
    await bench.subscribe(backfill="state")
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1], "first life")
        await until(lambda: _done(bench), "backfilled")
    await write(bench.settings, (Subscriber, bench.name), (BackfillProgress, bench.name))
    await bench.events((0, 2))
    await bench.states((0, 2))
    bench.site = Site()
    await bench.subscribe(backfill="state")
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [2], "second life: the state as it is now")
        await until(lambda: bench.site.delivered(bench.code(1)) == [1], "also of what did not change")
