"""What each source published about procedures and online services, from `hub.events`: one side is the reference source,
the other all the rest. `hub.procedures` cannot tell them apart, since there the later of two statements stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.avro.codec import Codec
from hub.config import Settings
from hub.errors import BadRecord
from hub.events import identity
from hub.events.envelope import Headers, read_headers
from hub.events.families import PROCEDURE, SERVICE
from hub.kafka import clients
from hub.kafka.topics import EVENTS
from hub.model import catalogue
from hub.reconcile.catalogue import Side
from hub.registry.client import open_codec

Datum = dict[str, Any]
Progress = Callable[[int, int], None]

_FAMILIES = {family.event.type: family for family in (PROCEDURE, SERVICE)}
_WANTED = frozenset(type.encode() for type in _FAMILIES)


class Sides:
    """Folds the changes in event time, as the core does, but each side by itself."""

    def __init__(self, reference_source: str, codec: Codec) -> None:
        self._reference = reference_source
        self._codec = codec
        self._folded: dict[tuple[bool, str, str], tuple[Datum, Sequence[int]]] = {}

    def take(self, headers: Headers, value: bytes | None) -> None:
        """A record of hub.events; dossiers are passed over unread."""
        if not any(name == "ce_type" and raw in _WANTED for name, raw in headers):
            return
        envelope = read_headers(headers)
        family = _FAMILIES[envelope.type]
        change = self._codec.decode(value, family.event.record)[1][family.event.change]
        code = change[family.code]
        place = envelope.source == self._reference, envelope.type, code
        entry, keys = self._folded.get(place, ({family.code: code, "active": True}, ()))
        low = int.from_bytes(identity.identity(envelope.source, envelope.causationid)[:2], "big")
        key = catalogue.order_key(change["occurred_at"], change[family.event.word], low)
        entry, new, _late = catalogue.merge(entry, keys, change, key, family.catalogue_fields)
        self._folded[place] = entry, new

    def sides(self) -> tuple[Side, Side]:
        """(the reference, the province's own)."""
        reference, own = Side(), Side()
        for (is_reference, type, code), (entry, _) in self._folded.items():
            side = reference if is_reference else own
            (side.procedures if type == PROCEDURE.event.type else side.services)[code] = entry
        return reference, own


async def read_sides(settings: Settings, progress: Progress = lambda done, total: None) -> tuple[Side, Side]:
    """Reads hub.events to its present end. `progress` gets (records read, records to read). KafkaError: it is away."""
    consumer = clients.consumer(settings)
    try:
        await consumer.start()
        sides = Sides(settings.reconcile.reference_source, await open_codec(settings))
        await _scan(consumer, sides, progress)
    finally:
        await consumer.stop()
    return sides.sides()


async def _scan(consumer: AIOKafkaConsumer, sides: Sides, progress: Progress) -> None:
    parts = [TopicPartition(EVENTS, n) for n in sorted(await consumer._client._wait_on_metadata(EVENTS))]
    consumer.assign(parts)
    begins, ends = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
    await consumer.seek_to_beginning(*parts)
    read, total = 0, sum(ends[part] - begins[part] for part in parts)
    while await _left(consumer, parts, ends):
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            for record in records:
                _take(sides, record.headers, record.value)
            read += len(records)
        progress(min(read, total), total)


async def _left(consumer: AIOKafkaConsumer, parts: Iterable[TopicPartition], ends: dict[TopicPartition, int]) -> bool:
    return any([await consumer.position(part) < ends[part] for part in parts])


def _take(sides: Sides, headers: Headers, value: bytes | None) -> None:
    """What cannot be read is no statement of anybody; the projector and delivery tell about it."""
    try:
        sides.take(headers, value)
    except BadRecord:
        return
