"""What binary headers of a state record say, readable and without loss; whatever has another layout stays as hex.

Written down here once more, and not taken from the hub, so that a change of a layout is seen as one.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

_STEPS = struct.Struct("<BBHBBq")
_WATCH = struct.Struct("<BBqqq")
_RING_ENTRY, _RING_SHOWN = 12, 4


def sha256(value: bytes | None) -> str | None:
    return None if value is None else hashlib.sha256(value).hexdigest()


def text_headers(headers: Sequence[tuple[str, bytes]]) -> list[str]:
    """In their order, `name: value`."""
    return [f"{name}: {_text(value)}" for name, value in headers]


def _text(value: bytes | None) -> str:
    if value is None:
        return "(null)"
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"(hex) {value.hex()}"


def state_headers(headers: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """By name, and their order."""
    readers = {"ring": _ring, "steps": _steps, "facts": _facts, "deadline": _watch, "transfer": _watch}
    shown: dict[str, Any] = {"(order)": " ".join(name for name, _ in headers)}
    for name, value in headers:
        shown[name] = readers[name](value) if name in readers else _text(value)
    return shown


def _ring(raw: bytes) -> Any:
    """Identity and content hash of each event; of many only the last ones, and a hash of all."""
    entries = [raw[at : at + _RING_ENTRY].hex() for at in range(0, len(raw), _RING_ENTRY)]
    if len(entries) <= _RING_SHOWN:
        return entries
    return {"entries": len(entries), "last": entries[-_RING_SHOWN:], "sha256": sha256(raw)}


def _key(key: int) -> str:
    """An order key: epoch ms, c for a correction, rank of the step's kind, 16 bits of its id's hash."""
    return f"{key >> 21}{'c' if key & 1 << 20 else ' '}{key >> 16 & 0xF} {key & 0xFFFF:04x}"


def _steps(raw: bytes) -> Any:
    version, flags, mask, rest, status, since = _STEPS.unpack_from(raw)
    if version not in (1, 2) or (len(raw) - _STEPS.size) % 8:
        return raw.hex()
    keys = struct.unpack_from(f"<{(len(raw) - _STEPS.size) // 8}q", raw, _STEPS.size)
    base = {"mask": mask, "rest": rest, "status": status, "since": since}
    return {"version": version, "flags": flags, "base": base, "keys": [_key(key) for key in keys]}


def _facts(raw: bytes) -> Any:
    (count,) = struct.unpack_from("<H", raw)
    keys = struct.unpack_from(f"<{count}q", raw, 2)
    return {"keys": [_key(key) for key in keys], "places": raw[2 + 8 * count :].hex()}


def _watch(raw: bytes) -> Any:
    version, flags, due_at, since, deadline_at = _WATCH.unpack_from(raw)
    rest = raw[_WATCH.size :]
    if version != 1 or len(rest) % 16:
        return raw.hex()
    waits = [list(wait) for wait in struct.iter_unpack("<qq", rest)]
    return {"flags": flags, "due_at": due_at, "since": since, "deadline_at": deadline_at, "waits": waits}


def without_nulls(value: Any) -> Any:
    """Fields that are null are left out: most are, and the hash of the bytes tells of them."""
    if isinstance(value, dict):
        return {name: without_nulls(own) for name, own in value.items() if own is not None}
    return [without_nulls(own) for own in value] if isinstance(value, list) else value
