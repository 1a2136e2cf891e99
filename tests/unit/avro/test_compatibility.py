"""Avro schema resolution, case by case, written by hand from the specification ("Schema Resolution", "Aliases")."""

from __future__ import annotations

from typing import Any

import pytest

from hub.avro.compatibility import LEVELS, check, differences
from hub.avro.schema_text import parse


def record(*fields: Any, name: str = "R", **extra: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **extra}


def f(name: str, kind: Any, **extra: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **extra}


def enum(*symbols: str, name: str = "E", **extra: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **extra}


def fixed(size: int, name: str = "F") -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


A = f("a", "int")
TREE = record(f("next", ["null", "R"], default=None), A)

# (reader, writer)
READABLE = {
    "same primitive": ("string", "string"),
    "int to long": ("long", "int"),
    "int to float": ("float", "int"),
    "int to double": ("double", "int"),
    "long to float": ("float", "long"),
    "long to double": ("double", "long"),
    "float to double": ("double", "float"),
    "string to bytes": ("bytes", "string"),
    "bytes to string": ("string", "bytes"),
    "array items promoted": (array("long"), array("int")),
    "map values promoted": (mapping("double"), mapping("float")),
    "field with default added": (record(A, f("b", "int", default=0)), record(A)),
    "field with null default added": (record(A, f("b", ["null", "int"], default=None)), record(A)),
    "field removed": (record(A), record(A, f("b", "int"))),
    "fields in another order": (record(f("b", "int"), A), record(A, f("b", "int"))),
    "field renamed with alias": (record(f("b", "int", aliases=["a"])), record(A)),
    "record renamed with alias": (record(A, name="S", aliases=["R"]), record(A)),
    "record in another namespace": (record(A, namespace="x"), record(A, namespace="y")),
    "symbol added": (enum("A", "B"), enum("A")),
    "symbol removed with enum default": (enum("A", default="A"), enum("A", "B")),
    "fixed of same size": (fixed(4), fixed(4)),
    "made nullable": (["null", "int"], "int"),
    "made nullable and promoted": (["null", "long"], "int"),
    "union widened": (["null", "int", "string"], ["null", "int"]),
    "union branches in another order": (["int", "null"], ["null", "int"]),
    "union of one to its type": ("int", ["int"]),
    "every branch promoted": ("double", ["int", "float"]),
    "recursive type": (TREE, TREE),
    "logical type ignored by Avro": ({"type": "long", "logicalType": "timestamp-micros"}, "long"),
}

