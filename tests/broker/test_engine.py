"""The engine in this process on the real broker: the plain way, and each finding that needs no second process."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from prometheus_client import REGISTRY

from hub.config import Settings
from hub.embedded.broker import EmbeddedBroker
from hub.embedded.net import free_port
from hub.errors import StartError
from hub.stream.api import Engine, EngineConfig, Out, Outputs, Record, StateView
from hub.stream.errors import WriteRefused
from hub.stream.writer import Writer
from hub.wire import kafka as kafka_clients
from tests.chaos.engine.load import POISON, Load, Names, config, judge, read_all, wait_no_lag
from tests.chaos.engine.workers import QUICK

pytestmark = pytest.mark.broker
Topic = Callable[..., Awaitable[str]]


async def make_names(topic: Topic, partitions: int = 2, sources: int = 1) -> Names:
    return Names(
        group="g." + uuid.uuid4().hex[:8],
        sources=tuple([await topic(partitions, prefix=f"src{n}") for n in range(sources)]),
        out=await topic(partitions, prefix="out"),
        store=await topic(partitions, config={"cleanup.policy": "compact"}, prefix="store"),
        dead=await topic(1, config={"max.message.bytes": str(4 << 20)}, prefix="dead"),
    )


@asynccontextmanager
async def running(engine_config: EngineConfig, settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
    """The engine beside the test; stopped in order at the end, and its fault, if any, raised there."""
    stop = asyncio.Event()
    task = asyncio.create_task(Engine(engine_config, settings).run(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(40):
            await asyncio.wait([task])
    task.result()


async def test_works_two_sources_of_one_partition_count_and_stops_with_everything_committed(
    topic: Topic, hub_settings: Settings
):
    names = await make_names(topic, partitions=3, sources=2)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(5_000)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, 30)
        await load.produce(1_000)
        await wait_no_lag(load.bootstrap, names, 30)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 6066))  # Faust's web server would sit here
    verdict = await judge(load)
    assert verdict.safe, verdict
    assert verdict.doubled == 0
    for metric in ("hub_events_in_total", "hub_events_out_total"):
        assert REGISTRY.get_sample_value(metric, {"role": names.group}) == 6_000


async def test_topics_that_do_not_fit_are_refused_at_start(topic: Topic, hub_settings: Settings):
    names = await make_names(topic)
    other = await topic(5)
    for wrong, word in (
        (replace(names, sources=(*names.sources, other)), "same number of partitions"),
        (replace(names, store=names.out), "not compacted"),
        (replace(names, store="no-such-topic"), "do not exist"),
    ):
        with pytest.raises(StartError, match=word):
            await Engine(config(wrong), hub_settings).run(asyncio.Event())


async def test_a_step_that_raises_ends_the_engine_without_acknowledging(topic: Topic, hub_settings: Settings):
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(50, poison_at=[30])
    with pytest.raises(ValueError, match="poison"):
        async with running(config(names, chunk_records=10), hub_settings) as task:
            await asyncio.wait([task], timeout=30)
    assert len(await read_all(load.bootstrap, names.dead)) == 0


async def test_three_rebalances_in_one_process_lose_and_double_nothing(topic: Topic, hub_settings: Settings):
    """Findings 1 to 11 together: another member comes and goes while work is under way, and never commits."""
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
                async with asyncio.timeout(15):
                    while not intruder.assignment():
                        await intruder.getmany(timeout_ms=100)
                await load.produce(500)
            finally:
                await intruder.stop()
        await wait_no_lag(load.bootstrap, names, 30)
    verdict = await judge(load)
    assert verdict.safe, verdict
    assert verdict.doubled == 0, (
        verdict
    )  # each chunk in work ended and was committed before its partition was given back


async def test_it_is_a_static_member_and_comes_back_without_a_rebalance(topic: Topic, hub_settings: Settings):
    """Finding 14: else a killed worker's partitions rest until its session is over."""
    names = await make_names(topic)
    load = Load(hub_settings.bootstrap, names)
    async with running(config(names), hub_settings):
        await load.produce(100)
        await wait_no_lag(load.bootstrap, names, 30)
    assert await group(load.bootstrap, names.group) == ("Stable", 1)
    await load.produce(100)
    async with running(config(names), hub_settings):
        # Were it a new member, it would wait for the old one's session, 10 s, to be over.
        await wait_no_lag(load.bootstrap, names, 6)
        assert await group(load.bootstrap, names.group) == ("Stable", 1)


