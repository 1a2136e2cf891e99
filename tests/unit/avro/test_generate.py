"""The made files are those of the schemas, and a schema that could not be bounded is refused."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from hub.avro import records
from hub.avro.bodies import BODIES
from hub.avro.generate.made import FOLDERS, made_files
from hub.avro.generate.schema import Schemas, Unfit
from hub.avro.record import Record
from hub.registry.client import OWN_RECORDS

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "schemas"
HOME = ROOT / "hub" / "avro"


def test_the_made_files_are_those_of_the_schemas() -> None:
    """Red: run `make records`."""
    made = made_files(SCHEMAS)
    there = {"bodies.py"} | {f"{folder}/{path.name}" for folder in FOLDERS for path in (HOME / folder).glob("*.py")}
    assert there == set(made)
    for name, text in made.items():
        assert (HOME / name).read_text("utf-8") == text, name
        assert text.count("\n") <= 500, name


def test_every_record_that_is_sent_has_its_functions() -> None:
    assert set(BODIES) == set(OWN_RECORDS)
    assert all(body.name == name and body.record.__name__ == name.split(".")[-1] for name, body in BODIES.items())


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"vn.hub.{name}.avsc").read_text("utf-8"))
    return found


NAMED = sorted(path.stem.rpartition(".")[2] for path in SCHEMAS.glob("*.avsc"))


@pytest.mark.parametrize("name", NAMED)
def test_a_record_has_the_fields_defaults_and_marks_of_its_schema(name: str) -> None:
    raw, made = schema(name), getattr(records, name)
    if raw["type"] == "enum":
        assert get_args(made) == tuple(raw["symbols"])
        return
    assert made.__struct_fields__ == tuple(field["name"] for field in raw["fields"])
    assert made.__struct_config__.frozen
    assert not made.__struct_config__.gc
    assert frozenset(field["name"] for field in raw["fields"] if field.get("personal")) == made.PERSONAL
    for field, given in zip(msgspec.structs.fields(made), raw["fields"], strict=True):
        assert field.required == ("default" not in given)
        if not field.required:
            assert field.default == (() if given["default"] == [] else given["default"])


def test_a_record_is_not_changed() -> None:
    deadline = records.DossierDeadline(dossier_code="x", kind="DUE", occurred_at=1, due_at=2, deadline_at=3)
    with pytest.raises(AttributeError, match="immutable"):
        deadline.due_at = 4  # type: ignore[misc]
    assert hash(deadline) == hash(msgspec.structs.replace(deadline))


def test_numbers_from_json_are_bounded() -> None:
    text = '{"service_code": "x", "change": "AMENDED", "occurred_at": %d, "level": %d}'
    read = msgspec.json.Decoder(records.ServiceChange).decode
    assert read(text % (2**63 - 1, -(2**31))).level == -(2**31)
    for occurred_at, level in ((2**63, 1), (-(2**63) - 1, 1), (10**30, 1), (1, 2**31), (1, -(2**31) - 1)):
        with pytest.raises(msgspec.ValidationError):
            read(text % (occurred_at, level))


def folder_with(path: Path, *schemas: dict[str, Any]) -> Path:
    for one in schemas:
        (path / f"n.{one['name']}.avsc").write_text(json.dumps(one), "utf-8")
    return path


def record(name: str, *kinds: Any, **names: Any) -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": kind} for number, kind in enumerate(kinds)]
    fields += [{"name": name, "type": kind} for name, kind in names.items()]
    return {"type": "record", "name": name, "fields": fields}


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "contains itself": ([record("A", ["null", "n.A"])], "A contains itself, by A > A"),
    "contains itself in an array": ([record("A", {"type": "array", "items": "n.A"})], "A contains itself"),
    "contains itself by another": ([record("A", "n.B"), record("B", ["null", "n.A"])], "itself, by A > B > A"),
    "an item without bytes": ([record("A", {"type": "array", "items": "n.B"}), record("B")], "B has no fields"),
    "an array of nulls": ([record("A", {"type": "array", "items": "null"})], "null is no type that is understood"),
    "a null": ([record("A", "null")], "null is no type that is understood"),
    "a union of three": ([record("A", ["null", "int", "string"])], "A.f0: only unions of null and one other"),
    "a union with null last": ([record("A", ["int", "null"])], "A.f0: only unions of null and one other"),
    "an array of unions": ([record("A", {"type": "array", "items": ["null", "int"]})], "A.f0: "),
    "an array of arrays": (
        [record("A", {"type": "array", "items": {"type": "array", "items": "int"}})], "A.f0: "),
    "an array of booleans": ([record("A", {"type": "array", "items": "boolean"})], "arrays of boolean"),
    "a map": ([record("A", {"type": "map", "values": "int"})], "A.f0: "),
    "bytes": ([record("A", "bytes")], "bytes is no type that is understood"),
    "a float": ([record("A", "float")], "float is no type that is understood"),
    "a fixed": ([record("A", "n.F"), {"type": "fixed", "name": "F", "size": 2}], "neither a record nor an enum"),
    "a word of Python": ([record("A", **{"from": "int"})], "A.from: the name has a meaning"),
    "a name of the made code": ([record("A", out="int")], "A.out: the name has a meaning"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_schema_that_is_not_understood_is_refused_when_made(case: str, tmp_path: Path) -> None:
    schemas, message = REFUSED[case]
    with pytest.raises(Unfit) as caught:
        Schemas(folder_with(tmp_path, *schemas)).add("n.A")
    assert message in str(caught.value)


def test_a_default_of_another_type_is_refused(tmp_path: Path) -> None:
    one = record("A", "int")
    one["fields"][0]["default"] = [1]
    with pytest.raises(Unfit, match=r"A\.f0: a default of \[1\]"):
        made_files(folder_with(tmp_path, one), {"a": ("n.A",)})


def test_a_record_may_stand_twice_in_another(tmp_path: Path) -> None:
    schemas = Schemas(folder_with(tmp_path, record("A", "n.B", ["null", "n.B"]), record("B", "double", "n.C"),
                                  {"type": "enum", "name": "C", "symbols": ["X"]}))  # fmt: skip
    assert schemas.add("n.A") == "A"
    assert schemas.least(schemas.records["A"].fields[0].kind) == 9
    assert list(schemas.records) == ["B", "A"]


def test_only_the_made_functions_give_a_record_s_fields_by_position() -> None:
    """By position is three times as fast, and safe only where it is made from the schema's order."""
    names = {name for name in records.__all__ if isinstance(getattr(records, name), type)}
    assert len(names) == 22
    assert all(issubclass(getattr(records, name), Record) for name in names)
    wrong = []
    for path in (path for room in ("hub", "connectors", "tests") for path in (ROOT / room).rglob("*.py")):
        text = path.read_text("utf-8")
        if path.parent == HOME / "body" or "hub.avro" not in text:  # other rooms have a Dossier of their own
            continue
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.args]
        wrong += [f"{path.name}:{call.lineno}" for call in calls if ast.unparse(call.func).split(".")[-1] in names]
    assert wrong == []


def test_types_resolve() -> None:
    """Every annotation of a record is one that msgspec can check."""
    for body in BODIES.values():
        assert get_type_hints(body.record)
        msgspec.json.Decoder(body.record)
