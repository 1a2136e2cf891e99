"""Reads Kafka into a generation of tables. Rows and offsets stand in the same transaction, so a crash at any point
repeats or skips nothing; the upserts make even a repetition harmless."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from msgspec import Struct, structs
from sqlalchemy import Connection, Engine, Table, delete, select

from hub.avro.codec import Codec
from hub.config import Settings
from hub.errors import StartError
from hub.kafka import clients
from hub.observe import metrics
from hub.projector.projection import TOPICS, rows
from hub.projector.rows import Rows
from hub.readmodel import tables
from hub.readmodel.tables import Generation

log = logging.getLogger(__name__)
ROLE = "projector"


class Projector:
    """One generation, all partitions, one process: SQL is filled by one writer."""

    def __init__(self, settings: Settings, engine: Engine, codec: Codec, generation: Generation) -> None:
        self.generation = generation
        self._settings, self._engine, self._codec = settings, engine, codec
        self._consumer: AIOKafkaConsumer | None = None
        self._positions: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Assigns every partition of the four topics and goes to the offsets that stand in the tables."""
        consumer = self._consumer = clients.consumer(self._settings, max_poll_records=4_000)
        await consumer.start()
        partitions = []
        for topic in TOPICS:
            numbers = consumer.partitions_for_topic(topic) or await self._ask(consumer, topic)
            partitions += [TopicPartition(topic, n) for n in sorted(numbers)]
        consumer.assign(partitions)
        with self._engine.connect() as connection:
            table = self.generation.offsets
            known = {TopicPartition(r.topic, r.partition): r.next_offset for r in connection.execute(select(table))}
        beginnings = await consumer.beginning_offsets(partitions)
        for partition in partitions:
            position = known.get(partition, 0)
            if position < beginnings[partition] and partition in known:
                log.error("%s: records %d to %d were deleted by retention before they were projected",
                          partition, position, beginnings[partition])  # fmt: skip
            self._positions[partition] = max(position, beginnings[partition])
            consumer.seek(partition, self._positions[partition])

    @staticmethod
    async def _ask(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
        """Partitions of a topic the client has not heard of yet."""
        metadata = await consumer._client.fetch_all_metadata()
        found = metadata.partitions_for_topic(topic)
        if not found:
            raise StartError(f"topic {topic} is missing; run `hub topics ensure` first")
        return set(found)

    async def poll(self) -> int:
        """One batch into SQL; the number of records."""
        assert self._consumer is not None
        batches = await self._consumer.getmany(timeout_ms=500)
        if not batches:
            return 0
        records = [record for batch in batches.values() for record in batch]
        ends = {partition: batch[-1].offset + 1 for partition, batch in batches.items() if batch}
        await asyncio.to_thread(self._write, records, ends)
        self._positions |= ends
        self._measure(batches)
        return len(records)

    async def caught_up(self) -> bool:
        """True when every partition was read to its present end."""
        return await self.reached(await self.ends())

    async def ends(self) -> dict[TopicPartition, int]:
        """Where the log ends now."""
        assert self._consumer is not None
        found: dict[TopicPartition, int] = await self._consumer.end_offsets(list(self._positions))
        return found

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether all before these ends stands in the tables (by position: markers have no record). Not during poll."""
        assert self._consumer is not None
        return all([await self._consumer.position(p) >= end for p, end in ends.items()])

    async def close(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()
            self._consumer = None

    def _write(self, records: Sequence[ConsumerRecord], ends: dict[TopicPartition, int]) -> None:
        batch = rows(records, self._codec)
        with self._engine.begin() as connection:
            self._store(connection, batch)
            offsets = [{"topic": p.topic, "partition": p.partition, "next_offset": end} for p, end in ends.items()]
            connection.execute(tables.upsert(self._engine, self.generation.offsets), offsets)

    def _store(self, connection: Connection, batch: Rows) -> None:
        g = self.generation
        if batch.dossiers:
            connection.execute(
                tables.upsert(self._engine, g.dossiers, "hub_seq"),
                [structs.asdict(row) for row in batch.dossiers.values()],
            )
        written: tuple[tuple[Table, Collection[Struct]], ...] = (
            (g.events, batch.events.values()),
            (g.deliveries, batch.deliveries),
            (g.dead_letters, batch.dead_letters),
            (g.discrepancies, [r for r in batch.discrepancies.values() if r is not None]),
        )
        for table, found in written:
            if found:
                connection.execute(tables.upsert(self._engine, table), [structs.asdict(row) for row in found])
        gone = [key for key, row in batch.discrepancies.items() if row is None]
        if gone:
            connection.execute(delete(g.discrepancies).where(g.discrepancies.c.id.in_(gone)))

    def _measure(self, batches: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        assert self._consumer is not None
        for partition, batch in batches.items():
            metrics.EVENTS_IN.labels(ROLE).inc(len(batch))
            metrics.LAG_SECONDS.labels(ROLE, partition.topic).set(time.time() - batch[-1].timestamp / 1000)
        for topic in {p.topic for p in batches}:
            lag = 0
            for partition in self._positions:
                if partition.topic == topic:
                    highwater = self._consumer.highwater(partition)
                    lag += max(0, (highwater or 0) - self._positions[partition])
            metrics.LAG_RECORDS.labels(ROLE, topic).set(lag)


async def rebuild(
    settings: Settings, engine: Engine, codec: Codec, progress: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Fills the next generation from Kafka's beginning, swaps, drops the old one: (new generation, records read).

    A rebuild that was broken off leaves tables that the next one drops first.
    """
    old = tables.current(engine)
    new = tables.generation(old.number + 1)
    new.drop(engine)
    new.create(engine)
    projector, read = Projector(settings, engine, codec, new), 0
    try:
        await projector.start()
        while True:
            count = await projector.poll()
            read += count
            progress(read)
            if count == 0 and await projector.caught_up():
                break
    finally:
        await projector.close()
    tables.swap(engine, new.number)
    old.drop(engine)
    return new.number, read
