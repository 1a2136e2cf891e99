"""The typed way of the codec: by the value's schema id to the record's Body, or over Foreign; the same reasons."""

from __future__ import annotations

import copy
import io
from typing import Any

import fastavro
import pytest

from hub.avro.bodies import BODIES, DELIVERY, DOSSIER_STEP, SERVICE_CHANGE
from hub.avro.codec import Codec, head
from hub.avro.generic import parse, schema_json
from hub.avro.records import DossierStep, ServiceChange
from hub.errors import DecodeError, RegistryError
from tests.support.codecs import IDS, fixed_codec

CODEC = fixed_codec()
STEP = DossierStep(dossier_code="000.00.06.H56-231027-0361", step="RECEIVED", occurred_at=1_698_364_800_000)
VALUE = CODEC.write(DOSSIER_STEP, STEP)
CHANGE = {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": 5}


def other(schema: Any) -> tuple[Codec, list[int]]:
    """A codec to which id 500 is this schema, and the ids that it looked up."""
    asked: list[int] = []

    def lookup(schema_id: int) -> Any:
        asked.append(schema_id)
        return schema

    return Codec(IDS, lookup), asked


def written(schema: Any, datum: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(schema), datum)
    return head(500) + out.getvalue()


def test_our_own_version() -> None:
    datum = {"dossier_code": STEP.dossier_code, "step": "RECEIVED", "occurred_at": STEP.occurred_at}
    assert CODEC.encode("vn.hub.DossierStep", datum) == VALUE
    assert CODEC.read(DOSSIER_STEP, VALUE) == STEP
    assert CODEC.read_any(VALUE) == (DOSSIER_STEP, STEP)


def test_every_record_is_found_by_its_id() -> None:
    assert set(IDS) == set(BODIES)
    value = CODEC.encode("vn.hub.Delivery", {"subscriber": "s", "key": "k", "outcome": "HELD", "event_ids": [],
                                             "hub_seqs": [], "attempt": 1, "at": 2})  # fmt: skip
    body, record = CODEC.read_any(value)
    assert body is DELIVERY
    assert (record.key, record.outcome) == ("k", "HELD")  # type: ignore[attr-defined]


def test_another_version_becomes_our_record_and_is_looked_up_once() -> None:
    older = copy.deepcopy(schema_json("vn.hub.ServiceChange"))
    older["fields"] = [f for f in older["fields"] if f["name"] != "url"]
    older["fields"].append({"name": "colour", "type": "string"})
    codec, asked = other(older)
    value = written(older, CHANGE | {"colour": "red"})
    wanted = ServiceChange(service_code="1.004194.01", change="PUBLISHED", occurred_at=5)
    assert codec.read(SERVICE_CHANGE, value) == wanted
    assert codec.read_any(value) == (SERVICE_CHANGE, wanted)
    assert asked == [500]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "truncated"),
        (VALUE[:4], "truncated"),
        (VALUE[:-1], "truncated"),
        (b"\x01" + VALUE[1:], "magic_byte"),
        (head(77) + VALUE[5:], "schema_id"),
        (VALUE + b"\x00", "avro"),
        (VALUE.replace(b"H56", b"H\xff6"), "utf8"),
    ],
)
def test_bad_values(value: bytes | None, reason: str) -> None:
    for read in (lambda: CODEC.read(DOSSIER_STEP, value), lambda: CODEC.read_any(value)):
        with pytest.raises(DecodeError) as caught:
            read()
        assert caught.value.reason == reason


def test_another_record_than_wanted() -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.read(SERVICE_CHANGE, VALUE)
    assert caught.value.reason == "schema_mismatch"
    assert caught.value.detail == "schema id 1 is vn.hub.DossierStep, this type needs vn.hub.ServiceChange"


def test_a_record_that_is_none_of_ours() -> None:
    codec, _ = other({"type": "record", "name": "n.Other", "fields": [{"name": "x", "type": "int"}]})
    for read in (lambda: codec.read(DOSSIER_STEP, head(500) + b"\x02"), lambda: codec.read_any(head(500) + b"\x02")):
        with pytest.raises(DecodeError) as caught:
            read()
        assert caught.value.reason == "schema_mismatch"
        assert "n.Other" in caught.value.detail


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("int", "schema_mismatch"),
        ({}, "schema_id"),
        ({"type": "array", "items": "X"}, "schema_id"),
        ({"type": "record", "name": "vn.hub.ServiceChange", "fields": [{"name": "x", "type": "int"}]},
         "schema_mismatch"),  # an incompatible version
        ({"type": "record", "name": "vn.hub.ServiceChange",
          "fields": [{"name": "x", "type": {"type": "array", "items": "null"}}]}, "schema_mismatch"),
    ],
)  # fmt: skip
def test_a_registered_schema_that_cannot_be_used(schema: Any, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        other(schema)[0].read(SERVICE_CHANGE, head(500) + b"\x02")
    assert caught.value.reason == reason


def test_away_is_no_bad_record() -> None:
    def away(_: int) -> Any:
        raise RegistryError("away")

    with pytest.raises(RegistryError):
        Codec(IDS, away).read(DOSSIER_STEP, head(500) + b"\x02")
