"""Values of our records by another version of the schema: resolved, and within the same bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.avro.bodies import BODIES, DOSSIER, DOSSIER_DEADLINE, SERVICE_CHANGE
from hub.avro.document import from_document
from hub.avro.foreign import Foreign
from hub.avro.generic import encode_body, schema_json
from hub.avro.records import Applicant, DossierDeadline, DossierStep, ServiceChange
from hub.errors import DecodeError
from tests.support.avro_damaged import of_the_hub, thousand, varint, verdict

NEAR = bytes.fromhex("0278 02 02 04 06")


def edited(name: str, edit: Any) -> Any:
    """A copy of our schema, its named types written out, changed by `edit(fields by name)`."""
    schema = json.loads(json.dumps(schema_json(name)))
    fields = {field["name"]: field for field in schema["fields"]}
    schema["fields"] = edit(fields) or list(fields.values())
    return schema


def deadline(edit: Any) -> Foreign[DossierDeadline]:
    return Foreign(DOSSIER_DEADLINE, edited("vn.hub.DossierDeadline", edit))


def test_our_own_version_is_read_as_by_our_own_reader() -> None:
    """A thousand damaged values of each record: the same verdict."""
    foreign = {name: Foreign(body, schema_json(name)) for name, body in BODIES.items()}

    def rewriter(name: str) -> Any:
        return lambda value, at: BODIES[name].write(foreign[name].read(value, at))

    for number in range(12):
        name, bodies = thousand(number)
        ours, theirs = of_the_hub(name), rewriter(name)
        for raw in bodies:
            assert verdict(theirs, raw) == verdict(ours, raw), (name, raw)


def test_a_version_without_a_field_and_one_with_another() -> None:
    schema = edited("vn.hub.ServiceChange", lambda f: [f["service_code"], f["change"], f["occurred_at"]])
    raw = bytes.fromhex("0278 02 02")
    assert Foreign(SERVICE_CHANGE, schema).read(b"....." + raw, 5) == ServiceChange(
        service_code="x", change="AMENDED", occurred_at=1
    )
    more = {"name": "more", "type": {"type": "map", "values": "bytes"}}
    found = deadline(lambda f: [more, *f.values()]).read(b"\x02\x02a\x04..\0" + NEAR, 0)
    assert found == DossierDeadline(dossier_code="x", kind="DUE", occurred_at=1, due_at=2, deadline_at=3)


def test_a_symbol_that_we_do_not_know_becomes_the_default() -> None:
    def edit(fields: dict[str, Any]) -> None:
        fields["kind"]["type"]["symbols"].append("LATER")

    raw = b"\x02x" + varint(5) + NEAR[3:]
    assert deadline(edit).read(raw, 0).kind == "UNKNOWN"


def test_an_int_where_we_have_a_long() -> None:
    def edit(fields: dict[str, Any]) -> None:
        fields["due_at"]["type"] = "int"

    assert deadline(edit).read(NEAR, 0).due_at == 2
    with pytest.raises(DecodeError) as caught:
        deadline(edit).read(NEAR[:4] + varint(2**31) + NEAR[5:], 0)
    assert caught.value.reason == "avro"


def more(kind: Any) -> Foreign[DossierDeadline]:
    """A version with one field more, behind the others."""
    return deadline(lambda fields: [*fields.values(), {"name": "more", "type": kind}])


DEEP = {"type": "record", "name": "Deep", "fields": [{"name": "in", "type": ["null", "Deep"]}]}

REFUSED: dict[str, tuple[Any, bytes, str]] = {
    "a symbol's number of -1": ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\x01", "avro"),
    "a branch's number of -1": (["null", "int", "string"], b"\x01\x02", "avro"),
    "no such branch": (["null", "int", "string"], b"\x06", "avro"),
    "a count beyond what is left": ({"type": "array", "items": "string"}, varint(2**62), "truncated"),
    "a count of -2^63": ({"type": "map", "values": "null"}, varint(-(2**63)) + varint(0), "truncated"),
    "a hundred thousand records in each other": (DEEP, b"\x02" * 100_000 + b"\0", "avro"),
    "bytes of a negative length": ("bytes", b"\x01", "avro"),
    "bytes beyond what is left": ("bytes", varint(2**62), "truncated"),
    "half a float": ("float", b"\0\0", "truncated"),
    "half a fixed": ({"type": "fixed", "name": "F", "size": 4}, b"\0\0", "truncated"),
    "no UTF-8": ("string", b"\x02\xff", "utf8"),
    "bytes after the record": ("int", b"\x02\0", "avro"),
    "33 bits": ("int", varint(2**31), "avro"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_out_of_bounds_is_refused(case: str) -> None:
    kind, raw, reason = REFUSED[case]
    foreign = more(kind)
    with pytest.raises(DecodeError) as caught:
        foreign.read(NEAR + raw, 0)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("float", b"\0\0\0\0"),
        ({"type": "fixed", "name": "F", "size": 4}, b"...."),
        (DEEP, b"\x02" * 8 + b"\0"),
        ("null", b""),
        ("boolean", b"\x01"),
        ("double", b"\0" * 8),
        ({"type": "array", "items": ["null", "long"]}, b"\x01\x02\x00\x00"),
    ],
)
def test_other_types_are_walked_over(kind: Any, raw: bytes) -> None:
    assert more(kind).read(NEAR + raw, 0).deadline_at == 3


@pytest.mark.parametrize(
    "items", ["null", {"type": "record", "name": "Empty", "fields": []}, {"type": "fixed", "name": "F", "size": 0}]
)
def test_a_schema_whose_items_take_no_bytes_is_refused(items: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        more(["null", {"type": "array", "items": items}])
    assert caught.value.reason == "schema_mismatch"


def test_a_datum_out_of_bounds_is_refused_without_its_value() -> None:
    step = {"dossier_code": "x", "step": "RATED", "occurred_at": 1}
    assert from_document(DossierStep, step | {"applicant": {"name": "A"}}).applicant == Applicant(name="A")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"step": "Nguyen Van A"}, "step"),
        ({"occurred_at": 2**63}, "occurred_at"),
        ({"rating": 2**31}, "rating"),
        ({"occurred_at": True}, "occurred_at"),
        ({"applicant": {"kind": "Nguyen Van A - at `$.x`"}}, "applicant.kind"),
        ({"attachments": [{"id": 1}]}, "attachments[0].id"),
    ]
    for change, field in wrong:
        with pytest.raises(DecodeError) as caught:
            from_document(DossierStep, step | change)
        assert (caught.value.reason, caught.value.field) == ("avro", field)
        assert "Nguyen" not in str(caught.value)
    with pytest.raises(DecodeError, match="the whole"):
        from_document(DossierStep, None)


def test_what_fastavro_resolves_is_the_record() -> None:
    """Every null, default and array of a Dossier comes as our own reader gives it."""
    datum = {"dossier_code": "x", "hub_seq": 1, "status": "NEW", "status_at": 1}
    raw = encode_body("vn.hub.Dossier", datum)
    assert Foreign(DOSSIER, schema_json("vn.hub.Dossier")).read(raw, 0) == DOSSIER.read(raw, 0)
