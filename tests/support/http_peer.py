"""A server that answers as a test tells it, and calls to it over the client that connectors have."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from hub.connect.address_guard import AddressGuard
from hub.connect.http_call import Reply, send
from hub.connect.http_client import make_client

ANYWHERE = AddressGuard(allow_private=True, allow_loopback=True)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Reads whole requests and answers each as told. connections: how many were opened; requests: as they came;
    gone: set when the client ended a connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.connections = self.port = 0
        self.gone = asyncio.Event()
        self.requests: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
                body = await reader.readexactly(length)
                self.requests.append(head + body)
                await self._answer(body, writer)
        self.gone.set()
        writer.close()


@contextlib.asynccontextmanager
async def talking(answer: Answer | bytes) -> AsyncIterator[tuple[Server, Callable[..., Awaitable[Reply]]]]:
    """A server, and a call to it: content, and `send`'s limits."""

    async def fixed(_: bytes, writer: asyncio.StreamWriter) -> None:
        assert isinstance(answer, bytes)
        writer.write(answer)

    server = Server(fixed if isinstance(answer, bytes) else answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = server.port = listening.sockets[0].getsockname()[1]
    async with make_client(30, ANYWHERE) as client:

        async def call(
            content: bytes = b"hello",
            timeout_s: float = 5,
            max_bytes: int = 1 << 20,
            method: str = "POST",
            target: str = "/a?b=c",
            **headers: str,
        ) -> Reply:
            url = f"http://127.0.0.1:{port}{target}"
            request = client.build_request(method, url, content=content, headers=headers)
            return await send(client, request, timeout_s, max_bytes)

        try:
            yield server, call
        finally:
            listening.close()
            for writer in server.writers:
                writer.transport.abort()
            await listening.wait_closed()
