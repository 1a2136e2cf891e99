"""What every record of the hub is, and what stands for one of those that are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from sys import float_info
from typing import Annotated, ClassVar, Generic, TypeVar

from msgspec import Meta, Struct, structs

from hub.untyped import JsonObject

Int = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""Avro's int. Checked where JSON or a foreign datum is read, and by the writer."""
Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Avro's long; a time is one, in milliseconds since the epoch (UTC)."""

_LARGEST = float_info.max
Finite = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
"""Avro's double as a door takes it: no infinity, no NaN."""


class Moment(int):
    """A time as a door's JSON tells it, in RFC 3339 or epoch milliseconds; here in milliseconds since the epoch (UTC).

    A type of its own, so that msgspec asks `hub.ingress.json_data` to read it.
    """

    __slots__ = ()


class Record(Struct, frozen=True, gc=False):
    """Base of all records. None holds itself or a list, so the garbage collector need not look at them."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields that the schema marks as personal data."""


R = TypeVar("R", bound=Record)


def as_told(record: Record) -> JsonObject:
    """As JSON holds it, without the fields that nobody told: those that are as the schema fills them in."""
    plain: JsonObject = {}
    for field in structs.fields(record):
        value = getattr(record, field.name)
        if field.required or value != field.default:
            if isinstance(value, Record):
                value = as_told(value)
            elif isinstance(value, tuple):
                value = [as_told(one) if isinstance(one, Record) else one for one in value]
            plain[field.name] = value
    return plain


@dataclass(frozen=True, slots=True)
class Body(Generic[R]):
    """One of the records that are sent: its full name, its class and its Avro body, which is what follows the head.

    read:  (value, at) -> the record whose body begins at `at` and fills the rest of `value`. DecodeError: truncated,
           utf8, avro.
    write: the body. ValueError when a number is out of its bounds or a string is no Unicode.
    """

    name: str
    record: type[R]
    read: Callable[[bytes, int], R]
    write: Callable[[R], bytes]
