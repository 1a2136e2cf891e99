"""Records as documents: what JSON knows, for pages, lists and the read model's columns of JSON."""

from __future__ import annotations

import re

import msgspec

from hub.avro.record import R, Record
from hub.errors import DecodeError
from hub.untyped import JsonObject

_PLACE = re.compile(r" - at `\$\.?([^`]*)`\Z")


def document(record: Record) -> JsonObject:
    """All its fields in the schema's order, the records inside it too."""
    return {name: _plain(getattr(record, name)) for name in record.__struct_fields__}


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return document(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def from_document(record: type[R], found: object) -> R:
    """The record of a document or of fastavro's datum. DecodeError (avro) names the field, never its value."""
    try:
        return msgspec.convert(found, record, strict=True)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        field = place[1] if place else ""
        name = f"vn.hub.{record.__name__}"
        detail = f"not a record of {name}: {field or 'the whole'} has another type or is out of its bounds"
        raise DecodeError("avro", detail, field) from None
