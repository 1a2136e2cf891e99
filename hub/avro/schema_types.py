"""What reading and writing ask of a schema."""

from __future__ import annotations

from hub.avro.codec import Json

_PRIMITIVE = frozenset({"string", "boolean", "int", "long", "double"})


def unwrapped(schema: Json) -> tuple[bool, Json]:
    """(may be null, the type apart from that)."""
    if not isinstance(schema, list):
        return False, schema
    if len(schema) != 2 or schema[0] != "null":
        raise ValueError(f"only unions of null and one other type are understood, not {schema}")
    return True, schema[1]


def plain(schema: Json) -> Json:
    """`{"type": "long", "logicalType": …}` as `"long"`."""
    return schema["type"] if isinstance(schema, dict) and schema["type"] in _PRIMITIVE else schema


def full_name(schema: Json) -> str:
    name, namespace = str(schema["name"]), schema.get("namespace", "")
    return name if "." in name or not namespace else f"{namespace}.{name}"
