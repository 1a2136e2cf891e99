"""Dedupe ring: the last 64 accepted events of one key, 8 bytes of identity hash and 4 of content hash each (768 bytes).

What lies further back is not recognised: a copy of the 65th last event is judged as a new one. Its derived id is that
of the first time, so receivers that drop by id still do.
"""

from __future__ import annotations

from hub.events.identity import CONTENT_BYTES, IDENTITY_BYTES

ENTRY_BYTES = IDENTITY_BYTES + CONTENT_BYTES
ENTRIES = 64
LIMIT_BYTES = ENTRIES * ENTRY_BYTES


def find(ring: bytes, who: bytes) -> bytes | None:
    """The content hash kept for this identity."""
    at = ring.find(who)
    while at >= 0 and at % ENTRY_BYTES:  # the bytes of two neighbours may look like it
        at = ring.find(who, at + 1)
    return ring[at + IDENTITY_BYTES : at + ENTRY_BYTES] if at >= 0 else None


def added(ring: bytes, who: bytes, what: bytes) -> bytes:
    """The ring with one more entry; the oldest gives way."""
    return (ring + who + what)[-LIMIT_BYTES:]
