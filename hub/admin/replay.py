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

from aiokafka import AIOKafkaProducer

from hub.admin import letter_acts
from hub.admin.letter_acts import Action
from hub.admin.letter_list import listed
from hub.avro.codec import Codec
from hub.config import Settings
from hub.control import audit
from hub.control.directory import Directory, directory, write
from hub.control.requests import Pointer, Request
from hub.deadletter.browse import Index, index
from hub.deadletter.filters import Filter
from hub.deadletter.record import REPLAY_OF, DeadLetter
from hub.errors import BadRecord, HubError
from hub.events.envelope import HUB_SEQ, Headers, derived_id
from hub.intake.agency_record import Judge
from hub.kafka import clients
from hub.kafka.topics import EVENTS, INGRESS, REQUESTS

CHUNK = 500

Record = tuple[str, bytes | None, bytes | None, Headers]


class NotReplayable(HubError):
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
    who: str,
    why: str = "",
    *,
    again: bool = False,
    rehearse: bool = False,
) -> Report:
    """Replay or skip every open letter that the filter admits; returns when the broker has all that follows.

    again: also those that were replayed or skipped before. rehearse: only tell what would be done.
    At least once: killed in between, the act stays open in the audit and the next one sends again, with the same ids.
    """
    entry = audit.entry(who, letter_acts.PREFIX + action, "", why)
    known = await index(settings, wanted.since_ms)
    report = Report()
    async with directory(settings) as copy:
        returns = Returns(action, Judge(codec), copy, who, why, entry.id)
        if rehearse:
            await _all(settings, wanted, known, returns, None, report, again)
            return report
        await write(settings, entry.model_copy(update={"target": letter_acts.target(wanted, known.ends)}))
        producer = clients.producer(settings)
        await producer.start()
        try:
            await _all(settings, wanted, known, returns, producer, report, again)
        finally:
            await producer.stop()
        await write(settings, entry.model_copy(update={"target": letter_acts.target(wanted, known.ends, report.total)}))
    return report


async def _all(
    settings: Settings,
    wanted: Filter,
    known: Index,
    returns: Returns,
    producer: AIOKafkaProducer | None,
    report: Report,
    again: bool,
) -> None:
    chunk: list[Record] = []
    async for one in listed(settings, wanted, known):
        letter = one.letter
        if one.act is not None and not again:
            report.closed += 1
            continue
        try:
            chunk.append(returns.record(letter))
            report.sent[letter.stage, letter.reason] += 1
        except NotReplayable as error:
            report.refused[letter.id] = str(error)
        if len(chunk) >= CHUNK:
            await _send(producer, chunk)
    await _send(producer, chunk)


async def _send(producer: AIOKafkaProducer | None, chunk: list[Record]) -> None:
    if producer is not None:
        await clients.send_all(producer, chunk)
    chunk.clear()
