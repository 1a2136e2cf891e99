"""What of one partition is known to stand at the portal: the highest `hub_seq` per dossier, and the last delivered ids.

Bounded memory, rebuilt from the receipts in hub.deliveries (hub/delivery/takeover.py), so that after a crash an older
state is not sent over a newer one. What has fallen out of it is delivered again: at least once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

MOST_KEYS = 200_000
MOST_IDS = 50_000
"""Of a whole subscriber; each of its partitions has an equal share."""


class Delivered:
    """`since`: offset of hub.deliveries from which on all receipts were taken in."""

    def __init__(self, most_keys: int = MOST_KEYS, most_ids: int = MOST_IDS, since: int = 0) -> None:
        self._seqs: OrderedDict[str, int] = OrderedDict()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._most_keys, self._most_ids = most_keys, most_ids
        self._since = since

    @property
    def since(self) -> int:
        return self._since

    def read_back_to(self, offset: int) -> None:
        """All receipts from `offset` on are taken in now."""
        self._since = min(self._since, offset)

    def add(self, key: str, hub_seqs: Iterable[int], event_ids: Iterable[str]) -> None:
        self._seqs[key] = max(self._seqs.get(key, 0), *hub_seqs)
        self._seqs.move_to_end(key)
        for event_id in event_ids:
            self._ids[event_id] = None
            self._ids.move_to_end(event_id)
        while len(self._seqs) > self._most_keys:
            self._seqs.popitem(last=False)
        while len(self._ids) > self._most_ids:
            self._ids.popitem(last=False)

    def seq(self, key: str) -> int:
        """The highest delivered `hub_seq` of this dossier that is known, 0 if none is."""
        return self._seqs.get(key, 0)

    def has(self, event_id: str) -> bool:
        return event_id in self._ids
