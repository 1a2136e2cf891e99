"""A dossier filed on the national portal: through the gateway's door and the core, once however often called."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import Any

import httpx
import pytest
from aiokafka import ConsumerRecord

from hub.config import Settings
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import EVENTS
from hub.registry.client import open_codec, register_own
from tests.support.gateway import records_of
from tests.support.registry_fixture import running
from tests.support.roles import role

pytestmark = pytest.mark.broker


async def test_filed_on_the_portal_it_comes_out_of_the_core_once(hub_settings: Settings) -> None:
    code = f"G22.99-260302-{uuid.uuid4().int % 10**9:09}"
    door = {"national-portal": {"clients": ["127.0.0.1"], "source": f"urn:test:{code}"}}
    settings = hub_settings.model_copy(update={"inbound": door})
    body = {"refId": code, "data": {"MaHoSo": code, "ChuHoSo": "Trần Văn Minh", "NgayNopHoSo": "20260302081500"}}
    address = f"http://127.0.0.1:{settings.gateway.port}/inbound/national-portal/addtthcKhuyenMai"

    async def call() -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            return (await http.post(address, json=body)).json()["error_code"]

    async def canonical() -> list[ConsumerRecord]:
        return [record for record in await records_of(settings, EVENTS) if record.key == code.encode()]

    await ensure_topics(settings)
    async with running(settings):
        await register_own(settings)
        with contextlib.ExitStack() as core:
            await asyncio.to_thread(core.enter_context, role("core", settings))
            with contextlib.ExitStack() as first:
                await asyncio.to_thread(first.enter_context, role("gateway", settings))
                assert [await call(), await call()] == [0, 1]
            with contextlib.ExitStack() as second:  # another process, which has seen nothing
                await asyncio.to_thread(second.enter_context, role("gateway", settings))
                assert await call() == 0
            async with asyncio.timeout(60):
                while not (found := await canonical()):
                    await asyncio.sleep(0.2)
            codec = await open_codec(settings)
    (event,) = found
    assert dict(event.headers)["ce_origin"] == b"national-portal"
    datum = codec.decode(event.value)[1]
    assert (datum["status"], datum["dossier"]["filed_at_portal"]) == ("NEW", "national")
