"""Records of the family dossier. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from typing import ClassVar

from hub.avro.record import Int, Long, Record
from hub.avro.records.enums import ApplicantKind, Channel, DeadlineKind, DossierStatus, StepKind


class Handler(Record, frozen=True, gc=False):
    """Who did the step."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"name"})

    # NguoiXuLy, at most 50 characters at the national portal
    name: str | None = None
    # ChucDanh
    title: str | None = None
    # PhongBanXuLy
    department: str | None = None


class Applicant(Record, frozen=True, gc=False):
    """The dossier's owner (chủ hồ sơ)."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset(
        {"address", "email", "fax", "identity_number", "name", "national_account", "other", "phone"}
    )

    # ChuHoSo
    name: str | None = None
    # LoaiDoiTuong
    kind: ApplicantKind = "CITIZEN"
    # SoDinhDanh: CCCD of 12 digits, CMND of 9, or enterprise code
    identity_number: str | None = None
    # MaDoiTuong: TechID of the person on the national portal
    national_account: str | None = None
    # Địa chỉ
    address: str | None = None
    # Email
    email: str | None = None
    # SoDienThoai
    phone: str | None = None
    # Fax
    fax: str | None = None
    # ThongTinKhac
    other: str | None = None
    # TaiKhoanDuocXacThucVoiVNeID: the account was verified with VNeID
    vneid_verified: bool | None = None


class Attachment(Record, frozen=True, gc=False):
    """A file or result paper; files travel as links."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"name", "url"})

    # TepDinhKemId or GiayToId
    id: str
    # TenTepDinhKem or TenGiayTo; null where personal data is withheld
    name: str | None = None
    # MaThanhPhanHoSo
    component_code: str | None = None
    # DuongDanTaiTepTin
    url: str | None = None
    # true: a result paper (DanhSachGiayToKetQua), false: submitted (TaiLieuNop)
    result: bool = False
    # DuocSoHoa: the paper was scanned at the counter (QĐ 766 score)
    digitised: bool | None = None


class Fee(Record, frozen=True, gc=False):
    """A fee or charge (phí, lệ phí)."""

    # MaPhiLePhi
    code: str
    # TenPhiLePhi
    name: str
    # Gia, in đồng
    amount_vnd: Long
    # paid already
    paid: bool = False
    # LoaiPhiLePhi: fee or charge, in the source's own code
    kind: str | None = None
    # HinhThucThu: how it is collected, in the source's own code
    collection: str | None = None


class DossierStep(Record, frozen=True, gc=False):
    """What an agency publishes: one step of one dossier, with the facts it knows. Facts left null keep what is
    known.
    """

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"abstract", "note", "remark", "return_note"})

    # MaHoSo, as 000.00.06.H56-231027-0361
    dossier_code: str
    # what happened
    step: StepKind
    # ThoiDiemXuLy: when it happened
    occurred_at: Long
    # true: this step deliberately turns the dossier back (đính chính)
    correction: bool = False
    # người xử lý
    handler: Handler | None = None
    # NoiDungXuLy
    note: str | None = None
    # agency code, with step TRANSFERRED
    transferred_to: str | None = None
    # 1 to 5, with step RATED
    rating: Int | None = None
    # MaTTHC, as 1.004194 or 1.001612.000.00.00.H48
    procedure_code: str | None = None
    # TenTTHC
    procedure_name: str | None = None
    # MaLinhVuc, as G03-GD10
    field_code: str | None = None
    # TenLinhVuc
    field_name: str | None = None
    # the competent agency (cơ quan giải quyết), in either form, as H11.12 or 000.00.12.H11
    agency_code: str | None = None
    # where it was handed in (nơi tiếp nhận), may differ since 1 July 2025
    receiving_agency_code: str | None = None
    # DonViXuLy
    agency_name: str | None = None
    # chủ hồ sơ
    applicant: Applicant | None = None
    # TrichYeuHoSo, at most 1000 characters at the national portal
    abstract: str | None = None
    # KenhThucHien
    channel: Channel | None = None
    # NgayTiepNhan
    received_at: Long | None = None
    # NgayHenTra
    due_at: Long | None = None
    # NgayKetThucXuLy
    finished_at: Long | None = None
    # NgayTra
    returned_at: Long | None = None
    # TaiLieuNop and DanhSachGiayToKetQua
    attachments: tuple[Attachment, ...] = ()
    # DanhSachLePhi
    fees: tuple[Fee, ...] = ()
    # NgayNopHoSo: when the applicant filed it, before it was received
    submitted_at: Long | None = None
    # SoBienNhan: number of the paper handed to the applicant
    receipt_number: str | None = None
    # NoiNopHoSo: where it was filed online, national or provincial; null when not online
    filed_at_portal: str | None = None
    # HinhThuc: how the result goes back, false 0 direct, true 1 post
    return_by_post: bool | None = None
    # ThongTinTra: to whom or how the result was returned
    return_note: str | None = None
    # GhiChu; the national portal refuses more than 2000 characters
    remark: str | None = None
    # DuocThanhToanTrucTuyen: 0 none, 1 paid on the national portal, 2 through the local gateway, 3 not online
    online_payment: Int | None = None
    # NgayBatDau: when the department began this step
    step_started_at: Long | None = None
    # NgayKetThucTheoQuyDinh: when this step ought to end
    step_due_at: Long | None = None
    # with step TRANSFERRED: the time limit of the agency that it is passed on to, if no step_due_at is told
    transfer_limit: float | None = None
    # DONVITINH of transfer_limit: Giờ, Ngày, Ngày làm việc, Tháng
    transfer_limit_unit: str | None = None
    # MaHoSo of the dossier that this one is a part of (hồ sơ liên thông)
    parent_code: str | None = None


