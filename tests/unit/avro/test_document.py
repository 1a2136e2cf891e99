"""Records as documents, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.avro.document import document, from_document
from hub.avro.records import Applicant, Attachment, Dossier, Fee, OnlineService
from hub.errors import DecodeError

DOSSIER = Dossier(
    dossier_code="H11.12-260302-0001", hub_seq=3, status="FINISHED", status_at=1_772_323_200_000,
    applicant=Applicant(name="Nguyễn Văn A", kind="BUSINESS"),
    attachments=(Attachment(id="t1", url="https://tep.example/1"), Attachment(id="t2", result=True)),
    fees=(Fee(code="LP1", name="Lệ phí", amount_vnd=75_000, paid=True),),
)  # fmt: skip


def test_a_document_has_every_field_in_the_schemas_order_and_lists() -> None:
    found = document(DOSSIER)
    assert list(found)[:5] == ["dossier_code", "hub_seq", "status", "status_at", "procedure_code"]
    assert found["due_at"] is None
    assert found["attachments"] == [
        {"id": "t1", "name": None, "component_code": None, "url": "https://tep.example/1", "result": False,
         "digitised": None},
        {"id": "t2", "name": None, "component_code": None, "url": None, "result": True, "digitised": None},
    ]  # fmt: skip
    assert found["applicant"]["kind"] == "BUSINESS"
    assert document(
        OnlineService(service_code="1.000001.01", hub_seq=1, active=True, changed_at=5, channels=("a", "b"))
    )["channels"] == ["a", "b"]


def test_through_json_and_back() -> None:
    assert from_document(Dossier, json.loads(json.dumps(document(DOSSIER)))) == DOSSIER


def test_a_document_of_an_older_version_gets_the_defaults() -> None:
    old = {"dossier_code": "x", "hub_seq": 1, "status": "NEW", "status_at": 5, "gone_since": True}
    assert from_document(Dossier, old) == Dossier(dossier_code="x", hub_seq=1, status="NEW", status_at=5)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "Nguyễn Văn A"}, "status"),
        ({"hub_seq": 2**63}, "hub_seq"),
        ({"hub_seq": "1"}, "hub_seq"),
        ({"applicant": {"name": 7}}, "applicant.name"),
    ],
)
def test_what_is_no_record_is_refused_by_field_without_its_value(change: dict[str, Any], field: str) -> None:
    with pytest.raises(DecodeError) as caught:
        from_document(Dossier, document(DOSSIER) | change)
    assert (caught.value.reason, caught.value.field) == ("avro", field)
    assert caught.value.detail == f"not a record of vn.hub.Dossier: {field} has another type or is out of its bounds"
