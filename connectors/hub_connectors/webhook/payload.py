"""An event as JSON, after its Avro schema: times as RFC 3339, enums as their words, absent values null.

A converter is made once per record from the schema, which tells what is a time, so a field added to the schema is sent
without a change here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from msgspec import structs

from hub.avro.generic import schema_json
from hub.avro.personal import minimised
from hub.avro.record import Record
from hub.errors import Rejected
from hub.events.envelope import rfc3339
from hub.untyped import JsonObject

Convert = Callable[[Any], Any]


def as_json(name: str, record: Record, personal: bool) -> Any:
    """The record of that full name as a JSON value; personal=False: marked fields become null."""
    return _converter(name)(record if personal else minimised(record))


@cache
def _converter(name: str) -> Convert:
    return _Compiler().of(schema_json(name))


class _Compiler:
    def __init__(self) -> None:
        self._named: dict[str, Convert] = {}

    def of(self, schema: Any) -> Convert:
        """Converts a value that is not null."""
        if isinstance(schema, str):
            return self._named.get(schema, _number if schema in ("double", "float") else _same)
        if isinstance(schema, list):
            some = [self.of(branch) for branch in schema if branch != "null"]
            if len(some) != 1:
                raise TypeError("only a union of null and one type can be written as JSON without a type name")
            return some[0]
        kind = schema["type"]
        if kind == "record":
            return self._record(schema)
        if kind == "array":
            item = self.of(schema["items"])
            return _same if item is _same else lambda values: [item(value) for value in values]
        return _time if schema.get("logicalType") == "timestamp-millis" else _same

    def _record(self, schema: JsonObject) -> Convert:
        fields = [(field["name"], self.of(field["type"])) for field in schema["fields"]]
        special = [(name, convert) for name, convert in fields if convert is not _same]

        def convert_record(record: Record) -> Any:
            out = structs.asdict(record)  # every field, in the schema's order
            for name, convert in special:
                if out[name] is not None:
                    out[name] = convert(out[name])
            return out

        full = schema["name"] if "." in schema["name"] else f"{schema.get('namespace', '')}.{schema['name']}"
        self._named[full] = convert_record
        return convert_record


def _same(value: Any) -> Any:
    return value


def _number(value: Any) -> Any:
    if not math.isfinite(value):
        raise Rejected("schema", f"cannot be written as JSON: {value}")
    return value


def _time(milliseconds: int) -> str:
    try:
        return rfc3339(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        raise Rejected("date", f"{milliseconds} ms is beyond the calendar") from None
