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
from hub.avro.record import as_told
from hub.config import Settings
from hub.connect.source import Batch, Incoming, Refused, Source
from hub.deadletter.record import build
from hub.errors import BadRecord, ConfigError
from hub.events.envelope import rfc3339
from hub.ingress.record import Builder
from hub.kafka import clients
from hub.kafka.topics import INGRESS
from hub.observe.health import HEALTH
from hub.observe.metrics import CHUNK_SECONDS, EVENTS_DEAD_LETTERED, EVENTS_IN, EVENTS_OUT
from hub.registry.client import open_codec

log = logging.getLogger(__name__)

Record = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]


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
    builder = Builder(codec, None, rfc3339(datetime.now(UTC)))
    return [*(event_record(event, builder) for event in batch.events), *map(refusal_record, batch.refused)]


def event_record(event: Incoming, builder: Builder) -> Record:
    """The event for hub.ingress; a dead letter when it cannot stand there (no right code, too large)."""
    envelope = event.envelope
    try:
        return INGRESS, *builder.of_connector(envelope, event.data).line
    except BadRecord as fault:
        original = json.dumps(as_told(event.data), ensure_ascii=False).encode(errors="replace")
        where = f"event {envelope.id}"
        refused = Refused(envelope.id, envelope.source, fault.reason, fault.detail, original, where)
        return refusal_record(refused, fault.field)


def refusal_record(refused: Refused, field: str = "") -> Record:
    """The dead letter of a refused row or event: its bytes, and headers with reason, place and derived id. field: of
    the event, as at the other doors; "" where the row's detail names its column."""
    EVENTS_DEAD_LETTERED.labels("source", refused.reason).inc()
    return build(
        stage="source",
        error=BadRecord(refused.reason, refused.detail, field),
        topic="",
        partition=-1,
        offset=-1,
        key=None,
        value=refused.original,
        headers=[("ce_id", refused.id.encode()), ("ce_source", refused.source.encode())],
        where=refused.where,
    )
