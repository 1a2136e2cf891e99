"""Schemas as JSON, and values as dicts by fastavro, which does not know our records.

Schemas are parsed once. Inside the hub a time is an int, milliseconds since the epoch (UTC): the logical type stays on
the wire and in the registry, but is not applied here.
"""

from __future__ import annotations

import io
import json
import struct
from functools import cache
from importlib import resources
from typing import Any

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import load_schema

from hub.errors import DecodeError
from hub.untyped import JsonObject

Json = Any
Datum = JsonObject
"""A value as fastavro knows it: of a schema that is not ours, or on its way into our record."""


def _without_logical_types(schema: Json) -> Json:
    if isinstance(schema, dict):
        return {k: _without_logical_types(v) for k, v in schema.items() if k != "logicalType"}
    if isinstance(schema, list):
        return [_without_logical_types(s) for s in schema]
    return schema


@cache
def schema_json(name: str) -> Json:
    """The full schema of a named record, all types that it refers to written out at their first use."""
    with resources.as_file(resources.files("hub_schemas")) as folder:
        return load_schema(str(folder / f"{name}.avsc"), _injected_schemas=set(), _write_hint=False)


def registered_text(name: str) -> str:
    """The schema as it is given to the registry: compact JSON, without the docs' white space."""
    return json.dumps(schema_json(name), ensure_ascii=False, separators=(",", ":"))


def parse(schema: Json) -> Json:
    """A schema parsed for reading and writing, times as int milliseconds."""
    return fastavro.parse_schema(_without_logical_types(schema), _force=True)


@cache
def parsed(name: str) -> Json:
    """The project's own schema of that name, parsed."""
    return parse(schema_json(name))


def encode_body(name: str, datum: Datum) -> bytes:
    """Avro body without the 5-byte head."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed(name), datum)
    return out.getvalue()


def decode_body(body: bytes | memoryview, writer: Json, reader: Json | None = None) -> Datum:
    """One datum; DecodeError when the bytes end early, hold invalid UTF-8, or go on after the datum."""
    stream = io.BytesIO(body)
    try:
        datum = fastavro.schemaless_reader(stream, writer, reader)
    except UnicodeDecodeError as error:
        raise DecodeError("utf8", f"a string is not UTF-8: {error.reason}; send Unicode as UTF-8") from None
    except (EOFError, StopIteration, IndexError, struct.error) as error:
        raise DecodeError(
            "truncated", f"Avro body ends early ({type(error).__name__}); send the whole record"
        ) from None
    except SchemaResolutionError as error:
        raise DecodeError("schema_mismatch", f"written with a schema that ours cannot read: {error}") from None
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError, RecursionError) as error:
        raise DecodeError("avro", f"not a record of this schema: {type(error).__name__}") from None
    if stream.tell() != len(body):
        raise DecodeError(
            "avro", f"{len(body) - stream.tell()} bytes stand after the record; the schema id may be wrong"
        )
    if not isinstance(datum, dict):
        raise DecodeError("avro", "the schema is no record")
    return datum
