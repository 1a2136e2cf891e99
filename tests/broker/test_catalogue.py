"""The national catalogue end to end: portal (simulated) -> source role -> core -> hub.events -> the comparison."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hub.avro.records import ChangeKind, DossierEvent, DossierStep, ProcedureChange, ServiceChange
from hub.config import Settings
from hub.connect.source import Batch, Incoming
from hub.control.changes import write
from hub.control.records import Subscriber
from hub.events import families
from hub.events.envelope import Envelope
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import DEAD_LETTERS, EVENTS
from hub.reconcile.catalogue import compare
from hub.reconcile.catalogue_sides import read_sides
from hub.registry.client import open_codec, register_own
from hub.sources.role import records
from hub.untyped import JsonObject
from hub_connectors.national_portal.catalogue import mapping
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.tests.catalogue_files import FOLDER, load, wanted
from hub_connectors.national_portal.tests.site import national_site
from tests.support.gateway import records_of
from tests.support.registry_fixture import running
from tests.support.roles import role

pytestmark = pytest.mark.broker

AT = 1_767_571_200_000


def published(catalogue: JsonObject, source: str) -> list[Incoming]:
    """What the province's own system would publish."""
    out = []
    for row in catalogue["LayThuTuc"].values():
        told, active = mapping.procedure(row, AT)
        told = told if active else structs.replace(told, change="WITHDRAWN")
        code = told.procedure_code
        out.append(Incoming(Envelope(f"{source}/{code}", source, families.PROCEDURE.published, code), told))
    for row in catalogue["LayDVC"]:
        offer = mapping.service(row, AT, CatalogueSettings(channel="provincial-portal"))
        code = offer.service_code
        out.append(Incoming(Envelope(f"{source}/{code}", source, families.SERVICE.published, code), offer))
    return out


async def put(settings: Settings, *events: Incoming) -> None:
    producer = clients.producer(settings)
    await producer.start()
    try:
        await clients.send_all(producer, records(Batch(events), await open_codec(settings)))
    finally:
        await producer.stop()


