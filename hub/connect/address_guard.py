"""Keeps a webhook from being turned against the inside of the network (server-side request forgery).

The guard is aiohttp's resolver: a name is resolved here, every address is checked, and the connection goes, by number,
to an address that was checked. A name that answers otherwise a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.errors import ConfigError, Retryable

Address = IPv4Address | IPv6Address


_IN_LAST_32_BITS = [IPv6Network(one) for one in ("::/96", "::ffff:0:0/96", "64:ff9b::/96")]
"""IPv4 written as IPv6: compatible, mapped (RFC 4291), and by a translator of the network (NAT64, RFC 6052). Where the
packet ends is what counts."""
_TUNNELS = [IPv6Network(one) for one in ("2002::/16", "2001::/32", "64:ff9b:1::/48")]
"""6to4 (RFC 3056), Teredo (RFC 4380), translators of one network's own (RFC 8215): nobody offers a service there."""
_SITE_LOCAL = IPv6Network("fec0::/10")
"""Private addresses of old (RFC 3879)."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""Upper half of the interface's number in an address that ends in IPv4 (RFC 5214)."""


class AddressGuard(AbstractResolver):
    """Which addresses may be called. Link-local ones (where clouds keep their keys) never may."""

    def __init__(self, allow_private: bool, allow_loopback: bool) -> None:
        self._allow_private = allow_private
        self._allow_loopback = allow_loopback

    def why_blocked(self, address: Address) -> str:
        """The setting or rule that forbids it, "" if it may be called."""
        if isinstance(address, IPv6Address):
            if (inside := _ipv4_inside(address)) is not None:
                return self.why_blocked(inside)
            if address in _SITE_LOCAL or _is_tunnel(address):
                return "site-local, or a tunnel to another address"
        if address.is_loopback:
            return "" if self._allow_loopback else "loopback, see settings.allow_loopback"
        if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
            return "link-local, multicast, reserved or unspecified"
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


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that this one is a form of."""
    if address.is_loopback or address.is_unspecified:  # ::1 and :: lie among the compatible ones
        return None
    if any(address in one for one in _IN_LAST_32_BITS):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _is_tunnel(address: IPv6Address) -> bool:
    return any(address in one for one in _TUNNELS) or int(address) >> 32 & 0xFFFF_FFFF in _ISATAP


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
