"""One Avro record type of the hub, read and written by functions put together once from its schema.

fastavro looks into the schema again for every field of every record; for the hub's records, mostly nullable fields,
that was half of the core's time, and these take less than half of it: each record's source is written out once. They
cover what the hub's schemas use (record, enum, array, null-or-one union, string, boolean, int, long, double) and refuse
any other when built. What they read and write is held against fastavro in the tests; a value written by another schema
goes through `Codec.decode`, as ever.
"""

from __future__ import annotations

from hub.avro.body_reader import reader
from hub.avro.body_writer import writer
from hub.avro.codec import HEAD_BYTES, Codec, Datum, head


class OwnRecord:
    """One of the project's records, as `vn.hub.Dossier`.

    write: the Avro body of a datum. KeyError, AttributeError or TypeError if it does not fit: a fault of the program.
    """

    __slots__ = ("_codec", "_head", "_read", "name", "write")

    def __init__(self, codec: Codec, name: str) -> None:
        self.name = name
        self.write = writer(name)
        self._codec = codec
        self._head = head(codec.ids[name])
        self._read = reader(name)

    def is_own(self, value: bytes) -> bool:
        """Whether the value in wire format was written with our version of the schema."""
        return value.startswith(self._head)

    def decode(self, value: bytes | None) -> Datum:
        """As `Codec.decode`, with the same errors."""
        if value is not None and value.startswith(self._head):
            return self._read(value, HEAD_BYTES)
        return self._codec.decode(value, self.name)[1]

    def with_head(self, body: bytes) -> bytes:
        """Wire format of a body."""
        return self._head + body
