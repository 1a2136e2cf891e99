"""Dossiers: each kind of step and each field; late, corrected and reversed steps."""

from __future__ import annotations

from typing import Any

from tests.frozen.inputs import singles, step

APPLICANT = {"name": "Nguyễn Văn An", "kind": "CITIZEN", "identity_number": "001088000001", "phone": "0912000001"}
FORM = {"id": "f1", "name": "Đơn đề nghị.pdf", "component_code": "TP01", "url": "https://h11.vn/f1", "result": False}
RESULT = {"id": "k1", "name": "Giấy phép.pdf", "url": "https://h11.vn/k1", "result": True, "digitised": True}
FEE = {"code": "LP01", "name": "Lệ phí cấp phép", "amount_vnd": 75_000, "paid": False, "kind": "2", "collection": "1"}
OTHER = "H11.12-260105-0002"


def _life() -> list[dict[str, Any]]:
    return [
        step("SUBMITTED", "2026-01-05 07:40", channel="ONLINE", applicant=APPLICANT, attachments=[FORM],
             submitted_at="2026-01-05 07:40", procedure_code="1.004194", _time="2026-01-05T00:40:00Z"),
        step("RECEIVED", "2026-01-05 08:00", agency_code="000.00.12.H11", due_at="2026-01-26 17:00",
             receipt_number="BN-0001", abstract="Cấp giấy phép xây dựng nhà ở riêng lẻ"),
        step("IN_PROCESS", "2026-01-06 09:00", note="Thẩm định hồ sơ",
             handler={"name": "Trần Thị Bình", "title": "Chuyên viên", "department": "Phòng Quản lý xây dựng"},
             step_started_at="2026-01-06 09:00", step_due_at="2026-01-08 17:00"),
        step("TRANSFERRED", "2026-01-08 10:00", transferred_to="H11.05", step_due_at="2026-01-13 17:00"),
        step("IN_PROCESS", "2026-01-09 08:00", note="Lấy ý kiến"),
        step("TRANSFERRED", "2026-01-12 15:00", transferred_to="H11.12"),
        step("SUPPLEMENT_REQUESTED", "2026-01-13 08:00", note="Thiếu bản vẽ"),
        step("SUPPLEMENT_GIVEN", "2026-01-15 08:00", attachments=[FORM | {"id": "f2", "name": "Bản vẽ.pdf"}]),
        step("PAYMENT_REQUESTED", "2026-01-16 08:00", fees=[FEE]),
        step("PAYMENT_MADE", "2026-01-16 14:00", fees=[FEE | {"paid": True}], online_payment=1),
        step("RESCHEDULED", "2026-01-26 09:00", due_at="2026-01-28 17:00", note="Phiếu xin lỗi số 12"),
        step("FINISHED", "2026-01-28 15:00", finished_at="2026-01-28 15:00", attachments=[RESULT]),
        step("RETURNED", "2026-01-29 08:30", returned_at="2026-01-29 08:30", return_by_post=False),
        step("RATED", "2026-01-30 20:00", rating=5, note="Hài lòng"),
    ]  # fmt: skip


def _reversed() -> list[dict[str, Any]]:
    """With the ids that they have in order."""
    return [event | {"_id": f"e{number}"} for number, event in enumerate(_life())][::-1]


def _every_field() -> dict[str, Any]:
    return step(
        "IN_PROCESS", "2026-01-06 09:00:00.125",
        handler={"name": "  Trần Thị Bi\u0300nh ", "title": " ", "department": "Phòng QLXD"},
        note="Tie\u0302\u0301p nha\u0323\u0302n", rating=4, procedure_code="1.004194.000.00.00.H11",
        procedure_name="Cấp giấy phép", field_code="G09", field_name="Hoạt động xây dựng",
        agency_code="000.00.12.H11", receiving_agency_code="h11.12.01", agency_name="Sở Xây dựng",
        applicant={"name": "Công ty TNHH Hạ Long", "kind": "BUSINESS", "identity_number": "5700000001",
                   "national_account": "VNID-1", "address": "Số 1, phường Hồng Gai", "email": "a@example.vn",
                   "phone": "0203000001", "fax": "0203000002", "other": "", "vneid_verified": True},
        abstract="Nhà máy", channel="POST", received_at="2026-01-05 08:00", due_at="2026-02-02 17:00",
        finished_at="2026-01-30 10:00", returned_at="2026-02-02 10:00", submitted_at="2026-01-04 21:00",
        attachments=[FORM | {"digitised": False}, RESULT], fees=[FEE], receipt_number="BN-9", filed_at_portal="dvc.h11",
        return_by_post=True, return_note="Gửi bưu điện", remark="Ghi chú", online_payment=2,
        step_started_at="2026-01-06 08:00", step_due_at="2026-01-07 17:00", parent_code=OTHER,
    )  # fmt: skip


_RATED_FIRST = [step("RATED", "2026-01-05 08:00", rating=3), step("RESCHEDULED", "2026-01-06 08:00",
                due_at="2026-01-20 17:00"), step("RECEIVED", "2026-01-05 07:00")]  # fmt: skip

