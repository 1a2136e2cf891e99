"""What a client may send and hold, over raw sockets: each bound, what is said, and that the connection is closed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hub.config import DoorSettings
from hub.observe.protocol import Limits
from hub.observe.server import listen, serve_app

QUICK = Limits(head_bytes=2_000, head_s=0.3, body_bytes=5_000, body_s=0.4, read_s=0.4)
REST = b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
POST = b"POST /echo" + REST
GET = b"GET /early HTTP/1.1\r\nHost: h\r\n"
GONE: list[str] = []
SOON = 15
"""Seconds, on a loaded machine too; a client that drips (25 s) or waits would take longer."""


async def echo(request: Request) -> Response:
    try:
        return Response(b"%d" % len(await request.body()))
    except ClientDisconnect:
        GONE.append("disconnect")
        raise


async def early(_: Request) -> Response:
    """Answers without reading the body."""
    return Response(b"early")


async def slow(request: Request) -> Response:
    """Works longer than a head or a body may take."""
    await asyncio.sleep(0.8)
    return Response(b"%d" % len(await request.body()))


async def large(_: Request) -> Response:
    return Response(bytes(30_000_000))


async def trailers(request: Request) -> Response:
    await request.body()
    return Response(request.headers.get("x-api-key", "none"))


APP = Starlette(
    routes=[Route(f"/{f.__name__}", f, methods=["GET", "POST"]) for f in (echo, early, slow, large, trailers)]
)


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.began = time.monotonic()

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(data)
            await self.writer.drain()

    async def drip(self, data: bytes, every: float = 0.05) -> None:
        """One byte at a time, until the server has enough."""
        for at in range(len(data)):
            if self.reader.at_eof():
                return
            await self.send(data[at : at + 1])
            await asyncio.sleep(every)

    async def answer(self) -> bytes:
        """One answer with Content-Length."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 30)
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head + await asyncio.wait_for(self.reader.readexactly(length), 30)

    async def rest(self) -> bytes:
        """All until the server closes, which it must."""
        try:
            return await asyncio.wait_for(self.reader.read(-1), 60)
        except ConnectionError:
            return b""


@contextlib.asynccontextmanager
async def peer(limits: Limits = QUICK) -> AsyncIterator[Peer]:
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with serve_app(APP, sock, limits, door=DoorSettings(hosts=("h",))):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Peer(reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with peer() as client:
        assert await client.rest() == b""
        assert 0.25 < time.monotonic() - client.began < SOON


@pytest.mark.parametrize("said", [b"G", b"\r\n", GET, GET + b"X: y\r\n", GET + b"X: y"])
async def test_half_a_head_is_closed(said: bytes) -> None:
    async with peer() as client:
        await client.send(said)
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        assert 0.25 < time.monotonic() - client.began < SOON


async def test_a_head_one_byte_at_a_time_has_the_time_of_a_head() -> None:
    async with peer() as client:
        dripping = asyncio.create_task(client.drip(GET + b"X: " + b"y" * 500))
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        assert 0.25 < time.monotonic() - client.began < SOON
        dripping.cancel()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 3_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        GET + b"X: " + b"y" * 3_000 + b"\r\n\r\n",
        GET + b"X: y\r\n" * 400 + b"\r\n",
        GET + b"X" * 3_000,
    ],
    ids=["target", "a field", "many fields", "a name"],
)
@pytest.mark.parametrize("piece", [100, 10_000])
async def test_a_head_that_is_too_long(head: bytes, piece: int) -> None:
    async with peer(Limits(head_bytes=2_000)) as client:
        for at in range(0, len(head), piece):
            await client.send(head[at : at + piece])
            await asyncio.sleep(0)
        assert (await client.rest()).startswith(b"HTTP/1.1 431 ") or piece == 100  # a reset may overtake the answer
        assert time.monotonic() - client.began < SOON


async def test_a_head_without_end_is_not_held() -> None:
    async with peer(Limits(head_bytes=2_000)) as client:
        sent = 0
        while not client.reader.at_eof() and sent < 50_000_000:
            await client.send(b"X: " + b"y" * 1_000 + b"\r\n" if sent else GET)
            sent += 1_000
            await asyncio.sleep(0)
            if client.writer.transport.is_closing():
                break
        assert sent < 5_000_000


async def test_a_head_within_the_bound() -> None:
    async with peer() as client:
        await client.send(GET + b"X: " + b"y" * 1_800 + b"\r\n\r\n")
        assert (await client.answer()).endswith(b"early")


@pytest.mark.parametrize("said", [b"", b"{", b'{"half": 1'])
@pytest.mark.parametrize("form", [b"Content-Length: 100\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n50\r\n"])
async def test_a_body_that_does_not_come(said: bytes, form: bytes) -> None:
    GONE.clear()
    async with peer() as client:
        await client.send(POST + form + said)
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        assert 0.35 < time.monotonic() - client.began < SOON
        assert GONE == ["disconnect"]  # who waits for it is told


