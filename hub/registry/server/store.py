"""Writing to `_schemas` and reading it back: an answer is given only after the record was read from the topic.

There is one writer. Whoever reads another's record between the decision to write and the read-back of its own decided
on an old state: ids could be given out twice. The registry stops then. (A record of its own that a retry doubled does
no harm: same key, same value.)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.config import Settings
from hub.errors import HubError, StartError
from hub.kafka import clients
from hub.kafka.log_faults import TopicError
from hub.kafka.tail import Tail
from hub.kafka.topic_admin import ensure
from hub.kafka.topics import CATALOGUE, SCHEMAS
from hub.registry.schema_log import NOOP_KEY, PARTITION
from hub.registry.server import errors
from hub.registry.server.state import State

log = logging.getLogger(__name__)

WRITE_S = 10.0
"""Longest wait for the broker's acknowledgement and the read-back of one change."""

SEND_MS = 5_000
"""aiokafka gives a batch up after this time; without a limit, closing the producer would wait for the broker."""

Records = Sequence[tuple[bytes, bytes | None]]


class Store:
    """`state` follows the topic; `write` changes it. `failed` is set with the reason when the store cannot go on."""

    def __init__(self, settings: Settings) -> None:
        self.state = State()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._tail = Tail(settings)
        self._producer: AIOKafkaProducer | None = None
        self._reader: asyncio.Task[None] | None = None
        self._writing: tuple[bytes, bytes | None] | None = None
        self._advanced = asyncio.Condition()

    async def start(self) -> None:
        """Rebuild the state from the topic (created if it is not there), then prove that it can be written."""
        try:
            await self._tail.start()
            if not await self._tail.partitions(SCHEMAS, missing_ok=True):
                await ensure(self._settings, [t for t in CATALOGUE if t.name == SCHEMAS])
            await self._tail.from_beginning(SCHEMAS)
            self._reader = asyncio.create_task(self._read(), name="schemas-reader")
            await self.write("Start", [(NOOP_KEY, None)])
        except (KafkaError, TopicError) as error:
            raise StartError(f"the registry cannot use {SCHEMAS}: {type(error).__name__}: {error}") from error
        except errors.ApiError as error:
            raise StartError(f"the registry cannot write {SCHEMAS}: {error}; has it the right to?") from error

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._drop_producer()
        await self._tail.stop()
        self.failed.cancel()

    async def prepare(self, what: str) -> None:
        """Before a change is decided: the state holds all that an earlier, unclear write may have brought."""
        async with self._within(what):
            await self._ready_producer()

    async def write(self, what: str, records: Records) -> None:
        """Write in order and return when all were read back. ApiError 50001/50002; `what` names the operation.

        The caller sees to it that writes do not overlap.
        """
        async with self._within(what):
            producer = await self._ready_producer()
            for self._writing in records:
                key, value = self._writing
                sent = await producer.send_and_wait(SCHEMAS, value, key=key, partition=PARTITION.partition)
                await self._until(sent.offset + 1)

    @contextlib.asynccontextmanager
    async def _within(self, what: str) -> AsyncIterator[None]:
        """WRITE_S for all of it; what goes wrong with the broker becomes an answer, and the next change starts anew."""
        try:
            async with asyncio.timeout(WRITE_S):
                yield
        except TimeoutError:
            await self._drop_producer()
            raise errors.store_timed_out(what) from None
        except (KafkaError, TopicError) as error:
            log.warning("%s not written: %r", what, error)
            await self._drop_producer()
            raise errors.store_failed(what) from error
        finally:
            self._writing = None

    async def _ready_producer(self) -> AIOKafkaProducer:
        """After a failure: a new one, and first whatever the old one may still have brought to the topic."""
        if self._producer is None:
            producer = clients.producer(self._settings, request_timeout_ms=SEND_MS)
            try:
                await producer.start()
                await self._until((await self._tail.ends([PARTITION]))[PARTITION])
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(KafkaError):
                await producer.stop()

    async def _until(self, offset: int) -> None:
        async with self._advanced:
            await self._advanced.wait_for(lambda: self.state.next_offset >= offset)

    async def _read(self) -> None:
        try:
            while True:
                for records in (await self._tail.poll()).values():
                    for record in records:
                        if self._writing not in (None, (record.key, record.value)):
                            raise HubError(f"another registry writes {SCHEMAS}; there must be one only")
                        self.state.next_offset = record.offset + 1
                        self.state.apply(record.key, record.value)
                # Control records and compacted offsets are passed over without being handed out.
                self.state.next_offset = max(self.state.next_offset, self._tail.position(PARTITION))
                async with self._advanced:
                    self._advanced.notify_all()
        except Exception as error:
            self._fail(f"reading {SCHEMAS}: {error}")

    def _fail(self, reason: str) -> None:
        log.error("%s", reason)
        if not self.failed.done():
            self.failed.set_exception(HubError(reason))
