"""The role `gateway`: HTTP in. Events go to `hub.ingress` and are answered when the broker has acknowledged them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

from aiokafka import AIOKafkaProducer

from hub.admin.acts.keeper import Keeper
from hub.config import Settings
from hub.connect.inbound import installed
from hub.control.directory import Directory, directory
from hub.control.keys import KeyRing
from hub.errors import HubError
from hub.gateway.app import build
from hub.gateway.events_api import most_bytes
from hub.gateway.holders import Holders
from hub.gateway.inbound import GatewayHost, mount
from hub.gateway.ingest import Ingest
from hub.gateway.sender import Sender
from hub.kafka import clients
from hub.kafka.topics import INGRESS
from hub.observe.health import HEALTH
from hub.observe.protocol import Limits
from hub.observe.server import listen, serve_app, show
from hub.readmodel.database import open_engine
from hub.readmodel.state import dossier_of
from hub.registry.client import open_codec
from hub.web.docs_page import PAGES

log = logging.getLogger(__name__)

CLOSE_S = 10.0
"""The producer's last acknowledgements are awaited so long; nobody was told *accepted* for what is still open."""


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Serves until `stop`; then open requests get up to 5 s. StartError: the port is taken."""
    ways = installed(settings)
    sock = listen(settings.gateway.host, settings.gateway.port)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(sock.close)
        copy = await stack.enter_async_context(directory(settings))
        codec = await open_codec(settings)
        producer = clients.producer(settings)
        stack.push_async_callback(_close, producer)
        await producer.start()
        sender = Sender(producer, INGRESS, settings.gateway.max_in_flight_bytes, settings.gateway.max_requests_each)
        await sender.start()
        stack.push_async_callback(sender.stop)
        ring = _follow_keys(copy)
        app = build(settings, Holders(settings.gateway, ring), Ingest(codec, sender), sender)
        show(app)
        if ways:
            engine = open_engine(settings)
            stack.callback(engine.dispose)
            find = partial(dossier_of, engine)
            mount(app, ways, GatewayHost(codec, sender, find, settings.gateway.max_body_bytes))
        await stack.enter_async_context(
            serve_app(app, sock, Limits(body_bytes=most_bytes(settings.gateway)), door=settings.doors, hidden=PAGES)
        )
        host, port = sock.getsockname()[:2]
        log.info(
            "takes events at %s://%s:%d/v1/events; its observation address has /docs", settings.doors.scheme, host, port
        )
        HEALTH.ready["broker"] = lambda: (
            not sender.away,
            "acknowledges" if not sender.away else "does not acknowledge",
        )
        HEALTH.ready["directory"] = lambda: (True, f"{len(copy.organisations)} organisations")
        await _until(settings, stop, copy, sender)


async def _until(settings: Settings, stop: asyncio.Event, copy: Directory, sender: Sender) -> None:
    """Follows hub.control and carries long acts out until `stop`; raises what ends the following or a sender's lane."""
    following = asyncio.create_task(copy.follow(stop))
    keeping = asyncio.create_task(Keeper(settings).run(stop))
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([following, asked, *sender.tasks], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            if following.done():
                await following
            raise HubError("a part of the gateway ended") from sender.failed
    finally:
        following.cancel()
        keeping.cancel()
        asked.cancel()
        await asyncio.gather(following, keeping, asked, return_exceptions=True)


def _follow_keys(copy: Directory) -> KeyRing:
    """The keys as they stand in the directory, kept so."""
    ring = KeyRing(copy.organisations.values())

    def changed(kind: str, _: str) -> None:
        if kind == "organisation":
            ring.fill(copy.organisations.values())

    copy.on_change.append(changed)
    return ring


async def _close(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await producer.stop()
