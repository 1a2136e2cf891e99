"""The findings of docs/engine.md that need a broker and no second process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from hub.config import Settings
from hub.kafka.topics import RECORD_LIMIT
from hub.stream.engine import Engine
from hub.stream.stage import Record
from tests.chaos.engine.in_process import Topic, group, make_names, running, with_kafka
from tests.chaos.engine.load import POISON, Load, config, judge, read_all, wait_no_lag
from tests.chaos.engine.workers import QUICK

pytestmark = pytest.mark.broker


async def test_three_rebalances_in_one_process_lose_and_double_nothing(topic: Topic, hub_settings: Settings):
    """Many findings together: another member comes and goes while work is under way, and never commits."""
    names = await make_names(topic, partitions=3, sources=2)  # round-robin would not assign these alike
    load = Load(hub_settings.bootstrap, names)
    quick = with_kafka(hub_settings, **QUICK)

    def slowly(records: Sequence[Record]) -> None:
        time.sleep(0.01)

    async with running(config(names, wrap=slowly, chunk_records=50), quick):
        for _ in range(3):
            await load.produce(1_500)
            intruder = AIOKafkaConsumer(
                *names.sources,
                bootstrap_servers=load.bootstrap,
                group_id=names.group,
                enable_auto_commit=False,
                partition_assignment_strategy=[RangePartitionAssignor],
                heartbeat_interval_ms=500,
            )
            await intruder.start()
            try:
                async with asyncio.timeout(60):
                    while not intruder.assignment():
                        await intruder.getmany(timeout_ms=100)
                await load.produce(500)
            finally:
                await intruder.stop()
        await wait_no_lag(load.bootstrap, names, 60)
    verdict = await judge(load)
    assert verdict.safe, verdict
    assert verdict.doubled == 0, (
        verdict
    )  # each chunk in work ended and was committed before its partition was given back


async def test_it_is_a_static_member_and_comes_back_without_a_rebalance(topic: Topic, hub_settings: Settings):
    """docs/engine.md#static-membership: else a killed worker's partitions rest until its session is over."""
    names = await make_names(topic)
    load = Load(hub_settings.bootstrap, names)
    async with running(config(names), hub_settings):
        await load.produce(100)
        await wait_no_lag(load.bootstrap, names, 60)
    assert await group(load.bootstrap, names.group) == ("Stable", 1)
    await load.produce(100)
    async with running(config(names), hub_settings):
        # Were it a new member, it would wait for the old one's session, 10 s, to be over.
        await wait_no_lag(load.bootstrap, names, 6)
        assert await group(load.bootstrap, names.group) == ("Stable", 1)


async def test_state_is_restored_to_the_position_not_to_the_last_record(
    topic: Topic, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """docs/engine.md#end-by-position: a transaction's marker at the tail has an offset and no record."""
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names)
    producer = AIOKafkaProducer(bootstrap_servers=load.bootstrap, transactional_id=names.group)
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send(names.store, b"7:3", key=b"D00000", headers=[("hub_seq", b"8")])
    finally:
        await producer.stop()
    await load.produce(9)
    monkeypatch.setattr("hub.stream.state_topics._PATIENCE_S", 5.0)
    async with running(config(names), hub_settings) as engine:
        await wait_no_lag(load.bootstrap, names, 60, lambda: engine.result() if engine.done() else None)
    states = {r.key: r.value for r in await read_all(load.bootstrap, names.store)}
    assert states[b"D00000"] == b"7:3"  # number 0 is older than what the state has seen
    assert len(await read_all(load.bootstrap, names.out)) == 8


async def test_a_poison_record_is_dead_lettered_after_three_crashes_and_the_rest_goes_on(
    topic: Topic, hub_settings: Settings
):
    """docs/engine.md#a-record-that-crashes-the-step, over restarts as the supervisor makes them."""
    names = await make_names(topic, partitions=2)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(400, poison_at=[100, 300])
    stop, lives = asyncio.Event(), 0
    done = asyncio.create_task(wait_no_lag(load.bootstrap, names, 60))
    while not done.done():
        lives += 1
        engine = asyncio.create_task(Engine(config(names), hub_settings).run(stop))
        await asyncio.wait([engine, done], return_when=asyncio.FIRST_COMPLETED)
        if done.done():
            stop.set()
            await engine
        else:
            assert isinstance(engine.exception(), ValueError)
    done.result()
    dead = await read_all(load.bootstrap, names.dead)
    assert sorted(r.key for r in dead) == [b"bad100", b"bad300"]
    assert {dict(r.headers)["stage"] for r in dead} == {b"crash"}
    assert lives <= 7  # three for each, and the one that lives
    verdict = await judge(load)
    assert verdict.safe, verdict


async def test_a_source_record_just_under_the_limit_becomes_a_dead_letter(topic: Topic, hub_settings: Settings):
    """docs/engine.md#size-of-a-dead-letter: were the limit the source's, the role would crash-loop."""
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names)
    large = POISON + b"x" * (RECORD_LIMIT - 90 - len(POISON))  # within the limit with its frame, not with a reason
    producer = AIOKafkaProducer(bootstrap_servers=load.bootstrap, max_request_size=2 * RECORD_LIMIT)
    await producer.start()
    try:
        await producer.send_and_wait(names.sources[0], large, key=b"large")
    finally:
        await producer.stop()
    for _ in range(3):
        with pytest.raises(ValueError, match="poison"):
            await asyncio.wait_for(Engine(config(names), hub_settings).run(asyncio.Event()), 60)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, 60)
    (dead,) = await read_all(load.bootstrap, names.dead)
    assert dead.value == large


async def test_the_owner_writes_over_a_late_writers_older_state_even_when_idle(
    topic: Topic, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """docs/engine.md#a-frozen-owner: what slips through the lease is seen by the log's offsets."""
    monkeypatch.setattr("hub.stream.ticker.HEAL_EVERY_S", 0.3)
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names, keys=10)
    await load.produce(100)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, 60)
        late = AIOKafkaProducer(bootstrap_servers=load.bootstrap)
        await late.start()
        try:
            await late.send_and_wait(names.store, b"3:1", key=b"D00003", headers=[("hub_seq", b"4")])
        finally:
            await late.stop()
        async with asyncio.timeout(60):
            while not (await judge(load)).safe:
                await asyncio.sleep(0.2)