# (reader, writer, kind, path, location)
UNREADABLE = {
    "long to int": ("int", "long", "TYPE_MISMATCH", "int", ""),
    "double to float": ("float", "double", "TYPE_MISMATCH", "float", ""),
    "int to string": ("string", "int", "TYPE_MISMATCH", "string", ""),
    "boolean to int": ("int", "boolean", "TYPE_MISMATCH", "int", ""),
    "array to map": (mapping("int"), array("int"), "TYPE_MISMATCH", "map", ""),
    "array items": (array("int"), array("long"), "TYPE_MISMATCH", "array[]", "/items"),
    "map values": (mapping("int"), mapping("string"), "TYPE_MISMATCH", "map[]", "/values"),
    "field without default added": (
        record(A, f("b", "int")), record(A), "READER_FIELD_MISSING_DEFAULT_VALUE", "R.b", "/fields/1"),
    "field renamed": (
        record(f("b", "int")), record(A), "READER_FIELD_MISSING_DEFAULT_VALUE", "R.b", "/fields/0"),
    "alias on the wrong side": (
        record(f("b", "int")), record(f("a", "int", aliases=["b"])),
        "READER_FIELD_MISSING_DEFAULT_VALUE", "R.b", "/fields/0"),
    "field's type": (record(f("a", "string")), record(A), "TYPE_MISMATCH", "R.a", "/fields/0/type"),
    "nested field": (
        record(f("in", record(f("x", "int"), name="I"))), record(f("in", record(f("x", "long"), name="I"))),
        "TYPE_MISMATCH", "R.in.x", "/fields/0/type/fields/0/type"),
    "nested in a nullable record": (
        record(f("in", ["null", record(f("x", "int"), name="I")])),
        record(f("in", ["null", record(f("x", "long"), name="I")])),
        "TYPE_MISMATCH", "R.in.x", "/fields/0/type/1/fields/0/type"),
    "record renamed": (record(A, name="S"), record(A), "NAME_MISMATCH", "S", "/name"),
    "enum renamed": (enum("A", name="G"), enum("A"), "NAME_MISMATCH", "G", "/name"),
    "symbol removed": (enum("A"), enum("A", "B"), "MISSING_ENUM_SYMBOLS", "E", "/symbols"),
    "symbol removed, only the field has a default": (
        record(f("e", enum("A"), default="A")), record(f("e", enum("A", "B"))),
        "MISSING_ENUM_SYMBOLS", "R.e", "/fields/0/type/symbols"),
    "fixed size": (fixed(4), fixed(5), "FIXED_SIZE_MISMATCH", "F", "/size"),
    "made required": ("int", ["null", "int"], "TYPE_MISMATCH", "int", ""),
    "union narrowed": (["null", "int"], ["null", "int", "string"], "MISSING_UNION_BRANCH", "union", ""),
    "type that no branch takes": (["null", "int"], "string", "MISSING_UNION_BRANCH", "union", ""),
    "recursive type's field": (
        record(f("next", ["null", "R"], default=None), f("a", "int")),
        record(f("next", ["null", "R"], default=None), f("a", "string")),
        "TYPE_MISMATCH", "R.a", "/fields/1/type"),
}  # fmt: skip


@pytest.mark.parametrize("case", READABLE)
def test_readable(case: str) -> None:
    reader, writer = READABLE[case]
    assert differences(parse(reader), parse(writer)) == []


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_and_why(case: str) -> None:
    reader, writer, kind, path, location = UNREADABLE[case]
    found = differences(parse(reader), parse(writer))
    assert [(d.kind, d.path, d.location) for d in found] == [(kind, path, location)]


def test_logical_types_when_asked() -> None:
    micros, millis = ({"type": "long", "logicalType": f"timestamp-{u}"} for u in ("micros", "millis"))
    assert [d.kind for d in differences(parse(micros), parse(millis), logical=True)] == ["LOGICAL_TYPE_MISMATCH"]


# Three versions: 2 drops `b` and gives nothing for it; 3 brings `b` back with another type.
V1 = record(A, f("b", "int", default=0))
V2 = record(A)
V3 = record(A, f("b", "string", default=""))
WIDER = record(f("a", "long"))
ADDS = record(A, f("c", "int"))

LEVEL_CASES = [
    ("NONE", "string", [V1, V2], True),
    ("BACKWARD", V3, [V1, V2], True),  # only the last counts
    ("BACKWARD_TRANSITIVE", V3, [V1, V2], False),  # version 1 wrote b as int
    ("BACKWARD", WIDER, [V2], True),
    ("FORWARD", WIDER, [V2], False),  # the old reader cannot take a long as int
    ("FULL", WIDER, [V2], False),
    ("BACKWARD", ADDS, [V2], False),
    ("FORWARD", ADDS, [V2], True),
    ("FULL", ADDS, [V2], False),
    ("FORWARD", V3, [V1, V2], True),
    ("FORWARD_TRANSITIVE", V3, [V1, V2], False),
    ("FULL", V3, [V1, V2], True),
    ("FULL_TRANSITIVE", V3, [V1, V2], False),
    ("FULL_TRANSITIVE", V2, [V1, V2], True),
    ("BACKWARD_TRANSITIVE", V3, [], True),
]


@pytest.mark.parametrize(("level", "new", "old", "allowed"), LEVEL_CASES)
def test_levels(level: str, new: Any, old: list[Any], allowed: bool) -> None:
    assert (check(level, parse(new), [parse(o) for o in old]) == []) is allowed


def test_all_seven_levels_are_known() -> None:
    assert set(LEVELS) == {case[0] for case in LEVEL_CASES}
    assert len(LEVELS) == 7
