"""Avro in Confluent wire format: one zero byte, the schema id (4 bytes, big-endian), then the Avro body.

Schemas are parsed once. Inside the hub a time is an int, milliseconds since the epoch (UTC): the logical type stays on
the wire and in the registry, but is not applied here, which saves a datetime per field and event.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, UnknownType, load_schema

from hub.errors import DecodeError

Json = Any
Datum = dict[str, Any]
_HEAD = struct.Struct(">bI")
HEAD_BYTES = _HEAD.size


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


def head(schema_id: int) -> bytes:
    """Magic byte and schema id."""
    return _HEAD.pack(0, schema_id)


def split(value: bytes | None) -> tuple[int, memoryview]:
    """(schema id, body) of a value in wire format; DecodeError if it is none."""
    if not value or len(value) < HEAD_BYTES:
        raise DecodeError("truncated", f"value has {len(value or b'')} bytes; wire format needs at least {HEAD_BYTES}")
    magic, schema_id = _HEAD.unpack_from(value)
    if magic != 0:
        raise DecodeError("magic_byte", f"first byte is {magic}; Confluent wire format begins with 0")
    return schema_id, memoryview(value)[HEAD_BYTES:]


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


class Codec:
    """Encodes with the ids of the project's schemas; decodes any id through `lookup` (registry client or its cache).

    ids:    record name -> schema id in the registry.
    lookup: schema id -> schema JSON; raises DecodeError (`schema_id`) for an unknown one, RegistryError when away.
    """

    def __init__(self, ids: dict[str, int], lookup: Callable[[int], Json]) -> None:
        self.ids = ids
        self._heads = {name: head(schema_id) for name, schema_id in ids.items()}
        self._own = {schema_id: name for name, schema_id in ids.items()}
        self._lookup = lookup
        self._foreign: dict[int, tuple[str, Json, Json]] = {}  # name, parsed, as looked up

    def encode(self, name: str, datum: Datum) -> bytes:
        """Wire format. ValueError/TypeError if the datum does not fit the schema (a fault of the program)."""
        return self._heads[name] + encode_body(name, datum)

    def with_head(self, name: str, body: bytes) -> bytes:
        """Wire format of a body that is encoded already (Avro records concatenate)."""
        return self._heads[name] + body

    def name_of(self, value: bytes | None) -> str:
        """Full name of the record that wrote this value."""
        schema_id, _ = split(value)
        return self._own.get(schema_id) or self._writer(schema_id)[0]

    def decode(self, value: bytes | None, expected: str | None = None) -> tuple[str, Datum]:
        """(record name, datum), resolved to the project's own version of that record where there is one.

        DecodeError (`schema_mismatch`) when `expected` is given and another record was sent.
        """
        schema_id, body = split(value)
        name = self._own.get(schema_id)
        writer = parsed(name) if name else None
        if name is None:
            name, writer = self._writer(schema_id)
        if expected is not None and name != expected:
            raise DecodeError("schema_mismatch", f"schema id {schema_id} is {name}, this type needs {expected}")
        if schema_id in self._own or name not in self.ids:
            return name, decode_body(body, writer)
        return name, decode_body(body, writer, parsed(name))

    def schema(self, schema_id: int) -> tuple[str, Json]:
        """(full name of the record, its schema as JSON) of any id. DecodeError (`schema_id`), RegistryError."""
        if (own := self._own.get(schema_id)) is not None:
            return own, schema_json(own)
        name, _, schema = self._known(schema_id)
        return name, schema

    def _writer(self, schema_id: int) -> tuple[str, Json]:
        name, writer, _ = self._known(schema_id)
        return name, writer

    def _known(self, schema_id: int) -> tuple[str, Json, Json]:
        found = self._foreign.get(schema_id)
        if found is None:
            schema = self._lookup(schema_id)
            name = schema.get("name", "") if isinstance(schema, dict) else ""
            namespace = schema.get("namespace", "") if isinstance(schema, dict) else ""
            full = name if "." in name or not namespace else f"{namespace}.{name}"
            try:
                found = self._foreign[schema_id] = (full, parse(schema), schema)
            except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError) as error:
                raise DecodeError("schema_id", f"schema id {schema_id} is no valid Avro schema: {error}") from None
        return found