async def test_a_body_one_byte_at_a_time_has_the_time_of_a_body() -> None:
    async with peer() as client:
        await client.send(POST + b"Content-Length: 500\r\n\r\n")
        dripping = asyncio.create_task(client.drip(b"x" * 500))
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - client.began < SOON
        dripping.cancel()


@pytest.mark.parametrize("path", [b"echo", b"early"])
async def test_a_body_that_is_too_long(path: bytes) -> None:
    """Read by the application, or read by nobody: then it was answered before, and the rest is not taken for ever."""
    async with peer() as client:
        await client.send(b"POST /" + path + REST + b"Content-Length: 100000000\r\n\r\n")
        if path == b"early":
            assert (await client.answer()).endswith(b"early")
        sent = 0
        while sent < 50_000_000 and not client.writer.transport.is_closing():
            await client.send(bytes(1_000))
            sent += 1_000
            await asyncio.sleep(0)
        assert sent < 5_000_000
        got = await client.rest()
        assert got == b"" or (path == b"echo" and got.startswith(b"HTTP/1.1 413 "))


@pytest.mark.parametrize("part", [b"1;" + b"x" * 900 + b"\r\na\r\n", b"1\r\na\r\n"], ids=["extension", "tiny"])
async def test_chunks_without_end(part: bytes) -> None:
    async with peer() as client:
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        while sent < 5_000_000 and not client.writer.transport.is_closing():
            await client.send(part)
            sent += len(part)
            await asyncio.sleep(0)
        assert sent < 2_000_000


async def test_a_trailer_is_no_field_and_has_the_bound_of_the_head() -> None:
    chunked = b"POST /trailers" + REST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    async with peer() as client:
        await client.send(chunked + b"X-Api-Key: stolen\r\n\r\n")
        assert (await client.answer()).endswith(b"none")
        await client.send(chunked + b"X: y\r\n" * 400)
        assert (await client.rest()).startswith(b"HTTP/1.1 431 ")


async def test_a_body_after_the_answer_has_the_time_of_a_body() -> None:
    async with peer() as client:
        await client.send(b"POST /early" + REST + b"Content-Length: 100000\r\n\r\n")
        assert (await client.answer()).endswith(b"early")
        dripping = asyncio.create_task(client.drip(b"x" * 500))
        assert await client.rest() == b""
        assert time.monotonic() - client.began < SOON
        dripping.cancel()


async def test_between_requests_the_connection_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = uvicorn.Config
    monkeypatch.setattr(uvicorn, "Config", lambda *args, **more: plain(*args, **more | {"timeout_keep_alive": 3}))
    async with peer() as client:
        for _ in range(2):
            await client.send(GET + b"\r\n")
            assert (await client.answer()).endswith(b"early")
            await asyncio.sleep(0.5)  # longer than a head may take
        began = time.monotonic()
        assert await client.rest() == b""
        assert time.monotonic() - began < SOON


async def test_the_next_head_has_its_time_too() -> None:
    async with peer() as client:
        await client.send(GET + b"\r\n")
        await client.answer()
        await client.send(GET)
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - client.began < SOON


@pytest.mark.parametrize("more", [b"", GET, GET + b"\r\n"])
async def test_time_that_the_application_takes_is_not_the_clients(more: bytes) -> None:
    """Nor is half a next head a reason to end the request that is worked."""
    async with peer() as client:
        await client.send(b"POST /slow" + REST + b"Content-Length: 1\r\n\r\n1")
        await asyncio.sleep(0.05)
        await client.send(more)
        assert (await client.answer()).endswith(b"\r\n\r\n1")


async def test_a_long_body_that_nobody_reads_yet_is_not_the_clients_fault() -> None:
    async with peer(Limits(body_s=0.3)) as client:
        await client.send(b"POST /slow" + REST + b"Content-Length: 5000000\r\n\r\n")
        sending = asyncio.create_task(client.send(bytes(5_000_000)))
        assert (await client.answer()).endswith(b"5000000")
        await sending


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with peer() as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.sleep(1)
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await client.rest()) < 30_000_000


async def test_a_client_that_reads_slowly_but_reads() -> None:
    async with peer(Limits(read_s=0.5)) as client:
        await client.send(b"GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        size = 0
        while part := await client.reader.read(1_000_000):
            size += len(part)
            await asyncio.sleep(0.01)
        assert size > 30_000_000


async def test_who_was_behind_once_is_not_cut_off_later() -> None:
    async with peer() as client:
        await client.send(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.sleep(0.1)
        assert len(await client.answer()) > 30_000_000
        for _ in range(2):
            await client.send(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await client.answer()).endswith(b"\r\n\r\n0")


@pytest.mark.parametrize(
    "test",
    [
        test_a_connection_that_says_nothing_is_closed,
        test_a_head_one_byte_at_a_time_has_the_time_of_a_head,
        test_a_head_without_end_is_not_held,
        test_a_body_one_byte_at_a_time_has_the_time_of_a_body,
        test_a_body_after_the_answer_has_the_time_of_a_body,
        test_a_client_that_does_not_read_is_cut_off,
    ],
)
def test_on_the_loop_that_roles_have(test: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await test()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