async def test_the_twelve_differences_come_out_at_the_other_end(hub_settings: Settings, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex[:8]
    name = f"dvcqg-{mark}"
    settings = hub_settings.model_copy(
        update={
            "sources": {"national-catalogue": {"subscriber": name, "poll_s": 3_600}},
            "reconcile": hub_settings.reconcile.model_copy(update={"reference_source": f"urn:test:national:{mark}"}),
        }
    )
    await ensure_topics(settings)
    async with running(settings), national_site(tmp_path, catalogue=str(FOLDER / "national.json")) as site:
        await register_own(settings)
        await write(settings, site.subscriber().model_copy(update={"name": name}))
        try:
            await put(settings, *published(load("province"), f"urn:test:province:{mark}"))
            cursor = settings.data_dir / "sources/national-catalogue/cursor.json"
            codes = {one.code for one in wanted()}
            found: list[Any] = []
            with contextlib.ExitStack() as stack:
                for one in ("core", "source:national-catalogue"):  # they need the registry, which runs in this loop
                    await asyncio.to_thread(stack.enter_context, role(one, settings))
                async with asyncio.timeout(60):
                    while not cursor.exists() or json.loads(cursor.read_text())["round_at"]:
                        await asyncio.sleep(0.1)
                    while found != wanted():
                        reference, province = await read_sides(settings)
                        found = [d for d in compare(reference, province) if d.code in codes]
                        await asyncio.sleep(0.2)
        finally:
            await write(settings, (Subscriber, name))
    assert len(reference.procedures) == 14


async def test_the_core_follows_the_catalogue_while_it_runs(hub_settings: Settings) -> None:
    settings, source = hub_settings, f"urn:test:{uuid.uuid4()}"
    procedure = f"1.9{uuid.uuid4().int % 100_000:05}"
    counter = itertools.count(1)

    def service(change: ChangeKind, level: int) -> Incoming:
        told = ServiceChange(service_code=f"{procedure}.01", change=change, occurred_at=AT, level=level)
        head = Envelope(uuid.uuid4().hex, source, families.SERVICE.published, told.service_code)
        return Incoming(head, told)

    async def filed_until(topic: str) -> None:
        """Files one dossier after the other until one more of them comes out in that topic."""
        before = len(await from_source(topic))
        async with asyncio.timeout(60):
            while len(await from_source(topic)) == before:
                code = f"H11.12-260105-{procedure[2:]}{next(counter):04}"
                step = DossierStep(
                    dossier_code=code, step="SUBMITTED", occurred_at=AT, channel="ONLINE", procedure_code=procedure
                )
                head = Envelope(uuid.uuid4().hex, source, families.DOSSIER.published, code)
                await put(settings, Incoming(head, step))
                await asyncio.sleep(0.5)

    async def from_source(topic: str) -> list[dict[str, bytes]]:
        heads = [dict(record.headers) for record in await records_of(settings, topic)]
        own = [head for head in heads if head.get("ce_source") == source.encode()]
        return [head for head in own if head["ce_type"] in (b"vn.hub.dossier.step", b"vn.hub.dossier.event")]

    await ensure_topics(settings)
    async with running(settings):
        await register_own(settings)
        await put(settings, service("PUBLISHED", 2))
        with contextlib.ExitStack() as stack:
            core = await asyncio.to_thread(stack.enter_context, role("core", settings))
            await filed_until(DEAD_LETTERS)
            assert {head["dl_reason"] for head in await from_source(DEAD_LETTERS)} == {b"not_offered"}
            await put(settings, service("AMENDED", 4))
            await filed_until(EVENTS)
            assert "hub_catalogue_copy_age_seconds" in (await asyncio.to_thread(core.get, "/metrics"))[1]


async def test_the_core_counts_a_due_date_from_the_catalogue_where_the_province_chose_so(
    hub_settings: Settings,
) -> None:
    """AT is Monday 5 January 2026, 7:00: two working days end on Tuesday at 17:00. Nobody told when it was received."""
    settings = hub_settings.model_copy(
        update={
            "core": hub_settings.core.model_copy(update={"online_services": "off"}),
            "deadlines": hub_settings.deadlines.model_copy(update={"derive_due_at": True}),
        }
    )
    procedure = f"1.8{uuid.uuid4().int % 100_000:05}"
    head = Envelope("limit", f"urn:test:{procedure}", families.PROCEDURE.published, procedure)
    limit = ProcedureChange(
        procedure_code=procedure, change="PUBLISHED", occurred_at=AT - 86_400_000,
        time_limit=2.0, time_limit_unit="Ngày làm việc",
    )  # fmt: skip
    await ensure_topics(settings)
    async with running(settings):
        await register_own(settings)
        codec, found = await open_codec(settings), list[tuple[int | None, bool | None, int, bool | None]]()
        with contextlib.ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, role("core", settings))
            await put(settings, Incoming(head, limit))
            async with asyncio.timeout(60):
                for number in itertools.count(1):  # until the core's copy of the catalogue has it
                    code = f"H11.12-260105-{procedure[2:]}{number:04}"
                    step = DossierStep(dossier_code=code, step="RECEIVED", occurred_at=AT, procedure_code=procedure)
                    await put(settings, Incoming(Envelope(code, head.source, families.DOSSIER.published, code), step))
                    await asyncio.sleep(0.5)
                    own = [
                        r for r in await records_of(settings, EVENTS) if str(procedure[2:]).encode() in (r.key or b"")
                    ]
                    events = [codec.read_any(r.value)[1] for r in own]
                    dossiers = [event.dossier for event in events if isinstance(event, DossierEvent)]
                    found = [
                        (d.received_at, d.received_at_derived, d.due_at, d.due_at_derived)
                        for d in dossiers
                        if d.due_at is not None
                    ]
                    if found:
                        break
    assert found[0] == (AT, True, AT + 34 * 3_600_000, True)
