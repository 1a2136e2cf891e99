"""Avro written with arrays in several blocks, each with a negative count and its size in bytes: so Java's
BlockingBinaryEncoder writes them. fastavro writes one block with a positive count only."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

Json = Any


def encoded(schema: Json, value: Any, block: int, named: dict[str, Json] | None = None) -> bytes:
    """The body. block: items in a block; each second block of an array has a positive count and no size."""
    named = {} if named is None else named
    if isinstance(schema, list):  # null or one other type
        return b"\x00" if value is None else b"\x02" + encoded(schema[1], value, block, named)
    if isinstance(schema, str):
        return encoded(named[schema], value, block, named) if schema in named else _plain(schema, value)
    kind = schema["type"]
    if kind in ("record", "enum"):
        named[f"{schema['namespace']}.{schema['name']}" if "namespace" in schema else schema["name"]] = schema
    if kind == "record":
        fields = ((own["type"], value.get(own["name"], own.get("default"))) for own in schema["fields"])
        return b"".join(encoded(type, own, block, named) for type, own in fields)
    if kind == "enum":
        return _long(schema["symbols"].index(value))
    if kind == "array":
        return _array(schema["items"], value, block, named)
    return encoded(kind, value, block, named)  # a logical type


def _array(items: Json, values: Sequence[Any], block: int, named: dict[str, Json]) -> bytes:
    out = b""
    for number, start in enumerate(range(0, len(values), block)):
        part = [encoded(items, value, block, named) for value in values[start : start + block]]
        body = b"".join(part)
        out += (_long(len(part)) if number % 2 else _long(-len(part)) + _long(len(body))) + body
    return out + b"\x00"


def _plain(kind: str, value: Any) -> bytes:
    if kind == "string":
        raw = value.encode()
        return _long(len(raw)) + raw
    if kind == "boolean":
        return b"\x01" if value else b"\x00"
    return struct.pack("<d", value) if kind == "double" else _long(value)


def _long(number: int) -> bytes:
    zigzag, out = (number << 1) ^ (number >> 63), bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*out, zigzag])
