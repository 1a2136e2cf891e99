"""What the client never does, whatever a server tries: send twice, take another's answer, wait or read without end,
leave a connection open, change what it was given."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time

import httpx
import psutil
import pytest

from hub.connect.http_call import send
from hub.connect.http_client import make_client
from hub.errors import Retryable
from tests.support.http_peer import ANYWHERE, OK, Server, talking

HEAD = b"HTTP/1.1 200 OK\r\n"


async def test_an_answer_that_comes_between_two_calls_is_not_taken_for_that_of_the_second() -> None:
    """A server that answers a call twice, the second time when the connection is idle already."""
    bodies = iter((b"first", b"second"))

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        body = next(bodies)
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await asyncio.sleep(0.05)
        writer.write(HEAD + b"Content-Length: 5\r\n\r\nstale")

    async with talking(answer) as (server, call):
        assert (await call()).body == b"first"
        await asyncio.sleep(0.2)
        assert (await call()).body == b"second"
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_a_server_that_speaks_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its bytes are there before the request is written, chance decides; here they always are."""
    monkeypatch.setattr("aiohttp.client_proto.ResponseHandler.should_close", True)
    async with talking(OK) as (server, call):
        with pytest.raises(Retryable) as caught:
            await call(timeout_s=1)
        assert caught.value.kind == "reset"
        await asyncio.sleep(0.05)
        assert (server.connections, server.requests) == (3, [])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST"])
async def test_what_a_server_may_have_had_is_not_sent_again(method: str) -> None:
    """It took the second request on the kept connection and closed; whether it acted on it, nobody knows."""
    calls = iter((True, False))

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        if next(calls):
            writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
        else:
            writer.close()

    async with talking(answer) as (server, call):
        await call(method=method)
        with pytest.raises(Retryable) as caught:
            await call(method=method)
        assert caught.value.kind == "reset"
        assert (server.connections, len(server.requests)) == (1, 2)


async def _silent(_: bytes, __: asyncio.StreamWriter) -> None:
    pass


