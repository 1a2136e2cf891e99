"""Records as documents: what JSON knows, for pages, lists and the read model's columns of JSON."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hub.avro.record import Body, R, Record
from hub.errors import DecodeError

_PLACE = re.compile(r" - at `\$\.?([^`]*)`\Z")


def document(record: Record) -> dict[str, Any]:
    """All its fields in the schema's order, the records inside it too; lists are tuples, which JSON writes as lists."""
    found: dict[str, Any] = msgspec.to_builtins(record)
    return found


def from_document(body: Body[R], found: object) -> R:
    """The record of a document or of fastavro's datum. DecodeError (avro) names the field, never its value."""
    try:
        return msgspec.convert(found, body.record, strict=True)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        field = place[1] if place else ""
        detail = f"not a record of {body.name}: {field or 'the whole'} has another type or is out of its bounds"
        raise DecodeError("avro", detail, field) from None
