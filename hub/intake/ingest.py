"""Events posted by an organisation: checked one by one, sent together, answered one by one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from hub.access.control import Organisation
from hub.errors import BadRecord
from hub.intake.admission import admit, kind_of, refuse_oversize
from hub.intake.cloudevents import Posted, traceparent
from hub.intake.seen import Seen, fingerprint
from hub.intake.sender import Line, Sender
from hub.intake.validator import validator
from hub.observe import metrics
from hub.wire.codec import Codec, Datum, split
from hub.wire.envelope import Envelope, rfc3339

ROLE = "gateway"

# One event of a request: as posted, or why it could not even be read, with its id if it has one.
Entry = Posted | tuple[str, BadRecord]


@dataclass(frozen=True, slots=True)
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


@dataclass(slots=True)
class _Accepted:
    index: int
    envelope: Envelope
    line: Line
    content: bytes


class Ingest:
    """Takes the events of one request after the other; what it remembers between them is what it saw acknowledged."""

    def __init__(self, codec: Codec, sender: Sender, seen: Seen | None = None) -> None:
        self._codec = codec
        self._sender = sender
        self._seen = seen or Seen()
        self._own_ids = frozenset(codec.ids.values())
        self._looking = asyncio.Lock()

    async def take(self, organisation: Organisation, entries: Sequence[Entry], trace: str = "") -> list[Result]:
        """One result an entry, in order, when the broker has acknowledged all that is accepted.

        trace: `traceparent` of the request, for events without one. BrokerAway: nothing may be said of any event.
        RegistryError: a schema id is unknown here and cannot be looked up now.
        """
        recorded_at = rfc3339(datetime.now(UTC))
        accepted: list[_Accepted] = []
        results: list[Result] = []
        for index, entry in enumerate(entries):
            try:
                event = await self._check(organisation, index, entry, recorded_at, trace)
            except BadRecord as error:
                results.append(_rejected(index, entry, error))
                continue
            known = (event.envelope.source, event.envelope.id, event.content) in self._seen
            results.append(Result(index, event.envelope.id, "duplicate" if known else "accepted"))
            if not known:
                accepted.append(event)
        if accepted:
            await self._sender.send([event.line for event in accepted])
        for event in accepted:
            self._seen.acknowledged(event.envelope.source, event.envelope.id, event.content)
        _count(results)
        return results

    async def _check(
        self, organisation: Organisation, index: int, entry: Entry, recorded_at: str, trace: str
    ) -> _Accepted:
        if not isinstance(entry, Posted):
            raise entry[1]
        kind = kind_of(organisation, entry.envelope)
        if isinstance(entry.data, bytes):
            value = entry.data
            datum = await self._decode(value, kind.record)
        else:
            datum = validator(kind.record)(entry.data)
            value = self._codec.encode(kind.record, datum)
        trace = traceparent(entry.envelope.traceparent, trace)
        envelope = admit(organisation, kind, entry.envelope, datum, recorded_at, trace)
        line = (envelope.subject.encode(), value, envelope.headers())
        refuse_oversize(*line)
        return _Accepted(index, envelope, line, fingerprint(line[0], value))

    async def _decode(self, value: bytes, record: str) -> Datum:
        """Own ids at once; the look-up of another id may ask the registry, which must not hold up other requests."""
        schema_id, _ = split(value)
        if schema_id in self._own_ids:
            return self._codec.decode(value, record)[1]
        async with self._looking:
            return (await asyncio.to_thread(self._codec.decode, value, record))[1]


def _rejected(index: int, entry: Entry, error: BadRecord) -> Result:
    id = entry.envelope.id if isinstance(entry, Posted) else entry[0]
    return Result(index, id, "rejected", error.reason, error.field, error.detail)


def _count(results: Sequence[Result]) -> None:
    metrics.EVENTS_IN.labels(ROLE).inc(len(results))
    counts = Counter(result.status for result in results)
    metrics.EVENTS_OUT.labels(ROLE).inc(counts["accepted"])
    metrics.EVENTS_DUPLICATE.labels(ROLE).inc(counts["duplicate"])
    for reason, number in Counter(r.reason for r in results if r.status == "rejected").items():
        metrics.EVENTS_REJECTED.labels(ROLE, reason).inc(number)