CASES: dict[str, dict[str, Any]] = {
    "life": {"about": "a dossier from filing to rating, a chunk each", "chunks": singles(*_life())},
    "life_one_chunk": {"about": "the same in one chunk", "chunks": [_life()], "brief": True},
    "life_reversed": {"about": "the same, arriving in reverse order", "chunks": singles(*_reversed()), "brief": True},
    "other_ends": {
        "about": "refused, withdrawn, stopped, and what may follow",
        "chunks": [
            [step("SUBMITTED", "2026-01-05 08:00", "H11.12-260105-0003"),
             step("NOT_ACCEPTED", "2026-01-05 14:00", "H11.12-260105-0003", remark="Không thuộc thẩm quyền")],
            [step("RECEIVED", "2026-01-05 08:00", "H11.12-260105-0004"),
             step("WITHDRAWN", "2026-01-06 08:00", "H11.12-260105-0004"),
             step("STOPPED", "2026-01-06 09:00", "H11.12-260105-0004"),
             step("RETURNED", "2026-01-07 09:00", "H11.12-260105-0004")],
        ],
    },
    "every_field": {
        "about": "all fields told; text not in NFC, blanks, agency codes of the old form and in small letters",
        "chunks": [[_every_field()]],
    },
    "first_contact": {"about": "met by a rating, then a new date, then its receipt", "chunks": singles(*_RATED_FIRST)},
    "late": {
        "about": "late steps fill what is empty and mend what is older, never undo what is newer",
        "chunks": singles(
            step("RECEIVED", "2026-01-05 08:00", applicant=APPLICANT, remark="một", abstract="một"),
            step("FINISHED", "2026-01-09 16:00", remark="hai", attachments=[RESULT], fees=[FEE | {"paid": True}]),
            step("IN_PROCESS", "2026-01-06 09:00", remark="ba", abstract="ba", agency_name="Sở Xây dựng",
                 applicant={"phone": "0912999999", "email": "an@example.vn"},
                 attachments=[RESULT | {"name": "Bản cũ.pdf"}, FORM], fees=[FEE, FEE | {"code": "LP02"}]),
            step("SUBMITTED", "2026-01-04 20:00", channel="ONLINE", submitted_at="2026-01-04 20:00"),
        ),
    },
    "same_time": {
        "about": "steps of one and the same millisecond are ranked by kind, then by id; of one kind none is late",
        "chunks": [
            [
                step(kind, "2026-01-05 08:00", remark=kind)
                for kind in ("FINISHED", "RECEIVED", "IN_PROCESS", "IN_PROCESS", "SUBMITTED")
            ],
            [step("IN_PROCESS", "2026-01-05 08:00", OTHER, remark=f"{n}", _id=f"same{n}") for n in range(4)],
        ],
    },
    "beyond_history": {
        "about": "a step older than the oldest of two kept is late and changes no status",
        "settings": {"core": {"keep_steps": 2}},
        "chunks": singles(
            step("RECEIVED", "2026-01-05 08:00"), step("IN_PROCESS", "2026-01-06 08:00"),
            step("IN_PROCESS", "2026-01-07 08:00"), step("IN_PROCESS", "2026-01-08 08:00"),
            step("SUBMITTED", "2026-01-04 08:00", channel="POST"),
        ),
    },
    "correction": {
        "about": "a result booked by mistake is turned back, then booked again; late steps before and after it",
        "chunks": singles(
            step("RECEIVED", "2026-01-05 08:00"), step("FINISHED", "2026-01-07 08:00"),
            step("RETURNED", "2026-01-07 09:00"), step("IN_PROCESS", "2026-01-08 10:00"),
            step("IN_PROCESS", "2026-01-07 15:00", correction=True),
            step("IN_PROCESS", "2026-01-08 10:00", _door="replay", _id="e3"),
            step("SUPPLEMENT_REQUESTED", "2026-01-06 08:00"), step("FINISHED", "2026-01-12 08:00"),
        ),
    },
    "correction_to_received": {
        "about": "a joint agency's receipt, then a correction back to the counter: when the joint receipt has dropped "
        "out of the kept history, the corrected one is the date of receipt (the whole way; the short way leaves null)",
        "settings": {"core": {"keep_steps": 3}},
        "chunks": [
            *singles(step("IN_PROCESS", "2026-01-05 08:00"), step("RECEIVED", "2026-01-05 09:00"),
                     step("RECEIVED", "2026-01-06 08:00", correction=True)),
            [step("IN_PROCESS", f"2026-01-07 0{hour}:00") for hour in range(1, 5)],
        ],
    },
    "correction_to_received_of_a_file": {
        "about": "the same from a file, whose records have no authid: a chunk each, read from stored state",
        "settings": {"core": {"keep_steps": 3}},
        "chunks": singles(*(event | {"_door": "file", "_time": "2026-01-05T01:00:00.000Z"} for event in (
            step("IN_PROCESS", "2026-01-05 08:00"), step("RECEIVED", "2026-01-05 09:00"),
            step("RECEIVED", "2026-01-06 08:00", correction=True),
            *(step("IN_PROCESS", f"2026-01-07 0{hour}:00") for hour in range(1, 5)),
        ))),
    },
}  # fmt: skip
