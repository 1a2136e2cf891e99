"""The two catalogues written by hand against the comparison: twelve planted differences, nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from hub.avro.codec import decode_body, encode_body, parsed
from hub.reconcile.catalogue import KINDS, Side, compare
from hub_connectors.national_portal.catalogue import mapping
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.tests.catalogue_files import load, wanted


def side(catalogue: dict[str, Any]) -> Side:
    """The file's entries as states, through Avro, as they would have come through the hub."""
    out = Side()
    for row in catalogue["LayThuTuc"].values():
        facts, active = mapping.procedure(row)
        change = {**facts, "change": "PUBLISHED", "occurred_at": 0}
        body = encode_body("vn.hub.ProcedureChange", change)
        read = decode_body(body, parsed("vn.hub.ProcedureChange"))
        assert read | change == read, "the mapping and the schema have the same fields"
        out.procedures[facts["procedure_code"]] = {**read, "active": active}
    for row in catalogue["LayDVC"]:
        facts = mapping.service(row, CatalogueSettings())
        out.services[facts["service_code"]] = {**facts, "active": True}
    return out


def test_the_twelve_differences() -> None:
    assert len(wanted()) == 12
    assert compare(side(load("national")), side(load("province"))) == wanted()


def test_nothing_differs_from_itself() -> None:
    national = side(load("national"))
    assert compare(national, copy.deepcopy(national)) == []


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("field_code", "G01-X", "OTHER_FIELD"),
        ("results", [{"code": "KQ.009", "name": None}], "OTHER_RESULT"),
        ("legal_bases", [], "OTHER_LEGAL_BASIS"),
        ("linked_procedures", ["1.009999"], "OTHER_LINKED"),
    ],
)
def test_other_facts(field: str, value: Any, kind: str) -> None:
    national = side(load("national"))
    code = "1.004194"
    own = Side(copy.deepcopy(national.procedures), dict(national.services))
    own.procedures[code] = {**own.procedures[code], field: value}
    assert [(one.code, one.kind) for one in compare(national, own)] == [(code, kind)]
    assert kind in KINDS


def test_what_the_province_does_not_tell_is_no_difference() -> None:
    national = side(load("national"))
    own = Side({code: {"procedure_code": code, "active": p["active"]} for code, p in national.procedures.items()})
    assert compare(national, own) == []


def test_one_limit_stands_for_all_where_a_side_has_no_list() -> None:
    national = side(load("national"))
    own = Side(copy.deepcopy(national.procedures))
    own.procedures["1.004227"] = {"active": True, "time_limit": 12.0, "time_limit_unit": "ngày làm việc", "fee_vnd": 1}
    found = {one.kind: (one.reference, one.own) for one in compare(national, own)}
    assert found == {
        "OTHER_TIME_LIMIT": ("10 Ngày làm việc", "12 ngày làm việc"),
        "OTHER_FEE": ("25000", "1"),
    }


def test_a_form_by_its_hash_where_both_have_it() -> None:
    form = {"name": "Mẫu 01", "component_code": "G1", "url": "https://a/1", "version": None}
    reference = Side({"1.004194": {"active": True, "forms": [{**form, "sha256": "a" * 64}]}})
    own = Side({"1.004194": {"active": True, "forms": [{**form, "url": "https://b/2", "sha256": "b" * 64}]}})
    assert [one.kind for one in compare(reference, own)] == ["OTHER_FORM"]
    same = Side({"1.004194": {"active": True, "forms": [{**form, "url": "https://b/2", "sha256": "a" * 64}]}})
    assert compare(reference, same) == []
