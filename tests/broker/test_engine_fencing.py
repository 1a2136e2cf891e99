"""Fencing by the broker (`fencing="transactions"`): who has lost a partition writes nothing more into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from hub.config import Settings
from hub.stream.engine import Engine
from hub.stream.errors import Fenced, WriteRefused
from hub.stream.stage import Out
from hub.stream.state_topics import KafkaLogs
from hub.stream.transaction_fence import Fence
from tests.chaos.engine.in_process import Topic, make_names, running, with_kafka
from tests.chaos.engine.load import Load, config, judge, read_all, wait_no_lag, worked_something
from tests.chaos.engine.workers import QUICK, log_of, revive_all, workers
from tests.conftest import Kafka

pytestmark = pytest.mark.broker


@asynccontextmanager
async def fence(settings: Settings, name: str, *partitions: int) -> AsyncIterator[Fence]:
    made = Fence(name, settings)
    try:
        await made.claim(partitions)
        yield made
    finally:
        await made.stop()


def out(topic: str, value: bytes) -> list[Out]:
    return [Out(topic, b"k", value, partition=0)]


async def values(settings: Settings, topic: str) -> list[bytes]:
    return [record.value for record in await read_all(settings.bootstrap, topic)]


async def test_who_lost_a_partition_can_neither_write_nor_commit(topic: Topic, hub_settings: Settings):
    """The former owner was frozen at its worst moment: all is written, only the commit is left."""
    name = await topic(1)
    async with fence(hub_settings, "g", 0) as former, fence(hub_settings, "g") as owner:
        async with former.transaction(0) as transaction:
            await former.write(out(name, b"first"), 0)
            await transaction.commit()
        with pytest.raises(Fenced):
            async with former.transaction(0) as transaction:
                await former.write(out(name, b"late"), 0)
                await owner.claim({0})
                await transaction.commit()
        async with owner.transaction(0) as transaction:
            await owner.write(out(name, b"second"), 0)
            await transaction.commit()
    assert await values(hub_settings, name) == [b"first", b"second"]


async def test_the_broker_refuses_the_write_of_who_wakes_after_another_has_claimed(
    topic: Topic, hub_settings: Settings
):
    name = await topic(1)
    async with fence(hub_settings, "g", 0) as former, fence(hub_settings, "g", 0) as owner:
        with pytest.raises(Fenced):
            async with former.transaction(0) as transaction:
                await former.write(out(name, b"late"), 0)
                await transaction.commit()
        async with owner.transaction(0) as transaction:
            await owner.write(out(name, b"own"), 0)
            await transaction.commit()
    assert await values(hub_settings, name) == [b"own"]


async def test_without_a_commit_nothing_counts_and_the_next_transaction_goes_on(topic: Topic, hub_settings: Settings):
    name = await topic(1, config={"max.message.bytes": "1048576"})
    async with fence(hub_settings, "g", 0) as own:
        async with own.transaction(0):
            await own.write(out(name, b"left"), 0)
        with pytest.raises(WriteRefused):
            async with own.transaction(0):
                await own.write(out(name, b"before"), 0)
                await own.write(out(name, b"x" * 1_100_000), 0)
        async with own.transaction(0) as transaction:
            await own.write(out(name, b"after"), 0)
            await transaction.commit()
    assert await values(hub_settings, name) == [b"after"]


async def test_state_is_read_as_it_counts(topic: Topic, hub_settings: Settings):
    """Undone records stand in the log, and the ends of transactions take offsets that hold no record."""
    name = await topic(1, config={"cleanup.policy": "compact"})
    async with fence(hub_settings, "g", 0) as own:
        logs = KafkaLogs(hub_settings, own)
        try:
            async with own.transaction(0) as transaction:
                await own.append(name, 0, [(b"a", b"1", (), None)])
                await transaction.commit()
            async with own.transaction(0):
                await own.append(name, 0, [(b"a", b"undone", (), None)])
            await own.claim({0})
            bounds = await logs.bounds([(name, 0)])
            assert bounds == {(name, 0): (0, 4)}
            found = [entry async for _, entries in logs.read(bounds) for entry in entries]
        finally:
            await logs.stop()
    assert [(key, stored.value if stored else None, offset) for key, stored, offset in found] == [(b"a", b"1", 0)]


@pytest.mark.parametrize("store", ["memory", "disk"])
async def test_the_engine_works_and_goes_on_after_a_stop(topic: Topic, hub_settings: Settings, store: str, caplog):
    names = await make_names(topic, partitions=3, sources=2)
    load = Load(hub_settings.bootstrap, names)
    engine = config(names, fencing="transactions", chunk_records=200, store=store)  # type: ignore[arg-type]
    for count in (3_000, 1_000):
        await load.produce(count)
        async with running(engine, hub_settings):
            await wait_no_lag(load.bootstrap, names, 60)
    verdict = await judge(load)
    assert verdict.safe, verdict
    assert verdict.doubled == 0
    assert "somebody else wrote" not in caplog.text


async def test_a_poison_record_is_found_and_a_late_writer_is_written_over(
    topic: Topic, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hub.stream.ticker.HEAL_EVERY_S", 0.3)
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names, keys=10)
    await load.produce(200, poison_at=[100])
    engine = config(names, fencing="transactions")
    for _ in range(3):
        with pytest.raises(ValueError, match="poison"):
            await asyncio.wait_for(Engine(engine, hub_settings).run(asyncio.Event()), 60)
    async with running(engine, hub_settings):
        await wait_no_lag(load.bootstrap, names, 60)
        async with fence(hub_settings, "other", 0) as late, late.transaction(0) as transaction:
            await late.append(names.store, 0, [(b"D00003", b"3:1", [("hub_seq", b"4")], None)])
            await transaction.commit()
        async with asyncio.timeout(60):
            while not (await judge(load)).safe:
                await asyncio.sleep(0.2)
    assert [r.key for r in await read_all(load.bootstrap, names.dead)] == [b"bad100"]


async def test_kill_9_in_mid_transaction_doubles_nothing(kafka: Kafka, topic: Topic, tmp_path: Path):
    """What was begun is undone, and outputs and state are one: what is read again is known, and sent once."""
    names = await make_names(topic, partitions=4)
    load = Load(kafka.bootstrap, names)
    await load.produce(4_000)
    with workers(load, tmp_path, chunk_records=100, pause_ms=20, fencing="transactions") as team:
        for round_ in range(2):
            await worked_something(load, 100 + 400 * round_)
            team[round_].kill()
            team[round_].start()
            await load.produce(2_000)
        await wait_no_lag(load.bootstrap, names, 60)
        assert [worker.terminate() for worker in team] == [0, 0], log_of(team)
    verdict = await judge(load)
    assert verdict.safe, (verdict, log_of(team))
    assert verdict.doubled == 0, (verdict, log_of(team))


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_a_frozen_owner_wakes_and_its_write_is_refused(kafka: Kafka, topic: Topic, tmp_path: Path):
    """SIGSTOP beyond the session, in the middle of a chunk; no lease is asked, only the broker stands in between."""
    names = await make_names(topic, partitions=4)
    load = Load(kafka.bootstrap, names, keys=2_000)
    await load.produce(6_000)
    with workers(load, tmp_path, chunk_records=200, pause_ms=50, fencing="transactions") as team:
        await worked_something(load, 500)
        for victim in team:
            victim.freeze()
            await load.produce(2_000)
            await asyncio.sleep(QUICK["session_timeout_ms"] / 1000 + 4)
            victim.thaw()
            await asyncio.sleep(1)
            victim.revive()
        await wait_no_lag(load.bootstrap, names, 90, partial(revive_all, team))
    verdict = await judge(load)
    assert verdict.safe, (verdict, log_of(team))
    assert verdict.doubled == 0, (verdict, log_of(team))


async def test_three_rebalances_in_one_process(topic: Topic, hub_settings: Settings):
    """Each assignment claims anew, fencing nobody but the owner itself as it was before."""
    names = await make_names(topic, partitions=3)
    load = Load(hub_settings.bootstrap, names)
    quick = with_kafka(hub_settings, **QUICK)
    first, second = (
        config(names, fencing="transactions", instance=instance, chunk_records=50) for instance in ("0", "1")
    )
    async with running(first, quick):
        for _ in range(3):
            await load.produce(1_000)
            async with running(second, quick.model_copy(update={"data_dir": quick.data_dir / "second"})):
                await load.produce(1_000)
                await wait_no_lag(load.bootstrap, names, 60)
    verdict = await judge(load)
    assert verdict.safe, verdict
    assert verdict.doubled == 0, verdict
