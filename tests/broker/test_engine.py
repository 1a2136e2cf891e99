"""The engine in this process on the real broker: the plain way, start and stop, its writer."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.admin import NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from prometheus_client import REGISTRY

from hub.broker.broker import EmbeddedBroker
from hub.config import Settings
from hub.errors import StartError
from hub.kafka import clients as kafka_clients
from hub.machine.ports import free_port
from hub.stream.engine import Engine
from hub.stream.errors import WriteRefused
from hub.stream.stage import Out, Outputs, StateView
from hub.stream.writer import Writer
from tests.chaos.engine.in_process import Topic, make_names, running, with_kafka
from tests.chaos.engine.load import Load, Names, config, judge, read_all, wait_no_lag

pytestmark = pytest.mark.broker


async def test_works_two_sources_of_one_partition_count_and_stops_with_everything_committed(
    topic: Topic, hub_settings: Settings
):
    names = await make_names(topic, partitions=3, sources=2)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(5_000)
    async with running(config(names), hub_settings):
        await wait_no_lag(load.bootstrap, names, 60)
        await load.produce(1_000)
        await wait_no_lag(load.bootstrap, names, 60)
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
            await asyncio.wait([task], timeout=60)
    assert len(await read_all(load.bootstrap, names.dead)) == 0


async def test_ticks_come_to_the_owner_and_may_write(topic: Topic, hub_settings: Settings):
    names = await make_names(topic, partitions=2)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(50)

    def tick(partition: int, state: StateView, now: float) -> Outputs:
        known = len(list(state.keys(names.store)))
        return Outputs([Out(names.dead, None, b"%d:%d" % (partition, known))])

    async with running(config(names, tick=tick, tick_s=0.2), hub_settings):
        await wait_no_lag(load.bootstrap, names, 60)
        async with asyncio.timeout(60):
            while True:
                told = dict(r.value.split(b":") for r in await read_all(load.bootstrap, names.dead))
                if sum(int(known) for known in told.values()) == 50:
                    break
                await asyncio.sleep(0.1)
    assert set(told) == {b"0", b"1"}


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
        # The broker takes nothing more from a producer of which it has refused a batch; the search for the bad record
        # goes on with smaller ones.
        assert await writer.append(name, 0, [(b"after", b"", (("n", b"300"),), 1_700_000_000_300)]) == [(300, 1)]
    finally:
        await writer.stop()
    *records, after = await read_all(hub_settings.bootstrap, name)
    assert after.key == b"after"
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
            try:
                seen: set[bytes] = set()
                async with asyncio.timeout(60):
                    while len(seen) < 100:
                        seen |= {r.value for found in (await reader.getmany(timeout_ms=500)).values() for r in found}
            finally:
                await reader.stop()


async def test_a_stop_does_not_wait_for_a_rebalance_that_another_member_holds_up(topic: Topic, hub_settings: Settings):
    names = await make_names(topic)
    gives_back, asked = asyncio.Event(), asyncio.Event()

    class Holding(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked: Any) -> None:
            if revoked:
                asked.set()
                await gives_back.wait()

        async def on_partitions_assigned(self, assigned: Any) -> None: ...

    other = AIOKafkaConsumer(
        bootstrap_servers=hub_settings.bootstrap,
        group_id=names.group,
        partition_assignment_strategy=[RangePartitionAssignor],
        heartbeat_interval_ms=300,
    )
    await other.start()
    try:
        other.subscribe(list(names.sources), listener=Holding())
        async with asyncio.timeout(60):
            while not other.assignment():
                await other.getmany(timeout_ms=100)
        async with running(config(names), hub_settings):
            await asyncio.wait_for(asked.wait(), 60)
            began = time.monotonic()
        assert time.monotonic() - began < 25  # the rebalance time is 30 s
    finally:
        gives_back.set()
        await other.stop()
