"""What every HTTP door refuses before its application sees it, over real sockets: a name that is not ours, a page from
elsewhere, a form; and whose word about a caller's address is taken."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.config import DoorSettings
from hub.observe.server import listen, serve_app


async def told(request: Request) -> Response:
    return PlainTextResponse(f"{request.client.host if request.client else ''} {len(await request.body())}")


APP = Starlette(routes=[Route("/x", told, methods=["GET", "POST", "PUT", "DELETE"])])
JSON = {"content-type": "application/json"}


@contextlib.asynccontextmanager
async def door(settings: DoorSettings | None = None) -> AsyncIterator[httpx.AsyncClient]:
    sock = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with (
        serve_app(APP, sock, door=settings or DoorSettings()),
        httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize("host", ["evil.example", "evil.example:18081", "localhost.evil.example", "[::1", "", "a b"])
async def test_a_host_name_that_is_not_ours_is_refused(host: str) -> None:
    async with door() as client:
        answer = await client.get("/x", headers={"host": host})
        assert answer.status_code == 421
        assert answer.json()["code"] == "wrong_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:1", "127.0.0.1:18081", "[::1]:80", "10.1.2.3"])
async def test_our_own_names_and_any_address_are_taken(host: str) -> None:
    async with door() as client:
        for name in (host, socket.gethostname(), "hub.tinh.gov.vn:443"):
            sent = {"host": name}
            known = DoorSettings(hosts=("hub.tinh.gov.vn",))
            async with door(known) as named:
                assert (await named.get("/x", headers=sent)).status_code == 200
        assert (await client.get("/x", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "http://", "http://[", "x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_page_from_elsewhere_is_refused(method: str, origin: str) -> None:
    async with door() as client:
        answer = await client.request(method, "/x", headers={"origin": origin, **JSON})
        assert answer.status_code == 403
        assert answer.json()["code"] == "foreign_origin"


async def test_our_own_page_is_taken_and_one_of_a_named_host() -> None:
    async with door(DoorSettings(hosts=("hub.tinh.gov.vn",))) as client:
        base = str(client.base_url).rstrip("/")
        for origin in (base, "https://hub.tinh.gov.vn", "https://hub.tinh.gov.vn:8443"):
            assert (await client.post("/x", json={}, headers={"origin": origin})).status_code == 200


async def test_what_a_browser_calls_cross_site_changes_nothing() -> None:
    async with door() as client:
        cross = {"sec-fetch-site": "cross-site"}
        assert (await client.post("/x", json={}, headers=cross)).status_code == 403
        assert (await client.get("/x", headers=cross)).status_code == 200  # a link on a page


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "TEXT/PLAIN; charset=x", "application/x-www-form-urlencoded", "multipart/form-data; b=1", None],
)
async def test_a_body_that_a_form_could_send_is_refused(kind: str | None) -> None:
    async with door() as client:
        headers = {} if kind is None else {"content-type": kind}
        answer = await client.post("/x", content=b'{"mode": "READONLY"}', headers=headers)
        assert answer.status_code == 415
        assert answer.json()["code"] == "unsupported_media_type"

        async def parts() -> AsyncIterator[bytes]:
            yield b"{}"

        assert (await client.post("/x", content=parts(), headers=headers)).status_code == 415


async def test_no_body_needs_no_type() -> None:
    async with door() as client:
        assert (await client.delete("/x")).text == "127.0.0.1 0"
        assert (await client.post("/x")).text == "127.0.0.1 0"


async def test_nobody_s_word_about_an_address_is_taken_by_default() -> None:
    """uvicorn believes 127.0.0.1 unless told otherwise: whoever is on the machine could be anybody."""
    async with door() as client:
        assert (await client.get("/x", headers={"x-forwarded-for": "10.9.9.9"})).text == "127.0.0.1 0"


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("10.9.9.9", "10.9.9.9"),
        ("6.6.6.6, 10.9.9.9", "10.9.9.9"),
        ("6.6.6.6, 10.9.9.9, 192.0.2.7", "10.9.9.9"),
        ("192.0.2.7", "192.0.2.7"),
        ("10.9.9.9, nonsense", "127.0.0.1"),
        ("nonsense, 10.9.9.9", "10.9.9.9"),
        ("", "127.0.0.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("10.9.9.9:1234", "10.9.9.9"),
    ],
)
async def test_a_named_proxy_is_believed_up_to_the_first_address_that_is_none(said: str, believed: str) -> None:
    async with door(DoorSettings(proxies=("127.0.0.1", "192.0.2.0/24"))) as client:
        assert (await client.get("/x", headers={"x-forwarded-for": said})).text == f"{believed} 0"


async def test_what_is_for_the_observation_address_is_not_there() -> None:
    sock = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with (
        serve_app(APP, sock, door=DoorSettings(), hidden=("/x",)),
        httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client,
    ):
        for path in ("/x", "/x?y", "/%78"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
