"""Keeps a webhook from being turned against the inside of the network (server-side request forgery).

The name is resolved here, every address is checked, and the call goes to the address that was checked: a name that
answers otherwise a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx

from hub.errors import ConfigError, Retryable

Address = IPv4Address | IPv6Address


class AddressGuard:
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
        """ConfigError when the configured host is itself a blocked address; a name is checked at each call."""
        address = _literal(host)
        if address is not None and (why := self.why_blocked(address)):
            raise ConfigError("settings.url", f"{host} may not be called: {why}")

    async def pick(self, host: str, port: int) -> str:
        """An address of the host that may be called. Retryable: `connect` (no such name), `blocked`."""
        literal = _literal(host)
        found = [literal] if literal else await _resolve(host, port)
        for address in found:
            if why := self.why_blocked(address):
                raise Retryable("blocked", f"{host} is {address}, which may not be called: {why}")
        return str(found[0])


class GuardedTransport(httpx.AsyncBaseTransport):
    """Checks, then lets `inner` call the checked address; Host header and TLS name stay those of the URL."""

    def __init__(self, guard: AddressGuard, inner: httpx.AsyncBaseTransport) -> None:
        self._guard = guard
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        address = await self._guard.pick(host, port)
        if address != host:
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Retryable("connect", f"{host} cannot be resolved: {error}") from None
    return [ip_address(str(row[4][0]).split("%")[0]) for row in rows]
