"""One key's way through the hub, read from Kafka: accepted, canonical, attempts, requests, dead letters, in time order.

Only the key's own partition of each topic is read. No personal data is shown: steps, states and outcomes only.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import TopicPartition

from hub.avro.bodies import DELIVERY
from hub.avro.codec import Codec
from hub.avro.record import Record
from hub.avro.records import (
    DossierDeadline,
    DossierDeadlineEvent,
    DossierEvent,
    DossierStep,
    ProcedureChange,
    ProcedureEvent,
    ServiceChange,
    ServiceEvent,
)
from hub.config import Settings
from hub.deadletter import record as dead_letter
from hub.errors import BadRecord
from hub.events.envelope import read_headers
from hub.kafka import topics
from hub.kafka.clients import partition_of
from hub.kafka.tail import Record as KafkaRecord
from hub.kafka.tail import Tail, opened
from hub.registry.client import open_codec

HOPS = (topics.INGRESS, topics.EVENTS, topics.DELIVERIES, topics.REQUESTS, topics.DEAD_LETTERS)


@dataclass(frozen=True, slots=True)
class Hop:
    """One record that concerns the key. at_ms: when the broker took it. event_id: of the event(s) it is about."""

    at_ms: int
    topic: str
    partition: int
    offset: int
    what: str
    detail: str
    event_ids: tuple[str, ...] = ()
    hub_seq: int = 0


class Told(NamedTuple):
    """What a record says of the key: fields as in Hop."""

    what: str
    detail: str
    event_ids: tuple[str, ...] = ()
    hub_seq: int = 0


async def trace(
    settings: Settings, key: str, since_ms: int | None = None, progress: Callable[[int, int], None] = lambda d, t: None
) -> list[Hop]:
    """Every hop of this key, oldest first. `progress` gets (records read, records to read).

    TopicError when Kafka is away; RegistryError when neither registry nor its copies know the schemas.
    """
    wanted = key.encode()
    async with opened(settings) as tail:
        codec = await open_codec(settings)
        counts = Counter(part.topic for part in await tail.partitions(*HOPS, missing_ok=True))
        places = [TopicPartition(name, partition_of(wanted, count)) for name, count in counts.items()]
        found = [_hop(record, codec) for record in await _read(tail, places, wanted, since_ms, progress)]
    order = {name: place for place, name in enumerate(HOPS)}
    return sorted(found, key=lambda hop: (hop.at_ms, order[hop.topic], hop.offset))


async def _read(
    tail: Tail, places: list[TopicPartition], key: bytes, since_ms: int | None, progress: Callable[[int, int], None]
) -> list[KafkaRecord]:
    begins = await (tail.beginnings(places) if since_ms is None else tail.since(places, since_ms))
    ends = await tail.ends(places)
    total = sum(ends[place] - begins[place] for place in places)
    found: list[KafkaRecord] = []
    read = 0
    tail.begin(begins)
    async for _, records in tail.to_end(ends):
        found.extend(r for r in records if r.key == key)
        read += len(records)
        progress(min(read, total), total)
    return found


def _hop(record: KafkaRecord, codec: Codec) -> Hop:
    describe = {
        topics.DELIVERIES: _delivery,
        topics.REQUESTS: _request,
        topics.DEAD_LETTERS: _dead_letter,
    }.get(record.topic, _event)
    try:
        told = describe(record, codec)
    except (BadRecord, ValueError, KeyError) as error:
        told = Told("unreadable", str(error))
    return Hop(record.timestamp, record.topic, record.partition, record.offset, *told)


def _event(record: KafkaRecord, codec: Codec) -> Told:
    """What a record of hub.ingress or hub.events tells."""
    envelope = read_headers(record.headers)
    data = codec.read_any(record.value)[1]
    if record.topic == topics.INGRESS:
        return Told(f"accepted {_word(data) or envelope.type}", f"from {envelope.source}", (envelope.id,))
    if not isinstance(data, (DossierEvent, DossierDeadlineEvent, ProcedureEvent, ServiceEvent)):
        raise BadRecord("schema_mismatch", f"{type(data).__name__} is no canonical event")
    words = [f"hub_seq {data.hub_seq}"]
    if isinstance(data, DossierEvent):
        words.append(f"status {data.status}")
    if not isinstance(data, DossierDeadlineEvent) and data.late:
        words.append("late")
    ids = (envelope.id, envelope.causationid) if envelope.causationid else (envelope.id,)
    return Told(f"canonical {_word(data)}", ", ".join(words), ids, data.hub_seq)


def _word(data: Record) -> str:
    """What happened: the step, the change, or the kind of the deadline; "" of another record."""
    match data:
        case DossierEvent():
            return data.step.step
        case DossierDeadlineEvent():
            return data.deadline.kind
        case ProcedureEvent() | ServiceEvent():
            return data.change.change
        case DossierStep():
            return data.step
        case ProcedureChange() | ServiceChange():
            return data.change
        case DossierDeadline():
            return data.kind
    return ""


def _delivery(record: KafkaRecord, codec: Codec) -> Told:
    told = codec.read(DELIVERY, record.value)
    words = [f"attempt {told.attempt}", f"{told.latency_ms} ms"]
    if told.http_status:
        words.append(f"HTTP {told.http_status}")
    if told.error_kind:
        words.append(told.error_kind)
    if told.hub_seqs:
        words.append("hub_seq " + ", ".join(map(str, told.hub_seqs)))
    what = f"{told.subscriber}: {told.outcome}"
    return Told(what, ", ".join(words), told.event_ids, max(told.hub_seqs, default=0))


def _request(record: KafkaRecord, _codec: Codec) -> Told:
    data = json.loads(record.value or b"{}")
    ids = tuple(pointer["event_id"] for pointer in data["pointers"])
    return Told(f"{data['subscriber']}: {data['action']}", f"by {data['who']}", ids)


def _dead_letter(record: KafkaRecord, _codec: Codec) -> Told:
    letter = dead_letter.parse(record.key, record.value, record.headers)
    what = f"dead letter at {letter.stage}: {letter.reason}"
    return Told(what, letter.detail, (letter.event_id,) if letter.event_id else ())
