"""An event as JSON, after its Avro schema: times as RFC 3339, enums as their words, absent values null.

A converter is made once per record from the schema, so a field added to the schema is sent without a change here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hub.avro.codec import schema_json
from hub.avro.personal import without_personal
from hub.errors import Rejected
from hub.events.envelope import rfc3339

Convert = Callable[[Any], Any]


def as_json(record: str, datum: Any, personal: bool) -> Any:
    """The datum of that record (times int ms UTC) as a JSON value; personal=False: marked fields become null."""
    return _converter(record)(datum if personal else without_personal(record, datum))


@cache
def _converter(record: str) -> Convert:
    return _Compiler().of(schema_json(record))


class _Compiler:
    def __init__(self) -> None:
        self._named: dict[str, Convert] = {}

    def of(self, schema: Any) -> Convert:
        if isinstance(schema, str):
            return self._named.get(schema, _number if schema in ("double", "float") else _same)
        if isinstance(schema, list):
            return self._union(schema)
        kind = schema["type"]
        if kind == "record":
            return self._record(schema)
        if kind == "array":
            item = self.of(schema["items"])
            return lambda values: [item(value) for value in values]
        if kind == "map":
            value_of = self.of(schema["values"])
            return lambda values: {key: value_of(value) for key, value in values.items()}
        return _time if schema.get("logicalType") == "timestamp-millis" else _same

    def _union(self, branches: list[Any]) -> Convert:
        some = [self.of(branch) for branch in branches if branch != "null"]
        if len(some) != 1:
            raise TypeError("only a union of null and one type can be written as JSON without a type name")
        convert = some[0]
        return lambda value: None if value is None else convert(value)

    def _record(self, schema: dict[str, Any]) -> Convert:
        fields = [(field["name"], self.of(field["type"])) for field in schema["fields"]]

        def convert_record(datum: Any) -> Any:
            return {name: convert(datum.get(name)) for name, convert in fields}

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
