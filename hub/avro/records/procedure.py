"""Records of the family procedure. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from hub.avro.record import Int, Long, Record
from hub.avro.records.enums import ChangeKind


class ProcedureTimeLimit(Record, frozen=True, gc=False):
    """A time limit of a procedure by the way it is handed in (CACHTHUCTHUCHIEN.THOIGIAN)."""

    # KENH: 1 direct, 2 online, 3 by post; null: whatever the way
    channel: str | None = None
    # THOIGIANGIAIQUYET; null where it is told in words only
    time_limit: float | None = None
    # DONVITINH: Giờ, Ngày, Ngày làm việc, Tháng
    time_limit_unit: str | None = None
    # MOTA: which case it holds for
    note: str | None = None


class ProcedureFee(Record, frozen=True, gc=False):
    """A fee or charge of a procedure (PHILEPHI)."""

    # MAPHILEPHI
    code: str
    # KENH: 1 direct, 2 online, 3 by post; null: whatever the way
    channel: str | None = None
    # SOTIEN; null where it is told in words only
    amount_vnd: Long | None = None
    # DONVI: what the amount is for or in, as Đồng
    unit: str | None = None
    # MOTA: which case it holds for
    note: str | None = None


class ProcedureComponent(Record, frozen=True, gc=False):
    """A paper that must be handed in (THANHPHANHOSO.GIAYTO)."""

    # MAGIAYTO
    code: str
    # TENGIAYTO
    name: str | None = None
    # TRUONGHOP: the case in which it is needed
    case: str | None = None
    # SOBANCHINH: how many originals
    originals: Int | None = None
    # SOBANSAO: how many copies
    copies: Int | None = None
    # MA_KQ_THAYTHE: code of the result paper that may stand for it
    replaced_by: str | None = None


class ProcedureForm(Record, frozen=True, gc=False):
    """A form to be filled in (biểu mẫu) of a component."""

    # TENMAUDON or TENTEP
    name: str | None = None
    # MAGIAYTO of the paper that it is for
    component_code: str | None = None
    # URL of the file
    url: str | None = None
    # the form's version as its publisher names it; the national portal names none
    version: str | None = None
    # SHA-256 of the file, 64 hex digits; null where it was not fetched
    sha256: str | None = None


class ProcedureResult(Record, frozen=True, gc=False):
    """What the procedure ends with (KETQUATHUCHIEN)."""

    # MAKETQUA
    code: str
    # TENKETQUA
    name: str | None = None


class LegalBasis(Record, frozen=True, gc=False):
    """A document that the procedure rests on (CANCUPHAPLY)."""

    # SOVANBAN, as 15/2021/NĐ-CP
    number: str
    # TENVANBAN
    title: str | None = None
    # COQUANBANHANH
    issuer: str | None = None
    # NGAYBANHANH
    issued_on: Long | None = None
    # NGAYHIEULUC
    effective_on: Long | None = None
    # DIACHITRUYCAP
    url: str | None = None


class ProcedureChange(Record, frozen=True, gc=False):
    """What an agency publishes about an administrative procedure (TTHC)."""

    # MATTHC
    procedure_code: str
    # what happened
    change: ChangeKind
    # when
    occurred_at: Long
    # TENTTHC
    name: str | None = None
    # MACOQUANCONGBO
    agency_code: str | None = None
    # CAPTHUCHIEN
    authority_level: str | None = None
    # MALINHVUC
    field_code: str | None = None
    # TENLINHVUC
    field_name: str | None = None
    # THOIGIANGIAIQUYET
    time_limit: float | None = None
    # DONVITINH: Giờ, Ngày, Ngày làm việc, Tháng
    time_limit_unit: str | None = None
    # SOTIEN
    fee_vnd: Long | None = None
    # QUYETDINH: the decision that published it
    decision: str | None = None
    # NGAYHIEULUC
    effective_at: Long | None = None
    # CACHTHUCTHUCHIEN.THOIGIAN, all of them; time_limit is the first; null: not told, empty: there are none
    time_limits: tuple[ProcedureTimeLimit, ...] | None = None
    # PHILEPHI, all of them; fee_vnd is the first; null: not told, empty: there are none
    fees: tuple[ProcedureFee, ...] | None = None
    # THANHPHANHOSO: papers to hand in; null: not told, empty: there are none
    components: tuple[ProcedureComponent, ...] | None = None
    # biểu mẫu: forms to fill in; null: not told, empty: there are none
    forms: tuple[ProcedureForm, ...] | None = None
    # KETQUATHUCHIEN; null: not told, empty: there are none
    results: tuple[ProcedureResult, ...] | None = None
    # CANCUPHAPLY; null: not told, empty: there are none
    legal_bases: tuple[LegalBasis, ...] | None = None
    # TTHCLIENTHONG: procedures handled jointly with it, codes; null: not told, empty: there are none
    linked_procedures: tuple[str, ...] | None = None
    # TTHCLIENQUAN: related procedures, codes; null: not told, empty: there are none
    related_procedures: tuple[str, ...] | None = None


class Procedure(Record, frozen=True, gc=False):
    """A procedure as the hub knows it: the value of hub.procedures."""

    # MATTHC
    procedure_code: str
    # its version
    hub_seq: Long
    # TRANGTHAI = 1
    active: bool
    # time of the last change
    changed_at: Long
    # TENTTHC
    name: str | None = None
    # MACOQUANCONGBO
    agency_code: str | None = None
    # CAPTHUCHIEN
    authority_level: str | None = None
    # MALINHVUC
    field_code: str | None = None
    # TENLINHVUC
    field_name: str | None = None
    # THOIGIANGIAIQUYET
    time_limit: float | None = None
    # DONVITINH: Giờ, Ngày, Ngày làm việc, Tháng
    time_limit_unit: str | None = None
    # SOTIEN
    fee_vnd: Long | None = None
    # QUYETDINH: the decision that published it
    decision: str | None = None
    # NGAYHIEULUC
    effective_at: Long | None = None
    # CACHTHUCTHUCHIEN.THOIGIAN, all of them; time_limit is the first; null: not told, empty: there are none
    time_limits: tuple[ProcedureTimeLimit, ...] | None = None
    # PHILEPHI, all of them; fee_vnd is the first; null: not told, empty: there are none
    fees: tuple[ProcedureFee, ...] | None = None
    # THANHPHANHOSO: papers to hand in; null: not told, empty: there are none
    components: tuple[ProcedureComponent, ...] | None = None
    # biểu mẫu: forms to fill in; null: not told, empty: there are none
    forms: tuple[ProcedureForm, ...] | None = None
    # KETQUATHUCHIEN; null: not told, empty: there are none
    results: tuple[ProcedureResult, ...] | None = None
    # CANCUPHAPLY; null: not told, empty: there are none
    legal_bases: tuple[LegalBasis, ...] | None = None
    # TTHCLIENTHONG: procedures handled jointly with it, codes; null: not told, empty: there are none
    linked_procedures: tuple[str, ...] | None = None
    # TTHCLIENQUAN: related procedures, codes; null: not told, empty: there are none
    related_procedures: tuple[str, ...] | None = None
    # time of the last publication or withdrawal; null: only amended so far
    active_since: Long | None = None


class ProcedureEvent(Record, frozen=True, gc=False, kw_only=True):
    """A canonical procedure event in hub.events."""

    # number of this event
    hub_seq: Long
    # as in DossierEvent
    late: bool = False
    # as published, normalised
    change: ProcedureChange
    # the state after it
    procedure: Procedure
