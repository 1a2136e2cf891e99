"""Codec: whatever a schema admits comes back as it went in; whatever bytes come in, only DecodeError comes out."""

from __future__ import annotations

import copy
import io
import json
import struct
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro import codec as wire
from hub.avro import generic
from hub.avro.codec import Codec
from hub.errors import DecodeError, RegistryError
from hub.registry.client import OWN_RECORDS

IDS = {name: i for i, name in enumerate(OWN_RECORDS, 1)}


def unknown(schema_id: int) -> Any:
    raise DecodeError("schema_id", f"schema id {schema_id} is not in the registry")


CODEC = Codec(IDS, unknown)

_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "string": st.text(max_size=40),
}


def datums(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """All datums that an Avro schema admits (the kinds that the project's schemas use)."""
    if isinstance(schema, list):
        return st.one_of([datums(branch, named) for branch in schema])
    if isinstance(schema, str):
        return _PRIMITIVES[schema] if schema in _PRIMITIVES else datums(named[schema], named)
    kind = schema["type"]
    if kind in ("record", "enum"):
        name = schema["name"]
        named[name if "." in name else f"{schema.get('namespace', 'vn.hub')}.{name}"] = schema
    if kind == "record":
        return st.fixed_dictionaries({f["name"]: datums(f["type"], named) for f in schema["fields"]})
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "array":
        return st.lists(datums(schema["items"], named), max_size=3)
    return datums(kind, named)


ANY = st.sampled_from(OWN_RECORDS).flatmap(
    lambda name: st.tuples(st.just(name), datums(generic.schema_json(name), {}))
)  # fmt: skip

STEP: dict[str, Any] = {
    "dossier_code": "000.00.06.H56-231027-0361",
    "step": "RECEIVED",
    "occurred_at": 1_698_364_800_000,
    "note": "Tiếp nhận hồ sơ",
    "applicant": {"name": "Nguyễn Văn A"},
}
VALUE = CODEC.encode("vn.hub.DossierStep", STEP)


@given(ANY)
@settings(max_examples=150)
def test_round_trip(case: tuple[str, dict[str, Any]]) -> None:
    name, datum = case
    value = CODEC.encode(name, datum)
    assert CODEC.decode(value) == (name, datum)
    assert CODEC.decode(value, expected=name) == (name, datum)
    assert CODEC.name_of(value) == name


def test_the_head_is_confluent_s() -> None:
    """Magic byte 0, then the id, 4 bytes big-endian; the first Avro field is a string: length 25 as zigzag is 50."""
    assert VALUE[:5] == struct.pack(">bI", 0, IDS["vn.hub.DossierStep"])
    assert VALUE[5:6] == b"\x32"
    assert VALUE[6:31] == b"000.00.06.H56-231027-0361"


def test_times_are_int_milliseconds() -> None:
    _, datum = CODEC.decode(VALUE)
    assert datum["occurred_at"] == 1_698_364_800_000


@pytest.mark.parametrize("cut", range(len(VALUE)))
def test_a_truncated_value_is_a_decode_error(cut: int) -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode(VALUE[:cut])
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "truncated"),
        (b"", "truncated"),
        (b"\x01" + VALUE[1:], "magic_byte"),
        (b"{" + VALUE[1:], "magic_byte"),
        (wire.head(77) + VALUE[5:], "schema_id"),
        (VALUE + b"\x00", "avro"),
        (VALUE.replace("Tiếp".encode(), b"Ti\xff\xff\xffp"), "utf8"),
        (VALUE.replace("Tiếp".encode(), "Tiếp".encode("utf-16-le")[:6]), "utf8"),
        (wire.head(1) + b"\xff" * 40, "avro"),  # each byte says that the number goes on: over 64 bits, as `read` says
        (wire.head(1) + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "truncated"),  # a string of 2**63 - 1 bytes
    ],
)
def test_bad_values(value: bytes | None, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode(value)
    assert caught.value.reason == reason


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_random_bytes_raise_nothing_else(value: bytes) -> None:
    _decode_or_error(value)


@given(st.sampled_from(sorted(IDS.values())), st.binary(max_size=300))
@settings(max_examples=500)
def test_random_bodies_raise_nothing_else(schema_id: int, body: bytes) -> None:
    _decode_or_error(wire.head(schema_id) + body)


@given(ANY, st.data())
@settings(max_examples=200)
def test_damaged_values_raise_nothing_else(case: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    value = bytearray(CODEC.encode(*case))
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(5, len(value) - 1))] = data.draw(st.integers(0, 255))
    _decode_or_error(bytes(value))


