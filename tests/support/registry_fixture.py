"""A registry role in this process, on a topic that is its own only if no other test uses the session's `_schemas`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from hub.config import Settings
from hub.registry.http_client import http_args
from hub.registry.server.role import run


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The role until the end of the context; yields a client of it. Ends with what made the role fail."""
    stop = asyncio.Event()
    role = asyncio.create_task(run("registry", settings, stop))
    try:
        async with httpx.AsyncClient(**http_args(settings)) as client:
            await _answering(client, role)
            yield client
    finally:
        stop.set()
        await asyncio.wait_for(role, 60)


async def _answering(client: httpx.AsyncClient, role: asyncio.Task[None]) -> None:
    async with asyncio.timeout(60):
        while True:
            if role.done():
                role.result()
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get("/subjects")).status_code == 200:
                    return
            await asyncio.sleep(0.02)
