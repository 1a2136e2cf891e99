"""Reads Kafka into a generation of tables. Rows and offsets stand in the same transaction, so a crash at any point
repeats or skips nothing; the upserts make even a repetition harmless."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord
from msgspec import Struct, structs
from sqlalchemy import Connection, Engine, Table, delete, select

from hub.avro.codec import Codec
from hub.config import Settings
from hub.errors import StartError
from hub.kafka.log_faults import NoSuchTopic
from hub.kafka.tail import Tail
from hub.observe import metrics
from hub.projector.projection import TOPICS, rows
from hub.projector.rows import Rows
from hub.readmodel import tables
from hub.readmodel.tables import Generation

log = logging.getLogger(__name__)
ROLE = "projector"
READ_MAX = 4_000


class Projector:
    """One generation, all partitions, one process: SQL is filled by one writer."""

    def __init__(self, settings: Settings, engine: Engine, codec: Codec, generation: Generation) -> None:
        self.generation = generation
        self._engine, self._codec = engine, codec
        self._tail = Tail(settings)

    async def start(self) -> None:
        """Goes, in every partition of the topics, to the offset that stands in the tables. Deleted records are told."""
        await self._tail.start()
        try:
            partitions = await self._tail.partitions(*TOPICS)
        except NoSuchTopic as error:
            raise StartError(str(error)) from error
        with self._engine.connect() as connection:
            table = self.generation.offsets
            known = {TopicPartition(r.topic, r.partition): r.next_offset for r in connection.execute(select(table))}
        beginnings = await self._tail.beginnings(partitions)
        self._tail.begin({partition: known.get(partition, beginnings[partition]) for partition in partitions})

    async def poll(self) -> int:
        """One batch into SQL; the number of records."""
        batches = await self._tail.poll(max_records=READ_MAX)
        if not batches:
            return 0
        records = [record for batch in batches.values() for record in batch]
        await asyncio.to_thread(self._write, records, {part: self._tail.position(part) for part in batches})
        self._measure(batches)
        return len(records)

    async def caught_up(self) -> bool:
        """True when every partition was read to its present end."""
        return self.reached(await self.ends())

    async def ends(self) -> dict[TopicPartition, int]:
        """Where the log ends now."""
        return await self._tail.ends(self._tail.positions)

    def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether all before these ends stands in the tables (by position: markers have no record). Not during poll."""
        return all(self._tail.position(part) >= end for part, end in ends.items())

    async def left(self) -> int:
        """So many offsets lie between where it stands and where the log ends now."""
        return sum(end - self._tail.position(part) for part, end in (await self.ends()).items())

    async def close(self) -> None:
        await self._tail.stop()

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
        for partition, batch in batches.items():
            metrics.EVENTS_IN.labels(ROLE).inc(len(batch))
            metrics.LAG_SECONDS.labels(ROLE, partition.topic).set(time.time() - batch[-1].timestamp / 1000)
        for topic in {p.topic for p in batches}:
            lag = sum(self._tail.lag(part) or 0 for part in self._tail.positions if part.topic == topic)
            metrics.LAG_RECORDS.labels(ROLE, topic).set(lag)


Progress = Callable[[int, int], Awaitable[None]]
"""Gets (records read, records to read) now and then; what it raises ends the rebuild."""


async def rebuild(
    settings: Settings, engine: Engine, codec: Codec, progress: Progress | None = None
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
        total = await projector.left()
        while True:
            count = await projector.poll()
            read += count
            if progress is not None:
                await progress(read, total)
            if count == 0 and await projector.caught_up():
                break
    finally:
        await projector.close()
    tables.swap(engine, new.number)
    old.drop(engine)
    return new.number, read
