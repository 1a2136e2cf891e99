"""Projector and rebuild on a real broker: kill -9 in the middle, then every event is in SQL exactly once."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from sqlalchemy import func, select

from hub.avro.codec import Codec
from hub.config import Settings
from hub.kafka import clients, topics
from hub.kafka.topic_admin import ensure_topics
from hub.projector.projector import rebuild
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from hub.registry.client import open_codec
from tests.support.events import delivery, dossier_event
from tests.support.registry_fixture import running
from tests.support.roles import RoleProcess, until

pytestmark = pytest.mark.broker


async def fill(settings: Settings, codec: Codec, prefix: str, dossiers: range, seqs: range) -> None:
    producer = clients.producer(settings)
    await producer.start()
    try:
        records: list[tuple[str, bytes | None, bytes | None, clients.Headers]] = []
        for number in dossiers:
            code = f"{prefix}-{number:04}"
            for seq in seqs:
                key, value, headers = dossier_event(codec, code, seq)
                records.append((topics.EVENTS, key, value, headers))
                records.append((topics.DELIVERIES, key, delivery(codec, code, "national", [seq]), ()))
        await clients.send_all(producer, records)
    finally:
        await producer.stop()


def counts(settings: Settings, prefix: str) -> tuple[int, int, int]:
    """(dossiers, events, deliveries) of this test, as SQL holds them."""
    engine = open_engine(settings)
    g = tables.current(engine)
    with engine.connect() as connection:
        found = [
            connection.execute(select(func.count()).select_from(t).where(t.c.key.like(f"{prefix}-%"))).scalar() or 0
            for t in (g.dossiers, g.events, g.deliveries)
        ]
    engine.dispose()
    return found[0], found[1], found[2]


async def test_killed_projector_and_rebuild_give_the_same_tables(hub_settings: Settings) -> None:
    settings = hub_settings
    await ensure_topics(settings)
    async with running(settings):
        codec = await open_codec(settings)
    prefix = f"000.00.12.H11-{uuid.uuid4().int % 10**6:06}"
    await fill(settings, codec, prefix, range(300), range(1, 11))
    first = RoleProcess("projector", settings)
    await asyncio.to_thread(until, lambda: counts(settings, prefix)[1] > 0, 40, "the first rows")
    status = first.kill()
    assert status == -9
    await fill(settings, codec, prefix, range(300), range(11, 16))
    second = RoleProcess("projector", settings)
    try:
        second.ready()
        await asyncio.to_thread(
            until, lambda: counts(settings, prefix) == (300, 4_500, 4_500), 60, "all rows, once each"
        )
        engine = open_engine(settings)
        before = ReadModel(engine).subject(f"{prefix}-0007")
        generation, read = await rebuild(settings, engine, codec)
        assert generation == 2
        assert read >= 9_000
        assert counts(settings, prefix) == (300, 4_500, 4_500)
        assert ReadModel(engine).subject(f"{prefix}-0007") == before
        engine.dispose()
        # The running projector goes on in the new generation.
        await fill(settings, codec, prefix, range(300, 301), range(1, 3))
        await asyncio.to_thread(
            until, lambda: counts(settings, prefix) == (301, 4_502, 4_502), 30, "rows after the swap"
        )
        assert second.terminate() == 0
    finally:
        if second.process.poll() is None:
            second.kill()
