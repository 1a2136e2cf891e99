"""The load that engine tests run, and the check of it from outside: by topics alone, with clients of its own.

A record is a key and a number that grows through the whole load. The step passes each new record on and keeps, per key,
the last number and how many it has seen; so a lost record, a record out of order and a stale state all show in the end.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError

from hub.stream.stage import EngineConfig, Out, Outputs, Record, StateView, Stored, Tick

POISON = b"poison"
FILLER = b"x" * 300


@dataclass(frozen=True)
class Names:
    """Topics of one load. sources: one or more, with as many partitions as the store."""

    group: str
    sources: tuple[str, ...]
    out: str
    store: str
    dead: str


def version(state: Stored) -> int:
    return int(dict(state.headers)["hub_seq"])


def step(names: Names, records: Sequence[Record], state: StateView) -> Outputs:
    """Out: the record as it is, with its headers. State: value `last:count`, header hub_seq = last number + 1."""
    outputs = Outputs()
    for record in records:
        assert record.key is not None
        assert record.value is not None
        if record.value.startswith(POISON):
            raise ValueError("poison")
        number = int(record.value.split(b":", 1)[0])
        ident = (names.store, record.key)
        before = outputs.state[ident] if ident in outputs.state else state.get(*ident)
        last, count = (int(part) for part in before.value.split(b":")) if before else (-1, 0)
        if number <= last:
            continue
        outputs.records.append(Out(names.out, record.key, record.value, record.headers))
        outputs.state[ident] = Stored(b"%d:%d" % (number, count + 1), (("hub_seq", b"%d" % (number + 1)),))
    return outputs


def config(
    names: Names,
    *,
    wrap: Callable[[Sequence[Record]], None] = lambda records: None,
    tick: Tick | None = None,
    tick_s: float = 1.0,
    instance: str = "0",
    chunk_records: int = 1000,
    store: Literal["memory", "disk"] = "memory",
    fencing: Literal["lease", "transactions"] = "lease",
) -> EngineConfig:
    """`wrap` is called with each chunk before the step: to be slow, to die."""

    def work(records: Sequence[Record], state: StateView) -> Outputs:
        wrap(records)
        return step(names, records, state)

    def dead_letter(record: Record, error: BaseException) -> Out:
        headers = [*record.headers, ("stage", b"crash"), ("error", type(error).__name__.encode())]
        return Out(names.dead, record.key, record.value, headers)

    return EngineConfig(
        name=names.group,
        sources=names.sources,
        stores=(names.store,),
        step=work,
        version=version,
        dead_letter=dead_letter,
        tick=tick,
        tick_s=tick_s,
        instance=instance,
        chunk_records=chunk_records,
        store=store,
        fencing=fencing,
    )


@dataclass
class Load:
    """What has been produced so far, as the producer knows it."""

    bootstrap: str
    names: Names
    keys: int = 500
    sent: dict[int, bytes] = field(default_factory=dict)
    poison: int = 0

    async def produce(self, count: int, poison_at: Iterable[int] = ()) -> None:
        """`count` more records, evenly over the sources by key; a poison record of its own key before each of those."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, max_batch_size=200_000, linger_ms=5, enable_idempotence=True
        )
        bad = set(poison_at)
        try:
            await producer.start()
            for number in range(len(self.sent), len(self.sent) + count):
                if number in bad:
                    await producer.send(self.names.sources[0], POISON, key=b"bad%d" % number)
                    self.poison += 1
                key = b"D%05d" % (number * 7919 % self.keys)
                source = self.names.sources[hashlib.sha1(key).digest()[0] % len(self.names.sources)]
                headers = [("ce_id", b"%d" % number)]
                await producer.send(source, b"%d:" % number + FILLER, key=key, headers=headers)
                self.sent[number] = key
            await producer.flush()
        finally:
            await producer.stop()


@dataclass(frozen=True)
class Verdict:
    """lost: numbers without output. doubled: outputs too many. disordered: first outputs of a key out of order.

    stale: keys whose last state is not their last number and their count. headless: outputs without their header.
    """

    lost: int
    doubled: int
    disordered: int
    stale: int
    headless: int

    @property
    def safe(self) -> bool:
        return not (self.lost or self.disordered or self.stale or self.headless)


async def judge(load: Load) -> Verdict:
    """Read the output and the state topic from the beginning and compare them with what was produced."""
    seen: dict[int, int] = {}
    newest: dict[bytes, int] = {}
    disordered = headless = 0
    for record in await read_all(load.bootstrap, load.names.out):
        number = int(record.value.split(b":", 1)[0])
        if number not in seen:
            disordered += newest.get(record.key, -1) > number
            newest[record.key] = number
        headless += dict(record.headers).get("ce_id") != b"%d" % number
        seen[number] = seen.get(number, 0) + 1
    states = {record.key: record.value for record in await read_all(load.bootstrap, load.names.store)}
    wanted: dict[bytes, tuple[int, int]] = {}
    for number, key in load.sent.items():
        wanted[key] = (number, wanted.get(key, (0, 0))[1] + 1)
    stale = sum(states.get(key) != b"%d:%d" % last for key, last in wanted.items())
    return Verdict(len(load.sent.keys() - seen), sum(seen.values()) - len(seen), disordered, stale, headless)


async def new_topic(bootstrap: str, partitions: int, settings: Mapping[str, str] | None, prefix: str) -> str:
    """A fresh topic, where no fixture makes one."""
    name = f"{prefix}.{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=dict(settings or {}))])
    finally:
        await admin.close()
    return name


async def read_all(bootstrap: str, topic: str) -> list:
    """All records of the topic that count, partition by partition in order."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, max_partition_fetch_bytes=8 << 20, isolation_level="read_committed"
    )
    await consumer.start()
    try:
        cluster = await consumer._client.fetch_all_metadata()
        parts = [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        records = []
        async with asyncio.timeout(60):
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for found in (await consumer.getmany(timeout_ms=500)).values():
                    records.extend(found)
        return records
    finally:
        await consumer.stop()


async def wait_no_lag(bootstrap: str, names: Names, limit_s: float, look: Callable[[], None] = lambda: None) -> None:
    """Until all is worked and committed, as the broker tells; `look` may raise to end the wait early."""
    admin, consumer = AIOKafkaAdminClient(bootstrap_servers=bootstrap), AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    await consumer.start()
    try:
        cluster = await consumer._client.fetch_all_metadata()
        parts = [TopicPartition(t, n) for t in names.sources for n in cluster.partitions_for_topic(t) or ()]
        async with asyncio.timeout(limit_s):
            while await _lag(admin, consumer, names.group, parts):
                look()
                await asyncio.sleep(0.1)
    finally:
        await consumer.stop()
        await admin.close()


async def _lag(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, group: str, parts: Sequence[TopicPartition]
) -> int:
    ends = await consumer.end_offsets(parts)
    try:
        committed = await admin.list_consumer_group_offsets(group)
    except GroupCoordinatorNotAvailableError:  # a fresh broker makes its offsets topic on the first question
        committed = {}
    return sum(ends[part] - max(0, committed[part].offset if part in committed else 0) for part in parts)


async def worked_something(load: Load, at_least: int) -> None:
    """Wait until so many outputs are there: the next act falls into running work."""
    consumer = AIOKafkaConsumer(bootstrap_servers=load.bootstrap)
    await consumer.start()
    try:
        parts = [TopicPartition(load.names.out, n) for n in range(4)]
        async with asyncio.timeout(60):
            while sum((await consumer.end_offsets(parts)).values()) < at_least:
                await asyncio.sleep(0.05)
    finally:
        await consumer.stop()
