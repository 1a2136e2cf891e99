"""What is marked personal in a record, also deep inside it, is hidden or told, and nothing else."""

from __future__ import annotations

from hub.avro.personal import initials, minimised, personal_values
from hub.avro.records import (
    Applicant,
    Attachment,
    Dossier,
    DossierEvent,
    DossierStep,
    Fee,
    Handler,
    ProcedureChange,
    ProcedureFee,
)

CODE = "000.00.06.H56-231027-0361"
STEP = DossierStep(
    dossier_code=CODE,
    step="RETURNED",
    occurred_at=1_698_364_800_000,
    handler=Handler(name="Lê Thị Bình", title="Chuyên viên", department="Một cửa"),
    note="đã gọi bà Bình",
    applicant=Applicant(name="Nguyễn Văn An", kind="CITIZEN", identity_number="060203004567", vneid_verified=True),
    attachments=(Attachment(id="F-1", name="Đơn của ông An.pdf"), Attachment(id="F-2", url="https://x.test/an")),
    fees=(Fee(code="LP1", name="Lệ phí", amount_vnd=20_000),),
    procedure_code="1.004194",
)
EVENT = DossierEvent(
    hub_seq=4,
    status="RETURNED",
    step=STEP,
    dossier=Dossier(
        dossier_code=CODE, hub_seq=4, status="RETURNED", status_at=1_698_364_800_000, abstract="Đất của ông An"
    ),
)


def test_every_marked_field_goes_and_no_other() -> None:
    """The marks are those of schemas/: handler.name, note, all of the applicant but kind and vneid_verified, name and
    url of attachments, the dossier's abstract."""
    wanted = DossierStep(
        dossier_code=CODE,
        step="RETURNED",
        occurred_at=1_698_364_800_000,
        handler=Handler(title="Chuyên viên", department="Một cửa"),
        applicant=Applicant(kind="CITIZEN", vneid_verified=True),
        attachments=(Attachment(id="F-1"), Attachment(id="F-2")),
        fees=(Fee(code="LP1", name="Lệ phí", amount_vnd=20_000),),
        procedure_code="1.004194",
    )
    found = minimised(EVENT)
    assert found.step == wanted
    assert (found.dossier.abstract, found.dossier.status, found.hub_seq) == (None, "RETURNED", 4)
    assert EVENT.step.note == "đã gọi bà Bình", "the record itself stays"


def test_a_person_sees_initials_where_something_is_set() -> None:
    found = minimised(EVENT, initials)
    assert found.step.handler == Handler(name="L** T** B**", title="Chuyên viên", department="Một cửa")
    assert found.step.applicant == Applicant(name="N** V** A**", identity_number="0**", vneid_verified=True)
    assert (found.step.remark, found.dossier.abstract) == (None, "Đ** c** ô** A**")


def test_the_values_to_look_for_in_an_answer() -> None:
    assert sorted(personal_values(EVENT)) == sorted(
        [
            "Lê Thị Bình",
            "đã gọi bà Bình",
            "Nguyễn Văn An",
            "060203004567",
            "Đơn của ông An.pdf",
            "https://x.test/an",
            "Đất của ông An",
        ]
    )


def test_a_record_without_marks_stays_as_it_is() -> None:
    change = ProcedureChange(
        procedure_code="1.004194", change="PUBLISHED", occurred_at=0, fees=(ProcedureFee(code="LP1"),), components=()
    )
    assert minimised(change) == change
    assert list(personal_values(change)) == []
