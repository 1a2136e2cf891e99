"""The same step, hub.core's, on Quix Streams: a dossier's state in its RocksDB store, with its changelog topic."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from quixstreams import Application

from hub.avro.codec import Codec, Datum, encode_body
from hub.avro.own_record import OwnRecord, Places
from hub.core import step as pipeline
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


class FastAvroRecord(OwnRecord):
    """The pipeline's record with fastavro behind it."""

    __slots__ = ("_by_name",)

    def __init__(self, codec: Codec, name: str) -> None:
        super().__init__(codec, name)
        self.write = partial(encode_body, name)
        self._by_name = codec

    def decode(self, value: bytes | None) -> Datum:
        return self._by_name.decode(value, self.name)[1]


class FastAvroMarked(FastAvroRecord):
    """The same of one with marks; fastavro does not tell where fields begin, so each step is read and written whole."""

    __slots__ = ()

    def __init__(self, codec: Codec, name: str, *marks: str) -> None:
        super().__init__(codec, name)

    def write_marked(self, datum: Datum) -> tuple[bytes, Places]:
        return self.write(datum), ()


def main(spec: Spec, codec: str) -> None:
    if codec != "hub-codec":
        own: Any = pipeline  # whose own imports are exchanged
        own.OwnRecord, own.MarkedRecord = FastAvroRecord, FastAvroMarked
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
