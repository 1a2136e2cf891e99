"""What agencies may post as JSON, worked out from the schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from hypothesis import strategies as st
from msgspec import structs

from hub.avro.generic import schema_json
from hub.avro.record import Record

# By hand: 2026-11-24T00:00Z is day 20,781 since 1970, times 86,400 s.
TIMES: dict[str | int, int] = {
    "2026-11-24T08:30:00+07:00": 1_795_483_800_000,
    "2026-11-24t00:00:00.25z": 1_795_478_400_250,
    1_795_489_200_000: 1_795_489_200_000,
}


def full_name(schema: Any) -> str:
    """Of a named schema: with its namespace."""
    name, namespace = str(schema["name"]), schema.get("namespace", "")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def steps() -> st.SearchStrategy[Any]:
    """JSON values of a dossier's step."""
    return _fitting(schema_json("vn.hub.DossierStep"), {})


def with_milliseconds(value: Any) -> Any:
    """The value with each of TIMES as milliseconds."""
    if isinstance(value, dict):
        return {name: with_milliseconds(one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_milliseconds(one) for one in value]
    return TIMES.get(value, value) if isinstance(value, str) else value


def door_forms(posted: Any, schema: Any, named: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(door form, its schema) of a record and of all that stand in it."""
    named[full_name(schema)] = schema
    yield posted, schema
    own = {field.name: field.type for field in structs.fields(posted)}
    for field in schema["fields"]:
        kind = field["type"]
        kind = kind[1] if isinstance(kind, list) else kind
        kind = kind["items"] if isinstance(kind, dict) and kind["type"] == "array" else kind
        kind = named.get(kind, kind) if isinstance(kind, str) else kind
        if isinstance(kind, dict) and kind["type"] == "record":
            (inner,) = _records(own[field["name"]])
            yield from door_forms(inner, kind, named)
        elif isinstance(kind, dict) and kind["type"] == "enum":
            named[full_name(kind)] = kind


def _records(kind: Any) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, Record):
        return [kind]
    return [record for one in get_args(kind) for record in _records(one)]


def _fitting(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    if isinstance(schema, list):
        return st.none() | _fitting(schema[1], named)
    if isinstance(schema, str) and schema in named:
        return _fitting(named[schema], named)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in ("record", "enum"):
        named[full_name(schema)] = schema
    match kind:
        case "record":
            fields = {f["name"]: _fitting(f["type"], named) for f in schema["fields"]}
            optional = {f["name"] for f in schema["fields"] if "default" in f}
            return st.fixed_dictionaries(
                {name: fields[name] for name in fields if name not in optional},
                optional={name: fields[name] for name in optional},
            )
        case "enum":
            return st.sampled_from([s for s in schema["symbols"] if s != "UNKNOWN"])
        case "array":
            return st.lists(_fitting(schema["items"], named), max_size=2)
        case "long" if isinstance(schema, dict) and schema.get("logicalType"):
            return st.sampled_from(list(TIMES))
    return _PRIMITIVES[kind]


_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=30) | st.just("\u1ea5" * 700),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-100, 100),
}
