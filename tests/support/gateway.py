"""A gateway in this process over real HTTP, and events to post to it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiokafka import ConsumerRecord

from hub.admin import organisations
from hub.config import Settings
from hub.control.audit import Actor
from hub.control.records import Organisation
from hub.gateway import role as gateway
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import INGRESS
from hub.observe.health import HEALTH
from tests.support.codecs import fixed_codec

STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def step(code: str = "H11.12-261124-0001", **fields: Any) -> dict[str, Any]:
    return {"dossier_code": code, "step": "RECEIVED", "occurred_at": "2026-11-24T08:30:00+07:00"} | fields


def event(source: str, data: Any = None, **attributes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": source,
        "type": "vn.hub.dossier.step",
        "data": step() if data is None else data,
    } | attributes


async def organisation(settings: Settings, **fields: Any) -> tuple[Organisation, str]:
    """A new organisation of H11.12 with a name and a source of its own, and its key."""
    await ensure_topics(settings)
    name = f"org-{uuid.uuid4().hex[:8]}"
    wanted = organisations.checked(
        {"name": name, "sources": [f"urn:vn:gov:H11.12:{name}"], "agencies": ["H11.12"]} | fields
    )
    return wanted, await organisations.add(settings, wanted, Actor("test"))


@contextlib.asynccontextmanager
async def running(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The role, in this process, and a client at its address; stopped as by SIGTERM at the end."""

    async def codec(_: Settings) -> Any:
        return fixed_codec()

    monkeypatch.setattr(gateway, "open_codec", codec)
    monkeypatch.setattr(HEALTH, "ready", {})  # one process is one role, but not in tests
    stop = asyncio.Event()
    role = asyncio.create_task(gateway.run("gateway", settings, stop))
    address = f"http://{settings.gateway.host}:{settings.gateway.port}"
    try:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            await _answers(client, role)
            yield client
    finally:
        stop.set()
        await asyncio.wait_for(role, 60)


async def _answers(client: httpx.AsyncClient, role: asyncio.Task[None]) -> None:
    async with asyncio.timeout(60):
        while True:
            if role.done():
                await role
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/live")).status_code == 404 and HEALTH.report("ready")[0]:
                    return
            await asyncio.sleep(0.05)


async def ingress_of(settings: Settings, source: str) -> list[ConsumerRecord]:
    """All records of that source in hub.ingress."""
    found = await records_of(settings, INGRESS)
    return [record for record in found if dict(record.headers).get("ce_source") == source.encode()]


async def records_of(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """The whole topic to its present end, as another program reads it; each partition in its order."""
    consumer = clients.consumer(settings, topic)
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            while not consumer.assignment():
                await asyncio.sleep(0.02)
            parts = sorted(consumer.assignment())
            await consumer.seek_to_beginning(*parts)
            ends = await consumer.end_offsets(parts)
            out: list[ConsumerRecord] = []
            for part in parts:
                while await consumer.position(part) < ends[part]:
                    for records in (await consumer.getmany(part, timeout_ms=1000)).values():
                        out += records
            return out
    finally:
        await consumer.stop()
