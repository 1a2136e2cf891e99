"""The same bytes to uvicorn over h11, as it was before, and to our protocol: the same answers, but for `OTHERWISE`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.config import DoorSettings
from hub.observe.server import listen, serve_app

HOST = b"Host: h\r\nContent-Type: application/json\r\n"


async def tell(request: Request) -> Response:
    """All that a request is, as the application has it."""
    body = await request.body()
    scope = request.scope
    return JSONResponse(
        {
            "method": scope["method"],
            "path": scope["path"],
            "raw": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "version": scope["http_version"],
            "headers": [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]],
            "body": body.decode("latin-1"),
        }
    )


async def nothing(_: Request) -> Response:
    return Response(status_code=204)


APP = Starlette(routes=[Route("/nothing", nothing), Route("/{path:path}", tell, methods=["GET", "POST", "PUT"])])


@contextlib.asynccontextmanager
async def over_h11(sock: object) -> AsyncIterator[None]:
    config = uvicorn.Config(
        APP, http="h11", log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]
    task = asyncio.create_task(server.serve(sockets=[sock]))  # type: ignore[list-item]
    while not server.started:
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await task


async def answers(port: int, sent: bytes) -> list[tuple[int, bytes]]:
    """(status, body) of each, until the server closes or says no more; what is no HTTP any more as it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    found = []
    with contextlib.suppress(asyncio.IncompleteReadError, TimeoutError, ConnectionError):
        while True:
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 0.3)).lower()
            status = int(head.split(b" ")[1])
            lines = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
            if lines:
                body = await reader.readexactly(int(lines[0][15:])) if b"head " not in sent[:5].lower() else b""
            else:
                body = b"" if status in (100, 204) else await reader.read(-1)
            found.append((status, body))
    writer.transport.abort()
    return found


async def both(sent: bytes) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    old, new = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    async with over_h11(old), serve_app(APP, new, door=DoorSettings(hosts=("h",))):
        one, two = await asyncio.gather(answers(old.getsockname()[1], sent), answers(new.getsockname()[1], sent))
    old.close()
    return one, two


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n"
SAME = {
    "get": b"GET /a?b=c HTTP/1.1\r\n" + HOST + b"\r\n",
    "two": (b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n") * 2,
    "head": b"HEAD /a HTTP/1.1\r\n" + HOST + b"\r\n",
    "post": b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc",
    "chunked": b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
    "trailer": b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n",
    "no content": b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n",
    "expect": b"POST /a HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na",
    "1.0": b"GET /a HTTP/1.0\r\n\r\n",
    "1.0 kept": b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n" + HOST + b"\r\n",
    "close": (b"GET /a HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n") * 2,
    # Java's HttpClient asks so with every request over http.
    "h2c get": (b"GET /a HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n"),
    "h2c post": b"POST /a HTTP/1.1\r\n" + HOST + UPGRADE + b"Content-Length: 3\r\n\r\nabc",
    "h2c chunked": b"POST /a HTTP/1.1\r\n" + HOST + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    b"0\r\n\r\n",
    "h2c bad": b"POST /a HTTP/1.1\r\n" + HOST + UPGRADE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
    "websocket": b"GET /a HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "method": b"DELETE /a HTTP/1.1\r\n" + HOST + b"\r\n",
    "percent": b"GET /%C3%A9%2Fx%20y?q=%C3%A9+z HTTP/1.1\r\n" + HOST + b"\r\n",
    "slashes": b"GET //a//b/../c HTTP/1.1\r\n" + HOST + b"\r\n",
    "latin field": b"GET /a HTTP/1.1\r\n" + HOST + b"X: \xe9\r\n\r\n",
    "utf-8 field": b"GET /a HTTP/1.1\r\n" + HOST + "X: Bộ\r\n\r\n".encode(),
    "spaces": b"GET /a HTTP/1.1\r\nHost:  h \t\r\nX:\r\n\r\n",
    "many": b"GET /a HTTP/1.1\r\n" + HOST + b"X: y\r\nX: z\r\n\r\n",
    "no host": b"GET /a HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no http": b"hello\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "bad length": b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
    "minus": b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "two lengths": b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "bad coding": b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
    "two codings": b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "space in name": b"GET /a HTTP/1.1\r\n" + HOST + b"X : y\r\n\r\n",
    "nul": b"GET /a HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "bare cr": b"GET /a HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
    "raw path": b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
async def test_the_same(name: str) -> None:
    old, new = await both(SAME[name])
    assert old == new
    assert old


@pytest.mark.parametrize("piece", [1, 7, 60, 10_000])
async def test_a_connection_goes_on_after_an_upgrade_that_is_not_made(piece: int) -> None:
    """However the bytes are cut, also all four requests in one write."""
    names = ("h2c post", "h2c get", "h2c chunked", "get")
    whole = b"".join(SAME[name] for name in names)
    sock = listen("127.0.0.1", 0)
    async with serve_app(APP, sock, door=DoorSettings(hosts=("h",))):
        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
        for at in range(0, len(whole), piece):
            writer.write(whole[at : at + piece])
            await asyncio.sleep(0)
        for name in names:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            assert head.startswith(b"HTTP/1.1 200 ")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            body = b"" if name.endswith("get") else b"abc"
            assert b'"body":"%b"' % body in await reader.readexactly(length)
        writer.close()


OTHERWISE = {
    "blank line first": (b"\r\nGET /a HTTP/1.1\r\n" + HOST + b"\r\n", 400, 200),  # RFC 9112, 2.2: it is passed over
    "absolute": (b"GET http://h/a HTTP/1.1\r\n" + HOST + b"\r\n", 404, 200),  # 3.2.2: a server must take it
    "unknown method": (b"FOO /a HTTP/1.1\r\n" + HOST + b"\r\n", 405, 400),
    "bare lf": (b"GET /a HTTP/1.1\nHost: h\n\n", 200, 400),
    "folded": (b"GET /a HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 200, 400),
    "two forms": (
        b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        200, 400,
    ),
    "one length twice": (
        b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 200, 400,
    ),
    "version": (b"GET /a HTTP/1.2\r\n" + HOST + b"\r\n", 200, 400),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
async def test_what_is_known_to_be_answered_otherwise(name: str) -> None:
    """The parser in C is stricter where two readers could read two requests out of the same bytes."""
    sent, *statuses = OTHERWISE[name]
    old, new = await both(sent)
    assert [status for status, _ in old + new] == statuses
