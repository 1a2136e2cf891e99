"""TLS of the HTTP doors: at least 1.2, and a certificate that is renewed is taken up while the door is open.

A new context is made when a file changed, and only a whole one replaces the old: a broken file is told of, and the old
certificate serves on. Each connection gets the context of its moment, by the callback that OpenSSL calls first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from hub.config import DoorSettings
from hub.errors import StartError
from hub.untyped import JsonObject

log = logging.getLogger(__name__)

LOOK_S = 2.0
Stamp = tuple[tuple[int, int, int] | None, ...]


class Certificates:
    """`server` is the context that listens; what it presents changes by `look`. StartError: unusable at the start."""

    def __init__(self, door: DoorSettings) -> None:
        self._door = door
        self._files = [path for path in (door.tls_certificate, door.tls_key, door.tls_client_ca) if path is not None]
        self._stamp = self._stamps()
        try:
            self._now = _context(door)
            self.server = _context(door)
        except (OSError, ValueError) as error:
            raise StartError(f"TLS cannot be set up from {self._named()}: {error}") from None
        self.server.sni_callback = self._give

    def _give(self, connection: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self._now

    def look(self) -> bool:
        """Takes up files that changed; True if it did."""
        stamp = self._stamps()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._now = _context(self._door)
        except (OSError, ValueError) as error:
            log.error("the changed %s cannot be used (%s): the certificate of before serves on", self._named(), error)
            return False
        log.info("the changed %s is taken up", self._named())
        return True

    def _named(self) -> str:
        return ", ".join(map(str, self._files))

    def _stamps(self) -> Stamp:
        return tuple(_stamp(path) for path in self._files)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _context(door: DoorSettings) -> ssl.SSLContext:
    """OSError (ssl.SSLError is one): a file is missing, is no PEM, or key and certificate do not belong together."""
    if door.tls_certificate is None:
        raise ValueError("doors.tls_certificate is not set")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(door.tls_certificate, door.tls_key)
    if door.tls_client_ca is not None:
        context.load_verify_locations(door.tls_client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.num_tickets = 0  # a resumed session would bring a certificate of a CA that is gone
        context.options |= ssl.OP_NO_TICKET
    return context


@contextlib.asynccontextmanager
async def certificates(door: DoorSettings) -> AsyncIterator[ssl.SSLContext | None]:
    """The context to listen with, watched while it is open; None without TLS."""
    if door.tls_certificate is None:
        yield None
        return
    found = Certificates(door)
    task = asyncio.create_task(_watch(found), name="certificates")
    try:
        yield found.server
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _watch(found: Certificates) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        found.look()


def client_names(peer: JsonObject | None) -> tuple[str, ...]:
    """Whom a client's certificate names: its alternative names, then its common name."""
    if not peer:
        return ()
    others = tuple(value for _, value in peer.get("subjectAltName", ()))
    common = tuple(value for part in peer.get("subject", ()) for key, value in part if key == "commonName")
    return others + common
