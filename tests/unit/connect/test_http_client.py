"""The client beside a real socket: what a server may do with a connection, and what the client never does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from hub.connect.http_call import send
from hub.connect.http_client import make_client
from hub.errors import Retryable
from tests.support.certificates import make_certificates
from tests.support.http_peer import ANYWHERE, OK, Server, talking


async def test_calls_share_a_connection() -> None:
    async with talking(OK) as (server, call):
        for number in range(5):
            assert (await call(b"%d" % number)).body == b"ok"
        assert server.connections == 1
        assert [request[-1:] for request in server.requests] == [b"0", b"1", b"2", b"3", b"4"]
        assert server.requests[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", 200, b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok"),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 503, b""),
    ],
)
async def test_forms_of_an_answer(answer: bytes, status: int, body: bytes) -> None:
    async with talking(answer) as (server, call):
        for _ in range(2):
            reply = await call()
            assert (reply.status, reply.body) == (status, body)
        assert server.connections == 1


async def test_an_answer_that_ends_with_the_connection() -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall there is")
        writer.close()

    async with talking(answer) as (server, call):
        for _ in range(2):
            assert (await call()).body == b"all there is"
        assert server.connections == 2


async def test_a_server_that_closes_after_its_answer() -> None:
    async with talking(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") as (server, call):
        for _ in range(2):
            assert (await call()).status == 200
        assert server.connections == 2


async def test_a_connection_that_was_closed_while_idle_is_not_used_again() -> None:
    async with talking(OK) as (server, call):
        await call()
        server.writers[0].close()
        await asyncio.sleep(0.05)
        assert (await call()).status == 200
        assert server.connections == 2


async def test_bytes_that_nobody_asked_for_spoil_the_connection() -> None:
    """Or they would be read as the answer to the next event."""
    async with talking(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (server, call):
        for _ in range(2):
            assert (await call()).body == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nha",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_a_broken_answer_is_a_reset(answer: bytes) -> None:
    async def broken(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with talking(broken) as (_, call):
        with pytest.raises(Retryable) as caught:
            await call()
        assert caught.value.kind == "reset"


async def test_a_connection_that_is_reset_in_the_middle() -> None:
    async def reset(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with talking(reset) as (_, call):
        with pytest.raises(Retryable) as caught:
            await call()
        assert caught.value.kind == "reset"


async def test_a_silent_server_and_the_next_call() -> None:
    quiet = [True]

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        if quiet.pop() if quiet else False:
            return
        writer.write(OK)

    async with talking(answer) as (server, call):
        with pytest.raises(Retryable) as caught:
            await call(timeout_s=0.1)
        assert caught.value.kind == "timeout"
        assert (await call()).body == b"ok"  # on a connection of its own: the late answer is not taken for this one's
        assert server.connections == 2


async def test_a_large_answer_is_not_taken_in_at_once() -> None:
    size = 40 * 256 * 1024
    async with talking(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)) as (_, call):
        assert len((await call(max_bytes=size)).body) == size
        with pytest.raises(Retryable) as caught:
            await call(max_bytes=1000)
        assert caught.value.kind == "too_large"


async def test_a_large_request_goes_out_whole() -> None:
    async with talking(OK) as (server, call):
        await call(b"x" * 3_000_000)
        assert server.requests[0].endswith(b"x" * 3_000_000)


async def test_no_header_of_ours_can_become_two() -> None:
    async with talking(OK) as (server, call):
        with pytest.raises(Retryable) as caught:
            await call(x="a\r\nAuthorization: b")
        assert caught.value.kind == "protocol"
        assert server.requests == []


async def test_nobody_listens() -> None:
    async with make_client(30, ANYWHERE) as client:
        with pytest.raises(Retryable) as caught:
            await send(client, client.build_request("GET", "http://127.0.0.1:1/"), 5, 100)
    assert caught.value.kind == "connect"


@pytest.mark.parametrize("known", [True, False])
async def test_a_certificate_must_be_signed_by_whom_we_know(known: bool, tmp_path: Path) -> None:
    ca, own = make_certificates(tmp_path)
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(own)
    server = Server(_ok)
    trusting = ssl.create_default_context(cafile=str(ca) if known else None)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=ours)
    port = listening.sockets[0].getsockname()[1]
    async with make_client(30, ANYWHERE, trusted=trusting) as client:
        request = client.build_request("GET", f"https://127.0.0.1:{port}/")
        if known:
            assert (await send(client, request, 5, 100)).body == b"ok"
            # The name that is checked is the URL's, not that of the address that was resolved before.
            request = client.build_request(
                "GET", f"https://127.0.0.1:{port}/", extensions={"sni_hostname": "portal.test"}
            )
        with pytest.raises(Retryable) as caught:
            await send(client, request, 5, 100)
        assert caught.value.kind == "connect"
    for writer in server.writers:
        writer.transport.abort()
    listening.close()


async def _ok(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


@pytest.mark.parametrize(
    "test",
    [
        test_calls_share_a_connection,
        test_an_answer_that_ends_with_the_connection,
        test_a_server_that_closes_after_its_answer,
        test_a_connection_that_was_closed_while_idle_is_not_used_again,
        test_a_connection_that_is_reset_in_the_middle,
        test_a_silent_server_and_the_next_call,
        test_a_large_answer_is_not_taken_in_at_once,
        test_a_large_request_goes_out_whole,
        test_nobody_listens,
    ],
)
def test_on_the_loop_that_roles_have(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test())
