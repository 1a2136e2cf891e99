"""Reading topics to their end and onwards, on a real broker that moves, cuts, damages and takes them away meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from hub.broker.broker import EmbeddedBroker
from hub.kafka import topics
from hub.kafka.log_faults import Gap, LogCut, NoAnswer, NoSuchTopic, RecordDamaged
from hub.kafka.tail import Record, Tail, opened
from hub.machine.ports import free_port
from tests.conftest import settings_for
from tests.support import quick_broker

pytestmark = pytest.mark.broker

LONG_S = 60


@contextlib.asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def make(bootstrap: str, name: str, partitions: int = 1, **config: str) -> None:
    async with admin(bootstrap) as client:
        new = NewTopic(name, partitions, 1, topic_configs={k.replace("_", "."): v for k, v in config.items()})
        answer = await client.create_topics([new], timeout_ms=20_000)
        assert all(code == 0 for _, code, *_ in answer.topic_errors), answer.topic_errors


async def write(bootstrap: str, name: str, values: Iterable[int], partition: int = 0, size: int = 0, **extra) -> None:
    """One batch for each record, so that segments can be rolled and bytes be found."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=8 << 20, **extra) as producer:
        for value in values:
            text = str(value).encode().ljust(size, b".")
            await producer.send_and_wait(name, text, key=str(value).encode(), partition=partition)


async def delete_before(bootstrap: str, name: str, offset: int) -> None:
    async with admin(bootstrap) as client:
        await client.delete_records({TopicPartition(name, 0): RecordsToDelete(offset)})


async def anew(bootstrap: str, name: str) -> None:
    """Deletes the topic and makes it again."""
    async with admin(bootstrap) as client:
        await client.delete_topics([name], timeout_ms=20_000)
        async with asyncio.timeout(LONG_S):
            while name in await client.list_topics():
                await asyncio.sleep(0.05)
    async with asyncio.timeout(LONG_S):
        while True:
            with contextlib.suppress(AssertionError):  # the broker may hold the name a moment longer
                await make(bootstrap, name)
                return


def numbers(records: Iterable[Record]) -> list[int]:
    return [int(record.value.rstrip(b".")) for record in records]


async def to_end(tail: Tail) -> list[Record]:
    return [record async for _, records in tail.to_end() for record in records]


async def test_all_partitions_are_read_to_their_end(hub_settings, topic):
    name = await topic(partitions=3)
    for partition in range(3):
        await write(hub_settings.bootstrap, name, range(partition * 10, partition * 10 + partition), partition)
    async with opened(hub_settings) as tail:
        await tail.from_beginning(name)
        found = await to_end(tail)
        assert sorted(numbers(found)) == [10, 20, 21], "the first partition is empty"
        assert tail.positions == {TopicPartition(name, n): n for n in range(3)}
        assert await to_end(tail) == [], "and nothing twice"


async def test_some_partitions_from_a_place_up_to_one(hub_settings, topic):
    name = await topic(partitions=2)
    await write(hub_settings.bootstrap, name, range(10), 1)
    part = TopicPartition(name, 1)
    async with opened(hub_settings) as tail:
        tail.begin({part: 3})
        found = [number async for _, records in tail.to_end({part: 7}) for number in numbers(records)]
        assert found == [3, 4, 5, 6]
        assert numbers(await to_end(tail)) == [7, 8, 9], "goes on exactly there"


async def test_an_empty_topic_is_read_at_once(hub_settings, topic):
    async with opened(hub_settings) as tail:
        await tail.from_beginning(await topic(partitions=2))
        async with asyncio.timeout(LONG_S):
            assert await to_end(tail) == []


async def test_a_topic_that_does_not_exist_is_told_and_not_made(hub_settings):
    async with opened(hub_settings) as tail:
        with pytest.raises(NoSuchTopic, match=r"no.such.topic is missing; run `hub topics ensure`"):
            await tail.from_beginning("no.such.topic")
    async with admin(hub_settings.bootstrap) as client:
        assert "no.such.topic" not in await client.list_topics()


async def test_the_end_taken_at_start_bounds_a_topic_that_grows(hub_settings, topic):
    name = await topic()
    await write(hub_settings.bootstrap, name, range(5))
    async with opened(hub_settings) as tail:
        await tail.from_beginning(name)
        reading = tail.to_end()
        first = numbers((await anext(reading))[1])
        await write(hub_settings.bootstrap, name, range(5, 8))
        rest = [number async for _, records in reading for number in numbers(records)]
        assert first + rest == list(range(5))