async def _half(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 10\r\n\r\nhalf")


async def _trickle(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.02)


async def _flood(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + bytes(4096) + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(
    ("answer", "kind"), [(_silent, "timeout"), (_half, "timeout"), (_trickle, "timeout"), (_flood, "too_large")]
)
async def test_a_call_that_failed_leaves_no_open_connection(answer: object, kind: str) -> None:
    async with talking(answer) as (server, call):  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(Retryable) as caught:
            await call(timeout_s=0.3)
        assert caught.value.kind == kind
        assert time.monotonic() - began < 30
        await asyncio.wait_for(server.gone.wait(), 30)


async def test_a_call_that_was_cancelled_leaves_no_open_connection() -> None:
    async with talking(_silent) as (server, call):
        task = asyncio.ensure_future(call())
        while not server.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.gone.wait(), 30)


async def test_a_server_that_does_not_read_holds_no_connection() -> None:
    """A plain close would wait until it took the rest."""
    held: list[asyncio.Transport] = []

    class Deaf(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            held.append(transport)

    listening = await asyncio.get_running_loop().create_server(Deaf, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with make_client(30, ANYWHERE) as client:
        request = client.build_request("POST", f"http://127.0.0.1:{port}/", content=bytes(20_000_000))
        with pytest.raises(Retryable) as caught:
            await send(client, request, 0.3, 100)
        assert caught.value.kind == "timeout"
        await asyncio.sleep(0.1)
        mine = psutil.Process().net_connections()
        assert [c for c in mine if c.raddr and c.raddr.port == port] == []
    for transport in held:
        transport.abort()
    listening.close()
    await listening.wait_closed()


async def test_an_answer_before_the_request_was_taken_ends_the_connection() -> None:
    """413 at the head, and the body is not read: what is left of it must not stand before the next request."""
    heads: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0, limit=1024)
    port = listening.sockets[0].getsockname()[1]
    async with make_client(5, ANYWHERE) as client:
        for number in (1, 2):
            request = client.build_request("POST", f"http://127.0.0.1:{port}/{number}", content=bytes(20_000_000))
            assert (await send(client, request, 2, 100)).status == 413
            await asyncio.sleep(0.1)
            mine = psutil.Process().net_connections()
            assert [c for c in mine if c.raddr and c.raddr.port == port] == []
    assert [head.split()[1] for head in heads] == [b"/1", b"/2"]
    for writer in writers:
        writer.transport.abort()
    listening.close()
    await listening.wait_closed()


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "answer",
    [b"Content-Length: 10\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"Content-Length: 5\r\n\r\n"],
)
async def test_a_body_that_breaks_off_after_a_while(answer: bytes, reset: bool) -> None:
    """So that the head is with the caller, and the reading of the body fails."""

    async def half(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + answer)
        await asyncio.sleep(0.1)
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()

    async with talking(half) as (_, call):
        with pytest.raises(Retryable) as caught:
            await call()
        assert caught.value.kind == "reset"


async def test_a_chunk_that_is_none() -> None:
    async def broken(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"nonsense\r\n")

    async with talking(broken) as (server, call):
        with pytest.raises(Retryable) as caught:
            await call()
        assert caught.value.kind == "reset"
        await asyncio.wait_for(server.gone.wait(), 30)


async def test_a_closed_client_has_closed_its_connections() -> None:
    server = Server(lambda _, writer: _write(writer, OK))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = make_client(30, ANYWHERE)
    await send(client, client.build_request("GET", f"http://127.0.0.1:{port}/"), 5, 100)
    assert not server.gone.is_set()
    await client.aclose()
    await asyncio.wait_for(server.gone.wait(), 30)
    listening.close()


async def _write(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer)


@pytest.mark.parametrize(
    "head",
    [b"X: " + b"x" * 8_300 + b"\r\n", b"".join(b"X-%d: y\r\n" % n for n in range(130)), b"X: " + b"x" * 20_000_000],
    ids=["a line", "many fields", "no end"],
)
async def test_a_head_without_bound_is_a_reset(head: bytes) -> None:
    async with talking(HEAD + head + b"Content-Length: 2\r\n\r\nok") as (server, call):
        with pytest.raises(Retryable) as caught:
            await call()
        assert caught.value.kind == "reset"
        await asyncio.wait_for(server.gone.wait(), 30)


async def test_a_head_within_the_bounds() -> None:
    head = b"Set-Cookie: " + b"x" * 8_000 + b"\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(120))
    async with talking(HEAD + head + b"Content-Length: 2\r\n\r\nok") as (_, call):
        assert (await call()).body == b"ok"


async def test_a_reason_that_is_not_utf_8() -> None:
    async with talking(b"HTTP/1.1 200 Tr\xe4ge\r\nContent-Length: 2\r\n\r\nok") as (server, call):
        for _ in range(2):
            assert (await call()).status == 200
        assert server.connections == 1


async def test_an_address_goes_out_as_it_was_given() -> None:
    """A signed link's signature may be over these very bytes."""
    target = "/kho/t%E1%BB%87p%2F1?X-Sig=AbC%2F%2Bx%3D%3D&t=08%3A30&u=a%20b+c"
    async with talking(OK) as (server, call):
        await call(method="GET", content=b"", target=target)
        assert server.requests[0].split(b"\r\n")[0] == f"GET {target} HTTP/1.1".encode()


async def test_nothing_is_added_to_a_request_and_no_cookie_is_kept_below_httpx() -> None:
    async with talking(HEAD + b"Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\nok") as (server, _):
        port = server.port
        async with make_client(5, ANYWHERE) as client:
            for _ in range(2):
                request = httpx.Request("POST", f"http://localhost:{port}/", headers=[(b"x", b"y")], content=b"z")
                await send(client, request, 5, 100)
                client.cookies.clear()
    lines = server.requests[1].lower().split(b"\r\n")
    assert sorted(lines[1:]) == sorted([b"host: localhost:%d" % port, b"x: y", b"content-length: 1", b"", b"z"])


async def test_a_redirect_is_not_followed_and_the_environments_proxy_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with talking(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n") as (server, call):
        assert (await call(method="GET", content=b"")).status == 302
        assert len(server.requests) == 1


async def test_each_phase_has_its_limit() -> None:
    """Without the bound of the whole call: a server that never speaks TLS, and one that never answers."""

    gone: list[bool] = []

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(-1)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        gone.append(True)

    listening = await asyncio.start_server(wait, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with make_client(0.2, ANYWHERE) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(f"https://127.0.0.1:{port}/")
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"http://127.0.0.1:{port}/")
    async with asyncio.timeout(60):
        while len(gone) < 2:
            await asyncio.sleep(0.01)
    listening.close()


async def test_further_calls_wait_for_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.connect.http_client.PER_HOST", 2)
    open_now, most = 0, 0

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.05)
        open_now -= 1
        writer.write(OK)

    async with talking(answer) as (server, call):
        replies = await asyncio.gather(*(call() for _ in range(8)))
        assert [reply.body for reply in replies] == [b"ok"] * 8
        assert (most, server.connections) == (2, 2)
