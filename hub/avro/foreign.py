"""Values of our records that were written with another version of the schema: fastavro resolves them into the record.

The bytes are first walked by the writer's schema, with the same bounds and reasons as our own values (`Walk`).
"""

from __future__ import annotations

from typing import Any, Generic

from hub.avro.document import from_document
from hub.avro.generic import decode_body, parse, parsed
from hub.avro.record import Body, R
from hub.avro.walk import Walk


class Foreign(Generic[R]):
    """Reads the values of one other version. DecodeError (schema_mismatch): it has no bound."""

    def __init__(self, body: Body[R], schema: Any) -> None:
        self._body = body
        self._walk = Walk(body.name, schema)
        self._writer, self._reader = parse(schema), parsed(body.name)

    def read(self, value: bytes, at: int) -> R:
        """The record whose body begins at `at`. DecodeError: truncated, utf8, avro, schema_mismatch."""
        self._walk.over(value, at)
        return from_document(self._body.record, decode_body(value[at:], self._writer, self._reader))
