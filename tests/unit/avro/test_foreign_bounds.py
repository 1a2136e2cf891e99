"""A hostile schema of another version: refused in words when read, or its values take a bounded number of steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro.bodies import DOSSIER_DEADLINE
from hub.avro.codec import Codec, head
from hub.avro.foreign import Foreign
from hub.avro.walk import STEPS_A_BYTE, VALUES, Walk
from hub.errors import DecodeError
from hub.registry.client import OWN_RECORDS

pytestmark = pytest.mark.timeout(60, method="thread")  # a hang fails; a signal would not reach fastavro's loops


def record(name: str, *types: Any) -> Any:
    return {"type": "record", "name": name, "fields": [{"name": f"f{i}", "type": t} for i, t in enumerate(types)]}


def doubling(levels: int, leaf: str) -> Any:
    """Each record has two fields of the one before: the text grows by a line a level, its values double."""
    found = record("r0", leaf)
    for i in range(1, levels):
        found = record(f"r{i}", found, f"r{i - 1}")
    return found


def chain(levels: int) -> Any:
    """As `doubling`, but side by side in a union: the text stays flat."""
    return [record("r0", "null"), *(record(f"r{i}", f"r{i - 1}", f"r{i - 1}") for i in range(1, levels))]


def nested(levels: int) -> Any:
    found: Any = "long"
    for _ in range(levels):
        found = {"type": "array", "items": found}
    return found


HOSTILE: dict[str, Any] = {
    "dagwalk": doubling(28, "null"),
    "dagarray": {"type": "array", "items": doubling(28, "long")},
    "deep": nested(3_000),
    "deeper": nested(100_000),
    "flat": chain(28),
    "long chain": chain(3_000),
    "wide": record("w", *["null"] * 50_000),
    "itself": record("r", "r"),
}


@pytest.mark.parametrize("name", ["vn.hub.DossierDeadline", "vn.other.Record"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_schema_without_bounds_is_refused_by_every_door(kind: str, name: str) -> None:
    schema = record(name, HOSTILE[kind])
    codec = Codec({own: i for i, own in enumerate(OWN_RECORDS, 1)}, lambda _: schema)
    value = head(9_999) + b"\0" * 8
    doors = [lambda: Foreign(DOSSIER_DEADLINE, schema), lambda: codec.decode(value), lambda: codec.read_any(value)]
    for door in doors:
        with pytest.raises(DecodeError) as caught:
            door()
        assert caught.value.reason == "schema_mismatch"


def test_a_count_of_another_s_record_is_bounded_by_what_is_left() -> None:
    schema = record("vn.other.Record", {"type": "array", "items": "null"})
    codec = Codec({own: i for i, own in enumerate(OWN_RECORDS, 1)}, lambda _: schema)
    with pytest.raises(DecodeError, match="no bytes"):
        codec.decode(head(9_999) + b"\xfe" * 8 + b"\x01\0")


def test_a_text_that_the_lookup_cannot_go_down_into_is_refused() -> None:
    codec = Codec({}, lambda _: json.loads("[" * 1_000_000))
    with pytest.raises(DecodeError, match="too deep") as caught:
        codec.decode(head(9_999))
    assert caught.value.reason == "schema_mismatch"


def shapes() -> st.SearchStrategy[Any]:
    def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            inner.map(lambda t: {"type": "array", "items": t}),
            inner.map(lambda t: {"type": "map", "values": t}),
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(lambda types: ("record", types)),
        )

    leaves = st.sampled_from(["null", "boolean", "long", "string", "bytes", "float", ("again",)])
    return st.recursive(leaves, around, max_leaves=25)


def named(shape: Any, names: list[str]) -> Any:
    """The schema of a shape: its records numbered; `again` is the last record that began, maybe the one around it."""
    if shape == ("again",):
        return names[-1]
    if isinstance(shape, tuple):
        names.append(f"n{len(names)}")
        return record(names[-1], *[named(inner, names) for inner in shape[1]])
    if isinstance(shape, list):
        return [named(inner, names) for inner in shape]
    if isinstance(shape, dict):
        return {key: inner if key == "type" else named(inner, names) for key, inner in shape.items()}
    return shape


@settings(max_examples=150, deadline=None)
@given(shapes(), st.binary(min_size=64, max_size=64))
def test_any_schema_is_refused_or_read_within_steps(shape: Any, raw: bytes) -> None:
    schema = record("vn.other.Record", named(shape, ["vn.other.Record"]))
    codec = Codec({}, lambda _: schema)
    try:
        codec.decode(head(9_999) + raw)
    except DecodeError:
        pass
    try:
        walk = Walk("vn.other.Record", schema)
    except (DecodeError, ValueError):
        return
    try:
        walk.over(raw, 0)
    except DecodeError:
        pass
    assert walk.steps <= VALUES + STEPS_A_BYTE * 64 + 1
