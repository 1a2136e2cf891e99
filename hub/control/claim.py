"""Writes to `hub.control` over what truly stands there: nobody else's change comes between the reading and the writing.

Kafka has no compare-and-set. What takes its place (docs/decisions/0028-control-changes-are-compared.md):
1. All writers share one transactional id. Who starts a producer with it claims the topic: the broker undoes what an
   older one has begun and takes nothing more from it.
2. Then the topic is read to its end, committed records only, and compared.
3. The first record must land just behind what was read; else somebody wrote without a claim, and all is undone.
4. Commit: all lines become visible together, or none.
5. It counts when a reader sees it: the broker's word alone may be lost with the broker.
A try whose end is not known is followed by another one, whose claim ends the first and whose reading tells what came of
it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IllegalOperation,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from hub.config import Settings
from hub.control.directory import Directory
from hub.errors import BrokerAway, StartError
from hub.kafka import clients
from hub.kafka.log_faults import NoAnswer
from hub.kafka.tail import Record as KafkaRecord
from hub.kafka.topics import COMPACTION_LAG_MS, CONTROL

log = logging.getLogger(__name__)

TRANSACTIONAL_ID = CONTROL
HEADER = "change"
"""Of a record: the id of the change that it belongs to, so that its writer finds it again."""

TRY_S = 25.0
LIMIT_S = 90.0
"""Longest time for one change, with all its tries; far below the time in which compaction takes nothing away."""
assert LIMIT_S * 1000 < COMPACTION_LAG_MS / 2

UNDONE_AFTER_MS = 10_000
"""The broker undoes the transaction of a writer that was killed; until then, readers do not see later changes."""
BACKOFF_S = (0.05, 2.0)
LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """One record to write; value None removes. at_ms: its time, None for now."""

    topic: str
    key: bytes
    value: bytes | None
    at_ms: int | None = None


Make = Callable[[Directory], Sequence[Line]]
"""What is to be written over what stands there. It may be asked again, when somebody else was quicker; what it raises
ends the change, and nothing is written."""


class _Copy(Directory):
    """The directory, which also notes whether a change landed."""

    def __init__(self, settings: Settings, change: str) -> None:
        super().__init__(settings)
        self._change = change.encode()
        self.landed = False

    def _take(self, records: list[KafkaRecord], notify: bool) -> None:
        self.landed = self.landed or any((HEADER, self._change) in record.headers for record in records)
        super()._take(records, notify)


async def commit(settings: Settings, make: Make) -> None:
    """Writes what `make` gives, all or nothing, and returns when the broker has committed it.

    BrokerAway: it is not known whether it was written. StartError: no right. NoAnswer: nothing was written.
    """
    attempt, deadline = _Attempt(settings, str(uuid.uuid4()), make), time.monotonic() + LIMIT_S
    for wait_s in _waits():
        try:
            async with _one_at_a_time(), asyncio.timeout(TRY_S):
                if await attempt.once():
                    return
        except (TopicAuthorizationFailedError, TransactionalIdAuthorizationFailed) as error:
            raise StartError(f"no right to change {CONTROL} ({type(error).__name__}); see `hub topics acls`") from error
        except (NoAnswer, KafkaError, IllegalOperation, TimeoutError) as error:
            # IllegalOperation: how aiokafka says that somebody else's claim came within this transaction.
            if isinstance(error, NoAnswer) and not attempt.unclear:
                raise
            log.info("a change of %s met %s; trying again", CONTROL, type(error).__name__)
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(random.uniform(0, wait_s))
    what = "it is not known whether the change was written" if attempt.unclear else "the change was not written"
    raise BrokerAway(f"{CONTROL} could not be written for {LIMIT_S:.0f} s: {what}; look at it, then do it again")


class _Attempt:
    """One change. unclear: a commit was asked for and not confirmed."""

    def __init__(self, settings: Settings, change: str, make: Make) -> None:
        self._settings, self._change, self._make = settings, change, make
        self.unclear = False

    async def once(self) -> bool:
        """False: somebody came between, and nothing was written. KafkaError, TimeoutError: see `unclear`."""
        copy = _Copy(self._settings, self._change)  # each time anew: a reading that broke off may have lost records
        try:
            await copy.load()  # before the claim, so that the claim is short
            async with self._claimed() as producer:
                await copy.load()
                if copy.landed:
                    return True
                self.unclear = False
                lines = self._make(copy)
                return not lines or await self._write(producer, copy, lines)
        finally:
            await copy.close()

    @contextlib.asynccontextmanager
    async def _claimed(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = clients.producer(
            self._settings, transactional_id=TRANSACTIONAL_ID, transaction_timeout_ms=UNDONE_AFTER_MS
        )
        await producer.start()
        try:
            yield producer
        finally:
            with contextlib.suppress(KafkaError):
                await producer.stop()

    async def _write(self, producer: AIOKafkaProducer, copy: _Copy, lines: Sequence[Line]) -> bool:
        end = copy.end
        await producer.begin_transaction()
        headers = [(HEADER, self._change.encode())]
        pending: list[asyncio.Future[Any]] = []
        try:
            for line in lines:
                pending.append(
                    await producer.send(line.topic, line.value, key=line.key, headers=headers, timestamp_ms=line.at_ms)
                )
        finally:
            await asyncio.gather(*pending, return_exceptions=True)  # each is looked at, or asyncio complains
        offsets = [one.result().offset for one, line in zip(pending, lines, strict=True) if line.topic == CONTROL]
        if offsets and min(offsets) != end:
            await producer.abort_transaction()
            return False
        self.unclear = True
        await producer.commit_transaction()
        return not offsets or await self._stands(copy, max(offsets))

    async def _stands(self, copy: _Copy, offset: int) -> bool:
        """Whether readers see it. The broker answers before it has written the mark of the commit; killed in between,
        it may come back without, and undo what it had called committed."""
        while copy.end <= offset:
            await asyncio.sleep(LOOK_S)
            await copy.load()
        return copy.landed


_LOCKS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()


def _one_at_a_time() -> asyncio.Lock:
    """Within a process they queue, instead of taking the claim from each other."""
    return _LOCKS.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def _waits() -> Iterator[float]:
    wait_s = BACKOFF_S[0]
    while True:
        yield wait_s
        wait_s = min(wait_s * 2, BACKOFF_S[1])
