"""Which events this process itself saw acknowledged: the only ground for the answer *duplicate*."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

REMEMBERED = 65_536


def fingerprint(key: bytes, value: bytes) -> int:
    """Tells one content from another. Python's own keyed hash (64 bits, a new key each process, so nobody can aim at
    it): two contents *of one source and id* must meet by chance, and it takes a tenth of a digest's time."""
    return hash((key, value))


class Acknowledged:
    """The last acknowledged events: (source, id) -> fingerprint of the content; the oldest are forgotten first.

    Same id with other content is no duplicate here: the core, which sees every way in, decides about it.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._content: OrderedDict[tuple[str, str], int] = OrderedDict()

    def acknowledged(self, events: Iterable[tuple[str, str, int]]) -> None:
        """Each: source, id, content."""
        content = self._content
        for source, id, known in events:
            key = source, id
            content[key] = known
            content.move_to_end(key)
        while len(content) > self._remembered:
            content.popitem(last=False)

    def __contains__(self, event: tuple[str, str, int]) -> bool:
        source, id, content = event
        return self._content.get((source, id)) == content