async def test_onwards_gives_what_comes_after_the_end(hub_settings, topic):
    name, stop, found = await topic(), asyncio.Event(), []
    await write(hub_settings.bootstrap, name, range(3))

    async def follow(tail: Tail) -> None:
        async for _, records in tail.onwards(stop):
            found.extend(numbers(records))
            if found[-1] == 5:
                stop.set()

    async with opened(hub_settings) as tail:
        await tail.from_beginning(name)
        assert numbers(await to_end(tail)) == [0, 1, 2]
        async with asyncio.timeout(LONG_S), asyncio.TaskGroup() as group:
            group.create_task(follow(tail))
            await write(hub_settings.bootstrap, name, range(3, 6))
    assert found == [3, 4, 5]


async def test_a_tail_of_markers_ends_by_position(hub_settings, topic):
    """A committed transaction ends with a marker, which has an offset and no record."""
    name = await topic()
    producer = AIOKafkaProducer(bootstrap_servers=hub_settings.bootstrap, transactional_id=name)
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(name, b"1")
        with contextlib.suppress(ZeroDivisionError):
            async with producer.transaction():
                await producer.send_and_wait(name, b"2")
                raise ZeroDivisionError
    finally:
        await producer.stop()
    gaps: list[Gap] = []
    fenced = hub_settings.model_copy(update={"core": hub_settings.core.model_copy(update={"fencing": "transactions"})})
    async with asyncio.timeout(LONG_S), opened(fenced, tell=gaps.append, patience_s=10 * LONG_S) as tail:
        await tail.from_beginning(name)
        assert numbers(await to_end(tail)) == [1]
        assert (tail.positions, gaps) == ({TopicPartition(name, 0): 4}, [])


async def test_records_deleted_before_the_place_are_told_and_the_rest_is_read(hub_settings, topic, caplog):
    name = await topic()
    await write(hub_settings.bootstrap, name, range(10))
    await delete_before(hub_settings.bootstrap, name, 6)
    async with opened(hub_settings) as tail:
        tail.begin({TopicPartition(name, 0): 2})
        assert numbers(await to_end(tail)) == [6, 7, 8, 9]
    assert f"{name} partition 0: offsets 2 to 5 were deleted by retention before they were read" in caplog.text


async def test_retention_while_it_is_read_is_told_and_the_reading_goes_on(hub_settings, topic):
    name, gaps = await topic(), list[Gap]()
    await write(hub_settings.bootstrap, name, range(60), size=100_000)
    part = TopicPartition(name, 0)
    # 100 kB a batch: a fetch holds two, and the next one is asked for when they are taken.
    async with opened(hub_settings, tell=gaps.append, max_partition_fetch_bytes=200_000) as tail:
        await tail.from_beginning(name)
        reading = tail.to_end()
        found = numbers((await anext(reading))[1])
        await delete_before(hub_settings.bootstrap, name, 50)
        found += [number async for _, records in reading for number in numbers(records)]
    assert found[-10:] == list(range(50, 60))
    assert found == sorted(set(found))
    (gap,) = gaps
    assert gap == Gap(part, found[found.index(50) - 1] + 1, 50, "deleted")


async def test_a_topic_made_anew_behind_the_place_is_an_error(hub_settings, topic):
    name = await topic()
    await write(hub_settings.bootstrap, name, range(10))
    async with opened(hub_settings) as tail:
        await tail.from_beginning(name)
        await to_end(tail)
        await anew(hub_settings.bootstrap, name)
        await write(hub_settings.bootstrap, name, range(3))
        with pytest.raises(LogCut, match=f"{name} partition 0 ends at offset 3, but was read up to 10 before"):
            await to_end(tail)


async def test_a_topic_made_anew_while_it_is_followed_is_an_error(hub_settings, topic):
    name = await topic()
    await write(hub_settings.bootstrap, name, range(10))
    async with asyncio.timeout(LONG_S), opened(hub_settings) as tail:
        await tail.from_beginning(name)
        await to_end(tail)
        await anew(hub_settings.bootstrap, name)
        with pytest.raises(LogCut, match="ends at offset 0, but was read up to 10 before"):
            async for _ in tail.onwards(asyncio.Event()):
                pass


async def test_a_topic_deleted_while_it_is_read_is_an_error(hub_settings, topic):
    name = await topic()
    await write(hub_settings.bootstrap, name, range(3))
    async with asyncio.timeout(LONG_S), opened(hub_settings, patience_s=3) as tail:
        await tail.from_beginning(name)
        await to_end(tail)
        async with admin(hub_settings.bootstrap) as client:
            await client.delete_topics([name], timeout_ms=20_000)
        with pytest.raises(NoSuchTopic, match="deleted while it was read"):
            async for _ in tail.to_end({TopicPartition(name, 0): 5}):
                pass


