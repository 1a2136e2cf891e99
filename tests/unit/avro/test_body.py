"""The records' Avro bodies against fastavro, against bytes worked out by hand, and at every bound."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro.bodies import BODIES, DOSSIER_DEADLINE, DOSSIER_STEP, PROCEDURE, SERVICE_CHANGE
from hub.avro.generic import encode_body
from hub.avro.reader import Reader
from hub.avro.records import DossierDeadline, ProcedureTimeLimit, ServiceChange
from hub.errors import DecodeError
from tests.support import avro_bounds
from tests.support.avro_bounds import CASES
from tests.support.avro_damaged import RECORDS, loaded, varint, verdict


def strategy(schema: Any) -> Any:
    """Data of a schema, as fastavro takes them."""
    if isinstance(schema, list):
        return st.one_of([strategy(branch) for branch in schema])
    if isinstance(schema, str) and schema.startswith("vn.hub."):
        schema = loaded(schema)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        return st.fixed_dictionaries({f["name"]: strategy(f["type"]) for f in schema["fields"]})
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "array":
        return st.lists(strategy(schema["items"]), max_size=3)
    return {
        "null": st.none(),
        "string": st.text(max_size=80),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "double": st.floats(allow_nan=False),
    }[kind]


DATA = st.sampled_from([f"vn.hub.{name}" for name in RECORDS]).flatmap(
    lambda name: st.tuples(st.just(name), strategy(name)),
)


@settings(max_examples=150)
@given(DATA)
def test_same_bytes_and_same_data_as_fastavro(named: tuple[str, Any]) -> None:
    name, datum = named
    raw, body = encode_body(name, datum), BODIES[name]
    found = body.read(b"....." + raw, 5)
    assert msgspec.json.decode(msgspec.json.encode(found)) == msgspec.json.decode(msgspec.json.encode(datum))
    assert body.write(found) == raw
    assert body.write(msgspec.convert(datum, body.record)) == raw


def _there_and_back(body: Any, value: bytes, at: int) -> bytes:
    return body.write(body.read(value, at))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_record_or_a_decode_error(raw: bytes) -> None:
    for body in BODIES.values():
        assert verdict(partial(_there_and_back, body), raw)[:1] in (b"=", b"t", b"u", b"a")


def test_a_body_worked_out_by_hand() -> None:
    record = DossierDeadline(dossier_code="Đ", kind="DUE", occurred_at=0, due_at=-1, deadline_at=64)
    raw = bytes.fromhex("04c490 02 00 01 8001")
    assert DOSSIER_DEADLINE.write(record) == raw
    assert DOSSIER_DEADLINE.read(b"head" + raw, 4) == record


def test_what_is_left_out_gets_its_default() -> None:
    record = ServiceChange(service_code="x", change="AMENDED", occurred_at=1)
    assert SERVICE_CHANGE.write(record) == bytes.fromhex("0278 02 02 000000 0000 00 00")
    assert (record.channels, record.name, record.level) == ((), None, None)


def test_writers_at_every_bound() -> None:
    found = [
        (name, str(value)[:40], made) for (name, value, _), made in zip(CASES, avro_bounds.outcomes(), strict=True)
    ]
    assert found == [(name, str(value)[:40], wanted) for name, value, wanted in CASES]


def test_records_at_their_bounds() -> None:
    assert avro_bounds.of_records() == {
        "usual": bytes.fromhex("0278 02 02 04 06").hex(),
        "long": "ValueError: a long has more than 64 bits",
        "surrogate": "UnicodeEncodeError: surrogates not allowed",
        "symbol": "KeyError: 'NEVER'",
        "int": bytes.fromhex("0278 02 02 000000 02feffffff0f 00 00 00").hex(),
        "int too large": "ValueError: an int has more than 32 bits",
    }


NEAR = bytes.fromhex("0278 02 02 04 06")

REFUSED: dict[str, tuple[Any, bytes, str, str]] = {
    "nothing": (DOSSIER_DEADLINE, b"", "truncated", "ends early"),
    "a byte too few": (DOSSIER_DEADLINE, NEAR[:-1], "truncated", "ends early"),
    "a byte too many": (DOSSIER_DEADLINE, NEAR + b"\0", "avro", "1 bytes stand after the record"),
    "a string longer than the rest": (DOSSIER_DEADLINE, b"\x0ex", "truncated", "ends early"),
    "a string of 2^63-1 bytes": (DOSSIER_DEADLINE, varint(2**63 - 1) + b"x", "truncated", "ends early"),
    "a string of -1 bytes": (DOSSIER_DEADLINE, b"\x01", "avro", "negative length"),
    "no UTF-8": (DOSSIER_DEADLINE, b"\x02\xff" + NEAR[2:], "utf8", "invalid start byte"),
    "a surrogate": (DOSSIER_DEADLINE, b"\x06\xed\xa0\x80" + NEAR[2:], "utf8", "not UTF-8"),
    "a symbol's number of -1": (DOSSIER_DEADLINE, b"\x02x\x01" + NEAR[3:], "avro", "an enum has no symbol -1"),
    "a symbol's number of 5": (DOSSIER_DEADLINE, b"\x02x\x0a" + NEAR[3:], "avro", "an enum has no symbol 5"),
    "a symbol's number of -2^63": (DOSSIER_DEADLINE, b"\x02x" + varint(-(2**63)) + NEAR[3:], "avro", "no symbol"),
    "65 bits": (DOSSIER_DEADLINE, NEAR[:3] + b"\x80" * 9 + b"\x02" + NEAR[4:], "avro", "more than 64 bits"),
    "eleven bytes": (DOSSIER_DEADLINE, NEAR[:3] + b"\x80" * 10 + b"\0" + NEAR[4:], "avro", "more than 64 bits"),
    "nine bytes and an end": (DOSSIER_DEADLINE, NEAR[:3] + b"\x80" * 9, "truncated", "ends early"),
    "33 bits": (SERVICE_CHANGE, b"\x02x\x02\x02\0\0\0\x02" + varint(2**31) + b"\0\0\0", "avro", "more than 32 bits"),
    "no such branch": (SERVICE_CHANGE, b"\x02x\x02\x02\x04", "avro", "a union has no branch 4"),
    "a branch of two bytes": (SERVICE_CHANGE, b"\x02x\x02\x02\x80\0", "avro", "a union has no branch 128"),
    "a boolean of 2": (SERVICE_CHANGE, b"\x02x\x02\x02\0\0\0\0\x02\x02\0\0", "avro", "neither 0 nor 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_values_that_their_type_cannot_have(case: str) -> None:
    body, raw, reason, words = REFUSED[case]
    with pytest.raises(DecodeError) as caught:
        body.read(b"....." + raw, 5)
    assert (caught.value.reason, words in caught.value.detail) == (reason, True), caught.value.detail


@pytest.mark.parametrize("number", [0, 1, -1, 2**31, -(2**31), 2**62, -(2**62) - 1, 2**63 - 1, -(2**63)])
def test_longs_are_read_as_the_specification_writes_them(number: int) -> None:
    for raw in (varint(number), varint(number, 10 - len(varint(number)))):
        assert Reader(raw, 0, "x").long() == number


def test_arrays_in_blocks_and_with_their_size_as_java_writes_them() -> None:
    assert Reader(b"\x01\x04\x02a\x02\x02b\x00", 0, "x").strings() == ("a", "b")
    assert Reader(b"\x03\x00\x02a\x02b\x00", 0, "x").strings() == ("a", "b")
    assert Reader(b"\x04\x02\x01\x02\x02\x00", 0, "x").longs() == (1, -1, 1)


COUNTS = [2**20, 2**31, 2**62, 2**63 - 1, -(2**20), -(2**63), -(2**63) + 1]


@pytest.mark.parametrize("count", COUNTS)
def test_a_count_is_bounded_by_what_is_left(count: int) -> None:
    """Of 20 bytes with at least 5 an item, one more than 4: that one finds the end."""
    raw = varint(count) + (varint(1) if count < 0 else b"") + b"\0" * 20
    assert Reader(raw, 0, "x").count(5) == 5
    with pytest.raises(DecodeError) as caught:
        Reader(raw, 0, "x").strings()
    assert caught.value.reason == "truncated"


# a Procedure up to its first array of records, time_limits, which is there: code x, three numbers of 1, ten nulls
UP_TO_LIMITS = bytes.fromhex("0278 02 01 02" + "00" * 10 + "02")


@pytest.mark.parametrize("count", COUNTS)
def test_a_record_with_such_a_count_is_refused(count: int) -> None:
    raw = UP_TO_LIMITS + varint(count) + (varint(1) if count < 0 else b"")
    for rest in (b"", b"\0" * 40):  # of four bytes an item: nulls
        with pytest.raises(DecodeError) as caught:
            PROCEDURE.read(raw + rest, 0)
        assert caught.value.reason == "truncated"


def test_an_array_that_may_be_null_is_null_empty_or_full() -> None:
    rest = b"\0" * 8  # seven more nullable arrays and a time
    for limits, wanted in ((b"\0", None), (b"\x02\0", ()), (b"\x02\x02\0\0\0\0\0", (ProcedureTimeLimit(),))):
        raw = UP_TO_LIMITS[:-1] + limits + rest
        assert PROCEDURE.read(raw, 0).time_limits == wanted
        assert PROCEDURE.write(PROCEDURE.read(raw, 0)) == raw


def test_dossier_step_is_read_where_it_stands() -> None:
    raw = encode_body("vn.hub.DossierStep", {"dossier_code": "x", "step": "RATED", "occurred_at": 1})
    assert DOSSIER_STEP.read(b"." * 7 + raw, 7).step == "RATED"
