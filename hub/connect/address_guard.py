"""Keeps a webhook from being turned against the inside of the network (server-side request forgery).

The guard is aiohttp's resolver: a name is resolved here, every address is checked, and the connection goes, by number,
to an address that was checked. A name that answers otherwise a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.errors import ConfigError, Retryable

Address = IPv4Address | IPv6Address


class AddressGuard(AbstractResolver):
    """Which addresses may be called. Link-local ones (where clouds keep their keys) never may."""

    def __init__(self, allow_private: bool, allow_loopback: bool) -> None:
        self._allow_private = allow_private
        self._allow_loopback = allow_loopback

    def why_blocked(self, address: Address) -> str:
        """The setting or rule that forbids it, "" if it may be called."""
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if address.is_loopback:
            return "" if self._allow_loopback else "loopback, see settings.allow_loopback"
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return "link-local, multicast or unspecified"
        if address.is_global:
            return ""
        return "" if self._allow_private and address.is_private else "private, see settings.allow_private_networks"

    def check_literal(self, host: str) -> None:
        """ConfigError when the configured host is itself a blocked address; a name is checked at each connection."""
        address = _literal(host)
        if address is not None and (why := self.why_blocked(address)):
            raise ConfigError("settings.url", f"{host} may not be called: {why}")

    def open_socket(self, info: AddrInfoType) -> socket.socket:
        """A socket for the address that is about to be called: the last look, and the only one at a literal address,
        which nobody resolves. Retryable (`blocked`)."""
        family, kind, protocol, _, called = info
        self._check(str(called[0]), ip_address(called[0]))
        return socket.socket(family, kind, protocol)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The host's addresses, if every one of them may be called. Retryable: `connect` (no such name), `blocked`."""
        found = await _resolve(host, port, family)
        for address in found:
            self._check(host, address)
        return [_numeric(host, port, address) for address in found]

    async def close(self) -> None:
        """Nothing is held."""

    def _check(self, host: str, address: Address) -> None:
        if why := self.why_blocked(address):
            raise Retryable("blocked", f"{host} is {address}, which may not be called: {why}")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


async def _resolve(host: str, port: int, family: socket.AddressFamily) -> list[Address]:
    try:
        loop = asyncio.get_running_loop()
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
    except (OSError, UnicodeError) as error:
        raise Retryable("connect", f"{host} cannot be resolved: {error}") from None
    return [ip_address(str(row[4][0]).split("%")[0]) for row in rows]


def _numeric(host: str, port: int, address: Address) -> ResolveResult:
    """Gives aiohttp an address by number, which it connects to as it is and does not resolve again."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    return ResolveResult(
        hostname=host, host=str(address), port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )
