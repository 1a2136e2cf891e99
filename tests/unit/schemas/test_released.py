"""A schema edit that old records would not survive fails here with the field named; so does an edit of a release."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.registry.released import SUMS, add, own_schemas, problems

RELEASED = Path(__file__).parents[3] / "schemas" / "released"
Edit = Callable[[dict[str, dict[str, Any]]], Any]


def test_the_project_s_schemas_keep_every_rule() -> None:
    assert problems(RELEASED, own_schemas()) == []


def _types(schema: Any, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Name -> the named type's JSON inside `schema`, to be edited in place."""
    for item in schema if isinstance(schema, list) else []:
        _types(item, found)
    if isinstance(schema, dict):
        if schema.get("type") in ("record", "enum"):
            found[schema["name"].rpartition(".")[2]] = schema
        for field in schema.get("fields", []):
            _types(field["type"], found)
        _types(schema.get("items"), found)
        _types(schema.get("type"), found)
    return found


def _field(types: dict[str, dict[str, Any]], record: str, name: str) -> dict[str, Any]:
    return next(f for f in types[record]["fields"] if f["name"] == name)


def _new(**extra: Any) -> dict[str, Any]:
    return {"name": "fresh", "type": ["null", "string"], "doc": "fresh", **extra}


FORBIDDEN: dict[str, tuple[Edit, str]] = {
    "a new field without default": (
        lambda t: t["DossierStep"]["fields"].append(_new()),
        "DossierStep.fresh: has no default",
    ),
    "a field renamed": (
        lambda t: _field(t, "DossierStep", "dossier_code").update(name="code"),
        "DossierStep.code: has no default",
    ),
    "a type narrowed": (
        lambda t: _field(t, "DossierStep", "occurred_at").update(type="int"),
        "DossierStep.occurred_at: was long, is int",
    ),
    "a nullable field made required": (
        lambda t: _field(t, "Applicant", "phone").update(type="string"),
        "DossierStep.applicant.phone: was null, is string",
    ),
    "a deep field's type changed": (
        lambda t: _field(t, "Fee", "amount_vnd").update(type="string"),
        "DossierStep.fees[].amount_vnd: was long, is string",
    ),
    "another logical type": (
        lambda t: _field(t, "DossierStep", "occurred_at")["type"].update(logicalType="timestamp-micros"),
        "DossierStep.occurred_at: logicalType was timestamp-millis, is timestamp-micros",
    ),
    "a record renamed": (
        lambda t: t["Handler"].update(name="Officer"),
        "DossierStep.handler",
    ),
    "an enum's symbol gone and no default": (
        lambda t: (t["StepKind"]["symbols"].remove("RATED"), t["StepKind"].pop("default")),
        "DossierStep.step: symbols RATED are gone",
    ),
    "a field without doc": (
        lambda t: _field(t, "DossierStep", "note").pop("doc"),
        "vn.hub.DossierStep.note has no doc",
    ),
    "a new field of personal data without its mark": (
        lambda t: t["Applicant"]["fields"].append(_new(default=None, doc="SoDinhDanh: second one")),
        "vn.hub.Applicant.fresh is SoDinhDanh, personal data",
    ),
    "a mark taken off": (
        lambda t: _field(t, "Applicant", "address").pop("personal"),
        "vn.hub.Applicant.address was marked personal in version 1",
    ),
    "personal data that cannot be withheld": (
        lambda t: t["Fee"]["fields"].append(_new(type="string", default="", personal=True)),
        "vn.hub.Fee.fresh is marked personal and cannot be null",
    ),
}

ALLOWED: dict[str, Edit] = {
    "a new nullable field with default": lambda t: t["DossierStep"]["fields"].append(_new(default=None)),
    "a field removed": lambda t: t["DossierStep"]["fields"].remove(_field(t, "DossierStep", "rating")),
    "a type widened": lambda t: _field(t, "DossierStep", "rating").update(type=["null", "long"]),
    "a field renamed with its old name as alias": (
        lambda t: _field(t, "DossierStep", "dossier_code").update(name="code", aliases=["dossier_code"])
    ),
    "a new symbol": lambda t: t["StepKind"]["symbols"].append("ARCHIVED"),
}


def _edited(edit: Edit) -> dict[str, Any]:
    schema = copy.deepcopy(own_schemas()["vn.hub.DossierStep"])
    edit(_types(schema, {}))
    return {"vn.hub.DossierStep": schema}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_edit_is_named(name: str) -> None:
    edit, expected = FORBIDDEN[name]
    found = problems(RELEASED, _edited(edit))
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize("name", ALLOWED)
def test_an_allowed_edit_passes(name: str) -> None:
    assert problems(RELEASED, _edited(ALLOWED[name])) == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RELEASED, tmp_path / "released"))


def test_an_edited_released_file_is_found(copied: Path) -> None:
    path = copied / "vn.hub.Dossier" / "1.avsc"
    path.write_text(path.read_text("utf-8").replace("MaHoSo", "MaHS"), "utf-8")
    assert any("vn.hub.Dossier/1.avsc was edited" in p for p in problems(copied, own_schemas()))


def test_a_removed_released_file_is_found(copied: Path) -> None:
    (copied / "vn.hub.Dossier" / "1.avsc").unlink()
    found = problems(copied, own_schemas())
    assert any("vn.hub.Dossier/1.avsc was removed" in p for p in found)


def test_an_unlisted_file_is_found(copied: Path) -> None:
    shutil.copy(copied / "vn.hub.Dossier" / "1.avsc", copied / "vn.hub.Dossier" / "7.avsc")
    found = problems(copied, own_schemas())
    assert any("vn.hub.Dossier/7.avsc is not in" in p for p in found)
    assert any("must count 1, 2, 3" in p for p in found)


def test_add_appends_a_version_only_for_what_changed(copied: Path) -> None:
    before = (copied / SUMS).read_text("ascii")
    changed = own_schemas() | _edited(ALLOWED["a new symbol"])

    new = add(copied, changed)

    assert [str(p.relative_to(copied)) for p in new] == ["vn.hub.DossierStep/" + new[0].name]
    assert (copied / SUMS).read_text("ascii").startswith(before)
    assert problems(copied, changed) == []
    assert "ARCHIVED" in json.dumps(json.loads(new[0].read_text("utf-8")))


def test_add_refuses_an_incompatible_schema(copied: Path) -> None:
    with pytest.raises(ValueError, match=r"DossierStep\.occurred_at: was long, is int"):
        add(copied, _edited(FORBIDDEN["a type narrowed"][0]))
