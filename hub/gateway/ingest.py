"""Events posted by an organisation: checked one by one, sent together, answered one by one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from hub.avro.bodies import BODIES
from hub.avro.codec import Codec, split
from hub.avro.record import Body, Record
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.events.envelope import rfc3339
from hub.gateway.sender import Sender
from hub.ingress.acknowledged import Acknowledged, fingerprint
from hub.ingress.cloudevents import Posted, structured
from hub.ingress.record import Builder, IngressRecord
from hub.kafka.batches import KeyedLine
from hub.observe import metrics
from hub.untyped import JsonObject

ROLE = "gateway"

# One event of a request: as posted, or why it could not even be read, with its id if it has one.
Entry = Posted | tuple[str, BadRecord]


@dataclass(slots=True)
class Result:
    """What became of one event. reason, field and detail only with `rejected`: see hub.deadletter.reasons."""

    index: int
    id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str = ""
    field: str = ""
    detail: str = ""

    def document(self) -> JsonObject:
        out: JsonObject = {"index": self.index, "id": self.id, "status": self.status}
        if self.status == "rejected":
            out |= {"reason": self.reason, "field": self.field, "detail": self.detail}
        return out


class Ingest:
    """Takes the events of one request after the other; what it remembers between them is what it saw acknowledged."""

    def __init__(self, codec: Codec, sender: Sender, seen: Acknowledged | None = None) -> None:
        self._codec = codec
        self._sender = sender
        self._seen = seen or Acknowledged()
        self._counts = _Counts()
        self._own_ids = frozenset(codec.ids.values())
        self._looking = asyncio.Lock()

    async def take(self, organisation: Organisation, entries: Iterable[Entry], trace: str = "") -> list[Result]:
        """One result an entry, in order, when the broker has acknowledged all that is accepted.

        trace: `traceparent` of the request, for events without one. BrokerAway: nothing may be said of any event.
        RegistryError: a schema id is unknown here and cannot be looked up now.
        """
        builder = self._builder(organisation)
        judged: list[IngressRecord | _Refused] = []
        for entry in entries:
            if not isinstance(entry, Posted):
                judged.append(_Refused(*entry))
                continue
            try:
                is_avro = isinstance(entry.data, bytes)
                judged.append(await self._of_avro(builder, entry, trace) if is_avro else builder.of_json(entry, trace))
            except BadRecord as error:
                judged.append(_Refused(entry.envelope.id, error))
        return await self._settle(judged, organisation.name)

    async def take_json(self, organisation: Organisation, events: Sequence[Any], trace: str = "") -> list[Result]:
        """Takes events of the JSON format, as they were parsed; answers like `take`."""
        return await self.take(organisation, map(read, events), trace)

    def _builder(self, organisation: Organisation) -> Builder:
        return Builder(self._codec, organisation, rfc3339(datetime.now(UTC)))

    async def _of_avro(self, builder: Builder, entry: Posted, trace: str) -> IngressRecord:
        body = BODIES[builder.family(entry.envelope).published_record]
        record = await self._decode(body, entry.data)
        return builder.of_avro(entry.envelope, record, entry.data, trace)

    async def _settle(self, judged: Sequence[IngressRecord | _Refused], owner: str) -> list[Result]:
        """Sends what is new, then says what became of each."""
        results: list[Result] = []
        new: list[tuple[str, str, int]] = []
        lines: list[KeyedLine] = []
        for index, event in enumerate(judged):
            if isinstance(event, _Refused):
                error = event.error
                results.append(Result(index, event.id, "rejected", error.reason, error.field, error.detail))
                continue
            known = event.source, event.id, fingerprint(event.line[0], event.line[1])
            if known in self._seen:
                results.append(Result(index, event.id, "duplicate"))
            else:
                results.append(Result(index, event.id, "accepted"))
                new.append(known)
                lines.append(event.line)
        if lines:
            await self._sender.send(lines, owner)
        self._seen.acknowledged(new)
        self._counts.add(len(lines), results)
        return results

    async def _decode(self, body: Body[Any], value: bytes) -> Record:
        """Own ids at once; the look-up of another id may ask the registry, which must not hold up other requests."""
        schema_id, _ = split(value)
        if schema_id in self._own_ids:
            record: Record = self._codec.read(body, value)
            return record
        async with self._looking:
            return await asyncio.to_thread(self._codec.read, body, value)


class _Refused(NamedTuple):
    id: str
    error: BadRecord


def read(event: Any) -> Entry:
    """One event of the JSON format."""
    try:
        return structured(event)
    except BadRecord as error:
        id = event.get("id") if isinstance(event, dict) else None
        return id_of(id), error


def id_of(given: Any) -> str:
    """What an event calls itself, to be shown in an answer."""
    return given[:200] if isinstance(given, str) else ""


class _Counts:
    """What the gateway took. The series are looked up once: for one event a request each look-up would count."""

    def __init__(self) -> None:
        self._in = metrics.EVENTS_IN.labels(ROLE)
        self._out = metrics.EVENTS_OUT.labels(ROLE)
        self._duplicate = metrics.EVENTS_DUPLICATE.labels(ROLE)

    def add(self, accepted: int, results: Sequence[Result]) -> None:
        self._in.inc(len(results))
        self._out.inc(accepted)
        if accepted == len(results):
            return
        counts = Counter([result.reason if result.status == "rejected" else "" for result in results])
        self._duplicate.inc(counts.pop("", 0) - accepted)
        for reason, number in counts.items():
            metrics.EVENTS_REJECTED.labels(ROLE, reason).inc(number)
