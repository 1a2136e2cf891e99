"""`/metrics`, `/live` and `/ready` of one role, and two small files in the run folder that say where they are:
`<role>.json` for the hub's own commands, `prometheus/<role>.json` as Prometheus' file discovery reads it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Collection
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hub.config import DoorSettings, Settings
from hub.errors import StartError
from hub.observe.connection_table import ConnectionTable
from hub.observe.health import HEALTH
from hub.observe.protocol import BoundedProtocol, Limits
from hub.observe.tls import certificates
from hub.web.docs_page import PAGES
from hub.web.door import Door


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _health(request: Request) -> Response:
    ok, checks = HEALTH.report(request.url.path.strip("/"))
    uptime = round(time.time() - HEALTH.started, 1)
    return JSONResponse({"ok": ok, "uptime_s": uptime, "checks": checks}, status_code=200 if ok else 503)


OBSERVED = Starlette(routes=[Route("/metrics", _metrics), Route("/live", _health), Route("/ready", _health)])
"""What the observation address answers; the public doors answer nothing of it."""


def show(app: ASGIApp) -> None:
    """The pages of a role's own API, on its observation address instead of its public door."""
    OBSERVED.router.routes.extend(Route(path, app) for path in PAGES)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. StartError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on and an answer may wait 40 ms for the caller's ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from None
    sock.listen(128)
    return sock


class _Server(uvicorn.Server):
    """Signals stay with the role."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def serve_app(
    app: Any, sock: socket.socket, limits: Limits | None = None, *, door: DoorSettings, hidden: Collection[str] = ()
) -> AsyncIterator[None]:
    """Serves an ASGI app on the socket while the context is open; ends open requests within 5 s at the end.

    Who called is for the door to say: uvicorn's own look at X-Forwarded-For would believe everybody on this machine.
    """
    protocol: Any = partial(BoundedProtocol, limits=limits or Limits(), table=ConnectionTable(door))
    config = uvicorn.Config(
        Door(app, door, sock.getsockname()[0], hidden),
        http=protocol, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5, ws="none",
        proxy_headers=False, server_header=False,
    )  # fmt: skip
    async with certificates(door) as context:
        config.load()
        config.ssl = context
        async with _serving(_Server(config), sock):
            yield


@contextlib.asynccontextmanager
async def _serving(server: _Server, sock: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        while not server.started:
            if task.done():
                await task
                raise StartError("the HTTP server ended before it started")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=10)
        sock.close()


@contextlib.asynccontextmanager
async def serve(role: str, settings: Settings, number: int) -> AsyncIterator[int]:
    """Opens the role's observe port (port_base + number, or a free one) and notes it in `run/<role>.json`."""
    base = settings.observe.port_base
    sock = listen(settings.observe.host, base + number if base else 0)
    port = int(sock.getsockname()[1])
    address = f"{settings.observe.host}:{port}"
    note = settings.run_dir / f"{role.replace(':', '_')}.json"
    target = settings.run_dir / "prometheus" / note.name
    _write(note, {"role": role, "pid": os.getpid(), "observe": f"{settings.doors.scheme}://{address}"})
    scheme = {} if settings.doors.scheme == "http" else {"__scheme__": "https"}
    _write(target, [{"targets": [address], "labels": {"role": role} | scheme}])
    try:
        async with serve_app(OBSERVED, sock, door=settings.doors):
            yield port
    finally:
        # A role that dies without this stays a target, and Prometheus sees it as down.
        note.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def _write(path: Path, content: Any) -> None:
    """Whole or not at all: others read it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(json.dumps(content))
    half.replace(path)
