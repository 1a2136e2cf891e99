"""Sending dead letters back, or giving them up; each call is in the audit.

What was refused before the core goes to `hub.ingress` again, with the same id and headers and `ce_replayof`. A letter
of stage `intake` passes the same check again, with the rights as they are now. A letter of stage `deliver` becomes an
order in `hub.requests`, so that it goes through its dossier's own queue and never overtakes.

The core keeps only accepted events in its dedupe ring, so a letter that it refused is judged anew; one that was taken
in meanwhile is dropped as a copy, and a `conflict` stays one until it gets an id of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from aiokafka import AIOKafkaProducer

from hub.avro.codec import Codec
from hub.config import Settings
from hub.control.audit import Actor, AuditEntry, Target, outcome, record
from hub.control.directory import Directory, directory
from hub.control.records import now
from hub.control.requests import Pointer, Request
from hub.deadletter.book import Book, read
from hub.deadletter.browse import Found, scan
from hub.deadletter.filters import Filter
from hub.deadletter.record import REPLAY_OF, DeadLetter
from hub.deadletter.states import LetterState, State, write_states
from hub.errors import BadRecord, Refused
from hub.events.envelope import HUB_SEQ, Headers, derived_id
from hub.intake.agency_record import Judge
from hub.kafka import clients
from hub.kafka.topics import EVENTS, INGRESS, REQUESTS

Action = Literal["replay", "skip"]
CHUNK = 500

Record = tuple[str, bytes | None, bytes | None, Headers]


class NotReplayable(Refused):
    """This letter cannot go back as it is; the message says what to do instead."""


@dataclass(slots=True)
class Report:
    """sent: by (stage, reason). refused: id -> why it was left where it is. closed: how many were done before."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    closed: int = 0

    @property
    def total(self) -> int:
        return self.sent.total()


class Returns:
    """Makes the record that takes a letter back. `order`: what tells this operator's act from the next one."""

    def __init__(self, action: Action, judge: Judge, copy: Directory, who: str, why: str, order: str) -> None:
        self._action, self._judge, self._copy = action, judge, copy
        self._who, self._why, self._order = who, why, order

    def record(self, letter: DeadLetter) -> Record:
        """NotReplayable, with the reason, for one that stays."""
        if letter.stage != "deliver" and self._action == "skip":
            raise NotReplayable(f"stage {letter.stage}: nothing waits behind it, so there is nothing to skip")
        if letter.obstacle:
            raise NotReplayable(letter.obstacle)
        if letter.stage == "deliver":
            return self._request(letter)
        if letter.topic.startswith(f"{INGRESS}."):
            return self._checked_again(letter)
        return INGRESS, letter.key, letter.value, _marked(letter.headers, letter.id)

    def _checked_again(self, letter: DeadLetter) -> Record:
        name = letter.topic.removeprefix(f"{INGRESS}.")
        organisation = self._copy.organisations.get(name)
        try:
            topic, key, value, headers = self._judge.ingress(organisation, letter.key, letter.value, letter.headers)
        except BadRecord as error:
            raise NotReplayable(f"would be refused again: {error}") from None
        return topic, key, value, _marked(headers, letter.id)

    def _request(self, letter: DeadLetter) -> Record:
        key = (letter.key or b"").decode(errors="replace")
        request = Request(
            id=derived_id(self._action, letter.id, self._order),
            action=self._action,
            subscriber=letter.subscriber,
            key=key,
            pointers=_pointers(letter),
            who=self._who,
            why=self._why,
        )
        return REQUESTS, letter.key, request.model_dump_json().encode(), ()


def _pointers(letter: DeadLetter) -> tuple[Pointer, ...]:
    """None for a state sent as backfill: it stands in no log; the order then frees what is held."""
    if letter.topic != EVENTS:
        return ()
    number = dict(letter.headers).get(HUB_SEQ, b"0")
    return (Pointer(offset=letter.offset, hub_seq=int(number), event_id=letter.event_id),)


def _marked(headers: Headers, id: str) -> list[tuple[str, bytes]]:
    return [(name, raw) for name, raw in headers if name != REPLAY_OF] + [(REPLAY_OF, id.encode())]


async def send_back(
    settings: Settings,
    codec: Codec,
    wanted: Filter,
    action: Action,
    by: Actor,
    *,
    again: bool = False,
    rehearse: bool = False,
) -> Report:
    """Replay or skip every open letter that the filter admits; returns when the broker has all that follows.

    again: also those that were replayed or skipped before. rehearse: only tell what would be done.
    At least once: killed in between, the letters of the last chunk are still open, and are sent again by the next act.
    """
    entry = by.entry(f"dead-letters.{action}", _target(wanted), result="begun")
    book, report = await read(settings, wanted.since_ms), Report()
    async with directory(settings) as copy:
        returns = Returns(action, Judge(codec), copy, by.who, by.why, entry.id)
        if rehearse:
            await _all(settings, wanted, book, returns, None, report, again)
            return report
        await record(settings, entry)
        producer = clients.producer(settings)
        await producer.start()
        try:
            await _all(settings, wanted, book, returns, Sender(producer, entry, action), report, again)
        except Exception as error:
            await record(settings, entry.ended(*outcome(error), detail=f"sent={report.total}"))
            raise
        finally:
            await producer.stop()
        await record(settings, entry.ended("done", detail=f"sent={report.total} refused={len(report.refused)}"))
    return report


def _target(wanted: Filter) -> Target:
    """`dead-letters/stage=core reason=date`; a single letter by its id."""
    words = wanted.words()
    if set(words) == {"ids"}:
        return Target(kind="dead-letters", name=words["ids"])
    return Target(kind="dead-letters", name=" ".join(f"{name}={value}" for name, value in words.items()))


class Sender:
    """Sends a chunk, and when the broker has it, what has become of its letters."""

    def __init__(self, producer: AIOKafkaProducer, entry: AuditEntry, action: Action) -> None:
        self._producer, self._entry = producer, entry
        self._state: State = "replayed" if action == "replay" else "skipped"

    async def send(self, chunk: list[tuple[Found, Record]]) -> None:
        await clients.send_all(self._producer, [made for _, made in chunk])
        await write_states(self._producer, [self._state_of(found) for found, _ in chunk])

    def _state_of(self, found: Found) -> LetterState:
        return LetterState(
            letter=found.letter.id,
            state=self._state,
            act=self._entry.id,
            at=now(),
            who=self._entry.who,
            partition=found.partition,
            offset=found.offset,
        )


async def _all(
    settings: Settings,
    wanted: Filter,
    book: Book,
    returns: Returns,
    sender: Sender | None,
    report: Report,
    again: bool,
) -> None:
    chunk: list[tuple[Found, Record]] = []
    async for found in scan(settings, wanted, dict(book.ends)):
        letter = found.letter
        if not book.counts(found):
            continue
        if book.state(letter.id) is not None and not again:
            report.closed += 1
            continue
        try:
            chunk.append((found, returns.record(letter)))
            report.sent[letter.stage, letter.reason] += 1
        except NotReplayable as error:
            report.refused[letter.id] = str(error)
        if len(chunk) >= CHUNK:
            await _send(sender, chunk)
    await _send(sender, chunk)


async def _send(sender: Sender | None, chunk: list[tuple[Found, Record]]) -> None:
    if sender is not None:
        await sender.send(chunk)
    chunk.clear()
