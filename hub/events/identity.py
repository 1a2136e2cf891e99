"""Short hashes that tell events apart: of source and id, and of the content."""

from __future__ import annotations

from hashlib import blake2b

IDENTITY_BYTES = 8
CONTENT_BYTES = 4


def identity(source: str, event_id: str) -> bytes:
    """Hash of what makes an event one and the same (CloudEvents: source and id)."""
    return blake2b(f"{source}\x1f{event_id}".encode(), digest_size=IDENTITY_BYTES).digest()


def content(body: bytes) -> bytes:
    """Hash of the Avro body, without the schema id before it."""
    return blake2b(body, digest_size=CONTENT_BYTES).digest()
