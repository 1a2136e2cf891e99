"""Sending a subscriber its events of a time or of some dossiers once more: each through its dossier's own queue.

Without `again` what has a receipt is left out by the delivery itself; with it, it goes again. A portal that keeps
states (the national one) is never sent an older state than it has confirmed, whatever is asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiokafka import TopicPartition
from pydantic import Field, model_validator

from hub.admin import subscribers
from hub.admin.acts.act import Act, Http, Right, names
from hub.admin.acts.fields import Named, Rate, Since, Until
from hub.admin.acts.journal import Tally
from hub.admin.acts.landed import landed
from hub.admin.acts.run import Run, chunk_size
from hub.config import Settings
from hub.connect.portal import make_portal
from hub.control.records import Subscriber
from hub.control.requests import Pointer, Request
from hub.control.vault import vault
from hub.delivery.entries import Entry, Raw
from hub.delivery.event_decoder import Decoder
from hub.errors import BadRecord, ConfigError
from hub.events.envelope import derived_id
from hub.kafka.clients import Headers, partition_of
from hub.kafka.tail import Record, Tail, opened
from hub.kafka.topics import EVENTS, REQUESTS
from hub.registry.client import open_codec
from hub.untyped import JsonObject

SHOWN_EVERY = 1_000


class Resend(Named):
    """Which events of a subscriber."""

    dossiers: tuple[str, ...] = Field((), description="only of these dossier, procedure or service codes")
    since: Since = 0
    until: Until = 0
    again: bool = Field(False, description="also those that the subscriber has confirmed")
    rate: Rate = None

    @model_validator(mode="after")
    def _bounded(self) -> Resend:
        if not self.dossiers and not self.since:
            raise ConfigError("since", "say from when on, or of which dossiers")
        return self


class _Log:
    """The events that are asked for, as they stand in hub.events."""

    def __init__(self, tail: Tail, decoder: Decoder, subscriber: Subscriber, families: tuple[str, ...], given: Resend):
        self._tail, self._decoder, self._subscriber = tail, decoder, subscriber
        self._families, self._given = families, given
        self._keys = {code.encode() for code in given.dossiers}

    async def range(self) -> tuple[dict[int, int], dict[int, int]]:
        """(where it begins, where it ends) for each partition that has any of it."""
        parts = await self._tail.partitions(EVENTS)
        if self._keys:
            wanted = {partition_of(key, len(parts)) for key in self._keys}
            parts = [part for part in parts if part.partition in wanted]
        given = self._given
        begins = await (self._tail.since(parts, given.since) if given.since else self._tail.beginnings(parts))
        ends = await (self._tail.since(parts, given.until) if given.until else self._tail.ends(parts))
        return _numbers(begins), _numbers(ends)

    async def due(self, begins: dict[int, int], ends: dict[int, int]) -> AsyncIterator[tuple[Record, Entry | None]]:
        """Each record, with its entry if it is asked for and due. One that cannot be read is the delivery's to tell."""
        self._tail.begin({TopicPartition(EVENTS, part): begin for part, begin in begins.items()})
        async for _, records in self._tail.to_end({TopicPartition(EVENTS, part): end for part, end in ends.items()}):
            for record in records:
                yield record, self._entry(record)

    def _entry(self, record: Record) -> Entry | None:
        if self._keys and record.key not in self._keys:
            return None
        raw = Raw(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
                  record.headers)  # fmt: skip
        try:
            return self._decoder.due_entry(raw, self._subscriber.filter, self._families)
        except BadRecord:
            return None


async def _opened(settings: Settings, given: Resend, tail: Tail) -> _Log:
    subscriber = await subscribers.get(settings, given.name)
    families = tuple(make_portal(subscriber, vault(settings)).families)
    return _Log(tail, Decoder(await open_codec(settings)), subscriber, families, given)


async def _preview(settings: Settings, given: Resend) -> JsonObject:
    tally = Tally()
    async with opened(settings) as tail:
        log = await _opened(settings, given, tail)
        async for _, entry in log.due(*await log.range()):
            if entry is not None:
                tally.add(_what(given))
    return tally.document()


async def _job(run: Run, given: Resend) -> None:
    async with opened(run.settings) as tail:
        log = await _opened(run.settings, given, tail)
        begins, ends = await log.range()
        first = not run.record.ends
        if first:
            run.places.update(begins)
        await run.begins(ends, sum(max(0, ends[part] - begins[part]) for part in ends))
        start = {part: run.places.get(part, end) for part, end in run.record.ends.items()}
        sent = await landed(run)
        done, chunk = run.record.done, list[Entry]()
        async for record, entry in log.due(start, run.record.ends):
            done += 1
            if done % SHOWN_EVERY == 0:
                await run.shows(done, run.record.total)
            run.places[record.partition] = record.offset + 1
            if entry is not None:
                run.tally.add(_what(given))
                if _id(run, given, entry) not in sent:
                    chunk.append(entry)
            if len(chunk) >= chunk_size(given.rate):
                await _send(run, given, chunk, done)
        await _send(run, given, chunk, done)


async def _send(run: Run, given: Resend, chunk: list[Entry], done: int) -> None:
    await run.send([_order(run, given, entry) for entry in chunk], given.rate)
    await run.advance(done)
    chunk.clear()


def _order(run: Run, given: Resend, entry: Entry) -> tuple[str, bytes, bytes, Headers]:
    order = Request(
        id=_id(run, given, entry),
        action="replay" if given.again else "resend",
        subscriber=given.name,
        key=entry.key,
        pointers=(Pointer(offset=entry.offset, hub_seq=entry.hub_seq, event_id=entry.event_id),),
        who=run.by.who,
        why=run.by.why,
    )
    return REQUESTS, entry.key.encode(), order.model_dump_json().encode(), ()


def _id(run: Run, given: Resend, entry: Entry) -> str:
    return derived_id("resend", given.name, entry.event_id, run.id)


def _what(given: Resend) -> str:
    return f"resend/{'again' if given.again else 'missing'}"


def _numbers(places: dict[TopicPartition, int]) -> dict[int, int]:
    return {part.partition: offset for part, offset in places.items()}


ACTS = (
    Act("subscriber.resend", "Send it events of a time or of some dossiers once more", Resend, Right.OPERATE,
        Http("POST", "/v1/subscribers/{name}/resend", "resend", 202), ("subscribers", "resend"),
        names("subscriber"), job=_job, preview=_preview),
)  # fmt: skip
