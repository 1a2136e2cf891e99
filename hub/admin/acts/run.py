"""A long act under way: what its job may use. Its progress is written with what the job writes, all or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence

from aiokafka import AIOKafkaProducer

from hub.admin.acts.journal import ActRecord, Claim, State, Tally
from hub.config import Settings
from hub.control.audit import Actor, Result, line_of
from hub.control.claim import Line
from hub.control.records import now
from hub.errors import HubError
from hub.kafka import clients
from hub.kafka.clients import Headers

CHUNK = 500
BEAT_S = 3.0


class Stopped(HubError):
    """The act was asked to stop, and did between two chunks."""


class Run:
    """tally: what was done so far; the job counts there. places: up to where its source is worked. is_new: it was not
    carried out before. stood_at: when its record was last written before that."""

    def __init__(
        self,
        settings: Settings,
        claim: Claim,
        record: ActRecord,
        producer: AIOKafkaProducer,
        stop: asyncio.Event,
        watch: Callable[[ActRecord], None],
    ) -> None:
        self.settings, self.record = settings, record
        self.tally: Tally = record.tally.model_copy(deep=True)
        self.places = dict(record.places)
        self.is_new, self.stood_at = not record.ends, record.at
        self._claim, self._producer, self._stop, self._watch = claim, producer, stop, watch
        self._writing = asyncio.Lock()
        self._began, self._sent = time.monotonic(), 0

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def by(self) -> Actor:
        entry = self.record.entry
        return Actor(entry.who, entry.role, entry.where, entry.why)

    async def begins(self, ends: dict[int, int], total: int | None) -> None:
        """Where the source ends and how much there is to do; said once, whoever goes on keeps to it."""
        if not self.record.ends:
            await self._save(ends=ends, total=total, places=dict(self.places))

    async def send(
        self, records: Sequence[tuple[str, bytes | None, bytes | None, Headers]], rate: float | None
    ) -> None:
        """Returns when the broker has them all; no faster than `rate` a second. Stopped: nothing of it was sent."""
        await self._pace(rate)
        await clients.send_all(self._producer, records)
        self._sent += len(records)

    async def advance(self, done: int, lines: Iterable[Line] = ()) -> None:
        """What was done stands from now on, together with these lines. Stopped, TakenOver."""
        await self._save(lines, done=done, places=dict(self.places), tally=self.tally.model_copy(deep=True))
        if self._stop.is_set():
            raise Stopped("it was asked to stop")

    async def shows(self, done: int, total: int | None) -> None:
        """Progress of a job that has no places to go on from. Stopped, TakenOver."""
        self.record = self.record.model_copy(update={"done": done, "total": total})
        if self._stop.is_set():
            raise Stopped("it was asked to stop")

    async def taken(self) -> None:
        """Says that from now on somebody carries it out."""
        await self._save(state="running", reason="")

    async def beat(self) -> None:
        """Says now and then that the act is being carried out. TakenOver."""
        while True:
            await asyncio.sleep(BEAT_S)
            await self._save()

    async def end(self, state: State, reason: str = "") -> ActRecord:
        """The last record, with the audit's. What counts is what was written by `advance`."""
        result: Result = "done" if state == "done" else "failed"
        entry = self.record.entry.ended(result, reason, detail=detail(self.record))
        await self._save([line_of(entry)], state=state, reason=reason, entry=entry)
        return self.record

    async def _save(self, lines: Iterable[Line] = (), **changed: object) -> None:
        async with self._writing:
            self.record = self.record.model_copy(update={"at": now(), **changed})
            await self._claim.write(self.record, lines)
        self._watch(self.record)

    async def _pace(self, rate: float | None) -> None:
        if rate:
            wait_s = self._began + self._sent / rate - time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, wait_s)):
                    await self._stop.wait()
        if self._stop.is_set():
            raise Stopped("it was asked to stop")


def chunk_size(rate: float | None) -> int:
    """So many at once: at a set rate not more than a second's."""
    return CHUNK if not rate else max(1, min(CHUNK, int(rate)))


def detail(record: ActRecord) -> str:
    """What the audit says of how far it came."""
    tally = record.tally
    if tally.numbers:
        return " ".join(f"{name}={number:g}" for name, number in tally.numbers.items())
    return f"sent={tally.total} refused={tally.stays} of={record.total}"
