"""JSON to the datum of an Avro record, with errors that a person at an agency can act on: field, rule, value.

Compiled once from the schema (fastavro's own messages name neither field nor rule). Times may be RFC 3339 strings or
epoch milliseconds and become int milliseconds; a field that may be null may be left out; nothing else is converted.
Values of fields marked `personal`, or holding such fields, never stand in an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from hub.avro.codec import Datum, Json, schema_json
from hub.avro.personal import tree
from hub.errors import BadRecord

# value as parsed from JSON, its dotted path -> value for Avro; BadRecord when it does not fit
Check = Callable[[Any, str], Any]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
INT_BITS = {"int": 31, "long": 63}
SECONDS_BELOW = 100_000_000_000
"""A time before March 1973, if these are milliseconds: then they are seconds, and every date would be in 1970."""
YEAR_10000 = 253_402_300_800_000
_SHOWN = 60


@cache
def validator(name: str) -> Callable[[Any], Datum]:
    """The check of a whole record of that name (`vn.hub.DossierStep` …); it raises BadRecord."""
    check = _compile(schema_json(name), {}, personal=False)
    return lambda value: check(value, "data")


def _fail(reason: str, path: str, rule: str, value: Any, personal: bool) -> BadRecord:
    return BadRecord(reason, f"{path}: {rule}; got {'*** (personal)' if personal else _shown(value)}", path)


def _shown(value: Any) -> str:
    """Short, whatever came: a container by its kind only, since it may be deep or hold what is personal elsewhere."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str) and len(value) > _SHOWN:
        value = value[:_SHOWN] + "…"
    return json.dumps(value, ensure_ascii=False)


def _compile(schema: Json, named: dict[str, Json], personal: bool) -> Check:
    if isinstance(schema, list):
        return _union(schema, named, personal)
    if isinstance(schema, str):
        return _compile(named[schema], named, personal) if schema in named else _primitive(schema, personal)
    if schema["type"] in ("record", "enum"):
        named[_full_name(schema)] = schema
    match schema["type"]:
        case "record":
            return _record(schema, named, personal)
        case "enum":
            return _enum(schema, personal)
        case "array":
            return _array(_compile(schema["items"], named, personal), personal)
        case "long" if schema.get("logicalType") == "timestamp-millis":
            return _time(personal)
    return _compile(schema["type"], named, personal)


def _full_name(schema: Json) -> str:
    name, namespace = schema["name"], schema.get("namespace", "")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _record(schema: Json, named: dict[str, Json], personal: bool) -> Check:
    checks: dict[str, Check] = {}
    for field in schema["fields"]:
        masked = personal or field.get("personal", False)
        checks[field["name"]] = _compile(field["type"], named, masked)
    required = [f["name"] for f in schema["fields"] if "default" not in f]
    # Text where the whole applicant is expected is personal, too.
    whole_personal = personal or bool(tree(_full_name(schema)))

    def check(value: Any, path: str) -> Datum:
        if not isinstance(value, dict):
            raise _fail("type", path, "must be an object", value, whole_personal)
        out = {}
        for name, given in value.items():
            inner = checks.get(name)
            if inner is None:
                known = ", ".join(checks)
                raise BadRecord("unknown_field", f"{path}.{name[:_SHOWN]}: no such field; known: {known}", path)
            out[name] = inner(given, f"{path}.{name}")
        for name in required:
            if name not in out:
                raise BadRecord("missing_field", f"{path}.{name}: is required", f"{path}.{name}")
        return out

    return check


def _union(branches: list[Json], named: dict[str, Json], personal: bool) -> Check:
    rest = [b for b in branches if b != "null"]
    if len(rest) != 1 or len(rest) == len(branches):
        raise ValueError(f"only unions of null and one other type are understood, not {branches}")
    inner = _compile(rest[0], named, personal)
    return lambda value, path: None if value is None else inner(value, path)


def _array(item: Check, personal: bool) -> Check:
    def check(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _fail("type", path, "must be a list", value, personal)
        return [item(one, f"{path}[{number}]") for number, one in enumerate(value)]

    return check


def symbols_of(schema: Json) -> list[str]:
    """What may be published of an enum: its default symbol stands for "a word of a newer schema"."""
    return [s for s in schema["symbols"] if not (s == "UNKNOWN" and schema.get("default") == "UNKNOWN")]


def _enum(schema: Json, personal: bool) -> Check:
    symbols = symbols_of(schema)
    words = frozenset(symbols)

    def check(value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in words:
            raise _fail("status", path, f"must be one of {', '.join(symbols)}", value, personal)
        return value

    return check


def parse_time(value: str, path: str, personal: bool = False) -> int:
    """Epoch milliseconds of an RFC 3339 time with offset. BadRecord (`date`)."""
    if not _RFC3339.fullmatch(value):
        rule = "must be an RFC 3339 time with offset, as 2026-11-24T08:30:00+07:00"
        raise _fail("date", path, rule, value, personal)
    try:
        return round(datetime.fromisoformat(value.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise _fail("date", path, "there is no such date or time", value, personal) from None


def _time(personal: bool) -> Check:
    def check(value: Any, path: str) -> int:
        if isinstance(value, str):
            return parse_time(value, path, personal)
        if isinstance(value, bool) or not isinstance(value, int):
            rule = "must be an RFC 3339 time or epoch milliseconds"
            raise _fail("date", path, rule, value, personal)
        if not SECONDS_BELOW <= value < YEAR_10000:
            rule = "must be epoch milliseconds (13 digits); fewer digits are seconds"
            raise _fail("date", path, rule, value, personal)
        return value

    return check


def _primitive(kind: str, personal: bool) -> Check:
    match kind:
        case "string":
            return _of_type(kind, "must be a string", personal, lambda v: isinstance(v, str))
        case "boolean":
            return _of_type(kind, "must be true or false", personal, lambda v: isinstance(v, bool))
        case "int" | "long":
            limit = 1 << INT_BITS[kind]
            rule = f"must be a whole number of {INT_BITS[kind] + 1} bits"
            return _of_type(kind, rule, personal, lambda v: type(v) is int and -limit <= v < limit)
        case "double" | "float":
            return _of_type(kind, "must be a number", personal, lambda v: type(v) in (int, float) and math.isfinite(v))
    raise ValueError(f"no JSON form is agreed for Avro type {kind!r}")


def _of_type(kind: str, rule: str, personal: bool, fits: Callable[[Any], bool]) -> Check:
    def check(value: Any, path: str) -> Any:
        if not fits(value):
            raise _fail("type", path, rule, value, personal)
        return value

    return check
