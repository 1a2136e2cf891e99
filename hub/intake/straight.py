"""From an event's JSON straight to its Avro body, checked on the way: a function put together once from the schema.

What it takes, it writes exactly as `validator` and the codec would, which look at every field twice more and build the
datum in between. What it does not take it does not explain: `Unusual`, and the long way says what is wrong, or that
nothing is. Held against the long way in the tests.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from hub.errors import BadRecord
from hub.intake.validator import INT_BITS, SECONDS_BELOW, YEAR_10000, parse_time, symbols_of
from hub.pipeline.avro_schema import full_name, plain, unwrapped
from hub.pipeline.avro_write import long_bytes
from hub.wire.codec import Json, schema_json

# (buffer, value as parsed from JSON)
_Write = Callable[[bytearray, Any], None]

_DOUBLE = struct.Struct("<d")
_SHORT = [long_bytes(length) for length in range(1024)]
"""The head of a string, by its length in bytes."""


class Unusual(Exception):
    """Nothing was written: take the long way."""


@cache
def straight(name: str) -> Callable[[Any], bytes]:
    """JSON value -> Avro body of the record of that name. Unusual for what is not taken, or may be wrong."""
    write_record = _writer(schema_json(name), {})

    def write(given: Any) -> bytes:
        out = bytearray()
        write_record(out, given)
        return bytes(out)

    return write


def _time(out: bytearray, value: Any) -> None:
    if type(value) is str:
        try:
            value = parse_time(value, "")
        except BadRecord:
            raise Unusual from None
    elif type(value) is not int or not SECONDS_BELOW <= value < YEAR_10000:
        raise Unusual
    out += long_bytes(value)


def _number(out: bytearray, value: Any) -> None:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise Unusual
    out += _DOUBLE.pack(value)


def _string(out: bytearray, value: Any) -> None:
    if type(value) is not str:
        raise Unusual
    raw = value.encode()
    out += long_bytes(len(raw))
    out += raw


def _array(item: _Write) -> _Write:
    def write(out: bytearray, value: Any) -> None:
        if type(value) is not list:
            raise Unusual
        if value:
            out += long_bytes(len(value))
            for one in value:
                item(out, one)
        out.append(0)

    return write


def _enum(schema: Json) -> _Write:
    words = _words(schema)

    def write(out: bytearray, value: Any) -> None:
        if type(value) is not str or value not in words:
            raise Unusual
        out += words[value]

    return write


def _words(schema: Json) -> dict[str, bytes]:
    given = symbols_of(schema)
    return {symbol: long_bytes(place) for place, symbol in enumerate(schema["symbols"]) if symbol in given}


def _whole(kind: str) -> _Write:
    limit = 1 << INT_BITS[kind]

    def write(out: bytearray, value: Any) -> None:
        if type(value) is not int or not -limit <= value < limit:
            raise Unusual
        out += long_bytes(value)

    return write


def _boolean(out: bytearray, value: Any) -> None:
    if type(value) is not bool:
        raise Unusual
    out.append(value)


_PRIMITIVES: dict[str, _Write] = {
    "string": _string,
    "boolean": _boolean,
    "int": _whole("int"),
    "long": _whole("long"),
    "double": _number,
}


def _writer(schema: Json, named: dict[str, _Write]) -> _Write:
    if isinstance(schema, str):
        return named.get(schema) or _PRIMITIVES[schema]
    if schema.get("logicalType") == "timestamp-millis":
        return _time
    kind = schema["type"]
    if kind == "array":
        return _array(_writer(schema["items"], named))
    if kind not in ("record", "enum"):
        return _writer(kind, named)
    made = named[full_name(schema)] = _record(schema, named) if kind == "record" else _enum(schema)
    return made


def _record(schema: Json, named: dict[str, _Write]) -> _Write:
    """A function written out for this record, field by field; a string, most of what comes, without a call."""
    names: dict[str, Any] = {"Unusual": Unusual, "SHORT": _SHORT, "long_bytes": long_bytes}
    names["NAMES"] = frozenset(field["name"] for field in schema["fields"])
    lines = ["def write(out, given):", " if type(given) is not dict or not given.keys() <= NAMES: raise Unusual"]
    lines.append(" get = given.get")
    for number, field in enumerate(schema["fields"]):
        nullable, inner = unwrapped(field["type"])
        names[f"d{number}"] = field.get("default")
        lines.append(f" v = get({field['name']!r}, d{number})")
        step = " "
        if nullable:
            lines += [" if v is None: out.append(0)", " else:", "  out.append(2)"]
            step = "  "
        if plain(inner) == "string":
            lines += [
                f"{step}if type(v) is not str: raise Unusual",
                f"{step}raw = v.encode()",
                f"{step}out += SHORT[len(raw)] if len(raw) < 1024 else long_bytes(len(raw))",
                f"{step}out += raw",
            ]
        else:
            names[f"w{number}"] = _writer(inner, named)
            lines.append(f"{step}w{number}(out, v)")
    exec("\n".join(lines), names)
    return cast(_Write, names["write"])
