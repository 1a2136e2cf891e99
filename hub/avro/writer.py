"""Writing what Avro is made of. Plain Python that mypyc also compiles; the functions in `body` call it.

ValueError, plain and compiled alike, when a value has no place in its type; a buffer is of no use after that.
"""

from __future__ import annotations

from librt.strings import BytesWriter, write_f64_le
from mypy_extensions import i64


def put_long(out: BytesWriter, value: int) -> None:
    # numbers of 62 bits need no second look (and are never boxed where compiled)
    if not -0x4000_0000_0000_0000 <= value <= 0x3FFF_FFFF_FFFF_FFFF and not -(2**63) <= value < 2**63:
        raise ValueError("a long has more than 64 bits")
    _put(out, value)


def put_int(out: BytesWriter, value: int) -> None:
    if not -0x8000_0000 <= value <= 0x7FFF_FFFF:
        raise ValueError("an int has more than 32 bits")
    _put(out, value)


def _put(out: BytesWriter, value: i64) -> None:
    number: i64 = (value << 1) ^ (value >> 63)
    while number & ~0x7F:
        out.append((number & 0x7F) | 0x80)
        number = (number >> 7) & 0x01FF_FFFF_FFFF_FFFF
    out.append(number)


def put_string(out: BytesWriter, value: str) -> None:
    raw = value.encode()
    length: i64 = len(raw)
    if length < 64:
        out.append(length << 1)
    else:
        _put(out, length)
    out.write(raw)


def put_boolean(out: BytesWriter, value: bool) -> None:
    out.append(1 if value else 0)


def put_double(out: BytesWriter, value: float) -> None:
    write_f64_le(out, value)


def put_optional_string(out: BytesWriter, value: str | None) -> None:
    if value is None:
        out.append(0)
    else:
        raw = value.encode()
        out.append(2)
        length: i64 = len(raw)
        if length < 64:
            out.append(length << 1)
        else:
            _put(out, length)
        out.write(raw)


def put_optional_long(out: BytesWriter, value: int | None) -> None:
    if value is None:
        out.append(0)
    else:
        out.append(2)
        put_long(out, value)


def put_optional_int(out: BytesWriter, value: int | None) -> None:
    if value is None:
        out.append(0)
    else:
        out.append(2)
        put_int(out, value)


def put_optional_boolean(out: BytesWriter, value: bool | None) -> None:
    if value is None:
        out.append(0)
    else:
        out.append(2)
        put_boolean(out, value)


def put_optional_double(out: BytesWriter, value: float | None) -> None:
    if value is None:
        out.append(0)
    else:
        out.append(2)
        put_double(out, value)


def put_optional_strings(out: BytesWriter, values: tuple[str, ...] | None) -> None:
    if values is None:
        out.append(0)
    else:
        out.append(2)
        put_strings(out, values)


def put_strings(out: BytesWriter, values: tuple[str, ...]) -> None:
    if values:
        put_long(out, len(values))
        for value in values:
            put_string(out, value)
    out.append(0)


def put_longs(out: BytesWriter, values: tuple[int, ...]) -> None:
    if values:
        put_long(out, len(values))
        for value in values:
            put_long(out, value)
    out.append(0)
