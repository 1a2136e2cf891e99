"""The same step, hub.core's, on Quix Streams: a dossier's state in its RocksDB store, with its changelog topic."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import to_builtins
from quixstreams import Application

from hub.avro import bodies
from hub.avro.codec import Codec
from hub.avro.document import from_document
from hub.avro.generic import decode_body, encode_body, parsed
from hub.avro.record import Body, R
from hub.core.step import make_step
from hub.stream.stage import Record, Stored
from tests.bench.spec import Spec, from_argv

_KEY = b"dossier"


def pack(stored: Stored) -> bytes:
    """Headers and value in one, as the store knows only values."""
    out = [struct.pack(">B", len(stored.headers))]
    for name, value in stored.headers:
        out.append(struct.pack(">BH", len(name), len(value)) + name.encode() + value)
    return b"".join(out) + stored.value


def unpack(raw: bytes) -> Stored:
    at, headers = 1, []
    for _ in range(raw[0]):
        name, value = struct.unpack_from(">BH", raw, at)
        at += 3
        headers.append((raw[at : at + name].decode(), raw[at + name : at + name + value]))
        at += name + value
    return Stored(raw[at:], headers)


class View:
    """`StateView` over the state of the one key that Quix Streams hands over."""

    state: Any

    def get(self, store: str, key: bytes) -> Stored | None:
        raw = self.state.get_bytes(_KEY)
        return unpack(raw) if raw is not None else None

    def keys(self, store: str) -> Iterable[bytes]:
        return ()

    def waiting(self, store: str) -> Iterable[bytes]:
        return ()


def with_fastavro(body: Body[R]) -> Body[R]:
    """The record with fastavro behind it."""

    def read(value: bytes, at: int) -> R:
        return from_document(body.record, decode_body(memoryview(value)[at:], parsed(body.name)))

    def write(record: R) -> bytes:
        return encode_body(body.name, to_builtins(record))

    return Body(body.name, body.record, read, write)


def main(spec: Spec, codec: str) -> None:
    if codec != "hub-codec":
        for name, body in [(name, made) for name, made in vars(bodies).items() if isinstance(made, Body)]:
            setattr(bodies, name, with_fastavro(body))
    step, view = make_step(Codec(spec.ids, lambda schema_id: None), spec.settings()), View()

    def work(value: bytes, key: bytes, timestamp: int, headers: Sequence[Any], state: Any) -> list[Any]:
        view.state = state
        outputs = step([Record(spec.source, 0, 0, timestamp, key, value, headers)], view)
        for stored in outputs.state.values():
            assert stored is not None
            state.set_bytes(_KEY, pack(stored))
        return [(out.value, out.headers) for out in outputs.records]

    app = Application(
        broker_address=spec.bootstrap,
        consumer_group=spec.group,
        auto_offset_reset="earliest",
        state_dir=spec.folder,
        auto_create_topics=True,
        use_changelog_topics=True,
        loglevel="WARNING",
        producer_extra_config={"partitioner": "murmur2_random", "enable.idempotence": True},
    )
    source = app.topic(spec.source, key_deserializer="bytes", value_deserializer="bytes")
    sink = app.topic(spec.sink, key_serializer="bytes", value_serializer="bytes")
    frame = app.dataframe(source).apply(work, metadata=True, stateful=True, expand=True)
    frame = frame.set_headers(lambda pair, *_: pair[1]).apply(lambda pair: pair[0])
    frame.to_topic(sink)
    app.run()


if __name__ == "__main__":
    main(from_argv(), sys.argv[2] if len(sys.argv) > 2 else "")
