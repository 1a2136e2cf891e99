"""Which events this process itself saw acknowledged: the only ground for the answer *duplicate* (design 3)."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

REMEMBERED = 65_536


def fingerprint(key: bytes, value: bytes) -> bytes:
    """16 bytes that tell one content from another."""
    return blake2b(value, digest_size=16, key=key[:64]).digest()


class Seen:
    """The last acknowledged events: (source, id) -> fingerprint of the content; the oldest are forgotten first.

    Same id with other content is no duplicate here: the core, which sees every way in, decides about it.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._content: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def acknowledged(self, source: str, id: str, content: bytes) -> None:
        self._content[source, id] = content
        self._content.move_to_end((source, id))
        if len(self._content) > self._remembered:
            self._content.popitem(last=False)

    def __contains__(self, event: tuple[str, str, bytes]) -> bool:
        source, id, content = event
        return self._content.get((source, id)) == content
