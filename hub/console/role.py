"""Role `console`: serves the pages and the read API."""

from __future__ import annotations

import asyncio
import contextlib

from hub.config import Settings
from hub.console.app import make_app
from hub.control.directory import directory
from hub.observe.health import HEALTH
from hub.observe.server import listen, serve_app
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Serves until `stop`."""
    with contextlib.closing(listen(settings.console.host, settings.console.port)) as sock:
        engine = open_engine(settings)
        try:
            async with (
                directory(settings) as copy,
                serve_app(make_app(settings, ReadModel(engine), copy), sock, door=settings.doors),
            ):
                HEALTH.set_ready("console", True, f"http://{settings.console.host}:{sock.getsockname()[1]}/")
                await copy.follow(stop)
        finally:
            engine.dispose()
