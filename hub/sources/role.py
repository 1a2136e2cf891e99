"""Role `source:<name>`: what a Source finds, into `hub.ingress`; what it refuses, into `hub.dead-letters`.

A batch is sent, the broker's confirmation of every record awaited, and only then does the source move its cursor. A
kill in between sends the batch again with the same ids; the core drops the doubles.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from datetime import UTC, datetime
from importlib.metadata import entry_points

from hub.avro.codec import Codec
from hub.config import Settings
from hub.connect.source import Batch, Incoming, Refused, Source
from hub.deadletter.record import build
from hub.errors import BadRecord, ConfigError
from hub.events import families
from hub.events.envelope import rfc3339, trace_of
from hub.kafka import clients
from hub.kafka.topics import INGRESS, RECORD_LIMIT
from hub.observe.health import HEALTH
from hub.observe.metrics import CHUNK_SECONDS, EVENTS_DEAD_LETTERED, EVENTS_IN, EVENTS_OUT
from hub.registry.client import open_codec

log = logging.getLogger(__name__)

Record = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]
_ROOM = 16_384
"""Bytes left for headers and the record batch's own head below the topic's limit."""


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Runs the source that the role's suffix names until `stop`. ConfigError if none of that name is installed."""
    source = make_source(role.partition(":")[2], settings)
    producer = clients.producer(settings)
    try:
        codec = await open_codec(settings)
        await producer.start()
        HEALTH.set_ready(role, True, "watches for input")
        async with contextlib.AsyncExitStack() as stack:
            batches = source.batches(stop)
            if hasattr(batches, "aclose"):
                stack.push_async_callback(batches.aclose)
            async for batch in batches:
                started = time.perf_counter()
                await clients.send_all(producer, records(batch, codec))
                await source.confirmed(batch)
                EVENTS_IN.labels(role).inc(len(batch.events) + len(batch.refused))
                EVENTS_OUT.labels(role).inc(len(batch.events))
                CHUNK_SECONDS.labels(role).observe(time.perf_counter() - started)
    finally:
        await producer.stop()
        await source.close()


def make_source(name: str, settings: Settings) -> Source:
    """The installed source of that name."""
    found = entry_points(group="hub.sources", name=name)
    if not found:
        known = ", ".join(sorted(e.name for e in entry_points(group="hub.sources")))
        raise ConfigError("role", f"{name!r} is no source connector; installed: {known}")
    source: Source = next(iter(found)).load()(settings)
    return source


def records(batch: Batch, codec: Codec) -> list[Record]:
    """What goes to Kafka for a batch, in its order: events by their subject, refusals as dead letters."""
    now = rfc3339(datetime.now(UTC))
    return [*(event_record(event, codec, now) for event in batch.events), *map(refusal_record, batch.refused)]


def event_record(event: Incoming, codec: Codec, now: str) -> Record:
    """The event for hub.ingress; a dead letter when it cannot be written (no such value in the schema, too large)."""
    envelope = event.envelope
    try:
        key = envelope.subject.encode()
        value = codec.encode(families.BY_PUBLISHED[envelope.type].published_record, dict(event.data))
        if len(value) > RECORD_LIMIT - _ROOM:
            raise BadRecord("limit", f"the event has {len(value)} bytes; at most {RECORD_LIMIT - _ROOM} are allowed")
    except (BadRecord, ValueError, TypeError, KeyError) as error:
        # The error's own text may quote personal data.
        fault = error if isinstance(error, BadRecord) else BadRecord("avro", f"no such record: {type(error).__name__}")
        original = json.dumps(event.data, ensure_ascii=False, default=str).encode(errors="replace")
        where = f"event {envelope.id}"
        return refusal_record(Refused(envelope.id, envelope.source, fault.reason, fault.detail, original, where))
    headers = envelope.headers()
    headers.append(("ce_recordedtime", now.encode()))
    headers.append(("ce_traceparent", trace_of(envelope.source, envelope.id).encode()))
    return INGRESS, key, value, headers


def refusal_record(refused: Refused) -> Record:
    """The dead letter of a refused row: its bytes, and headers with reason, place and derived id."""
    EVENTS_DEAD_LETTERED.labels("source", refused.reason).inc()
    return build(
        stage="source",
        error=BadRecord(refused.reason, refused.detail),
        topic="",
        partition=-1,
        offset=-1,
        key=None,
        value=refused.original,
        headers=[("ce_id", refused.id.encode()), ("ce_source", refused.source.encode())],
        where=refused.where,
    )