async def test_state_is_restored_to_the_position_not_to_the_last_record(
    topic: Topic, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """Finding 15: a transaction's marker at the tail has an offset and no record; so have compacted tombstones."""
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
    monkeypatch.setattr("hub.stream.kafka_logs._STALL_S", 5.0)
    async with running(config(names), hub_settings) as engine:
        await wait_no_lag(load.bootstrap, names, 30, lambda: engine.result() if engine.done() else None)
    states = {r.key: r.value for r in await read_all(load.bootstrap, names.store)}
    assert states[b"D00000"] == b"7:3"  # number 0 is older than what the state has seen
    assert len(await read_all(load.bootstrap, names.out)) == 8


async def test_a_poison_record_is_dead_lettered_after_three_crashes_and_the_rest_goes_on(
    topic: Topic, hub_settings: Settings
):
    """Finding 18, over restarts as the supervisor makes them."""
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
    """Finding 17: the source's bytes plus headers; were the writer's limit the source's, the role would crash-loop."""
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names)
    large = POISON + b"x" * (1_048_576 - 200)
    producer = AIOKafkaProducer(bootstrap_servers=load.bootstrap, max_request_size=2 << 20)
    await producer.start()
    try:
        await producer.send_and_wait(names.sources[0], large, key=b"large")
    finally:
        await producer.stop()
    for _ in range(3):
        with pytest.raises(ValueError, match="poison"):
            await asyncio.wait_for(Engine(config(names), hub_settings).run(asyncio.Event()), 30)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, 30)
    (dead,) = await read_all(load.bootstrap, names.dead)
    assert dead.value == large


async def test_the_owner_writes_over_a_late_writers_older_state_even_when_idle(
    topic: Topic, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """Finding 12: what slips through the lease is seen by the log's offsets, before the broker compacts."""
    monkeypatch.setattr("hub.stream.ticker.HEAL_EVERY_S", 0.3)
    names = await make_names(topic, partitions=1)
    load = Load(hub_settings.bootstrap, names, keys=10)
    await load.produce(100)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, 30)
        late = AIOKafkaProducer(bootstrap_servers=load.bootstrap)
        await late.start()
        try:
            await late.send_and_wait(names.store, b"3:1", key=b"D00003", headers=[("hub_seq", b"4")])
        finally:
            await late.stop()
        async with asyncio.timeout(10):
            while not (await judge(load)).safe:
                await asyncio.sleep(0.2)


async def test_ticks_come_to_the_owner_and_may_write(topic: Topic, hub_settings: Settings):
    names = await make_names(topic, partitions=2)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(50)

    def tick(partition: int, state: StateView, now: float) -> Outputs:
        known = len(list(state.keys(names.store)))
        return Outputs([Out(names.dead, None, b"%d:%d" % (partition, known))])

    async with running(config(names, tick=tick, tick_s=0.2), hub_settings):
        await wait_no_lag(load.bootstrap, names, 30)
        async with asyncio.timeout(10):
            while True:
                told = dict(r.value.split(b":") for r in await read_all(load.bootstrap, names.dead))
                if sum(int(known) for known in told.values()) == 50:
                    break
                await asyncio.sleep(0.1)
    assert set(told) == {b"0", b"1"}


def with_kafka(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update=changes)})


