"""The protocol of a way in that pulls or watches (file drop, outbox table). Found by entry point `hub.sources`.

An entry point names a factory `source(settings: Settings) -> Source`. The source role (hub/sources/role.py) owns
Kafka: it sends what `batches` yields, waits for the broker, then calls `confirmed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from hub.avro.record import Record
from hub.events.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event found: envelope (its `type` says which record), and that record."""

    envelope: Envelope
    data: Record


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot become an event: goes to hub.dead-letters (stage `source`) with reason and detail.

    original: the row's bytes as they stood; where: file and line, or the like. id: derived as for an event.
    """

    id: str
    source: str
    reason: str
    detail: str
    original: bytes
    where: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Events and refusals up to a cursor; `cursor` is the source's own business (file and line, row id)."""

    events: Sequence[Incoming]
    refused: Sequence[Refused] = ()
    cursor: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `hub doctor` looked at. ok: True, False, or None where it could not be found out."""

    what: str
    ok: bool | None
    sentence: str


@runtime_checkable
class Checked(Protocol):
    """A source that can be looked over while it does not run (`hub doctor`)."""

    def checks(self) -> Sequence[Check]:
        """Changes nothing."""
        ...


class Source(Protocol):
    """A way in. After a crash `batches` starts again from the last confirmed cursor: what it yields again has the
    same ids, so the core drops the doubles."""

    name: str

    def batches(self, stop: asyncio.Event) -> AsyncIterator[Batch]:
        """Yields batches until `stop` is set; waits for new input by itself."""
        ...

    async def confirmed(self, batch: Batch) -> None:
        """The broker has acknowledged every record of the batch: move the cursor (durably), move done files aside."""
        ...

    async def close(self) -> None: ...
