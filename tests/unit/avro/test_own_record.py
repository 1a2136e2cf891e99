"""Our readers and writers against fastavro, over data, over damaged bytes, and over every record of the hub."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro.body_reader import _reader, reader
from hub.avro.body_writer import _writer, long_bytes, writer
from hub.avro.codec import decode_body, encode_body, parsed, schema_json
from hub.avro.own_record import OwnRecord
from hub.avro.schema_types import full_name
from hub.errors import DecodeError
from tests.support.codecs import IDS
from tests.support.core import CODEC


def strategy(schema, named):
    """Data of a schema."""
    if isinstance(schema, list):
        return st.one_of([strategy(branch, named) for branch in schema])
    if isinstance(schema, str) and schema in named:
        return named[schema]
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        made = st.fixed_dictionaries({f["name"]: strategy(f["type"], named) for f in schema["fields"]})
    elif kind == "enum":
        made = st.sampled_from(schema["symbols"])
    elif kind == "array":
        return st.lists(strategy(schema["items"], named), max_size=3)
    else:
        return {
            "null": st.none(),
            "string": st.text(max_size=80),
            "boolean": st.booleans(),
            "int": st.integers(-(2**31), 2**31 - 1),
            "long": st.integers(-(2**63), 2**63 - 1),
            "double": st.floats(allow_nan=False),
        }[kind]
    named[full_name(schema)] = made
    return made


DATA = st.sampled_from(sorted(IDS)).flatmap(
    lambda name: st.tuples(st.just(name), strategy(schema_json(name), {})),
)


@settings(max_examples=80, deadline=None)
@given(DATA)
def test_same_bytes_and_same_data_as_fastavro(named):
    name, datum = named
    body = encode_body(name, datum)
    assert writer(name)(datum) == body
    assert reader(name)(b"....." + body, 5) == datum


@settings(max_examples=120, deadline=None)
@given(DATA, st.data())
def test_damaged_bytes_are_refused_or_read_as_fastavro_reads_them(named, data):
    name, datum = named
    body = bytearray(encode_body(name, datum))
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(body[: data.draw(st.integers(0, len(body)))] if data.draw(st.booleans()) else body)
    try:
        ours = reader(name)(damaged, 0)
    except DecodeError:
        return
    # compared as bytes, since a damaged double may be NaN, which equals nothing
    assert writer(name)(ours) == encode_body(name, decode_body(damaged, parsed(name)))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_datum_or_a_decode_error(raw):
    for name in IDS:
        try:
            reader(name)(raw, 0)
        except DecodeError:
            continue


@pytest.mark.parametrize(
    ("number", "raw"),
    [(0, b"\x00"), (1, b"\x02"), (63, b"\x7e"), (64, b"\x80\x01"), (-1, b"\x01"), (-64, b"\x7f"), (-65, b"\x81\x01")],
)
def test_longs_as_the_avro_specification_writes_them(number, raw):
    assert long_bytes(number) == raw


@pytest.mark.parametrize(
    ("type", "raw"),
    [
        ("int", long_bytes(2**31)),
        ("int", long_bytes(-(2**31) - 1)),
        ("long", b"\xff" * 9 + b"\x7f"),
        ("long", b"\xff" * 11),
        ("boolean", b"\x02"),
        ("string", b"\x01"),
        ({"type": "enum", "name": "e", "symbols": ["A"]}, b"\x02"),
        ({"type": "record", "name": "r", "fields": [{"name": "f", "type": ["null", "int"]}]}, b"\x04"),
    ],
)
def test_values_that_their_type_cannot_have(type, raw):
    with pytest.raises(ValueError):
        _reader(type, {})(raw, 0)


def test_what_is_left_out_gets_its_default_and_what_is_required_is_missed():
    step = {"dossier_code": "x", "step": "RATED", "occurred_at": 1}
    assert writer("vn.hub.DossierStep")(step) == encode_body("vn.hub.DossierStep", step)
    with pytest.raises(KeyError):
        writer("vn.hub.DossierStep")({"dossier_code": "x"})


def test_arrays_in_blocks_with_their_size():
    read = _reader({"type": "array", "items": "string"}, {})
    assert read(b"\x01\x04\x02a\x02\x02b\x00", 0) == (["a", "b"], 8)


@pytest.mark.parametrize("schema", [["string", "null"], ["null", "int", "long"], ["null"]])
def test_other_unions_are_refused_when_built(schema):
    record = {"type": "record", "name": "x", "fields": [{"name": "f", "type": schema}]}
    for build in (_reader, _writer):
        with pytest.raises(ValueError, match="union"):
            build(record, {})
        with pytest.raises(ValueError, match="union"):
            build({"type": "array", "items": schema}, {})


@pytest.mark.parametrize("type", ["bytes", {"type": "map", "values": "int"}, {"type": "fixed", "name": "f", "size": 2}])
def test_other_types_are_refused_when_built(type):
    for build in (_reader, _writer):
        with pytest.raises((KeyError, ValueError)):
            build({"type": "record", "name": "x", "fields": [{"name": "f", "type": type}]}, {})


def test_a_foreign_value_goes_the_long_way():
    record = OwnRecord(CODEC, "vn.hub.Dossier")
    with pytest.raises(DecodeError) as caught:
        record.decode(CODEC.encode("vn.hub.DossierStep", {"dossier_code": "x", "step": "RATED", "occurred_at": 1}))
    assert caught.value.reason == "schema_mismatch"
    for value in (None, b"", b"\x00\x00"):
        with pytest.raises(DecodeError):
            record.decode(value)
