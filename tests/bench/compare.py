"""Did all contenders write the same? Output topics as sets of (id, status, state), over what all of them worked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.avro.codec import Codec
from tests.bench.place import Place

# Per partition; enough to meet every kind of step, copies, and dossiers with a long life.
LIMIT = 12_000
Row = tuple[bytes, str, bytes]


async def first_rows(place: Place, topic: str, counts: Sequence[int]) -> set[Row]:
    """(id, status, hash of the whole value) of the first `counts[p]` records of each partition."""
    rows: set[Row] = set()
    async with AIOKafkaConsumer(bootstrap_servers=place.bootstrap, enable_auto_commit=False) as consumer:
        for number, count in enumerate(counts):
            part = TopicPartition(topic, number)
            consumer.assign([part])
            await consumer.seek_to_beginning(part)
            left = count
            while left:
                for records in (await consumer.getmany(part, timeout_ms=2_000, max_records=left)).values():
                    rows |= {_row(place.codec, r.value, dict(r.headers)) for r in records}
                    left -= len(records)
    return rows


def _row(codec: Codec, value: bytes, headers: Mapping[str, bytes]) -> Row:
    name, datum = codec.decode(value)
    status = datum["status"] if name == "vn.hub.DossierEvent" else datum["step"]
    return headers["ce_id"], status, hashlib.blake2b(value, digest_size=16).digest()


async def differences(place: Place, topics: Mapping[str, str], ends: Mapping[str, Sequence[int]]) -> list[str]:
    """What differs, a line for each contender that is unlike the first; none if all are equal."""
    common = [min(LIMIT, *counts) for counts in zip(*ends.values(), strict=True)]
    found = {name: await first_rows(place, topic, common) for name, topic in topics.items()}
    (first, rows), *others = found.items()
    out = []
    for name, theirs in others:
        if theirs != rows:
            mine, other = sorted(rows - theirs)[:1], sorted(theirs - rows)[:1]
            out.append(f"{name}: {len(rows - theirs)} rows of {first} are missing or unlike, e.g. {mine} / {other}")
    return out
