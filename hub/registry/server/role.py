"""The role `registry`: the embedded schema registry. With a registry by URL it is not needed and refuses to start."""

from __future__ import annotations

import asyncio
import logging

from hub.config import Settings
from hub.errors import ConfigError
from hub.observe.health import HEALTH
from hub.observe.server import listen, serve_app
from hub.registry.server.api import app
from hub.registry.server.service import Registry
from hub.registry.server.store import Store
from hub.registry.server.users import users

log = logging.getLogger(__name__)


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop`. StartError: port taken, no broker, no right; HubError: another writer of the topic."""
    if settings.registry.url is not None:
        raise ConfigError("registry.url", "is set: the hub uses that registry and runs none of its own")
    HEALTH.expect("registry")
    sock = listen(settings.registry.host, settings.registry.port)
    store = Store(settings)
    try:
        await store.start()
        async with serve_app(app(Registry(store), users(settings)), sock, door=settings.doors):
            log.info("registry on %s, %d subjects", settings.registry_url, len(store.state.subjects))
            HEALTH.set_ready("registry", True, "state follows _schemas")
            await _until(stop, store.failed)
    finally:
        sock.close()
        await store.close()


async def _until(stop: asyncio.Event, failed: asyncio.Future[None]) -> None:
    """Returns at `stop`; raises what made the store fail."""
    stopping = asyncio.ensure_future(stop.wait())
    failed.add_done_callback(lambda _: stopping.cancel())
    try:
        await asyncio.wait([stopping])
    finally:
        stopping.cancel()
    if failed.done():
        failed.result()
