"""Who may write to the embedded registry: users with rights, made at its first start, over real sockets."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.config import KafkaSettings, RegistrySettings, Settings
from hub.observe.server import listen, serve_app
from hub.registry.client import OWN_RECORDS
from hub.registry.http_client import http_args
from hub.registry.logins import made, users_file
from hub.registry.server.api import app
from hub.registry.server.service import Registry
from hub.registry.server.users import users
from hub.web import brake
from tests.support.memory_log import MemoryLog

SCHEMA = {"schema": '"string"'}
WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/subjects/t/versions", SCHEMA),
    ("PUT", "/mode", {"mode": "READONLY"}),
    ("PUT", "/mode/t", {"mode": "READONLY"}),
    ("DELETE", "/mode/t", None),
    ("PUT", "/config", {"compatibility": "NONE"}),
    ("PUT", "/config/t", {"compatibility": "NONE"}),
    ("DELETE", "/config/t", None),
    ("DELETE", "/subjects/t", None),
    ("DELETE", "/subjects/t/versions/1", None),
]
READS: list[tuple[str, str, Any]] = [
    ("GET", "/subjects", None),
    ("GET", "/mode", None),
    ("POST", "/subjects/t", SCHEMA),
    ("POST", "/compatibility/subjects/t/versions/latest", SCHEMA),
]


@contextlib.asynccontextmanager
async def registry(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A registry on a real socket, and a client that sends no credentials."""
    sock = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with (
        serve_app(app(Registry(MemoryLog()), users(settings)), sock, door=settings.doors),
        httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client,
    ):
        yield client


async def test_writing_asks_for_credentials_and_reading_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brake, "TRIES", 1_000)
    async with registry(Settings(data_dir=tmp_path)) as client:
        for method, path, body in WRITES:
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["error_code"]) == (401, 401), path
            assert answer.headers["www-authenticate"].startswith("Basic")
            for wrong in (("operator", "x"), ("nobody", "x"), ("", ""), ("operator", "")):
                assert (await client.request(method, path, json=body, auth=wrong)).status_code == 401
            for header in ("Basic", "Basic !", "Basic /w==", "Bearer x", "x"):
                said = await client.request(method, path, json=body, headers={"authorization": header})
                assert said.status_code == 401
        for method, path, body in READS:
            assert (await client.request(method, path, json=body)).status_code in (200, 404), path
        assert (await client.get("/subjects")).json() == []


async def test_each_user_has_its_right(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    passwords = made(settings)
    async with registry(settings) as client:
        for user in ("hub", "reader"):
            for method, path, body in WRITES:
                answer = await client.request(method, path, json=body, auth=(user, passwords[user]))
                assert (answer.status_code, answer.json()["error_code"]) == (403, 40301), (user, path)
        own, hub = OWN_RECORDS[0], ("hub", passwords["hub"])
        assert (await client.post(f"/subjects/{own}/versions", json=SCHEMA, auth=hub)).status_code == 200
        assert (await client.put(f"/config/{own}", json={"compatibility": "FULL"}, auth=hub)).status_code == 200
        assert (await client.put(f"/mode/{own}", json={"mode": "READONLY"}, auth=hub)).status_code == 403
        assert (await client.delete(f"/subjects/{own}", auth=hub)).status_code == 403
        operator = ("operator", passwords["operator"])
        for method, path, body in WRITES:
            answer = await client.request(method, path, json=body, auth=operator)
            assert answer.status_code not in (401, 403), path
            if path == "/mode":
                await client.put(path, json={"mode": "READWRITE"}, auth=operator)


async def test_a_web_page_cannot_switch_the_mode(tmp_path: Path) -> None:
    """As a browser sends it that knows the password from a page of ours: with credentials, a form's type, an Origin."""
    settings = Settings(data_dir=tmp_path)
    known = ("operator", made(settings)["operator"])
    async with registry(settings) as client:
        for headers in (
            {"content-type": "text/plain"},
            {"content-type": "application/json", "origin": "https://evil.example"},
            {"content-type": "application/json", "host": "evil.example:18081"},
        ):
            answer = await client.put("/mode", content='{"mode":"READONLY"}', headers=headers, auth=known)
            assert 400 <= answer.status_code < 500
        assert (await client.get("/mode")).json() == {"mode": "READWRITE"}


async def test_reading_can_ask_too(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, registry=RegistrySettings(reading="credentials"))
    async with registry(settings) as client:
        for method, path, body in READS:
            assert (await client.request(method, path, json=body)).status_code == 401
            reader = ("reader", made(settings)["reader"])
            assert (await client.request(method, path, json=body, auth=reader)).status_code in (200, 404)


async def test_passwords_are_made_once_and_nobody_else_reads_them(tmp_path: Path) -> None:
    """An old data folder has none: the first start of this version makes them."""
    settings = Settings(data_dir=tmp_path)
    first = made(settings)
    assert users_file(settings).stat().st_mode & 0o777 == 0o600
    assert os.stat(users_file(settings).parent).st_mode & 0o777 == 0o700
    assert made(settings) == first == json.loads(users_file(settings).read_text())
    assert len(set(first.values())) == 3
    assert min(map(len, first.values())) >= 32


@pytest.mark.parametrize(("principal", "status"), [(None, 200), ("core", 403)])
async def test_the_hub_s_own_clients_send_what_the_file_says(
    tmp_path: Path, principal: str | None, status: int
) -> None:
    """Commands as `operator`, roles as `hub`; also a client that was made before the file."""
    settings = Settings(data_dir=tmp_path, kafka=KafkaSettings(sasl_username=principal))
    async with httpx.AsyncClient(**http_args(settings)) as own, registry(settings) as client:
        own.base_url = client.base_url
        assert (await own.post("/subjects/other/versions", json=SCHEMA)).status_code == status
        assert (await own.post(f"/subjects/{OWN_RECORDS[0]}/versions", json=SCHEMA)).status_code == 200
