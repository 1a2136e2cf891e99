"""Role `console`: serves the pages and the read API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from hub.config import Settings
from hub.console.app import make_app
from hub.control.directory import directory
from hub.deadletter.book import Reader
from hub.kafka.tail import opened
from hub.observe.health import HEALTH
from hub.observe.server import listen, serve_app, show
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from hub.web.docs_page import PAGES


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Serves until `stop`."""
    with contextlib.closing(listen(settings.console.host, settings.console.port)) as sock:
        engine = open_engine(settings)
        try:
            async with directory(settings) as copy, opened(settings) as tail:
                letters = Reader(tail)
                app = make_app(settings, ReadModel(engine), copy, await letters.load())
                show(app)
                async with serve_app(app, sock, door=settings.doors, hidden=PAGES):
                    HEALTH.set_ready(
                        "console", True, f"{settings.doors.scheme}://{settings.console.host}:{sock.getsockname()[1]}/"
                    )
                    await _together(copy.follow(stop), letters.follow(stop))
        finally:
            engine.dispose()


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    """Until all have ended, or one failed."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
