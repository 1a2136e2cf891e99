"""One store of one partition as its owner holds it: the contract of every kind, and the kind that is all in memory.

A store holds what the changelog says up to some offset. Changes count from the next `save` on; whatever a crash leaves
out stands in the changelog and is read again from the offset saved last, which does no harm: the highest version wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from hub.stream.packed import pack, unpack
from hub.stream.stage import Stored


class Store(Protocol):
    """Used by one caller at a time. StateError: it cannot be read or written; the process must end, nothing is lost."""

    def open(self) -> int:
        """Before anything else. The changelog's offset from which on to read; 0 of an empty store."""
        ...

    def get(self, key: bytes, /) -> Stored | None: ...

    def __setitem__(self, key: bytes, stored: Stored, /) -> None: ...

    def pop(self, key: bytes, default: None, /) -> Stored | None:
        """Delete the key, and tell what it was."""
        ...

    def keys(self) -> Iterable[bytes]:
        """All keys; valid until the next change."""
        ...

    def waiting(self) -> Iterable[bytes]:
        """Returns the keys that a tick must look at, and perhaps others."""
        ...

    def __len__(self) -> int: ...

    def save(self, end: int | None) -> None:
        """Keep the changes together with `end`: everything before this offset of the changelog is in.

        None: changes that are not all yet; the offset stays what it was.
        """
        ...

    def still(self, end: int) -> None:
        """The changelog ends at `end` now: if that is what was saved, the store is as good as new."""
        ...

    def clear(self) -> None:
        """Forget everything: it is rebuilt from the changelog."""
        ...

    def close(self) -> None:
        """Nothing may be read or written from now on."""
        ...


# partition, names of the stores -> the stores by name
MakeStores = Callable[[int, Sequence[str]], Mapping[str, Store]]


class MemoryStore:
    """A dictionary of packed states: as objects each would take 0.6 kB more. Gone with the process, so there is nothing
    to open, keep or close."""

    __slots__ = ("_packed",)

    def __init__(self) -> None:
        self._packed: dict[bytes, bytes] = {}

    def open(self) -> int:
        return 0

    def get(self, key: bytes, /) -> Stored | None:
        packed = self._packed.get(key)
        return None if packed is None else unpack(packed)

    def __setitem__(self, key: bytes, stored: Stored, /) -> None:
        self._packed[key] = pack(stored)

    def pop(self, key: bytes, default: None, /) -> Stored | None:
        packed = self._packed.pop(key, None)
        return None if packed is None else unpack(packed)

    def keys(self) -> Iterable[bytes]:
        return self._packed.keys()

    def waiting(self) -> Iterable[bytes]:
        return self._packed.keys()

    def __len__(self) -> int:
        return len(self._packed)

    def save(self, end: int | None) -> None:
        pass

    def still(self, end: int) -> None:
        pass

    def clear(self) -> None:
        self._packed.clear()

    def close(self) -> None:
        pass


def memory_stores(partition: int, names: Sequence[str]) -> Mapping[str, Store]:
    return {name: MemoryStore() for name in names}
