"""Records on the wire: of our version and of others, and why a value is none."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from hub.avro import bodies
from hub.avro.codec import Codec, head, schema_json
from hub.avro.records import Applicant, DossierDeadline, DossierStep
from hub.avro.wire_record import WireRecord
from hub.errors import BadRecord, DecodeError, RegistryError
from tests.support.codecs import fixed_codec

CODE = "H11.12-260105-0001"
STEP = DossierStep(CODE, "RECEIVED", 1_767_571_200_000, applicant=Applicant("Nguyễn Văn An"), remark="đủ")
OTHER, NEWER = 900, 901


class Registry:
    """Schemas by id; counts how often each is asked for."""

    def __init__(self, schemas: dict[int, Any]) -> None:
        self.schemas = schemas
        self.asked: list[int] = []

    def __call__(self, schema_id: int) -> Any:
        self.asked.append(schema_id)
        if schema_id not in self.schemas:
            raise DecodeError("schema_id", f"schema id {schema_id} is not known")
        if self.schemas[schema_id] is None:
            raise RegistryError("the registry is away")
        return self.schemas[schema_id]


def newer() -> Any:
    """Our schema of a step with one more field at its end."""
    schema = copy.deepcopy(schema_json("vn.hub.DossierStep"))
    schema["fields"].append({"name": "novelty", "type": ["null", "string"], "default": None})
    return schema


def steps(schemas: dict[int, Any]) -> tuple[WireRecord[DossierStep], Registry]:
    registry = Registry(schemas)
    return WireRecord(Codec(fixed_codec().ids, registry), bodies.DOSSIER_STEP), registry


def test_what_is_written_is_read_and_is_our_own() -> None:
    record, registry = steps({})
    value = record.encode(STEP)
    assert value == record.head + bodies.DOSSIER_STEP.write(STEP) == record.with_head(value[5:])
    assert record.is_own(value)
    assert record.decode(value) == STEP
    assert fixed_codec().decode(value)[1]["applicant"]["name"] == "Nguyễn Văn An"  # fastavro reads the same
    assert registry.asked == []


def test_another_version_is_resolved_and_its_schema_looked_up_once() -> None:
    record, registry = steps({NEWER: newer()})
    value = head(NEWER) + bodies.DOSSIER_STEP.write(STEP) + b"\x02\x06new"
    assert not record.is_own(value)
    assert [record.decode(value), record.decode(value)] == [STEP, STEP]
    assert registry.asked == [NEWER]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "truncated"),
        (b"\0\0\0", "truncated"),
        (b"\1\0\0\0\x01abc", "magic_byte"),
        (head(5_000) + b"abc", "schema_id"),
        (head(902) + b"abc", "schema_id"),  # the registry has it, but it is no schema
        (head(903) + b"abc", "schema_id"),
        (head(OTHER) + b"\x02a", "schema_mismatch"),
        (head(NEWER) + bodies.DOSSIER_STEP.write(STEP), "truncated"),
        (head(NEWER) + bodies.DOSSIER_STEP.write(STEP) + b"\x02\x02\xff", "utf8"),
        (head(NEWER) + bodies.DOSSIER_STEP.write(STEP) + b"\x00\x00", "avro"),
    ],
)
def test_why_a_value_is_no_step(value: bytes | None, reason: str) -> None:
    record, _ = steps({
        NEWER: newer(),
        OTHER: {"type": "record", "name": "Other", "namespace": "x", "fields": [{"name": "a", "type": "string"}]},
        902: {"type": "record", "name": "DossierStep", "namespace": "vn.hub"},
        903: {"type": "record", "name": "DossierStep", "namespace": "vn.hub",
              "fields": [{"name": "a", "type": "string"}, {"name": "a", "type": "string"}]},
    })  # fmt: skip
    with pytest.raises(BadRecord) as error:
        record.decode(value)
    assert error.value.reason == reason


def test_another_record_of_ours_is_a_mismatch_that_names_both() -> None:
    record, _ = steps({})
    deadline = WireRecord(fixed_codec(), bodies.DOSSIER_DEADLINE)
    with pytest.raises(DecodeError, match=r"is vn\.hub\.DossierDeadline, this type needs vn\.hub\.DossierStep"):
        record.decode(deadline.encode(DossierDeadline(CODE, "DUE", 1, 2, 3)))


def test_a_registry_that_is_away_is_no_fault_of_the_value() -> None:
    record, registry = steps({NEWER: None})
    value = head(NEWER) + bodies.DOSSIER_STEP.write(STEP) + b"\x00"
    with pytest.raises(RegistryError):
        record.decode(value)
    registry.schemas[NEWER] = newer()
    assert record.decode(value) == STEP
