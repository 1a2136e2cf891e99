"""A state as one bytes object, as both kinds of store keep it: number of headers, lengths of names and values, then all
of them, then the value."""

from __future__ import annotations

import struct
from sys import intern
from typing import Final

from hub.stream.stage import Header, Stored

_LENGTHS: Final = [struct.Struct(f">B{2 * count}I") for count in range(256)]


def pack(stored: Stored) -> bytes:
    """At most 255 headers."""
    parts: list[bytes] = []
    for name, value in stored.headers:
        parts.append(name.encode())
        parts.append(value)
    count = len(parts) // 2
    head = _LENGTHS[count].pack(count, *[len(part) for part in parts])
    parts.append(stored.value)
    return head + b"".join(parts)


def unpack(packed: bytes) -> Stored:
    """What `pack` made; one object for each header's name, however many states have it."""
    layout = _LENGTHS[packed[0]]
    lengths, at = layout.unpack_from(packed), layout.size
    headers: list[Header] = []
    for place in range(1, len(lengths), 2):
        middle = at + lengths[place]
        end = middle + lengths[place + 1]
        headers.append((intern(packed[at:middle].decode()), packed[middle:end]))
        at = end
    return Stored(packed[at:], tuple(headers))
