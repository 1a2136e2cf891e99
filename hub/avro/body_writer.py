"""Writing an Avro body: a function put together from the schema (see `avro`)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from hub.avro.codec import Datum, Json, schema_json
from hub.avro.schema_types import full_name, plain, unwrapped

# (buffer, value)
Writer = Callable[[bytearray, Any], None]

_DOUBLE = struct.Struct("<d")


@cache
def writer(name: str) -> Callable[[Datum], bytes]:
    """The Avro body of a datum of that record. KeyError, AttributeError or TypeError if it does not fit the schema,
    which is a fault of the program."""
    write_record = _record_writer(schema_json(name), {})

    def write(datum: Datum) -> bytes:
        out = bytearray()
        write_record(out, datum)
        return bytes(out)

    return write


def long_bytes(number: int) -> bytes:
    """Avro's int and long: zigzag, seven bits a byte."""
    number = number << 1 ^ number >> 63
    if number < 0x80:
        return bytes((number,))
    if 0x7FFFFFFFF < number < 0x40000000000:  # six bytes: every date of this age, in ms
        spread = (
            number & 0x7F | (number & 0x3F80) << 1 | (number & 0x1FC000) << 2 | (number & 0xFE00000) << 3
            | (number & 0x7F0000000) << 4 | number >> 35 << 40
        )  # fmt: skip
        return (spread | 0x8080808080).to_bytes(6, "little")
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


SHORT = [long_bytes(length) for length in range(1024)]
"""The head of a string, by its length in bytes."""


def _write_long(out: bytearray, value: int) -> None:
    out += long_bytes(value)


def _write_string(out: bytearray, value: str) -> None:
    raw = value.encode()
    out += long_bytes(len(raw))
    out += raw


def _write_boolean(out: bytearray, value: bool) -> None:
    out.append(1 if value else 0)


def _write_double(out: bytearray, value: float) -> None:
    out += _DOUBLE.pack(value)


_WRITERS: dict[str, Writer] = {
    "string": _write_string,
    "boolean": _write_boolean,
    "int": _write_long,
    "long": _write_long,
    "double": _write_double,
}


def _writer(schema: Json, named: dict[str, Writer]) -> Writer:
    if isinstance(schema, str):
        return named.get(schema) or _WRITERS[schema]
    if isinstance(schema, list):
        raise ValueError(f"a union stands where only a field may have one: {schema}")
    kind = schema["type"]
    if kind == "record":
        made = _record_writer(schema, named)
    elif kind == "enum":
        made = _enum_writer(schema["symbols"])
    elif kind == "array":
        return _array_writer(_writer(schema["items"], named))
    else:
        return _writer(kind, named)
    named[full_name(schema)] = made
    return made


def _record_writer(schema: Json, named: dict[str, Writer]) -> Callable[..., Any]:
    """A function written out for this record, field by field."""
    names: dict[str, Any] = {"SHORT": SHORT, "long_bytes": long_bytes}
    lines = ["def write(out, datum):", " get = datum.get"]
    for number, field in enumerate(schema["fields"]):
        nullable, inner = unwrapped(field["type"])
        name, default = field["name"], f"d{number}"
        if "default" in field:
            names[default] = field["default"]
            lines.append(
                f" value = get({name!r}, {default})" if field["default"] is not None else f" value = get({name!r})"
            )
        else:
            lines.append(f" value = datum[{name!r}]")
        value_lines = _value_lines(number, plain(inner), named, names)
        if nullable:
            lines += [
                " if value is None: out.append(0)",
                " else:",
                "  out.append(2)",
                *(f"  {line}" for line in value_lines),
            ]
        else:
            lines += [f" {line}" for line in value_lines]
    exec("\n".join(lines), names)
    return cast(Callable[..., Any], names["write"])


def _value_lines(number: int, schema: Json, named: dict[str, Writer], names: dict[str, Any]) -> list[str]:
    """Source that writes `value`; what it calls is put into `names`."""
    if schema == "string":
        return [
            "raw = value.encode()",
            "out += SHORT[len(raw)] if len(raw) < 1024 else long_bytes(len(raw))",
            "out += raw",
        ]
    if schema == "boolean":
        return ["out.append(1 if value else 0)"]
    if schema in ("int", "long"):
        return ["out += long_bytes(value)"]
    if isinstance(schema, dict) and schema["type"] == "enum":
        _writer(schema, named)
        names[f"s{number}"] = {symbol: long_bytes(place) for place, symbol in enumerate(schema["symbols"])}
        return [f"out += s{number}[value]"]
    names[f"w{number}"] = _writer(schema, named)
    return [f"w{number}(out, value)"]


def _enum_writer(symbols: list[str]) -> Writer:
    encoded = {symbol: long_bytes(number) for number, symbol in enumerate(symbols)}

    def write(out: bytearray, value: str) -> None:
        out += encoded[value]

    return write


def _array_writer(write_item: Writer) -> Writer:
    def write(out: bytearray, value: list[Any]) -> None:
        if value:
            out += long_bytes(len(value))
            for item in value:
                write_item(out, item)
        out.append(0)

    return write
