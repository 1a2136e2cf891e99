"""From an event's JSON straight to its Avro body, checked on the way: a function put together once from the schema.

What it takes, it writes exactly as `validator` and the codec would, which look at every field twice more and build the
datum in between. What it does not take it does not explain: `Unusual`, and the long way says what is wrong, or that
nothing is. Held against the long way in the tests.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, cast

from hub.avro.body_writer import SHORT, long_bytes
from hub.avro.codec import Json, schema_json
from hub.avro.schema_types import full_name, unwrapped
from hub.errors import BadRecord
from hub.ingress.validator import INT_BITS, SECONDS_BELOW, YEAR_10000, parse_time, symbols_of

# (buffer, value as parsed from JSON)
_Write = Callable[[bytearray, Any], None]

_DOUBLE = struct.Struct("<d")
_SHAPES = 512
"""Sets of fields that a record has a function for; each takes a few kB. A source sends a few."""


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
    made = named[full_name(schema)] = _Record(schema, named) if kind == "record" else _enum(schema)
    return made


class _Record:
    """Writes a record with a function for each set of fields that comes: what is left out is a constant there."""

    def __init__(self, schema: Json, named: dict[str, _Write]) -> None:
        self._fields = [_Field(field, named) for field in schema["fields"]]
        self._names = frozenset(field.name for field in self._fields)
        self._of: dict[tuple[str, ...], _Write] = {}

    def __call__(self, out: bytearray, given: Any) -> None:
        if type(given) is not dict:
            raise Unusual
        names = tuple(given)
        (self._of.get(names) or self._for(names))(out, given)

    def _for(self, names: tuple[str, ...]) -> _Write:
        missing = self._names.difference(names)
        if len(missing) + len(names) != len(self._names) or any(f.needed and f.name in missing for f in self._fields):
            raise Unusual
        if len(self._of) < _SHAPES:
            self._of[names] = self._compiled(missing)
        return self._of.get(names) or self._any

    @cached_property
    def _any(self) -> _Write:
        """Looks for every field."""
        return self._compiled(frozenset())

    def _compiled(self, missing: frozenset[str]) -> _Write:
        known: dict[str, Any] = {"Unusual": Unusual, "SHORT": SHORT, "long_bytes": long_bytes}
        lines, constant = ["def write(out, given):"], b""
        for number, field in enumerate(self._fields):
            if field.name in missing:
                constant += field.left_out
                continue
            if constant:
                lines.append(f" out += {constant!r}")
                constant = b""
            known |= {f"w{number}": field.write, f"d{number}": field.default}
            lines += [f" {line}" for line in field.source(number)]
        lines.append(f" out += {constant!r}")
        exec("\n".join(lines), known)
        return cast(_Write, known["write"])


class _Field:
    """needed: it must come. left_out: what stands for it if it does not."""

    def __init__(self, field: Json, named: dict[str, _Write]) -> None:
        self.name = str(field["name"])
        self.needed = "default" not in field
        self.default = field.get("default")
        self._nullable, inner = unwrapped(field["type"])
        self.write = _writer(inner, named)
        out = bytearray(b"" if not self._nullable else b"\0" if self.default is None else b"\2")
        if self.default is not None:
            self.write(out, self.default)
        self.left_out = bytes(out)

    def source(self, number: int) -> list[str]:
        """Lines that write it; a string, most of what comes, without a call."""
        lines = [f"w{number}(out, v)"]
        if self.write is _string:
            lines = [
                "if type(v) is not str: raise Unusual",
                "raw = v.encode()",
                "out += SHORT[len(raw)] if len(raw) < 1024 else long_bytes(len(raw))",
                "out += raw",
            ]
        if self._nullable:
            lines = ["if v is None: out.append(0)", "else:", " out.append(2)", *(f" {line}" for line in lines)]
        return [f"v = given.get({self.name!r}, d{number})", *lines]