class Dossier(Record, frozen=True, gc=False):
    """A dossier as the hub knows it after its step number hub_seq: the current state, the value of hub.dossiers."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"abstract", "remark", "return_note"})

    # MaHoSo
    dossier_code: str
    # number of the dossier's last event, 1, 2, 3 …; its version
    hub_seq: Long
    # TrangThaiHoSo
    status: DossierStatus
    # when it took this status
    status_at: Long
    # MaTTHC, as 1.004194 or 1.001612.000.00.00.H48
    procedure_code: str | None = None
    # TenTTHC
    procedure_name: str | None = None
    # MaLinhVuc, as G03-GD10
    field_code: str | None = None
    # TenLinhVuc
    field_name: str | None = None
    # the competent agency (cơ quan giải quyết), in either form, as H11.12 or 000.00.12.H11
    agency_code: str | None = None
    # where it was handed in (nơi tiếp nhận), may differ since 1 July 2025
    receiving_agency_code: str | None = None
    # DonViXuLy
    agency_name: str | None = None
    # chủ hồ sơ
    applicant: Applicant | None = None
    # TrichYeuHoSo, at most 1000 characters at the national portal
    abstract: str | None = None
    # KenhThucHien
    channel: Channel | None = None
    # NgayTiepNhan
    received_at: Long | None = None
    # NgayHenTra
    due_at: Long | None = None
    # NgayKetThucXuLy
    finished_at: Long | None = None
    # NgayTra
    returned_at: Long | None = None
    # TaiLieuNop and DanhSachGiayToKetQua
    attachments: tuple[Attachment, ...] = ()
    # DanhSachLePhi
    fees: tuple[Fee, ...] = ()
    # who works on it now, after transfers (liên thông)
    holder_agency_code: str | None = None
    # NgayNopHoSo: when the applicant filed it, before it was received
    submitted_at: Long | None = None
    # SoBienNhan: number of the paper handed to the applicant
    receipt_number: str | None = None
    # NoiNopHoSo: where it was filed online, national or provincial; null when not online
    filed_at_portal: str | None = None
    # HinhThuc: how the result goes back, false 0 direct, true 1 post
    return_by_post: bool | None = None
    # ThongTinTra: to whom or how the result was returned
    return_note: str | None = None
    # GhiChu; the national portal refuses more than 2000 characters
    remark: str | None = None
    # DuocThanhToanTrucTuyen: 0 none, 1 paid on the national portal, 2 through the local gateway, 3 not online
    online_payment: Int | None = None
    # MaHoSo of the dossier that this one is a part of (hồ sơ liên thông)
    parent_code: str | None = None
    # when it was passed on to the agency that holds it now
    holder_since: Long | None = None
    # NgayKetThucTheoQuyDinh of that transfer: when the holder ought to be done
    holder_due_at: Long | None = None
    # true: nobody told NgayTiepNhan, received_at is the time of the step RECEIVED; null: it was told, or is not known
    received_at_derived: bool | None = None
    # true: nobody told NgayHenTra, due_at follows from the procedure's time limit; null: it was told, or is not known
    due_at_derived: bool | None = None


class DossierEvent(Record, frozen=True, gc=False, kw_only=True):
    """A canonical dossier event, the value in hub.events: the step, and the dossier as it stands after it."""

    # number of this event in its dossier
    hub_seq: Long
    # true: it happened before a step already known and does not turn the state back
    late: bool = False
    # the status that this step gave, at its own time
    status: DossierStatus
    # as published, normalised
    step: DossierStep
    # the state after this event
    dossier: Dossier


class DossierDeadline(Record, frozen=True, gc=False):
    """A dossier's deadline is near or over (sắp đến hạn, đến hạn); in hub.ingress the clock's question whether to
    tell it.
    """

    # MaHoSo
    dossier_code: str
    # near (WARNING) or over (DUE); TRANSFER_…: the date of the agency that holds the dossier
    kind: DeadlineKind
    # the moment it tells of: that of the warning, or the deadline itself
    occurred_at: Long
    # NgayHenTra as the agency gave it; with TRANSFER_… the holder's date (NgayKetThucTheoQuyDinh)
    due_at: Long
    # the deadline that holds: NgayHenTra and what was waited for supplements and payments since it was given; with
    # TRANSFER_… as due_at
    deadline_at: Long


class DossierDeadlineEvent(Record, frozen=True, gc=False):
    """A canonical event of the hub's own clock, in hub.events: a deadline is near or over, and the dossier as it
    stands.
    """

    # number of this event in its dossier
    hub_seq: Long
    # which deadline, and what of it
    deadline: DossierDeadline
    # the state after this event
    dossier: Dossier
