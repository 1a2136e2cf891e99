"""The agencies at work: files into the drop, batches by HTTP, records into an agency's own topic, bad ones among them.

The feed takes its time (a few seconds in all), so that the hub is at work when its processes are killed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx

from hub.admin import kafka_users
from hub.admin.kafka_users import signed_in
from hub.avro.codec import Codec, head
from hub.avro.generic import encode_body
from hub.config import Settings
from hub.connect.samples import Agency, Step
from hub.control.audit import Actor
from hub.demo.bad_records import Planted
from hub.demo.sample_input import nested
from hub.errors import StartError
from hub.events import families
from hub.events.envelope import Envelope, derived_id, rfc3339
from hub.kafka import clients, embedded_users
from hub.kafka.topics import agency_ingress
from hub.registry.client import open_codec
from hub.untyped import JsonObject

HTTP_BATCH, HTTP_PAUSE_S = 40, 0.1
HELD_BACK, HELD_BATCH = 0.4, 20
"""The last share of the HTTP events goes in smaller batches, each when `drained` says so."""
FILES_PAUSE_S = 1.0
KAFKA_BATCH, KAFKA_PAUSE_S = 40, 0.2
_RECORD = families.DOSSIER.published_record
_UNKNOWN_SCHEMA = 999_999


@dataclass
class Fed:
    """What was handed in so far. duplicates: events that HTTP answered to be known already."""

    events: int = 0
    duplicates: int = 0
    files: list[Path] = field(default_factory=list)
    on_change: Callable[[], None] = lambda: None

    def add(self, events: int) -> None:
        self.events += events
        self.on_change()


def envelope(step: Step, id: str) -> Envelope:
    return Envelope(
        id=id, source=step.agency.source, type=families.DOSSIER.published, subject=step.code, time=_rfc(step.at)
    )


def _rfc(at: int) -> str:
    return rfc3339(datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000))


# --- HTTP --------------------------------------------------------------------------------------------------------


def cloud_event(step: Step) -> JsonObject:
    """Structured mode; the sample's task id is the event's id."""
    data = nested(step.fields)
    for name in ("occurred_at", "received_at", "due_at"):
        data[name] = _rfc(data[name])
    own = envelope(step, step.task)
    return {"specversion": "1.0", "id": own.id, "source": own.source, "type": own.type, "subject": own.subject,
            "time": own.time, "data": data}  # fmt: skip


async def feed_http(
    settings: Settings, key: str, steps: Sequence[Step], fed: Fed, drained: Callable[[], Awaitable[None]]
) -> None:
    """Posts all steps in order, a batch sent again until it is taken; the first batch once more at the end.

    drained: returns when a role that is to be killed at work may have run out of it.
    """
    url = f"http://{settings.gateway.host}:{settings.gateway.port}/v1/events"
    headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents-batch+json"}
    held = len(steps) - round(HELD_BACK * len(steps))
    batches = [steps[i : min(i + HTTP_BATCH, held)] for i in range(0, held, HTTP_BATCH)]
    last = [steps[i : i + HELD_BATCH] for i in range(held, len(steps), HELD_BATCH)]
    async with httpx.AsyncClient(timeout=30.0, trust_env=False, headers=headers) as client:
        for batch in batches:
            await _post(client, url, batch)
            fed.add(len(batch))
            await asyncio.sleep(HTTP_PAUSE_S)
        for batch in last:
            await drained()
            await _post(client, url, batch)
            fed.add(len(batch))
        fed.duplicates += (await _post(client, url, batches[0]))["duplicate"]


async def _post(client: httpx.AsyncClient, url: str, batch: Sequence[Step]) -> JsonObject:
    events = [cloud_event(step) for step in batch]
    while True:
        try:
            answer = await client.post(url, json=events)
        except httpx.TransportError:
            await asyncio.sleep(0.5)
            continue
        if answer.status_code == 202:
            return dict(answer.json())
        if answer.status_code not in (429, 500, 502, 503):
            raise RuntimeError(f"the gateway answered {answer.status_code}: {answer.text[:500]}")
        await asyncio.sleep(float(answer.headers.get("retry-after", "0.5")))


# --- files -------------------------------------------------------------------------------------------------------


def _file_writer() -> Any:
    """connectors/hub_connectors/filedrop/sample/writer.py: set_up_folder, quarters, render. Hub names no connector."""
    found = entry_points(group="hub.samples", name="filedrop")
    if not found:
        raise StartError("the file drop's sample is not installed; `pip install` the project anew")
    return next(iter(found)).load()


async def feed_files(
    settings: Settings, agency: Agency, steps: Sequence[Step], planted: Sequence[Planted], fed: Fed, repeat: bool
) -> None:
    """One file a quarter, the planted rows among their neighbours. repeat: the first clean file is dropped again."""
    writer = _file_writer()
    mapping, folder = await asyncio.to_thread(writer.set_up_folder, agency, settings)
    files = writer.quarters(steps)
    suffix = "xlsx" if mapping.file.format == "xlsx" else "csv"
    spoilt = {p.step.task: p for p in planted if p.kind != "transition"}
    afterwards = [p.fields for p in planted if p.kind == "transition"]
    for number, (name, part) in enumerate(files.items(), 1):
        rows: list[JsonObject] = []
        for step in part:
            rows.append(dict(step.fields) | {"word": step.word})
            if step.task in spoilt:
                rows.append({"word": step.word} | spoilt[step.task].fields)
        if number == len(files):
            rows += afterwards
        clean = len(rows) == len(part)
        content = await asyncio.to_thread(writer.render, mapping, rows, agency.title)
        fed.files.append(_drop(folder / f"{name}.{suffix}", content))
        fed.add(len(part))
        if repeat and clean:
            fed.files.append(_drop(folder / f"{name}-gửi-lại.{suffix}", content))
            repeat = False
        await asyncio.sleep(FILES_PAUSE_S)


def _drop(path: Path, content: bytes) -> Path:
    """Drops a file as a careful agency does: under another name until it is whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
    return path


