"""Long acts as they stand: one record each in `hub.acts` (compacted), written by whoever carries the act out.

Each act has a transactional id of its own. Who starts a producer with it owns the act: the broker takes nothing more
from the owner before, however late that one wakes. So an act goes on after a kill wherever somebody takes it up, and
to cancel it is to take it and to write that it is cancelled (docs/decisions/0029-acts-in-one-place.md).
The topic forgets what nobody has written for a month.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, ProducerFenced
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.admin.names import NoSuchName
from hub.config import Settings
from hub.control.audit import AuditEntry
from hub.control.claim import UNDONE_AFTER_MS, Line
from hub.control.records import now
from hub.errors import Refused
from hub.kafka import clients
from hub.kafka.tail import Record, opened
from hub.kafka.topics import ACTS
from hub.untyped import JsonObject, SettingsTable

log = logging.getLogger(__name__)

State = Literal["running", "done", "cancelled", "failed"]
SILENT_S = 10.0
"""Whoever carries an act out writes its record more often; after so long without, somebody else may take it up."""
REFUSED_SHOWN = 200


class NoSuchAct(NoSuchName):
    """There is no long act of that id, or it was too long ago."""

    def __init__(self, id: str) -> None:
        super().__init__("id", f"there is no act {id!r}; see `hub acts list`")


class TakenOver(Refused):
    """Somebody else carries the act out, or has ended it."""


class Tally(BaseModel):
    """What a long act has done. sent: `stage/reason` -> how many. refused: id -> why it stays, the first of `stays`.
    closed: how many were done before. numbers: whatever else there is to count."""

    sent: dict[str, int] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)
    stays: int = 0
    closed: int = 0
    numbers: dict[str, float] = Field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.sent.values())

    def add(self, what: str, count: int = 1) -> None:
        self.sent[what] = self.sent.get(what, 0) + count

    def refuse(self, id: str, why: str) -> None:
        self.stays += 1
        if len(self.refused) < REFUSED_SHOWN:
            self.refused[id] = why

    def document(self) -> JsonObject:
        """For people and scripts."""
        sent = [dict(zip(("stage", "reason"), what.split("/", 1), strict=True)) | {"count": n}
                for what, n in self.sent.items()]  # fmt: skip
        return {
            "sent": sent,
            "refused": self.refused,
            "refused_count": self.stays,
            "closed": self.closed,
        } | self.numbers


class ActRecord(BaseModel):
    """Key = id, which is that of its audit entry.

    door:   where it was asked for. What HTTP asked for is carried out by the gateway's role; the rest by a command.
    places: partition -> offset up to which its source is worked. ends: where the source ended when the act began.
    at:     when it was last written: an act that runs and is silent was interrupted.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    act: str
    input: SettingsTable
    entry: AuditEntry
    door: Literal["cli", "http"] = "cli"
    state: State = "running"
    began: datetime = Field(default_factory=now)
    at: datetime = Field(default_factory=now)
    done: int = 0
    total: int | None = None
    places: dict[int, int] = Field(default_factory=dict)
    ends: dict[int, int] = Field(default_factory=dict)
    tally: Tally = Field(default_factory=Tally)
    reason: str = ""

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")

    @property
    def waits(self) -> bool:
        """It is to be carried out, and nobody does so."""
        return self.state == "running" and (now() - self.at).total_seconds() > SILENT_S

    def document(self) -> JsonObject:
        """As people and scripts see it. rate: so many a second since it began."""
        seconds = max((self.at - self.began).total_seconds(), 0.001)
        return {
            "id": self.id,
            "act": self.act,
            "state": "waiting" if self.waits else self.state,
            "who": self.entry.who,
            "target": str(self.entry.target),
            "began": self.began.isoformat(),
            "at": self.at.isoformat(),
            "done": self.done,
            "total": self.total,
            "rate": round(self.done / seconds, 1) if self.done else 0.0,
            "result": self.tally.document(),
            "reason": self.reason,
        }


async def read(settings: Settings) -> dict[str, ActRecord]:
    """All that stand there, by id. TopicError."""
    found: dict[str, ActRecord] = {}
    async with opened(settings, isolation_level="read_committed") as tail:
        await tail.from_beginning(ACTS)
        async for _, records in tail.to_end():
            take(found, records)
    return found


def take(found: dict[str, ActRecord], records: Iterable[Record]) -> None:
    """Records of the topic, over what was known."""
    for record in records:
        id = (record.key or b"").decode(errors="replace")
        try:
            found[id] = ActRecord.model_validate_json(record.value or b"")
        except ValidationError as error:
            found.pop(id, None)
            log.error("%s offset %d is no act and was left out: %s", ACTS, record.offset, error.errors()[0]["msg"])


SHOWN_S = 5.0
"""Longest time between a commit that was answered and its record for a reader of what is committed."""


class Claim:
    """The right to write an act's record; only one has it."""

    def __init__(self, settings: Settings, id: str, producer: AIOKafkaProducer) -> None:
        self._settings, self._id, self._producer = settings, id, producer

    async def load(self) -> ActRecord:
        """The record as it stands: nobody else changes it now. NoSuchAct: also a moment later, since the broker answers
        a commit before it shows it."""
        deadline = time.monotonic() + SHOWN_S
        while (found := (await read(self._settings)).get(self._id)) is None:
            if time.monotonic() > deadline:
                raise NoSuchAct(self._id)
            await asyncio.sleep(0.1)
        return found

    async def write(self, record: ActRecord, lines: Iterable[Line] = ()) -> None:
        """The record and the lines, all or nothing. TakenOver: somebody else has claimed the act; nothing is written.
        KafkaError: it is not known."""
        own = Line(ACTS, record.id.encode(), record.model_dump_json().encode())
        writing = asyncio.ensure_future(self._commit([*lines, own]))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:  # a transaction that was begun is ended, or the next one could not begin
            await asyncio.wait([writing])
            writing.cancelled() or writing.exception()
            raise
        except (ProducerFenced, IllegalOperation) as error:
            # IllegalOperation: how aiokafka says that somebody else's claim came within this transaction.
            raise TakenOver(f"act {record.id} was taken up, or ended, by somebody else") from error

    async def _commit(self, lines: list[Line]) -> None:
        await self._producer.begin_transaction()
        await self._all(lines)
        await self._producer.commit_transaction()

    async def _all(self, lines: list[Line]) -> None:
        pending: list[asyncio.Future[object]] = []
        try:
            for line in lines:
                pending.append(await self._producer.send(line.topic, line.value, key=line.key, timestamp_ms=line.at_ms))
        finally:
            await asyncio.gather(*pending, return_exceptions=True)  # each is looked at, or asyncio complains
        for one in pending:
            one.result()


@contextlib.asynccontextmanager
async def claimed(settings: Settings, id: str) -> AsyncIterator[Claim]:
    """Takes the act; whoever had it has it no more."""
    producer = clients.producer(settings, transactional_id=f"{ACTS}.{id}", transaction_timeout_ms=UNDONE_AFTER_MS)
    await producer.start()
    try:
        yield Claim(settings, id, producer)
    finally:
        with contextlib.suppress(Exception):
            await producer.stop()
