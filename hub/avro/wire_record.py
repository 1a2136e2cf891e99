"""One of our records in Confluent wire format: any version of its schema is read, the present one is written."""

from __future__ import annotations

from typing import Generic

from hub.avro.codec import HEAD_BYTES, Codec, head, split
from hub.avro.foreign import Foreign
from hub.avro.record import Body, R
from hub.avro.schema_text import SchemaError
from hub.errors import DecodeError


class WireRecord(Generic[R]):
    """One record, as `hub.avro.bodies.DOSSIER`, with the schema ids that `codec` knows."""

    __slots__ = ("_codec", "_foreign", "body", "head", "name")

    def __init__(self, codec: Codec, body: Body[R]) -> None:
        self.name = body.name
        self.body = body
        self.head = head(codec.ids[body.name])
        self._codec = codec
        self._foreign: dict[int, Foreign[R]] = {}

    def is_own(self, value: bytes) -> bool:
        """Whether the value was written with our version of the schema."""
        return value.startswith(self.head)

    def decode(self, value: bytes | None) -> R:
        """The record. DecodeError: truncated, magic_byte, schema_id, schema_mismatch, utf8, avro. RegistryError: a
        schema is needed and the registry is away."""
        if value is not None and value.startswith(self.head):
            return self.body.read(value, HEAD_BYTES)
        schema_id, _ = split(value)
        assert value is not None  # `split` refuses it
        foreign = self._foreign.get(schema_id)
        if foreign is None:
            foreign = self._foreign[schema_id] = self._other(schema_id)
        return foreign.read(value, HEAD_BYTES)

    def encode(self, record: R) -> bytes:
        """Wire format. ValueError when a number is out of its bounds: a fault of the program."""
        return self.head + self.body.write(record)

    def with_head(self, body: bytes) -> bytes:
        """Wire format of a body that is written already."""
        return self.head + body

    def _other(self, schema_id: int) -> Foreign[R]:
        name, schema = self._codec.schema(schema_id)
        if name != self.name:
            raise DecodeError("schema_mismatch", f"schema id {schema_id} is {name}, this type needs {self.name}")
        try:
            return Foreign(self.body, schema)
        except SchemaError as error:
            raise DecodeError("schema_id", f"schema id {schema_id} is no valid Avro schema: {error}") from None
