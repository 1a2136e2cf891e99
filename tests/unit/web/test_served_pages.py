"""What console and gateway serve names no outside host: a province's servers do not reach one, and none may watch."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route

from tests.support import gateway_app
from tests.support.console_app import make
from tests.support.readmodel import CODE

HOST = re.compile(r"//[^\s/\"'<>)]+")
"""`https://host`, and `//host` without a scheme."""
IN_A_PATH = {"{code}": CODE, "{month}": "2023-11", "{name}": "nobody", "{id}": "0"}
CONSOLE_PAGES = {"/", "/tim", "/ho-so/{code}", "/thu-loi", "/so-lieu", "/hub.css", "/docs", "/openapi.json",
                 "/v1/dossiers/{code}", "/v1/overview", "/v1/figures/{month}"}  # fmt: skip
GATEWAY_PAGES = {"/docs", "/openapi.json", "/v1/organisations", "/v1/subscribers"}
PROGRAM_OF_FASTAPI = ("/redoc", "/docs/oauth2-redirect")


def app_of(client: httpx.AsyncClient) -> FastAPI:
    app = client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, FastAPI)
    return app


def served(client: httpx.AsyncClient) -> list[str]:
    """The address of everything that answers GET, /docs and openapi among them."""
    app = app_of(client)
    own = {route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    return sorted(own | {path for path, methods in app.openapi()["paths"].items() if "get" in methods})


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for found in make(tmp_path):
        yield found


@pytest.fixture
async def gateway() -> AsyncIterator[httpx.AsyncClient]:
    async with gateway_app.client(gateway_app.Broker()) as found:
        yield found


async def check(client: httpx.AsyncClient, expected: set[str]) -> None:
    client.headers.pop("x-api-key", None)  # a wrong token at each page would meet the brake
    paths = served(client)
    assert set(paths) >= expected
    for path in paths:
        address = path
        for place, value in IN_A_PATH.items():
            address = address.replace(place, value)
        assert "{" not in address, f"{path}: say what stands there"
        answer = await client.get(address)
        wanted = 401 if app_of(client).title == "Hub gateway" and path.startswith("/v1/") else 200
        assert answer.status_code == wanted, (path, answer.text)
        assert HOST.findall(answer.text) == [], path
        assert HOST.findall(str(answer.headers)) == [], path


async def test_no_page_of_the_console_names_an_outside_host(console: httpx.AsyncClient) -> None:
    await check(console, CONSOLE_PAGES)


async def test_no_page_of_the_gateway_names_an_outside_host(gateway: httpx.AsyncClient) -> None:
    await check(gateway, GATEWAY_PAGES)


async def test_the_pages_that_load_a_program_from_outside_are_off(
    console: httpx.AsyncClient, gateway: httpx.AsyncClient
) -> None:
    for client in (console, gateway):
        assert app_of(client).docs_url is None
        assert app_of(client).redoc_url is None
        for path in PROGRAM_OF_FASTAPI:
            assert (await client.get(path)).status_code == 404


async def test_the_documentation_carries_the_policy_that_it_keeps(
    console: httpx.AsyncClient, gateway: httpx.AsyncClient
) -> None:
    """Its one style is named by its hash; no script, no image, no form, no frame."""
    for client in (console, gateway):
        answer = await client.get("/docs")
        assert answer.status_code == 200
        (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.S)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = answer.headers["content-security-policy"]
        assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        for mark in ("<script", "style=", "<link", "<img", "<iframe", "<form", "onclick"):
            assert mark not in answer.text, mark


async def test_the_console_s_documentation_tells_its_calls(console: httpx.AsyncClient) -> None:
    text = (await console.get("/docs")).text
    for told in ("Hub: read API", "/v1/dossiers/{code}", "/v1/figures/{month}", "/v1/overview", "agency"):
        assert told in text, told
    assert "every delivery attempt of one dossier" in text
    assert "X-Api-Key" not in text  # the console knows no organisation's key
    assert "Authorization: Bearer" in text


async def test_every_other_answer_of_the_console_carries_the_pages_policy(console: httpx.AsyncClient) -> None:
    for path in ("/", "/openapi.json", "/v1/overview", "/khong-co"):
        policy = (await console.get(path)).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'"), path
