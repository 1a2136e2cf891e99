"""Where generated events go: files of CloudEvents, the gateway over HTTP, or straight into hub.ingress."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO

import httpx
import orjson

from hub.config import Settings
from hub.demo.generator.event import Event
from hub.errors import StartError
from hub.events import families
from hub.events.envelope import AUTHID, Envelope, rfc3339
from hub.kafka import clients, topics
from hub.model.times import EARLIEST_MS, utc_text
from hub.registry.client import open_codec
from hub.untyped import JsonObject

Tick = Callable[[int], None]
HTTP_BATCH = 400
"""About half of what the gateway takes in one body."""
KAFKA_BATCH = 2_000
TRIES_S = 120.0
"""So long is one batch offered to a gateway that is away or busy."""
OPERATOR = "generator"
_TIMES = frozenset(
    ("occurred_at", "received_at", "due_at", "finished_at", "returned_at", "submitted_at", "step_started_at",
     "step_due_at", "effective_at")
)  # fmt: skip


def cloud_event(event: Event) -> JsonObject:
    """Structured mode, times as RFC 3339. What is no time (a planted one in seconds) stays as it is."""
    data = {
        name: utc_text(value) if name in _TIMES and value >= EARLIEST_MS else value
        for name, value in event.data.items()
    }
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": utc_text(event.at),
        "datacontenttype": "application/json",
        "data": data,
    }


def _batches(events: Iterable[Event], size: int) -> Iterator[list[Event]]:
    rest = iter(events)
    while batch := list(islice(rest, size)):
        yield batch


def to_file(events: Iterable[Event], path: Path, per_source: bool, tick: Tick) -> list[Path]:
    """NDJSON, one event a line, into one file or, with `per_source`, a folder with one for each source. The files have
    their names only when they are whole. StartError if they cannot be written."""
    parts: dict[str, tuple[Path, IO[bytes]]] = {}
    try:
        if per_source:
            path.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for batch in _batches(events, KAFKA_BATCH):
                for event in batch:
                    name = event.source.split(":")[3] if per_source else ""
                    if name not in parts:
                        whole = path / f"{name}.ndjson" if per_source else path
                        parts[name] = whole, stack.enter_context(_part(whole).open("wb"))
                    parts[name][1].write(orjson.dumps(cloud_event(event), option=orjson.OPT_APPEND_NEWLINE))
                tick(len(batch))
        written = [whole for whole, _ in parts.values()]
        for whole in written:
            os.replace(_part(whole), whole)
    except OSError as error:
        raise StartError(f"{error.filename or path}: {error.strerror}") from None
    return sorted(written)


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


async def to_http(events: Iterable[Event], url: str, key: str, tick: Tick) -> Counter[str]:
    """Batches to the gateway, one after the other, so that the order stays. Counts of accepted, duplicate, rejected,
    and `rejected: <reason>`. StartError if the gateway stays away or refuses the key."""
    counts: Counter[str] = Counter()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents-batch+json"}
    async with httpx.AsyncClient(timeout=30.0, trust_env=False, headers=headers) as client:
        for batch in _batches(events, HTTP_BATCH):
            results = await _post(client, url, orjson.dumps([cloud_event(event) for event in batch]))
            for result in results:
                counts[result["status"]] += 1
                if result["status"] == "rejected":
                    counts[f"rejected: {result.get('reason', '')}"] += 1
            tick(len(batch))
    return counts


async def _post(client: httpx.AsyncClient, url: str, body: bytes) -> list[JsonObject]:
    """One result an event."""
    clock = asyncio.get_running_loop().time
    until, said = clock() + TRIES_S, ""
    while clock() < until:
        wait = 0.5
        try:
            answer = await client.post(url, content=body)
        except httpx.TransportError as error:
            said = f"{type(error).__name__}: {error}"
        else:
            document = _json(answer)
            if isinstance(document.get("results"), list):
                return list(document["results"])
            said = f"HTTP {answer.status_code} {document.get('detail', answer.text[:200])}"
            if answer.status_code not in (429, 500, 502, 503, 504):
                raise StartError(f"{url}: {said}")
            wait = _retry_after(answer)
        await asyncio.sleep(wait)
    raise StartError(f"{url}: not taken within {TRIES_S:.0f} s; {said}")


def _json(answer: httpx.Response) -> JsonObject:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(answer: httpx.Response) -> float:
    try:
        return min(10.0, max(0.1, float(answer.headers.get("retry-after", "0.5"))))
    except ValueError:
        return 0.5


async def to_kafka(events: Iterable[Event], settings: Settings, tick: Tick) -> Counter[str]:
    """Straight into hub.ingress, as the gateway would write them: only for who may write there."""
    counts: Counter[str] = Counter()
    codec = await open_codec(settings)
    producer = clients.producer(settings)
    await producer.start()
    try:
        for batch in _batches(events, KAFKA_BATCH):
            recorded = rfc3339(datetime.now(UTC))
            await clients.send_all(
                producer,
                [
                    (
                        topics.INGRESS,
                        event.subject.encode(),
                        codec.encode(families.BY_PUBLISHED[event.type].published_record, event.data),
                        envelope(event, recorded).headers(),
                    )
                    for event in batch
                ],
            )
            counts["accepted"] += len(batch)
            tick(len(batch))
    finally:
        await producer.stop()
    return counts


def envelope(event: Event, recordedtime: str) -> Envelope:
    """Makes the record as it stands in hub.ingress."""
    return Envelope(
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=utc_text(event.at),
        recordedtime=recordedtime,
        extensions={AUTHID: OPERATOR},
    )
