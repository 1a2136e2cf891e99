"""Where a benchmark runs: an embedded broker of its own in a temporary folder, and topics made, filled and dropped."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic

from hub.broker.broker import EmbeddedBroker
from hub.config import Settings
from hub.kafka import clients
from tests.bench.dossiers import Wire
from tests.support.codecs import IDS, fixed_codec

PARTITIONS = 4
# A dropped topic's files go away soon: a window writes up to half a gigabyte.
_COMMON = {"file.delete.delay.ms": "1000"}


@dataclass
class Place:
    """bootstrap: of the broker. folder: of everything on disk; gone at the end. broker_pid: the JVM."""

    bootstrap: str
    folder: Path
    broker_pid: int
    ids: dict[str, int] = field(default_factory=lambda: dict(IDS))
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.codec = fixed_codec()

    def name(self, prefix: str) -> str:
        """A name that is new in this run."""
        return f"{re.sub('[^a-z0-9]+', '-', prefix)}.{next(self._numbers)}"

    def settings(self, name: str = "hub", partitions: int = PARTITIONS) -> Settings:
        return Settings(
            data_dir=self.folder / name,
            kafka={"bootstrap_servers": self.bootstrap, "partitions": partitions},
            observe={"port_base": 0},
        )

    async def topics(self, *names: str, partitions: int = PARTITIONS, compact: bool = False) -> None:
        config = _COMMON | ({"cleanup.policy": "compact"} if compact else {})
        admin = clients.admin(self.settings())
        await admin.start()
        try:
            wanted = [NewTopic(n, num_partitions=partitions, replication_factor=1, topic_configs=config) for n in names]
            answer = await admin.create_topics(wanted, timeout_ms=20_000)
            assert all(code == 0 for _, code, *_ in answer.topic_errors), answer.topic_errors
        finally:
            await admin.close()

    async def drop(self, *names: str) -> None:
        admin = clients.admin(self.settings())
        await admin.start()
        try:
            await admin.delete_topics(list(names))
        finally:
            await admin.close()

    async def fill(self, topic: str, records: Iterable[Wire], partitions: int = PARTITIONS) -> int:
        """Writes them all, in order per partition; how many."""
        count = 0
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", max_batch_size=1 << 20) as producer:
            for part in _cut(records, 20_000):
                by_partition: dict[int, list[Wire]] = {}
                for record in part:
                    by_partition.setdefault(clients.partition_of(record[0], partitions), []).append(record)
                sent = []
                for number, lines in by_partition.items():
                    batch = producer.create_batch()
                    for key, value, headers in lines:
                        if batch.append(key=key, value=value, headers=headers, timestamp=None) is None:
                            sent.append(await producer.send_batch(batch, topic, partition=number))
                            batch = producer.create_batch()
                            batch.append(key=key, value=value, headers=headers, timestamp=None)
                    sent.append(await producer.send_batch(batch, topic, partition=number))
                await asyncio.gather(*sent)
                count += len(part)
        return count


class Ends:
    """Counts a topic's records from outside, by its end offsets."""

    def __init__(self, place: Place) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=place.bootstrap, enable_auto_commit=False)

    async def __aenter__(self) -> Ends:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def by_partition(self, topic: str, partitions: int = PARTITIONS) -> list[int]:
        parts = [TopicPartition(topic, number) for number in range(partitions)]
        ends = await self._consumer.end_offsets(parts)
        return [ends[part] for part in parts]

    async def count(self, topic: str, partitions: int = PARTITIONS) -> int:
        return sum(await self.by_partition(topic, partitions))


def _cut(records: Iterable[Wire], size: int) -> Iterable[list[Wire]]:
    rest = iter(records)
    while part := list(itertools.islice(rest, size)):
        yield part


@contextlib.asynccontextmanager
async def open_place() -> AsyncIterator[Place]:
    """A broker that answers; stopped, and its folder gone, at the end."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        folder = Path(name)
        broker = EmbeddedBroker(folder / "kafka", heap_mb=768)
        await asyncio.to_thread(broker.start)
        try:
            yield Place(broker.bootstrap, folder, broker.pid)
        finally:
            await asyncio.to_thread(broker.stop)
