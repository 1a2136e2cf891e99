"""The protocol of a way in that is called from outside in its own words (a portal's calls, not CloudEvents). Found by
entry point `hub.inbound`, mounted by the gateway under `/inbound/<name>`; one runs only with settings in `inbound`.

An entry point names a factory `inbound(settings: Settings, own: Mapping[str, Any]) -> Inbound`; it raises ConfigError
naming the field, also when nothing says who may call: such a door stays shut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError

from hub.config import Settings
from hub.errors import ConfigError, Retryable
from hub.intake.admission import refuse_oversize
from hub.intake.ingest import ROLE
from hub.intake.problem import Problem
from hub.intake.seen import Seen
from hub.intake.sender import Line, Sender
from hub.intake.source import Incoming
from hub.intake.source_role import trace_of
from hub.observe import metrics
from hub.wire.codec import Codec
from hub.wire.envelope import INGRESS_RECORDS, Envelope

State = Mapping[str, Any]
Find = Callable[[str], State | None]
"""Dossier code -> its state, from the read model. Runs in a thread."""


class Inbound(Protocol):
    """A way in. Its router answers in the caller's own form, errors too."""

    name: str

    def router(self, desk: Desk) -> APIRouter: ...


class Desk:
    """What the gateway lends to a way in: reading a body, sending events, looking a dossier up."""

    def __init__(self, codec: Codec, sender: Sender, find: Find, max_body_bytes: int) -> None:
        self._codec, self._sender, self._find, self._limit = codec, sender, find, max_body_bytes
        self._seen = Seen()

    async def body(self, request: Request) -> bytes:
        """The body. Problem `too_large`."""
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self._limit:
                raise Problem("too_large", f"the body is longer than {self._limit} bytes")
            parts.append(part)
        return b"".join(parts)

    async def accept(self, events: Sequence[Incoming], recorded_at: str) -> list[bool]:
        """For each event: False if this process saw it acknowledged before, else True once the broker has it.

        BadRecord (`limit`), BrokerAway and Overloaded: none of them was told to be accepted.
        """
        new = [(event.envelope.source, event.envelope.id, 0) not in self._seen for event in events]
        lines = [self._line(event, recorded_at) for event, is_new in zip(events, new, strict=True) if is_new]
        metrics.EVENTS_IN.labels(ROLE).inc(len(events))
        if lines:
            with self._sender.reserve(sum(len(value) for _, value, _ in lines)):
                await self._sender.send(lines)
        self._seen.acknowledged((event.envelope.source, event.envelope.id, 0) for event in events)
        metrics.EVENTS_OUT.labels(ROLE).inc(len(lines))
        metrics.EVENTS_DUPLICATE.labels(ROLE).inc(len(events) - len(lines))
        return new

    async def find(self, code: str) -> State | None:
        """What the read model knows of a dossier (it may be a moment behind). Retryable: it is away."""
        try:
            return await asyncio.to_thread(self._find, code)
        except SQLAlchemyError as error:
            raise Retryable("readmodel", f"the read model is away: {type(error).__name__}") from None

    def _line(self, event: Incoming, recorded_at: str) -> Line:
        envelope: Envelope = event.envelope
        headers = envelope.headers()
        headers.append(("ce_recordedtime", recorded_at.encode()))
        headers.append(("ce_traceparent", trace_of(envelope.source, envelope.id).encode()))
        line = envelope.subject.encode(), self._codec.encode(INGRESS_RECORDS[envelope.type], dict(event.data)), headers
        refuse_oversize(*line)
        return line


def installed(settings: Settings) -> list[Inbound]:
    """Those that have settings. ConfigError: a name that is not installed, or a wrong field."""
    found = {point.name: point for point in entry_points(group="hub.inbound")}
    for name in settings.inbound:
        if name not in found:
            raise ConfigError(f"inbound.{name}", f"is not installed; there are {', '.join(sorted(found))}")
    return [found[name].load()(settings, own) for name, own in sorted(settings.inbound.items())]


def mount(app: FastAPI, ways: Sequence[Inbound], desk: Desk) -> None:
    """Each under `/inbound/<name>`."""
    for way in ways:
        app.include_router(way.router(desk), prefix=f"/inbound/{way.name}", tags=["inbound"])