# --- the agency's own topic --------------------------------------------------------------------------------------


async def feed_kafka(
    settings: Settings, agency: Agency, steps: Sequence[Step], planted: Sequence[Planted], fed: Fed
) -> None:
    """Produces as the agency would, with key, CloudEvents headers and Avro; the planted ones at the end, and its first
    record once more."""
    codec = await open_codec(settings)
    topic = agency_ingress(agency.name)
    if embedded_users.secured(settings):
        settings = signed_in(settings, await kafka_users.of_agency(settings, agency.name, Actor("demo")))
    producer = clients.producer(settings)
    await producer.start()
    try:
        for i in range(0, len(steps), KAFKA_BATCH):
            batch = steps[i : i + KAFKA_BATCH]
            await clients.send_all(producer, [good_record(topic, step, codec) for step in batch])
            fed.add(len(batch))
            await asyncio.sleep(KAFKA_PAUSE_S)
        await clients.send_all(producer, [bad_record(topic, bad, codec) for bad in planted])
        await clients.send_all(producer, [good_record(topic, step, codec) for step in steps[:1]])
    finally:
        await producer.stop()


Record = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]


def good_record(topic: str, step: Step, codec: Codec) -> Record:
    value = codec.encode(_RECORD, nested(step.fields))
    return topic, step.code.encode(), value, envelope(step, event_id(step)).headers()


def event_id(step: Step) -> str:
    """An agency that numbers its events itself."""
    return derived_id(step.agency.source, step.task)


def bad_record(topic: str, bad: Planted, codec: Codec) -> Record:
    """The planted record as bytes."""
    datum = nested(bad.fields)
    body, code = encode_body(_RECORD, datum), str(datum["dossier_code"])
    value = codec.with_head(_RECORD, body)
    match bad.kind:
        case "truncated":
            value = value[: len(value) // 2]
        case "magic":
            value = b"\x01" + value[1:]
        case "schema_id":
            value = head(_UNKNOWN_SCHEMA) + body
        case "utf8":
            value = value.replace("ồ".encode(), b"\xe1\xbb\x28", 1)  # the last byte of three is none of UTF-8
    id = event_id(bad.step) if bad.kind == "conflict" else bad.marker
    own = Envelope(
        id=id, source=bad.step.agency.source, type=families.DOSSIER.published, subject=code, time=_rfc(bad.step.at)
    )
    return topic, code.encode(), value, own.headers()
