"""Events posted by an organisation: checked one by one, sent together, answered one by one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from hub.avro.codec import Codec, Datum, split
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.events.envelope import rfc3339
from hub.gateway.sender import Sender
from hub.ingress.acknowledged import Acknowledged, fingerprint
from hub.ingress.admission import admit, family_of, refuse_oversize
from hub.ingress.cloudevents import TRACEPARENT, Posted, structured, traceparent
from hub.ingress.usual_event import Checked, UsualEvents
from hub.ingress.validator import validator
from hub.observe import metrics

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

    def document(self) -> dict[str, Any]:
        out: dict[str, Any] = {"index": self.index, "id": self.id, "status": self.status}
        if self.status == "rejected":
            out |= {"reason": self.reason, "field": self.field, "detail": self.detail}
        return out


class Ingest:
    """Takes the events of one request after the other; what it remembers between them is what it saw acknowledged."""

    def __init__(self, codec: Codec, sender: Sender, seen: Acknowledged | None = None) -> None:
        self._codec = codec
        self._sender = sender
        self._seen = seen or Acknowledged()
        self._own_ids = frozenset(codec.ids.values())
        self._looking = asyncio.Lock()

    async def take(self, organisation: Organisation, entries: Sequence[Entry], trace: str = "") -> list[Result]:
        """One result an entry, in order, when the broker has acknowledged all that is accepted.

        trace: `traceparent` of the request, for events without one. BrokerAway: nothing may be said of any event.
        RegistryError: a schema id is unknown here and cannot be looked up now.
        """
        recorded_at = rfc3339(datetime.now(UTC))
        return await self._settle([await self._judged(organisation, entry, recorded_at, trace) for entry in entries])

    async def take_json(self, organisation: Organisation, events: Sequence[Any], trace: str = "") -> list[Result]:
        """As `take`, of events of the JSON format as they were parsed."""
        recorded_at = rfc3339(datetime.now(UTC))
        express = UsualEvents(organisation, self._codec, recorded_at, trace if TRACEPARENT.fullmatch(trace) else "")
        judged: list[Checked | _Refused] = []
        for event in events:
            quick = express.checked(event)
            judged.append(quick or await self._judged(organisation, read(event), recorded_at, trace))
        return await self._settle(judged)

    async def _settle(self, judged: Sequence[Checked | _Refused]) -> list[Result]:
        """Sends what is new, then says what became of each."""
        results: list[Result] = []
        new: list[Checked] = []
        for index, event in enumerate(judged):
            if isinstance(event, _Refused):
                error = event.error
                results.append(Result(index, event.id, "rejected", error.reason, error.field, error.detail))
            elif (event.source, event.id, event.content) in self._seen:
                results.append(Result(index, event.id, "duplicate"))
            else:
                results.append(Result(index, event.id, "accepted"))
                new.append(event)
        if new:
            await self._sender.send([event.line for event in new])
        self._seen.acknowledged((event.source, event.id, event.content) for event in new)
        _count(results)
        return results

    async def _judged(
        self, organisation: Organisation, entry: Entry, recorded_at: str, trace: str
    ) -> Checked | _Refused:
        if not isinstance(entry, Posted):
            return _Refused(*entry)
        try:
            return await self._check(organisation, entry, recorded_at, trace)
        except BadRecord as error:
            return _Refused(entry.envelope.id, error)

    async def _check(self, organisation: Organisation, entry: Posted, recorded_at: str, trace: str) -> Checked:
        family = family_of(organisation, entry.envelope)
        if isinstance(entry.data, bytes):
            value = entry.data
            datum = await self._decode(value, family.published_record)
        else:
            datum = validator(family.published_record)(entry.data)
            value = self._codec.encode(family.published_record, datum)
        trace = traceparent(entry.envelope.traceparent, trace)
        envelope = admit(organisation, family, entry.envelope, datum, recorded_at, trace)
        line = (envelope.subject.encode(), value, envelope.headers())
        refuse_oversize(*line)
        return Checked(envelope.source, envelope.id, line, fingerprint(line[0], value))

    async def _decode(self, value: bytes, record: str) -> Datum:
        """Own ids at once; the look-up of another id may ask the registry, which must not hold up other requests."""
        schema_id, _ = split(value)
        if schema_id in self._own_ids:
            return self._codec.decode(value, record)[1]
        async with self._looking:
            return (await asyncio.to_thread(self._codec.decode, value, record))[1]


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


def _count(results: Sequence[Result]) -> None:
    counts = Counter([result.status for result in results])
    metrics.EVENTS_IN.labels(ROLE).inc(len(results))
    metrics.EVENTS_OUT.labels(ROLE).inc(counts["accepted"])
    metrics.EVENTS_DUPLICATE.labels(ROLE).inc(counts["duplicate"])
    if counts["rejected"]:
        for reason, number in Counter(r.reason for r in results if r.status == "rejected").items():
            metrics.EVENTS_REJECTED.labels(ROLE, reason).inc(number)
