"""Agency to agency through the hub: the land office passes a dossier on, the tax office hears of it and works on it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import Any

import httpx
import pytest

from hub.admin import subscribers
from hub.config import Settings
from hub.control.audit import Actor
from hub.deadletter.record import parse
from hub.kafka.topics import DEAD_LETTERS, out
from hub.registry.client import open_codec, register_own
from tests.support.delivery import until
from tests.support.gateway import BATCH, event, organisation, records_of, step
from tests.support.registry_fixture import running
from tests.support.roles import role

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


async def test_the_tax_office_gets_what_is_passed_on_and_writes_while_it_holds_it(hub_settings: Settings) -> None:
    tag = uuid.uuid4().int % 10**6
    land, tax = f"H11.7{tag:06}", f"H11.45{tag:06}"
    parent, part = f"{land}-261102-0001", f"{tax}-261103-0001"
    (land_org, land_key), (tax_org, tax_key) = [
        await organisation(hub_settings, agencies=[agency], joint=agency == tax) for agency in (land, tax)
    ]
    wanted = {"name": tax_org.name, "kind": "kafka-topic", "filter": {"agencies": [tax]}, "backfill": "none"}
    await subscribers.add(hub_settings, wanted, Actor("test"))

    def told(code: str, kind: str, day: int, **fields: Any) -> dict[str, Any]:
        return step(code, step=kind, occurred_at=f"2026-11-{day:02}T08:30:00+07:00", **fields)

    async def post(key: str, org: Any, *steps: dict[str, Any]) -> int:
        address = f"http://127.0.0.1:{hub_settings.gateway.port}/v1/events"
        content = [event(org.sources[0], one) for one in steps]
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            return (await http.post(address, json=content, headers=BATCH | {"X-Api-Key": key})).status_code

    async def heard() -> list[tuple[str, str, str | None]]:
        """Of steps only: the transfer's date lies in the past, so on a slow machine the clock tells of it meanwhile."""
        found = [codec.decode(record.value) for record in await records_of(hub_settings, out(tax_org.name))]
        steps = [e for name, e in found if name == "vn.hub.DossierEvent"]
        return sorted((e["dossier"]["dossier_code"], e["step"]["step"], e["dossier"]["parent_code"]) for e in steps)

    async def refused() -> list[tuple[str, str]]:
        letters = [parse(r.key, r.value, r.headers) for r in await records_of(hub_settings, DEAD_LETTERS)]
        return [(letter.stage, letter.reason) for letter in letters if letter.key == parent.encode()]

    async with running(hub_settings):
        await register_own(hub_settings)
        codec = await open_codec(hub_settings)
        with contextlib.ExitStack() as roles:
            for name in ("core", "gateway", f"deliver:{tax_org.name}"):
                await asyncio.to_thread(roles.enter_context, role(name, hub_settings))
            assert await post(tax_key, tax_org, told(parent, "IN_PROCESS", 2)) == 202
            await until(refused, "refused: it was not passed on yet")
            passed_on = told(parent, "TRANSFERRED", 3, transferred_to=tax, transfer_limit=2, transfer_limit_unit="Ngày")
            assert await post(land_key, land_org, told(parent, "RECEIVED", 2), passed_on) == 202
            first = (parent, "TRANSFERRED", None)
            await until(lambda: _is(heard(), [first]), "the transfer heard of")
            own = told(part, "RECEIVED", 3, parent_code=parent, agency_code=tax)
            back = told(parent, "TRANSFERRED", 5, transferred_to=land)
            assert await post(tax_key, tax_org, told(parent, "IN_PROCESS", 4), own, back) == 202
            assert await post(tax_key, tax_org, told(parent, "FINISHED", 6)) == 202
            await until(lambda: _is(refused(), [("core", "right")] * 2), "refused: it was passed back")
            assert await post(land_key, land_org, told(part, "FINISHED", 6)) == 403
            whole = [(part, "RECEIVED", parent), (parent, "IN_PROCESS", None), first]
            await until(lambda: _is(heard(), whole), "all that is due to the tax office")


async def _is(found: Any, wanted: Any) -> bool:
    return await found == wanted
