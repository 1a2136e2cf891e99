"""Mounts the ways in that connectors bring (a portal's own calls) and lends them what they need of the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from fastapi import FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError

from hub.avro.codec import Codec
from hub.avro.records import Dossier
from hub.connect.inbound import Inbound
from hub.connect.source import Incoming
from hub.errors import DecodeError, Retryable
from hub.gateway.ingest import ROLE
from hub.gateway.sender import Sender
from hub.ingress.acknowledged import Acknowledged
from hub.ingress.record import Builder
from hub.observe import metrics
from hub.web.problem import Problem

Find = Callable[[str], Dossier | None]
"""Dossier code -> its state, from the read model. Runs in a thread."""


OWNER = "/inbound"
"""Portals that call in share what one organisation may have under way; no organisation has this name."""


class GatewayHost:
    """The `InboundHost` of the gateway."""

    def __init__(self, codec: Codec, sender: Sender, find: Find, max_body_bytes: int) -> None:
        self._codec, self._sender, self._find, self._limit = codec, sender, find, max_body_bytes
        self._seen = Acknowledged()

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

        BadRecord, BrokerAway and Overloaded: none of them was told to be accepted.
        """
        new = [(event.envelope.source, event.envelope.id, 0) not in self._seen for event in events]
        builder = Builder(self._codec, None, recorded_at)
        found = (event for event, is_new in zip(events, new, strict=True) if is_new)
        lines = [builder.of_connector(event.envelope, event.data).line for event in found]
        metrics.EVENTS_IN.labels(ROLE).inc(len(events))
        if lines:
            with self._sender.reserve(sum(len(value) for _, value, _ in lines), OWNER):
                await self._sender.send(lines, OWNER)
        self._seen.acknowledged((event.envelope.source, event.envelope.id, 0) for event in events)
        metrics.EVENTS_OUT.labels(ROLE).inc(len(lines))
        metrics.EVENTS_DUPLICATE.labels(ROLE).inc(len(events) - len(lines))
        return new

    async def find(self, code: str) -> Dossier | None:
        """What the read model knows of a dossier (it may be a moment behind). Retryable: it is away, or holds what only
        a later version can read."""
        try:
            return await asyncio.to_thread(self._find, code)
        except (SQLAlchemyError, DecodeError) as error:
            raise Retryable("readmodel", f"the read model is away: {type(error).__name__}") from None


def mount(app: FastAPI, ways: Sequence[Inbound], host: GatewayHost) -> None:
    """Each under `/inbound/<name>`."""
    for way in ways:
        app.include_router(way.router(host), prefix=f"/inbound/{way.name}", tags=["inbound"])
