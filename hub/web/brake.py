"""Slows down whoever tries credentials: by address and by name, with a wait that doubles, and a count of each burst.

What is told of a burst is one line with its count, never one a try; `hub.control.bursts` writes it to the audit. An
address under a brake is not even heard: right credentials too wait, or who guesses would learn from the difference.
A name's brake holds back only addresses that failed themselves, or anybody could lock an operator out.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hub.web.problem import Problem

log = logging.getLogger(__name__)

TRIES = 10
"""Wrong ones without a wait: people mistype, and a key is rotated while a program still has the old one."""
LONGEST_S = 900
FORGOTTEN_S = 1_800.0
"""After so long without a wrong try an address is as any other."""
QUIET_S = 10.0
"""A burst is over."""
LONG_S = 300.0
"""A burst that does not end is told so often."""
KEPT = 10_000
"""Addresses and names; of more, the longest quiet are forgotten."""
OTHERS = "many addresses"


@dataclass(frozen=True, slots=True)
class Burst:
    """wrong: tries that were looked at; held: answered 429 unheard."""

    door: str
    address: str
    wrong: int
    held: int
    seconds: float


@dataclass(slots=True)
class _Seen:
    last: float
    count: int = 0
    until: float = 0.0
    wrong: int = 0
    held: int = 0
    since: float = 0.0


class Brake:
    """Of one door."""

    def __init__(self, door: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.door = door
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self._others = _Seen(0.0)

    def wait_s(self, address: str, name: str = "") -> int:
        """Seconds to wait before credentials are looked at; 0: now."""
        now, key = self._clock(), ("address", network(address))
        seen = self._seen.get(key)
        if seen is None:
            return 0
        named = self._seen.get(("name", name[:100])) if name else None
        until = max(seen.until, named.until if named else 0.0)
        if until <= now:
            return 0
        self._burst(seen, now)
        seen.held += 1
        return int(until - now) + 1

    def check(self, address: str, name: str = "") -> None:
        """Problem `too_many_failures`."""
        if wait := self.wait_s(address, name):
            raise Problem("too_many_failures", "wrong credentials, too often; come again", {"Retry-After": str(wait)})

    def failed(self, address: str, name: str = "") -> None:
        """Credentials were wrong."""
        now = self._clock()
        seen = self._count(("address", network(address)), now)
        self._burst(seen, now)
        seen.wrong += 1
        if name:
            self._count(("name", name[:100]), now)

    def bursts(self, end: bool = False) -> list[Burst]:
        """Those that are over, or of a length to be told; each is told once. end: all."""
        now, found = self._clock(), []
        for (kind, address), seen in [*self._seen.items(), (("address", OTHERS), self._others)]:
            over = end or now - seen.last >= QUIET_S or now - seen.since >= LONG_S
            if kind == "address" and seen.wrong + seen.held and over:
                found.append(Burst(self.door, address, seen.wrong, seen.held, max(seen.last - seen.since, 0.0)))
                seen.wrong = seen.held = 0
        return found

    def _count(self, key: tuple[str, str], now: float) -> _Seen:
        seen = self._seen.setdefault(key, _Seen(now))
        self._seen.move_to_end(key)
        if now - seen.last > FORGOTTEN_S:
            seen.count = 0
        seen.count += 1
        seen.last = now
        if seen.count >= TRIES:
            wait = min(2 ** min(seen.count - TRIES, 20), LONGEST_S)
            seen.until = now + wait
            log.warning("%s: %d wrong credentials from %s; it waits %d s", self.door, seen.count, key[0], wait)
        if len(self._seen) > KEPT:
            self._forget(now)
        return seen

    def _forget(self, now: float) -> None:
        """What the forgotten one has not told yet is told with the others'."""
        _, gone = self._seen.popitem(last=False)
        if gone.wrong + gone.held:
            self._burst(self._others, now)
            self._others.wrong += gone.wrong
            self._others.held += gone.held

    @staticmethod
    def _burst(seen: _Seen, now: float) -> None:
        if not seen.wrong + seen.held:
            seen.since = now
        seen.last = now


BRAKES: list[Brake] = []
"""Of the doors of this process."""


def opened(door: str) -> Brake:
    """A brake whose bursts are told while the process runs as a role."""
    BRAKES.append(Brake(door))
    return BRAKES[-1]


def network(address: str) -> str:
    """An address, or the /64 in which an IPv6 address lies: whoever has one has all of them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
