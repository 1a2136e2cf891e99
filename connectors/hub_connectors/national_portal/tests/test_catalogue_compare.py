"""The two catalogues written by hand against the comparison: twelve planted differences, nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.avro.bodies import PROCEDURE_CHANGE
from hub.avro.document import document, from_document
from hub.avro.records import LegalBasis, OnlineService, Procedure, ProcedureForm, ProcedureResult
from hub.reconcile.catalogue import KINDS, Side, compare
from hub.untyped import JsonObject
from hub_connectors.national_portal.catalogue import mapping
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.tests.catalogue_files import load, wanted


def side(catalogue: JsonObject) -> Side:
    """The file's entries as states, through Avro, as they would have come through the hub."""
    out = Side()
    for row in catalogue["LayThuTuc"].values():
        entry, active = mapping.procedure(row, 0)
        read = PROCEDURE_CHANGE.read(PROCEDURE_CHANGE.write(entry), 0)
        assert read == entry
        state = {**document(read), "active": active, "hub_seq": 0, "changed_at": 0}
        out.procedures[entry.procedure_code] = from_document(Procedure, state)
    for row in catalogue["LayDVC"]:
        offer = mapping.service(row, 0, CatalogueSettings())
        state = {**document(offer), "active": True, "hub_seq": 0, "changed_at": 0}
        out.services[offer.service_code] = from_document(OnlineService, state)
    return out


def told(code: str, **facts: Any) -> Side:
    """A side with one procedure that is published."""
    return Side({code: Procedure(procedure_code=code, hub_seq=0, active=True, changed_at=0, **facts)})


def test_the_twelve_differences() -> None:
    assert len(wanted()) == 12
    assert compare(side(load("national")), side(load("province"))) == wanted()


def test_nothing_differs_from_itself() -> None:
    national = side(load("national"))
    assert compare(national, side(load("national"))) == []


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("field_code", "G01-X", "OTHER_FIELD"),
        ("results", (ProcedureResult(code="KQ.009"),), "OTHER_RESULT"),
        ("legal_bases", (), "OTHER_LEGAL_BASIS"),
        ("legal_bases", (LegalBasis(number="1/2026/NĐ-CP"),), "OTHER_LEGAL_BASIS"),
        ("linked_procedures", ("1.009999",), "OTHER_LINKED"),
    ],
)
def test_other_facts(field: str, value: Any, kind: str) -> None:
    national = side(load("national"))
    code = "1.004194"
    own = Side(dict(national.procedures), dict(national.services))
    own.procedures[code] = msgspec.structs.replace(own.procedures[code], **{field: value})
    assert [(one.code, one.kind) for one in compare(national, own)] == [(code, kind)]
    assert kind in KINDS


def test_what_the_province_does_not_tell_is_no_difference() -> None:
    national = side(load("national"))
    own = Side()
    for code, one in national.procedures.items():
        own.procedures[code] = Procedure(procedure_code=code, hub_seq=0, active=one.active, changed_at=0)
    assert compare(national, own) == []


def test_one_limit_stands_for_all_where_a_side_has_no_list() -> None:
    national = side(load("national"))
    own = Side(dict(national.procedures))
    own.procedures |= told("1.004227", time_limit=12.0, time_limit_unit="ngày làm việc", fee_vnd=1).procedures
    found = {one.kind: (one.reference, one.own) for one in compare(national, own)}
    assert found == {
        "OTHER_TIME_LIMIT": ("10 Ngày làm việc", "12 ngày làm việc"),
        "OTHER_FEE": ("25000", "1"),
    }


def test_a_form_by_its_hash_where_both_have_it() -> None:
    form = ProcedureForm(name="Mẫu 01", component_code="G1", url="https://a/1", sha256="a" * 64)
    there = told("1.004194", forms=(form,))
    other = told("1.004194", forms=(msgspec.structs.replace(form, url="https://b/2", sha256="b" * 64),))
    assert [one.kind for one in compare(there, other)] == ["OTHER_FORM"]
    same = told("1.004194", forms=(msgspec.structs.replace(form, url="https://b/2"),))
    assert compare(there, same) == []