def _decode_or_error(value: bytes) -> None:
    try:
        name, datum = CODEC.decode(value)
    except DecodeError:
        return
    assert name in IDS
    assert isinstance(datum, dict)


def test_another_record_than_expected() -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode(VALUE, expected="vn.hub.ProcedureChange")
    assert caught.value.reason == "schema_mismatch"


# --- schemas that are not the project's present ones -----------------------------------------------------------------


def _foreign(schema: Any) -> Codec:
    return Codec(IDS, lambda schema_id: schema if schema_id == 500 else unknown(schema_id))


def test_an_older_version_is_resolved_to_ours() -> None:
    """It lacks a field that has a default now, and has one that is gone."""
    older = copy.deepcopy(generic.schema_json("vn.hub.ServiceChange"))
    older["fields"] = [f for f in older["fields"] if f["name"] != "url"]
    older["fields"].append({"name": "colour", "type": "string"})
    out = io.BytesIO()
    datum = {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": 5, "colour": "red"}
    fastavro.schemaless_writer(out, generic.parse(older), datum)

    name, got = _foreign(older).decode(wire.head(500) + out.getvalue())

    assert name == "vn.hub.ServiceChange"
    assert (got["service_code"], got["url"]) == ("1.004194.01", None)
    assert "colour" not in got


def test_a_symbol_of_a_newer_version_becomes_the_default() -> None:
    newer = copy.deepcopy(generic.schema_json("vn.hub.ServiceChange"))
    next(f for f in newer["fields"] if f["name"] == "change")["type"]["symbols"].append("MERGED")
    out = io.BytesIO()
    datum = {"service_code": "1.004194.01", "change": "MERGED", "occurred_at": 5}
    fastavro.schemaless_writer(out, generic.parse(newer), datum)

    _, got = _foreign(newer).decode(wire.head(500) + out.getvalue())

    assert got["change"] == "UNKNOWN"


def test_an_incompatible_version_is_a_mismatch() -> None:
    other = {"type": "record", "name": "ServiceChange", "namespace": "vn.hub", "fields": [{"name": "x", "type": "int"}]}
    with pytest.raises(DecodeError) as caught:
        _foreign(other).decode(wire.head(500) + b"\x02")
    assert caught.value.reason == "schema_mismatch"


def test_a_foreign_record_keeps_its_own_shape() -> None:
    other = {"type": "record", "name": "n.Other", "fields": [{"name": "x", "type": "int"}]}
    assert _foreign(other).decode(wire.head(500) + b"\x02") == ("n.Other", {"x": 1})


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ('"int"', "avro"),  # Avro, but no record
        ('{"type":"record","name":"R","fields":[]}', "avro"),  # the value has a byte more than this record
        ("{}", "schema_id"),  # no Avro
        ('{"type":"array","items":"X"}', "schema_id"),
    ],
)
def test_a_registered_schema_that_cannot_be_used(schema: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        _foreign(json.loads(schema)).decode(wire.head(500) + b"\x02")
    assert caught.value.reason == reason


def test_away_is_no_bad_record() -> None:
    def away(_: int) -> Any:
        raise RegistryError("away")

    with pytest.raises(RegistryError):
        Codec(IDS, away).decode(wire.head(500) + b"\x02")