async def group(bootstrap: str, name: str) -> tuple[str, int]:
    """The group's state and the number of its members."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([name])
        ((_, _, state, _, _, found, *_),) = answer.groups
        return state, len(found)
    finally:
        await admin.close()


async def test_stopping_before_anything_is_assigned_is_a_clean_stop(topic: Topic, hub_settings: Settings):
    names = await make_names(topic)
    for delay in (0.0, 0.3, 0.7):
        async with running(config(names), hub_settings):
            await asyncio.sleep(delay)


async def test_without_a_broker_the_start_is_refused(hub_settings: Settings):
    nowhere = with_kafka(hub_settings, bootstrap_servers=f"127.0.0.1:{free_port()}")
    names = Names("g", ("a",), "b", "c", "d")
    with pytest.raises(StartError, match="no broker answers"):
        await Engine(config(names), nowhere).run(asyncio.Event())


async def test_batches_keep_order_headers_and_places_and_refuse_what_no_topic_takes(
    topic: Topic, hub_settings: Settings
):
    name = await topic(1, config={"max.message.bytes": "1048576"})
    writer = Writer(hub_settings)
    await writer.start()
    try:
        lines = [(b"k%d" % n, b"x" * 10_000, (("n", b"%d" % n),), 1_700_000_000_000 + n) for n in range(300)]
        landed = await writer.append(name, 0, lines)
        assert [base for base, _ in landed] == [sum(count for _, count in landed[:at]) for at in range(len(landed))]
        assert sum(count for _, count in landed) == 300
        assert len(landed) == 4  # of 1 MB
        with pytest.raises(WriteRefused):
            await writer.append(name, 0, [(b"large", b"x" * 1_100_000, (), None)])
    finally:
        await writer.stop()
    records = await read_all(hub_settings.bootstrap, name)
    assert [dict(r.headers)["n"] for r in records] == [b"%d" % n for n in range(300)]
    assert [r.timestamp for r in records] == [1_700_000_000_000 + n for n in range(300)]


async def test_records_go_where_every_kafka_client_looks_for_them(topic: Topic, hub_settings: Settings):
    """Numbers of the Java client's murmur2 for these keys over 7 partitions, from Kafka's own UtilsTest."""
    name = await topic(7)
    writer = Writer(hub_settings)
    await writer.start()
    try:
        keys = (b"21", b"foobar", b"a-little-bit-long-string", b"abc")
        assert await writer.write([Out(name, key, b"") for key in keys] + [Out(name, None, b"")], near=9) == 5
    finally:
        await writer.stop()
    found = {r.key: r.partition for r in await read_all(hub_settings.bootstrap, name)}
    hashes = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
    assert found == {key: (number & 0x7FFFFFFF) % 7 for key, number in hashes.items()} | {None: 2}


@pytest.mark.slow
async def test_it_speaks_to_a_broker_that_wants_a_password(tmp_path: Path):
    """Group, fetches, state, outputs: every client of the engine signs in."""
    with EmbeddedBroker(tmp_path / "kafka", heap_mb=384, sasl_users={"admin": "secret"}) as broker:
        signed = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "admin", "sasl_password": "secret"}
        settings = Settings(data_dir=tmp_path, kafka={"bootstrap_servers": broker.bootstrap, **signed})
        names = Names("g", ("in",), "out", "store", "dead")
        admin = kafka_clients.admin(settings)
        await admin.start()
        compact = {"cleanup.policy": "compact"}
        topics = [NewTopic(t, 2, 1, topic_configs=compact if t == "store" else {}) for t in ("in", "out", "store")]
        await admin.create_topics(topics)
        await admin.close()
        producer = kafka_clients.producer(settings)
        await producer.start()
        for number in range(100):
            await producer.send("in", b"%d:" % number, key=b"k%d" % (number % 10))
        await producer.stop()
        async with running(config(names), settings):
            reader = kafka_clients.consumer(settings, "out")
            await reader.start()
            seen: set[bytes] = set()
            async with asyncio.timeout(30):
                while len(seen) < 100:
                    seen |= {r.value for found in (await reader.getmany(timeout_ms=500)).values() for r in found}
            await reader.stop()
