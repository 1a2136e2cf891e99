"""Sending dead letters back, or giving them up; each call is in the audit.

What was refused before the core goes to `hub.ingress` again, with the same id and headers and `ce_replayof`. A letter
of stage `intake` passes the same check again, with the rights as they are now. A letter of stage `deliver` becomes an
order in `hub.requests`, so that it goes through its dossier's own queue and never overtakes (design 3, 6).

The core keeps only accepted events in its dedupe ring, so a letter that it refused is judged anew; one that was taken
in meanwhile is dropped as a copy, and a `conflict` stays one until it gets an id of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiokafka import AIOKafkaProducer

from hub.access import audit
from hub.access.directory import Directory, directory, write
from hub.config import Settings
from hub.deadletter.browse import Filter, scan
from hub.deadletter.record import DeadLetter
from hub.delivery.requests import Pointer, Request
from hub.errors import BadRecord, HubError
from hub.intake.judge import Judge
from hub.wire import kafka
from hub.wire.codec import Codec
from hub.wire.envelope import HUB_SEQ, Headers, derived_id
from hub.wire.topics import EVENTS, INGRESS, REQUESTS

REPLAY_OF = "ce_replayof"
CHUNK = 500

Action = Literal["replay", "skip"]
Record = tuple[str, bytes | None, bytes | None, Headers]


class NotReplayable(HubError):
    """This letter cannot go back as it is; the message says what to do instead."""


@dataclass(slots=True)
class Report:
    """sent: by (stage, reason). refused: id -> why it was left where it is."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)

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
        if letter.stage == "deliver":
            return self._request(letter)
        if self._action == "skip":
            raise NotReplayable(f"stage {letter.stage}: nothing waits behind it, so there is nothing to skip")
        given = {name for name, _ in letter.headers}
        if letter.value is None or not {"ce_id", "ce_source", "ce_type"} <= given:
            raise NotReplayable("it never was an event (a row of a file, or no envelope): correct it at its source")
        if letter.topic.startswith(f"{INGRESS}."):
            return self._checked_again(letter)
        if letter.topic not in (INGRESS, ""):
            raise NotReplayable(f"it comes from {letter.topic}, which only the hub itself may write")
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
        if letter.key is None or not letter.subscriber:
            raise NotReplayable("it names no dossier or no subscriber")
        key = letter.key.decode(errors="replace")
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
    who: str,
    why: str = "",
    *,
    rehearse: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Replay or skip every letter that the filter admits, each id once; returns when the broker has all of them.

    rehearse: only tell what would be done. The audit entry is written before the first record, so that an act that
    was begun is told of. At least once: called again it sends again, and the ids tell the copies.
    """
    entry = audit.entry(who, f"dead-letters.{action}", str(wanted), why)
    report = Report()
    async with directory(settings) as copy:
        returns = Returns(action, Judge(codec), copy, who, why, entry.id)
        producer = kafka.producer(settings)
        await producer.start()
        try:
            if not rehearse:
                await write(settings, entry)
            await _all(settings, wanted, returns, None if rehearse else producer, report, progress)
        finally:
            await producer.stop()
    return report


async def _all(
    settings: Settings,
    wanted: Filter,
    returns: Returns,
    producer: AIOKafkaProducer | None,
    report: Report,
    progress: Callable[[int], None],
) -> None:
    seen: set[str] = set()
    chunk: list[Record] = []
    async for letter in scan(settings, wanted):
        if letter.id in seen:
            continue
        seen.add(letter.id)
        try:
            chunk.append(returns.record(letter))
            report.sent[letter.stage, letter.reason] += 1
        except NotReplayable as error:
            report.refused[letter.id] = str(error)
        if len(chunk) >= CHUNK:
            await _send(producer, chunk)
            progress(report.total)
    await _send(producer, chunk)
    progress(report.total)


async def _send(producer: AIOKafkaProducer | None, chunk: list[Record]) -> None:
    if producer is not None:
        await kafka.send_all(producer, chunk)
    chunk.clear()
