"""Avro in Confluent wire format: one zero byte, the schema id (4 bytes, big-endian), then the Avro body.

A value is read into the typed record of its `Body` (`hub.avro.bodies`), and written from it. One that another version
of our schema wrote goes through `Foreign`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from fastavro.schema import SchemaParseException, UnknownType

from hub.avro.bodies import BODIES
from hub.avro.foreign import Foreign
from hub.avro.generic import (
    Datum,
    Json,
    decode_body,
    encode_body,
    parse,
    parsed,
    schema_json,
)
from hub.avro.record import Body, R, Record
from hub.avro.schema_text import full_name
from hub.avro.walk import Walk
from hub.errors import DecodeError

_HEAD = struct.Struct(">bI")
HEAD_BYTES = _HEAD.size
_NO_SCHEMA = (SchemaParseException, UnknownType, LookupError, TypeError, ValueError, AttributeError)
"""What the parsers raise at JSON that is no schema."""


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


class _Writer(NamedTuple):
    """A schema that wrote a value: its full name, its JSON, parsed, and the bounds of its values."""

    name: str
    schema: Json
    parsed: Json
    walk: Walk


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
        self._writers: dict[int, _Writer] = {}
        self._foreign: dict[int, Foreign[Any]] = {}

    def read(self, body: Body[R], value: bytes | None) -> R:
        """The record of a value, which must be one of `body`; DecodeError (`schema_mismatch`) where it is another."""
        if value is not None and value.startswith(self._heads[body.name]):
            return body.read(value, HEAD_BYTES)
        schema_id, _ = split(value)
        name = self._name(schema_id)
        if name != body.name:
            raise DecodeError("schema_mismatch", f"schema id {schema_id} is {name}, this type needs {body.name}")
        assert value is not None  # split refuses a missing one
        foreign: Foreign[R] = self._foreign_reader(schema_id, body)
        return foreign.read(value, HEAD_BYTES)

    def read_any(self, value: bytes | None) -> tuple[Body[Any], Record]:
        """(its Body, the record) of a value of any of our records; DecodeError (`schema_mismatch`) for another's."""
        schema_id, _ = split(value)
        name = self._name(schema_id)
        body = BODIES.get(name)
        if body is None:
            raise DecodeError("schema_mismatch", f"schema id {schema_id} is {name}, which is no record of the hub")
        return body, self.read(body, value)

    def write(self, body: Body[R], record: R) -> bytes:
        """Wire format. ValueError when a number is out of its bounds or a string is no Unicode."""
        return self._heads[body.name] + body.write(record)

    def encode(self, name: str, datum: Datum) -> bytes:
        """Wire format. ValueError/TypeError if the datum does not fit the schema (a fault of the program)."""
        return self._heads[name] + encode_body(name, datum)

    def with_head(self, name: str, body: bytes) -> bytes:
        """Wire format of a body that is encoded already (Avro records concatenate)."""
        return self._heads[name] + body

    def name_of(self, value: bytes | None) -> str:
        """Full name of the record that wrote this value."""
        return self._name(split(value)[0])

    def decode(self, value: bytes | None, expected: str | None = None) -> tuple[str, Datum]:
        """(record name, datum), resolved to the project's own version of that record where there is one.

        DecodeError (`schema_mismatch`) when `expected` is given and another record was sent.
        """
        schema_id, body = split(value)
        name, _, writer, walk = self._writer(schema_id)
        if expected is not None and name != expected:
            raise DecodeError("schema_mismatch", f"schema id {schema_id} is {name}, this type needs {expected}")
        walk.over(bytes(body), 0)
        if schema_id in self._own or name not in self.ids:
            return name, decode_body(body, writer)
        return name, decode_body(body, writer, parsed(name))

    def _name(self, schema_id: int) -> str:
        return self._own.get(schema_id) or self._writer(schema_id).name

    def _foreign_reader(self, schema_id: int, body: Body[R]) -> Foreign[R]:
        found = self._foreign.get(schema_id)
        if found is None:
            found = self._foreign[schema_id] = Foreign(body, self._writer(schema_id).schema)
        return found

    def _writer(self, schema_id: int) -> _Writer:
        found = self._writers.get(schema_id)
        if found is None:
            own = self._own.get(schema_id)
            try:
                schema = schema_json(own) if own else self._lookup(schema_id)
                full = own or _full_name(schema)
                walk = Walk(full, schema)
                found = self._writers[schema_id] = _Writer(full, schema, parsed(own) if own else parse(schema), walk)
            except RecursionError:
                raise DecodeError("schema_mismatch", f"the schema of id {schema_id} is too deep") from None
            except _NO_SCHEMA as error:
                raise _no_schema(schema_id, error) from None
        return found


def _full_name(schema: Json) -> str:
    name, namespace = (schema.get("name", ""), schema.get("namespace", "")) if isinstance(schema, dict) else ("", "")
    return full_name(name, namespace)


def _no_schema(schema_id: int, error: Exception) -> DecodeError:
    return DecodeError("schema_id", f"schema id {schema_id} is no valid Avro schema: {error}")
