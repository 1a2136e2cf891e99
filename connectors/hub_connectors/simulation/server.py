"""A real HTTP server on uvicorn that can drop and reset connections; one event loop, clean stop on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.errors import StartError

Peer = tuple[str, int]
_RESET = struct.pack("ii", 1, 0)


class Connections:
    """The open connections by peer, so that a fault can cut the one its call came on."""

    def __init__(self) -> None:
        self._open: dict[Peer, asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """A uvicorn HTTP protocol that registers its connection here."""
        registry = self._open

        class Registered(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client:
                    registry[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                if self.client:
                    registry.pop(self.client, None)

        return Registered

    def cut(self, scope: MutableMapping[str, Any], reset: bool) -> None:
        """Closes the caller's connection without an answer; reset: with a TCP reset."""
        transport = self._open.get(tuple(scope["client"]))
        if transport is None:
            return
        if reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again after its stop, which would end the process with -15."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; StartError when the port is taken. Port 0: any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on and each answer waits 40 ms for the caller's ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(512)
    except OSError as error:
        sock.close()
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    return sock


def address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(app: ASGIApp, connections: Connections) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=connections.protocol(),
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
    )


@contextlib.asynccontextmanager
async def running(app: ASGIApp, connections: Connections, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serves within this event loop; gives the address. For tests and for processes that do other things too."""
    sock = bind(host, port)
    server = _server(app, connections)
    task = asyncio.create_task(server.serve([sock]))
    try:
        yield address(sock)
    finally:
        server.should_exit = True
        await task
        sock.close()


def serve_until_signal(
    app: ASGIApp, connections: Connections, sock: socket.socket, stopping: Callable[[], None]
) -> None:
    """Serves until SIGTERM or SIGINT, then stops within about a second. `stopping` lets held calls go."""

    async def main() -> None:
        server = _server(app, connections)

        def stop() -> None:
            stopping()
            server.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        await server.serve([sock])

    with contextlib.closing(sock):
        asyncio.run(main())
