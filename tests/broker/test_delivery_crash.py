"""What a crash, a rebalance and a stop leave behind, and what the next process makes of it."""

from __future__ import annotations

import asyncio
import random

import pytest

from hub.delivery import loop as loop_module
from hub.delivery.portal import Strategy
from hub.errors import Retryable
from tests.broker.delivery_fixture import bench  # noqa: F401
from tests.support.delivery import until

pytestmark = pytest.mark.broker


async def test_after_a_crash_the_first_call_is_not_older_than_the_last_one(bench, monkeypatch):  # noqa: F811
    """The portal took 1 to 3, the answer was lost with the process: the next one must not begin with 1 alone."""
    bench.site.strategy, bench.site.max_fold = Strategy.STATE, 10
    taken = asyncio.Event()

    async def script(items):
        if [item.hub_seq for item in items] == [1, 2, 3]:
            taken.set()
            await asyncio.sleep(3600)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (0, 2), (0, 3))
    async with bench.crashing():
        await asyncio.wait_for(taken.wait(), 20)
        await asyncio.sleep(1.5)  # time for a commit, if there were anything to commit
    bench.site.calls.clear()
    bench.site.script = None
    monkeypatch.setattr(loop_module, "READ_MAX", 1)  # events trickle in one by one
    await bench.events((0, 4))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0))[-1:] == [4], "all")
    assert min(call.state_seq for call in bench.site.calls) >= 3


async def test_receipts_of_the_crashed_process_are_known_to_the_next(bench):  # noqa: F811
    """Delivered and receipted, but a slow dossier before it kept the offset from being committed."""
    slow = bench.code(0)

    async def script(items):
        if items[0].key == slow:
            await asyncio.sleep(3600)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), *[(number, seq) for seq in (1, 2) for number in range(1, 10)])
    async with bench.crashing():
        await until(lambda: sum(call.ok for call in bench.site.calls) == 18, "the others")
        await until(lambda: _receipts(bench, 18), "receipted")
    bench.site.script = None
    async with bench.running():
        await until(lambda: bench.site.delivered(slow) == [1], "the slow one")
        await until(lambda: _committed_all(bench, 19), "committed")
    for number in range(1, 10):
        assert bench.site.delivered(bench.code(number)) == [1, 2], "not sent a second time"


async def _receipts(bench, count):  # noqa: F811
    return len(await bench.receipts("DELIVERED")) >= count


async def _committed_all(bench, count):  # noqa: F811
    from hub.wire import topics
    from tests.support.topics import read_all

    end = {}
    async for record in read_all(bench.settings.bootstrap, topics.EVENTS):
        end[record.partition] = record.offset + 1
    return await bench.committed() >= sum(end.values())


async def test_two_processes_share_the_partitions_and_hand_them_over(bench):  # noqa: F811
    chance = random.Random(3)

    async def script(items):
        await asyncio.sleep(chance.random() * 0.02)
        if chance.random() < 0.1:
            raise Retryable("http_5xx", "no")

    bench.site.script = script
    await bench.subscribe()
    first = bench.settings
    second = first.model_copy(update={"core": first.core.model_copy(update={"instance": "1"})})
    which = [(number, seq) for seq in range(1, 9) for number in range(25)]
    await bench.events(*which[:100])
    async with bench.running():
        await until(lambda: len(bench.site.calls) >= 20, "the first works")
        bench.settings = second
        async with bench.running():  # joins: a rebalance under load
            await bench.events(*which[100:])
            await until(lambda: sum(call.ok for call in bench.site.calls) >= 150, "both work", 60)
        bench.settings = first  # the second has left; its session must end before its partitions are taken over
        await until(lambda: all(len(set(bench.site.delivered(bench.code(n)))) == 8 for n in range(25)), "all", 60)
    for number in range(25):
        assert bench.site.first_deliveries(bench.code(number)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert bench.site.overlapping == []


async def test_a_stop_in_the_middle_of_a_hang_ends_in_time_and_loses_nothing(bench):  # noqa: F811
    async def script(items):
        await asyncio.sleep(3600)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (1, 1))
    async with bench.running(drain_s=0.5):
        await until(lambda: len(bench.site._in_flight) == 2, "both hang")
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 10
    bench.site.script = None
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1], "again")
        await until(lambda: bench.site.delivered(bench.code(1)) == [1], "again")
