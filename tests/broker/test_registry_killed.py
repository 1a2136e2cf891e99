"""kill -9 of the registry while it registers: every id that it answered is there afterwards, and means the same."""

from __future__ import annotations

import asyncio
import json
import uuid

import httpx
import pytest

from hub.config import Settings
from hub.kafka.topic_admin import ensure_topics
from hub.registry.http_client import http_args
from tests.support.roles import RoleProcess

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

WRITERS = 4
ANSWERED_BEFORE_THE_KILL = 12


async def test_what_was_answered_survives_a_kill(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    role = RoleProcess("registry", hub_settings)
    try:
        role.ready()
        answered = await _register_until_killed(hub_settings, role)
    finally:
        role.kill()
    assert len(answered) >= ANSWERED_BEFORE_THE_KILL
    assert len(set(answered.values())) == len(answered), "an id was given out twice"

    again = RoleProcess("registry", hub_settings)
    try:
        again.ready()
        async with httpx.AsyncClient(**http_args(hub_settings)) as client:
            for name, schema_id in answered.items():
                found = (await client.get(f"/schemas/ids/{schema_id}")).json()
                assert json.loads(found["schema"])["name"] == name
            fresh = await client.post("/subjects/fresh/versions", json={"schema": _schema(f"F{uuid.uuid4().hex}")})
            assert fresh.json()["id"] > max(answered.values())
    finally:
        again.kill()


def _schema(name: str) -> str:
    return json.dumps({"type": "fixed", "name": name, "size": 1})


async def _register_until_killed(settings: Settings, role: RoleProcess) -> dict[str, int]:
    """Several clients register without pause; the role is killed while they are at it. Name -> id answered."""
    answered: dict[str, int] = {}
    enough = asyncio.Event()

    async def register() -> None:
        async with httpx.AsyncClient(**http_args(settings)) as client:
            while True:
                name = f"K{uuid.uuid4().hex}"
                try:
                    answer = await client.post(f"/subjects/{name}/versions", json={"schema": _schema(name)})
                except httpx.HTTPError:
                    return
                answered[name] = answer.json()["id"]
                if len(answered) >= ANSWERED_BEFORE_THE_KILL:
                    enough.set()

    clients = [asyncio.create_task(register()) for _ in range(WRITERS)]
    async with asyncio.timeout(60):
        await enough.wait()
        role.kill()
        await asyncio.gather(*clients)
    return answered