async def test_a_record_larger_than_a_fetch_is_read(hub_settings, topic):
    name = await topic(config={"max.message.bytes": "4000000"})
    await write(hub_settings.bootstrap, name, range(2), size=3_000_000)
    async with opened(hub_settings, max_partition_fetch_bytes=1_000, fetch_max_bytes=1_000) as tail:
        await tail.from_beginning(name)
        assert numbers(await to_end(tail)) == [0, 1]


# --- brokers of their own: stopped and started, their files changed ---


@pytest.fixture
def own(tmp_path):
    """A broker that keeps its port, and a hub's settings on it."""
    broker = EmbeddedBroker(quick_broker.prepare(tmp_path / "kafka"), port=free_port(), heap_mb=256).start()
    try:
        yield broker, settings_for(broker.bootstrap, tmp_path / "hub")
    finally:
        broker.stop()


async def test_while_the_broker_is_away_it_waits_and_goes_on(own):
    broker, settings = own
    await make(broker.bootstrap, "t", 2)
    await write(broker.bootstrap, "t", range(40), size=100_000)
    async with asyncio.timeout(LONG_S * 2), opened(settings, max_partition_fetch_bytes=200_000, patience_s=90) as tail:
        await tail.from_beginning("t")
        reading = tail.to_end()
        found = numbers((await anext(reading))[1])
        await asyncio.to_thread(broker.stop, 0)
        back = asyncio.get_running_loop().run_in_executor(None, broker.start)
        found += [number async for _, records in reading for number in numbers(records)]
        await back
        assert found == list(range(40))
        # Also the questions wait.
        await asyncio.to_thread(broker.stop)
        back = asyncio.get_running_loop().run_in_executor(None, broker.start)
        assert await to_end(tail) == []
        await back


async def test_a_broker_that_stays_away_is_told_within_the_bound(own):
    broker, settings = own
    await make(broker.bootstrap, "t")
    await write(broker.bootstrap, "t", range(3))
    async with asyncio.timeout(LONG_S), opened(settings, patience_s=2) as tail:
        await tail.from_beginning("t")
        await asyncio.to_thread(broker.stop, 0)
        with pytest.raises(NoAnswer, match="no answer from the broker for 2 s; is it away"):
            await to_end(tail)
        with pytest.raises(NoAnswer, match=r"cannot connect to Kafka at 127.0.0.1"):
            async with opened(settings, patience_s=1):
                pass


def segments(broker: EmbeddedBroker, name: str) -> list[Path]:
    return sorted((broker.folder / "data" / f"{name}-0").glob("*.log"))


async def test_damaged_bytes_are_named_by_their_place_and_all_before_is_read(own):
    broker, settings = own
    await make(broker.bootstrap, "t")
    await make(broker.bootstrap, "u")
    await write(broker.bootstrap, "t", range(10), size=50)
    await write(broker.bootstrap, "u", range(100, 103), size=50)
    await asyncio.to_thread(broker.stop)
    (path,) = segments(broker, "t")
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"7.......")] ^= 1
    path.write_bytes(raw)
    await asyncio.to_thread(broker.start)
    found: list[int] = []
    async with asyncio.timeout(LONG_S), opened(settings) as tail:
        await tail.from_beginning("t", "u")
        with pytest.raises(RecordDamaged, match="t partition 0 cannot be read from offset 7 on"):
            async for _, records in tail.to_end():
                found += numbers(records)
    assert [n for n in found if n < 100] == list(range(7)), "nothing skipped, nothing twice"
    assert [n for n in found if n >= 100] == sorted({n for n in found if n >= 100}), "nor of the other topic"


async def test_a_missing_segment_is_told_unless_the_topic_is_compacted(own, monkeypatch, caplog):
    broker, settings = own
    monkeypatch.setattr(topics, "_COMPACTED", frozenset({"compacted"}))
    for name in ("log", "compacted"):
        await make(broker.bootstrap, name, segment_bytes="1048576")
        await write(broker.bootstrap, name, range(9), size=400_000, max_batch_size=500_000)
    await asyncio.to_thread(broker.stop)
    for name in ("log", "compacted"):
        second = segments(broker, name)[1]
        assert int(second.stem) == 2, segments(broker, name)
        for path in second.parent.glob(f"{second.stem}.*"):
            path.unlink()
    await asyncio.to_thread(broker.start)
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(LONG_S), opened(settings) as tail:
            await tail.from_beginning("log", "compacted")
            found = await to_end(tail)
    assert numbers(r for r in found if r.topic == "log") == [0, 1, *range(4, 9)]
    assert "log partition 0: offsets 2 to 3 are missing" in caplog.text
    assert "compacted partition 0" not in caplog.text
