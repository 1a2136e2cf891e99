"""Reading an Avro body: a function put together from the schema (see `avro`)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from hub.avro.codec import Datum, Json, schema_json
from hub.avro.schema_types import full_name, plain, unwrapped
from hub.errors import DecodeError

# (bytes, position) -> (value, position after it)
Reader = Callable[[bytes, int], tuple[Any, int]]

_DOUBLE = struct.Struct("<d")
_MAX_LONG_BYTES = 10


@cache
def reader(name: str) -> Callable[[bytes, int], Datum]:
    """`read(value, start)`: the datum of that record whose body begins at `start` and fills the rest of `value`.

    DecodeError as `codec.decode_body`: truncated, utf8, avro.
    """
    read_record = _record_reader(schema_json(name), {})

    def read(value: bytes, start: int) -> Datum:
        try:
            datum, end = read_record(value, start)
        except IndexError:
            raise DecodeError("truncated", "Avro body ends early; send the whole record") from None
        except UnicodeDecodeError as error:
            raise DecodeError("utf8", f"a string is not UTF-8: {error.reason}; send Unicode as UTF-8") from None
        except ValueError as error:
            raise DecodeError("avro", f"not a record of {name}: {error}") from None
        if end != len(value):
            raise DecodeError("avro", f"{len(value) - end} bytes stand after the record; the schema id may be wrong")
        return cast(Datum, datum)

    return read


def _read_long(buffer: bytes, at: int) -> tuple[int, int]:
    byte = buffer[at]
    if byte < 0x80:  # one byte: most lengths, enums, small numbers
        return byte >> 1 ^ -(byte & 1), at + 1
    number, shift, last = byte & 0x7F, 7, at + _MAX_LONG_BYTES
    while byte & 0x80:
        at += 1
        if at == last:
            raise ValueError("a number has more than ten bytes")
        byte = buffer[at]
        number |= (byte & 0x7F) << shift
        shift += 7
    if number >> 64:
        raise ValueError("a number has more than 64 bits")
    return number >> 1 ^ -(number & 1), at + 1


def _read_int(buffer: bytes, at: int) -> tuple[int, int]:
    number, at = _read_long(buffer, at)
    if not -0x80000000 <= number < 0x80000000:
        raise ValueError("an int has more than 32 bits")
    return number, at


def _read_string(buffer: bytes, at: int) -> tuple[str, int]:
    length = buffer[at]
    if length < 0x80 and not length & 1:
        start, end = at + 1, at + 1 + (length >> 1)
    else:
        length, start = _read_long(buffer, at)
        if length < 0:
            raise ValueError("a string has a negative length")
        end = start + length
    if end > len(buffer):
        raise IndexError
    return buffer[start:end].decode(), end


def _read_boolean(buffer: bytes, at: int) -> tuple[bool, int]:
    byte = buffer[at]
    if byte > 1:
        raise ValueError("a boolean is neither 0 nor 1")
    return byte == 1, at + 1


def _read_double(buffer: bytes, at: int) -> tuple[float, int]:
    if at + 8 > len(buffer):
        raise IndexError
    return _DOUBLE.unpack_from(buffer, at)[0], at + 8


_READERS: dict[str, Reader] = {
    "string": _read_string,
    "boolean": _read_boolean,
    "int": _read_int,
    "long": _read_long,
    "double": _read_double,
}


def _reader(schema: Json, named: dict[str, Reader]) -> Reader:
    if isinstance(schema, str):
        return named.get(schema) or _READERS[schema]
    if isinstance(schema, list):
        raise ValueError(f"a union stands where only a field may have one: {schema}")
    kind = schema["type"]
    if kind == "record":
        made = _record_reader(schema, named)
    elif kind == "enum":
        made = _enum_reader(tuple(schema["symbols"]))
    elif kind == "array":
        return _array_reader(_reader(schema["items"], named))
    else:
        return _reader(kind, named)
    named[full_name(schema)] = made
    return made


def _record_reader(schema: Json, named: dict[str, Reader]) -> Callable[..., Any]:
    """A function written out for this record, field by field: no call for what is short, null or a known symbol."""
    names: dict[str, Any] = {"_read_string": _read_string, "_read_long": _read_long}
    lines = ["def read(buffer, at):", " size = len(buffer)"]
    for number, field in enumerate(schema["fields"]):
        nullable, inner = unwrapped(field["type"])
        inner = plain(inner)
        if not nullable:
            lines += _value_lines(number, inner, named, names, " ")
            continue
        lines += [
            " branch = buffer[at]",
            " at += 1",
            " if branch == 0:",
            f"  v{number} = None",
            " elif branch == 2:",
            *_value_lines(number, inner, named, names, "  "),
            " else:",
            f"  raise ValueError({field['name'] + ' has no branch '!r} + str(branch))",
        ]
    datum = ", ".join(f"{field['name']!r}: v{number}" for number, field in enumerate(schema["fields"]))
    lines.append(f" return {{{datum}}}, at")
    exec("\n".join(lines), names)
    return cast(Callable[..., Any], names["read"])


def _value_lines(number: int, schema: Json, named: dict[str, Reader], names: dict[str, Any], indent: str) -> list[str]:
    """Source that reads one value into `v<number>` and moves `at`; what it calls is put into `names`."""
    value, call = f"v{number}", f"r{number}"
    if schema == "string":
        lines = [
            "length = buffer[at]",
            "if length < 128 and not length & 1:",
            " start = at + 1",
            " at = start + (length >> 1)",
            " if at > size: raise IndexError",
            f" {value} = buffer[start:at].decode()",
            f"else: {value}, at = _read_string(buffer, at)",
        ]
    elif schema == "long":
        lines = [f"{value}, at = _read_long(buffer, at)"]
    else:
        names[call] = _reader(schema, named)
        kind = schema["type"] if isinstance(schema, dict) else ""
        if kind == "array":
            lines = ["if buffer[at] == 0:", f" {value} = []", " at += 1", f"else: {value}, at = {call}(buffer, at)"]
        elif kind == "enum":
            names[f"s{number}"] = {2 * place: symbol for place, symbol in enumerate(schema["symbols"][:64])}
            lines = [
                f"{value} = s{number}.get(buffer[at])",
                f"if {value} is None: {value}, at = {call}(buffer, at)",
                "else: at += 1",
            ]
        else:
            lines = [f"{value}, at = {call}(buffer, at)"]
    return [indent + line for line in lines]


def _enum_reader(symbols: tuple[str, ...]) -> Reader:
    def read(buffer: bytes, at: int) -> tuple[str, int]:
        number, at = _read_long(buffer, at)
        if not 0 <= number < len(symbols):
            raise ValueError(f"an enum has no symbol {number}")
        return symbols[number], at

    return read


def _array_reader(read_item: Reader) -> Reader:
    def read(buffer: bytes, at: int) -> tuple[list[Any], int]:
        out: list[Any] = []
        while True:
            count, at = _read_long(buffer, at)
            if count == 0:
                return out, at
            if count < 0:  # the block's size in bytes follows
                count, (_, at) = -count, _read_long(buffer, at)
            for _ in range(count):
                item, at = read_item(buffer, at)
                out.append(item)

    return read
