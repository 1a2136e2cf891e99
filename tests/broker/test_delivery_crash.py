"""What a crash, a rebalance and a stop leave behind, and what the next process makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from itertools import count

import pytest

from hub.connect.portal import Strategy
from hub.delivery import main_loop as loop_module
from hub.delivery.outbox import Outbox
from hub.errors import Rejected, Retryable
from hub.kafka import topics
from tests.support.delivery import until
from tests.support.delivery_fixture import bench  # noqa: F401
from tests.support.events import delivery

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
        await asyncio.wait_for(taken.wait(), 60)
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
        await until(bench.committed_all, "committed")
    for number in range(1, 10):
        assert bench.site.delivered(bench.code(number)) == [1, 2], "not sent a second time"


async def _receipts(bench, count):  # noqa: F811
    return len(await bench.receipts("DELIVERED")) >= count


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


async def test_a_stop_in_the_middle_of_a_hang_parks_what_hangs(bench):  # noqa: F811
    """In time, confirmed and committed: the next process sends again what was cut off, and nothing else."""

    async def script(items):
        if items[0].key in (bench.code(0), bench.code(1)):
            await asyncio.sleep(3600)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (1, 1), (0, 2), (2, 1), (3, 1), (2, 2))
    async with bench.running(drain_s=0.5):
        await until(lambda: sum(bench.site._in_flight.values()) == 2, "both hang")
        await until(lambda: _receipts(bench, 3), "the others are there")
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 30
    parked = {key: json.loads(value) for key, value in (await bench.parked()).items()}
    seqs = {key: [pointer["hub_seq"] for pointer in told["pointers"]] for key, told in parked.items()}
    assert seqs == {bench.code(0): [1, 2], bench.code(1): [1]}
    assert {told["error"] for told in parked.values()} == {"cut_off"}
    assert await bench.committed_all()
    told = [r for r in await bench.receipts("RETRY_SCHEDULED") if r["error_kind"] == "cut_off"]
    assert sorted((r["key"], r["hub_seqs"]) for r in told) == [(bench.code(0), [1]), (bench.code(1), [1])]

    bench.site.script = None
    bench.site.calls.clear()
    await bench.events((0, 3))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 2, 3], "the parked one, in order")
        await until(lambda: bench.site.delivered(bench.code(1)) == [1], "the other")
        await until(lambda: _nothing_parked(bench), "nothing waits any more")
    assert len(bench.site.calls) == 4, "what had arrived was not sent again"


async def test_a_stop_does_not_use_up_the_last_try(bench):  # noqa: F811
    async def script(items):
        await asyncio.sleep(3600)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1))
    for _ in range(3):
        async with bench.running(drain_s=0.1, max_attempts=2):
            await until(lambda: sum(bench.site._in_flight.values()) == 1, "it hangs")
    assert await bench.dead_letters() == []
    bench.site.script = None
    async with bench.running(max_attempts=2):
        await until(lambda: bench.site.delivered(bench.code(0)) == [1], "delivered")


async def test_a_receipt_without_its_parking_tombstone_is_not_sent_again(bench):  # noqa: F811
    """Receipts are confirmed before parking records: a crash in between leaves both."""

    async def script(items):
        raise Retryable("busy", "later", retry_after=60)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (0, 2))
    async with bench.running(retry_cap_s=60):
        await until(bench.parked, "parked")
    key = bench.code(0)
    receipt = delivery(bench.codec, key, bench.name, [1])
    await bench.send([(topics.DELIVERIES, key.encode(), receipt, ())])
    (value,) = (await bench.parked()).values()
    now = json.loads(value) | {"not_before": 0}
    await bench.send([(topics.parking(bench.name), key.encode(), json.dumps(now).encode(), ())])
    bench.site.script = None
    async with bench.running():
        await until(lambda: bench.site.delivered(key) == [2], "only what has no receipt")
        await until(lambda: _nothing_parked(bench), "the tombstone")


async def _nothing_parked(bench):  # noqa: F811
    return not await bench.parked()


class Crash(Exception):
    pass


@pytest.mark.parametrize("written", [False, True], ids=["before the write", "after the write"])
async def test_a_crash_at_any_write_loses_nothing_and_keeps_the_order(bench, monkeypatch, written):  # noqa: F811
    """The role dies at its first, second, third … write to Kafka; retries, refusals and receipts are all among them."""
    tried = set()

    async def script(items):
        (item,) = items
        if item.hub_seq % 2 and item.envelope.id not in tried:
            tried.add(item.envelope.id)
            raise Retryable("http_5xx", "once")
        if item.key == bench.code(3) and item.hub_seq == 2:
            raise Rejected("schema", "never")

    bench.site.script = script
    await bench.subscribe()
    await bench.events(*[(number, seq) for seq in range(1, 5) for number in range(4)])
    plain = Outbox._send
    monkeypatch.setattr(loop_module, "COMMIT_S", 0.0)
    crashed = []
    for at in range(1, 8):
        writes = count(1)

        async def send(self, records, writes=writes, at=at):
            crash = bool(records) and next(writes) == at
            if crash:
                crashed.append(at)
            if crash and not written:
                await asyncio.sleep(0.4)  # a commit that should not be made now would be made
                raise Crash
            ends = await plain(self, records)
            if crash:
                raise Crash
            return ends

        monkeypatch.setattr(Outbox, "_send", send)
        with contextlib.suppress(Crash):
            async with bench.running() as task:
                await until(lambda: task.done() or _nothing_left_to_write(bench), f"crash {at}, or all written", 60)
    monkeypatch.setattr(Outbox, "_send", plain)
    assert crashed[:2] == [1, 2], "the crash came too seldom to show anything"
    async with bench.running():
        await until(lambda: _held(bench, 3), "the refused one is held")
        await until(lambda: _all_but_the_held(bench), "everything else is receipted")
        await bench.order("skip", 3, 2)
        await until(lambda: bench.site.first_deliveries(bench.code(3)) == [1, 3, 4], "the rest of the held one")
        await until(lambda: _nothing_parked(bench), "nothing waits")
    for number in range(3):
        assert bench.site.first_deliveries(bench.code(number)) == [1, 2, 3, 4]
    assert len({letter["dl_id"] for letter in await bench.dead_letters()}) == 1
    assert bench.site.overlapping == []


async def _nothing_left_to_write(bench):  # noqa: F811
    """Until someone skips the held one: all others are receipted, and no other parking record waits for its end."""
    return await _held(bench, 3) and len(await bench.parked()) == 1 and await _all_but_the_held(bench)


async def _held(bench, number):  # noqa: F811
    value = (await bench.parked()).get(bench.code(number))
    return value is not None and json.loads(value)["place"] == "held"


async def _all_but_the_held(bench):  # noqa: F811
    return all([await bench.receipted(number) == [1, 2, 3, 4] for number in range(3)])
