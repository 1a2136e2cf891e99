"""What each source published about procedures and online services, from `hub.events`: one side is the reference source,
the other all the rest. `hub.procedures` cannot tell them apart, since there the later of two statements stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.avro import bodies
from hub.avro.codec import Codec
from hub.avro.records import OnlineService, Procedure
from hub.config import Settings
from hub.errors import BadRecord
from hub.events import identity
from hub.events.envelope import Headers, read_headers
from hub.events.families import PROCEDURE, SERVICE
from hub.kafka.tail import Tail, opened
from hub.kafka.topics import EVENTS
from hub.model import catalogue
from hub.reconcile.catalogue import Side
from hub.registry.client import open_codec

Progress = Callable[[int, int], None]

_WANTED = frozenset({PROCEDURE.event.type.encode(), SERVICE.event.type.encode()})


class Sides:
    """Folds the changes in event time, as the core does, but each side by itself."""

    def __init__(self, reference_source: str, codec: Codec) -> None:
        self._reference = reference_source
        self._codec = codec
        self._procedures: dict[tuple[bool, str], tuple[Procedure, Sequence[int]]] = {}
        self._services: dict[tuple[bool, str], tuple[OnlineService, Sequence[int]]] = {}

    def take(self, headers: Headers, value: bytes | None) -> None:
        """A record of hub.events; dossiers are passed over unread."""
        if not any(name == "ce_type" and raw in _WANTED for name, raw in headers):
            return
        envelope = read_headers(headers)
        is_reference = envelope.source == self._reference
        low = int.from_bytes(identity.identity(envelope.source, envelope.causationid)[:2], "big")
        if envelope.type == PROCEDURE.event.type:
            change = self._codec.read(bodies.PROCEDURE_EVENT, value).change
            place = is_reference, change.procedure_code
            procedure, keys = self._procedures.get(
                place, (Procedure(procedure_code=change.procedure_code, hub_seq=0, active=True, changed_at=0), ())
            )
            key = catalogue.order_key(change.occurred_at, change.change, low)
            procedure, new, _ = catalogue.merge(procedure, keys, change, key, PROCEDURE.catalogue_fields)
            self._procedures[place] = procedure, new
        else:
            told = self._codec.read(bodies.SERVICE_EVENT, value).change
            place = is_reference, told.service_code
            service, keys = self._services.get(
                place, (OnlineService(service_code=told.service_code, hub_seq=0, active=True, changed_at=0), ())
            )
            key = catalogue.order_key(told.occurred_at, told.change, low)
            service, new, _ = catalogue.merge(service, keys, told, key, SERVICE.catalogue_fields)
            self._services[place] = service, new

    def sides(self) -> tuple[Side, Side]:
        """(the reference, the province's own)."""
        reference, own = Side(), Side()
        for (is_reference, code), (procedure, _) in self._procedures.items():
            (reference if is_reference else own).procedures[code] = procedure
        for (is_reference, code), (service, _) in self._services.items():
            (reference if is_reference else own).services[code] = service
        return reference, own


async def read_sides(settings: Settings, progress: Progress = lambda done, total: None) -> tuple[Side, Side]:
    """Reads hub.events to its present end. `progress` gets (records read, records to read). TopicError: it is away."""
    async with opened(settings) as tail:
        sides = Sides(settings.reconcile.reference_source, await open_codec(settings))
        await _scan(tail, sides, progress)
    return sides.sides()


async def _scan(tail: Tail, sides: Sides, progress: Progress) -> None:
    parts = await tail.partitions(EVENTS)
    begins, ends = await tail.beginnings(parts), await tail.ends(parts)
    read, total = 0, sum(ends[part] - begins[part] for part in parts)
    tail.begin(begins)
    async for _, records in tail.to_end(ends):
        for record in records:
            _take(sides, record.headers, record.value)
        read += len(records)
        progress(min(read, total), total)


def _take(sides: Sides, headers: Headers, value: bytes | None) -> None:
    """What cannot be read is no statement of anybody; the projector and delivery tell about it."""
    try:
        sides.take(headers, value)
    except BadRecord:
        return
