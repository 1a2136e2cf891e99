"""KeyState of the last keys, kept between chunks, so that a busy dossier is not read again from its state each time.

It is only a shortcut: work is taken out for one chunk and counts only if the state that the engine holds is the very
object it led to. After a chunk that failed, was left or was overtaken by another owner's write, it is read anew.
"""

from __future__ import annotations

from hub.core.key_state import KeyState
from hub.stream.stage import Stored

LIMIT = 8_192
"""Keys, about 4 kB each."""

# store, key
Ident = tuple[str, bytes]


class RecentKeys:
    """The least recently put goes first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._works: dict[Ident, tuple[Stored, KeyState]] = {}

    def __contains__(self, ident: Ident) -> bool:
        return ident in self._works

    def take(self, ident: Ident, stored: Stored | None) -> KeyState | None:
        """The work that led to `stored`, to be changed and put again; None if it is not here."""
        found = self._works.pop(ident, None)
        return found[1] if found is not None and found[0] is stored else None

    def put(self, ident: Ident, stored: Stored, work: KeyState) -> None:
        """`work` stands where `stored` does."""
        work.changed = False
        self._works[ident] = (stored, work)
        if len(self._works) > self._limit:
            del self._works[next(iter(self._works))]
