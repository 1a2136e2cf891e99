"""Who called: the connection's own address, or what a named proxy says of it (X-Forwarded-For)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Client = tuple[str, int] | None


class Proxies:
    """addresses: of the proxies that are believed, as addresses or networks."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(one) for one in addresses]

    def client(self, peer: Client, forwarded: Iterable[str]) -> Client:
        """Each proxy adds at the end whom it heard. From the end on, the first that is no proxy is the caller; what
        stands before it, anybody may have written."""
        if not self._networks or peer is None:
            return peer
        found = peer[0]
        said = [part for line in forwarded for part in line.split(",")]
        while said and self.known(found):
            heard = _address(said.pop())
            if heard is None:
                break
            found = str(heard)
        return peer if found == peer[0] else (found, 0)

    def known(self, host: str) -> bool:
        """Whether it is one of them."""
        address = _address(host)
        return address is not None and any(address in network for network in self._networks)


def _address(text: str) -> Address | None:
    """Also with a port, as some proxies write it; None for what is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
