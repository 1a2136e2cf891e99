"""The role `broker`: the embedded node under the hub's own settings."""

from __future__ import annotations

import asyncio
import logging
import time

from hub.broker.broker import READY_S, EmbeddedBroker
from hub.config import Settings
from hub.errors import ConfigError, HubError, StartError
from hub.kafka import embedded_users
from hub.observe.health import HEALTH

log = logging.getLogger(__name__)


def from_settings(settings: Settings) -> EmbeddedBroker:
    """The node that the settings describe; its folder is `data_dir/kafka`.

    With `embedded.sasl` each role has a user of its own (`hub.kafka.embedded_users`); one that the settings name
    (`kafka.sasl_username`) is the super user. ConfigError if the settings name another cluster.
    """
    if settings.kafka.bootstrap_servers and settings.bootstrap != f"127.0.0.1:{settings.embedded.port}":
        raise ConfigError("kafka.bootstrap_servers", "is set: the hub uses that cluster and runs no embedded broker")
    admin, users = embedded_users.ADMIN, None
    if settings.embedded.sasl:
        users = embedded_users.made(settings)
        if settings.kafka.sasl_password is not None and settings.kafka.sasl_username:
            admin = settings.kafka.sasl_username
            users |= {admin: settings.kafka.sasl_password.get_secret_value()}
    return EmbeddedBroker(
        settings.data_dir / "kafka",
        settings.embedded.port,
        settings.embedded.heap_mb,
        sasl_users=users,
        sasl_admin=admin,
        jars_url=settings.embedded.jars_url,
    )


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Run the node until `stop`. StartError for what a person must mend; HubError if the node ends by itself."""
    broker = from_settings(settings)
    # In this thread on purpose: the kernel ties the JVM to the thread that starts it (see hub.machine.child_process).
    broker.launch()
    try:
        began = time.monotonic()
        while not await asyncio.to_thread(broker.ready):
            if time.monotonic() - began > READY_S:
                raise StartError(f"the embedded broker did not answer within {READY_S:.0f} s; see {broker.folder}")
            if await _stopped(stop, 0.05):
                return
        await broker.set_users()
        HEALTH.ready["broker"] = lambda: (broker.poll() is None, broker.bootstrap)
        log.info("embedded broker ready on %s after %.1f s", broker.bootstrap, time.monotonic() - began)
        while not await _stopped(stop, 0.25):
            if broker.poll() is not None:
                raise HubError(broker.reason())
    finally:
        await asyncio.to_thread(broker.stop)


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
