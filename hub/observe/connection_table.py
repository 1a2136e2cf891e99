"""Open connections of one door: how many there may be, in all and from one address."""

from __future__ import annotations

from collections import Counter

from hub.config import DoorSettings
from hub.web.brake import network
from hub.web.proxies import Proxies


class ConnectionTable:
    """Named proxies count in all only: behind them are many."""

    def __init__(self, door: DoorSettings) -> None:
        self._most, self._each = door.connections, door.connections_each
        self._proxies = Proxies(door.proxies)
        self._open: Counter[str] = Counter()
        self._all = 0

    def enter(self, address: str) -> str | None:
        """A ticket for `leave`; None: there are too many."""
        place = "" if self._proxies.known(address) else network(address)
        if self._all >= self._most or (place and self._open[place] >= self._each):
            return None
        self._all += 1
        self._open[place] += 1
        return place

    def leave(self, place: str) -> None:
        self._all -= 1
        self._open[place] -= 1
        if not self._open[place]:
            del self._open[place]
