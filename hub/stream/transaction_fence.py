"""Fencing by the broker: one transactional producer per partition, by the setting `core.fencing=transactions`.

Whoever is assigned a partition claims its transactional id before it reads the state. From then on the broker takes
nothing more from the owner before, however late that one wakes, and what it had begun is undone. A chunk's outputs and
state become visible together or not at all; its source offset is committed after that, as always.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from aiokafka.errors import ProducerFenced

from hub.config import Settings
from hub.kafka.batches import Line
from hub.stream.errors import Fenced
from hub.stream.stage import Out
from hub.stream.writer import Landed, Writer


class Fence:
    """Writes as `Writer` does, each partition with a producer of its own and only inside `transaction`.

    The number of a chunk's partition is that of its state's, so `near` and `partition` say whose producer it is.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._writers: dict[int, TransactionalWriter] = {}

    async def claim(self, partitions: Collection[int]) -> None:
        """These are ours from now on, and no others. KafkaError: it is not known whether they are."""
        gone, self._writers = self._writers, {}
        await asyncio.gather(*(writer.stop() for writer in gone.values()))
        for result in await asyncio.gather(*map(self._claimed, partitions), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def stop(self) -> None:
        await self.claim(())

    @asynccontextmanager
    async def transaction(self, partition: int) -> AsyncIterator[TransactionalWriter]:
        """What is written meanwhile counts once `commit` has returned; without it, it is undone at the end.

        Fenced: somebody else has claimed the partition.
        """
        writer = self._writers.get(partition) or await self._claimed(partition)
        try:
            await writer.begin()
            yield writer
        except ProducerFenced as error:
            raise Fenced(f"partition {partition} was claimed by another process; nothing was written") from error
        finally:
            if writer.open:
                # A producer that was refused a batch can do no more; claiming anew also undoes what it has written.
                if self._writers.get(partition) is writer:
                    del self._writers[partition]
                await writer.stop()

    async def write(self, records: Iterable[Out], near: int) -> int:
        return await self._writers[near].write(records, near)

    async def append(self, topic: str, partition: int, lines: Iterable[Line]) -> list[Landed]:
        return await self._writers[partition].append(topic, partition, lines)

    async def _claimed(self, partition: int) -> TransactionalWriter:
        writer = TransactionalWriter(self._settings, f"{self._name}.{partition}")
        await writer.start()
        self._writers[partition] = writer
        return writer


class TransactionalWriter(Writer):
    """`start` claims the id. open: a transaction has begun and is not committed."""

    def __init__(self, settings: Settings, transactional_id: str) -> None:
        # The broker undoes what its owner does not end: after the time that a rebalance may take.
        super().__init__(
            settings,
            transactional_id=transactional_id,
            transaction_timeout_ms=settings.kafka.rebalance_timeout_ms + settings.kafka.session_timeout_ms,
        )
        self.open = False

    async def begin(self) -> None:
        await self._started().begin_transaction()
        self.open = True

    async def commit(self) -> None:
        """Errors: as of `transaction`; any other, and it is unknown whether it was committed."""
        await self._started().commit_transaction()
        self.open = False

    async def _replace(self, used: object) -> None:
        """Not here: the whole transaction is undone."""
