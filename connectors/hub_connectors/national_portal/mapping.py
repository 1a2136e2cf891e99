"""A dossier and its steps in the portal's words: DongBoHoSoMC and CapNhatTienDoHoSoMC (docs/field/packets.md).

Values longer than the portal takes are cut, and the cut is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.avro.records import Applicant, Attachment, Dossier, DossierEvent, DossierStep, Fee, Handler
from hub.errors import Rejected
from hub.untyped import JsonObject
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.wire import WORDS, fit, length, text, wire_time

Wire = JsonObject
"""A body in the portal's own names."""

_NOBODY, _NO_HANDLER = Applicant(), Handler()
"""Where nobody told."""


class WireMapping:
    """One call's mapping; `cuts` collects what had to be cut, as "TrichYeuHoSo 1500>1000"."""

    def __init__(self, settings: NationalPortalSettings) -> None:
        self._settings = settings
        self._status: dict[str, str] = {**WORDS["status"], **settings.status_codes}
        self._kinds: dict[str, str] = {**WORDS["applicant_kind"], **settings.applicant_kinds}
        self._channels: dict[str, str] = {**WORDS["channel"], **settings.channels}
        self._payments: dict[str, str] = {**WORDS["online_payment"], **settings.payment_codes}
        self._texts: dict[str, str] = {**WORDS["step_text"], **settings.step_texts}
        self.cuts: list[str] = []

    def status(self, word: str) -> str:
        """TrangThaiHoSo; Rejected (`status`) for a status that has no code."""
        code = self._status.get(word)
        if code is None:
            raise Rejected("status", f"status {word} has no TrangThaiHoSo; set settings.status_codes.{word}")
        return code

    def dossier(self, dossier: Dossier, steps: Sequence[DossierStep] = ()) -> Wire:
        """One entry of DongBoHoSoMC.data: the 27 fields of QCVN 120 table 2, then the later additions.

        steps: the steps of this delivery; requests and answers for supplements among them become DanhSachHoSoBoSung.
        Without any the (optional) list is left out, for the dossier's state does not know of earlier ones.
        """
        who = dossier.applicant or _NOBODY
        wire: Wire = {
            "MaHoSo": dossier.dossier_code,
            "MaTTHC": text(dossier.procedure_code),
            "TenTTHC": text(dossier.procedure_name),
            "MaLinhVuc": text(dossier.field_code),
            "TenLinhVuc": text(dossier.field_name),
            "ChuHoSo": text(who.name),
            "LoaiDoiTuong": self._kinds[who.kind],
            "MaDoiTuong": text(who.national_account),
            "ThongTinKhac": text(who.other),
            "Email": text(who.email),
            "Fax": text(who.fax),
            "SoDienThoai": text(who.phone),
            "TrichYeuHoSo": text(dossier.abstract),
            "NgayTiepNhan": wire_time(dossier.received_at),
            "NgayHenTra": wire_time(dossier.due_at),
            "TrangThaiHoSo": self.status(dossier.status),
            "NgayTra": wire_time(dossier.returned_at),
            "ThongTinTra": text(dossier.return_note),
            "HinhThuc": by_post(dossier, self._settings.by_post_tells),
            "NgayKetThucXuLy": wire_time(dossier.finished_at),
            "DonViXuLy": text(dossier.agency_name or dossier.agency_code),
            "GhiChu": text(dossier.remark),
            "TaiLieuNop": [self._submitted(file) for file in dossier.attachments if not file.result],
            "DanhSachLePhi": [_fee(fee) for fee in dossier.fees],
            "DanhSachTepDinhKemKhac": [],
            "DanhSachGiayToKetQua": [_result(file) for file in dossier.attachments if file.result],
        }
        if dossier.receipt_number:  # not among the 27 of QCVN 120
            wire["SoBienNhan"] = dossier.receipt_number
        if supplements := self._supplements(steps):
            wire["DanhSachHoSoBoSung"] = supplements
        if self._settings.later_additions:
            wire.update(self._later(dossier, who))
        return self._cut(wire)

    def _later(self, dossier: Dossier, who: Applicant) -> Wire:
        refused = dossier.status == "NOT_ACCEPTED"
        # Papers handed back without a result: the state no longer tells whether they were refused, so the date that
        # was sent with the refusal is not emptied.
        handed_back = dossier.status == "RETURNED" and dossier.finished_at is None
        number = text(who.identity_number)
        kind = {12: "1", 9: "2"}.get(len(number)) if number.isdigit() and who.kind == "CITIZEN" else None
        paid = text(dossier.online_payment)
        told = {
            "NgayNopHoSo": wire_time(dossier.submitted_at),
            "TaiKhoanDuocXacThucVoiVNeID": _flag(who.vneid_verified),
            "DuocThanhToanTrucTuyen": self._payments.get(paid, paid),
        }
        return {
            "KenhThucHien": self._channels[dossier.channel or "DIRECT"],
            "NoiNopHoSo": WORDS["filed_at"].get(text(dossier.filed_at_portal), self._settings.filed_at),
            "HoSoCoThanhPhanSoHoa": "1" if any(f.url and not f.result for f in dossier.attachments) else "0",
            **({} if handed_back else {"NgayTuChoi": wire_time(dossier.status_at) if refused else ""}),
            "SoGiayToChuHoSo": number,
            "DinhDanhCHS": [{"LoaiDinhDanh": kind, "SoDinhDanh": number}] if kind else [],
            # Left out where nobody told: an empty value might be read as "no", and costs points (QĐ 766).
            **{name: value for name, value in told.items() if value or self._settings.untold == "empty"},
        }

    def _supplements(self, steps: Sequence[DossierStep]) -> list[Wire]:
        """Requests in order; an answer fills the last open request, or stands alone if that came earlier.

        NgayHenTraMoi is the appointment told with the request or, later, with the answer; NgayHenTraTruoc the one that
        a step before it told.
        """
        found: list[Wire] = []
        before = ""
        for step in steps:
            if step.step == "SUPPLEMENT_REQUESTED":
                handler = step.handler or _NO_HANDLER
                found.append(
                    _supplement(
                        step,
                        NguoiYeuCauBoSung=text(handler.name),
                        NoiDungBoSung=text(step.note),
                        NgayBoSung=wire_time(step.occurred_at),
                        TrangThaiBoSung=self._settings.supplement_requested,
                        NgayHenTraTruoc=before,
                        NgayHenTraMoi=wire_time(step.due_at),
                    )
                )
            elif step.step == "SUPPLEMENT_GIVEN":
                if not found or found[-1]["NgayTiepNhanBoSung"]:
                    found.append(_supplement(step, NgayHenTraTruoc=before))
                handler = step.handler or _NO_HANDLER
                found[-1].update(
                    NguoiTiepNhanBoSung=text(handler.name),
                    ThongTinTiepNhan=text(step.note),
                    NgayTiepNhanBoSung=wire_time(step.occurred_at),
                    TrangThaiBoSung=self._settings.supplement_given,
                    NgayHenTraMoi=wire_time(step.due_at) or found[-1]["NgayHenTraMoi"],
                )
            before = wire_time(step.due_at) or before
        return found

    def answers(self, dossier: Dossier, steps: Sequence[DossierStep]) -> list[Wire]:
        """DongBoTrangThaiHoSo.data of each step that answers the portal (docs/field/packets.md), for a dossier that was
        filed there; none for any other. MaHoSoDonVi: the hub knows a dossier by one code only."""
        if not self._settings.answer_back or dossier.filed_at_portal != "national":
            return []
        codes = {**WORDS["answer"], **self._settings.answer_codes}
        who = dossier.applicant or _NOBODY
        return [
            {
                "MaHoSo": dossier.dossier_code,
                "MaHoSoDonVi": dossier.dossier_code,
                "MaDoiTuong": text(who.national_account),
                "NoiDung": text(step.note) or self._texts[step.step],
                "NgayXuLy": wire_time(step.occurred_at),
                "TaiLieuXuLy": [],
                "TrangThai": codes[step.step],
            }
            for step in steps
            if step.step in codes
        ]

    def lines(self, events: Sequence[DossierEvent]) -> list[Wire]:
        """A line for each event, but those whose step has none by setting."""
        return [self.line(event) for event in events if self.has_line(event)]

    def has_line(self, event: DossierEvent) -> bool:
        return event.step.step not in self._settings.no_line_for

    def line(self, event: DossierEvent) -> Wire:
        """One entry of CapNhatTienDoHoSoMC.data: the nine fields, of one event; a line for each event.

        NguoiXuLy is required: without a handler's name his department, then the agency, stands in.
        """
        step, dossier = event.step, event.dossier
        handler = step.handler or _NO_HANDLER
        agency = dossier.agency_name or dossier.agency_code
        return self._cut(
            {
                "MaHoSo": dossier.dossier_code,
                "NguoiXuLy": text(handler.name or handler.department or agency),
                "ChucDanh": text(handler.title),
                "ThoiDiemXuLy": wire_time(step.occurred_at),
                "PhongBanXuLy": text(handler.department),
                "NoiDungXuLy": text(step.note) or self._texts.get(step.step, ""),
                "TrangThai": self.status(event.status),
                "NgayBatDau": wire_time(step.step_started_at),
                "NgayKetThucTheoQuyDinh": wire_time(step.step_due_at),
            }
        )

    def _submitted(self, file: Attachment) -> Wire:
        told = file.digitised is not None or self._settings.untold == "empty"
        return {
            "TepDinhKemId": file.id,
            "TenTepDinhKem": text(file.name),
            "IsDeleted": "False",
            "MaThanhPhanHoSo": text(file.component_code),
            "DuongDanTaiTepTin": text(file.url),
            **({"DuocSoHoa": _flag(file.digitised)} if told else {}),
        }

    def _cut(self, wire: Wire) -> Wire:
        """Rejected (`limit`) where too long text is not cut."""
        utf16 = self._settings.limit_units == "utf16"
        for name, limit in (WORDS["limits"] | self._settings.limits).items():
            value = wire.get(name, "")
            if not isinstance(value, str) or (given := length(value, utf16)) <= limit:
                continue
            if self._settings.too_long == "refuse":
                raise Rejected("limit", f"{name} has {given} characters, the portal takes {limit}")
            wire[name] = fit(value, limit, utf16)
            cut = f"{name} {given}>{limit}"
            if cut not in self.cuts:
                self.cuts.append(cut)
        return wire


def by_post(dossier: Dossier, tells: str = "return") -> str:
    """HinhThuc: how the result goes back, or, where nobody told (or tells is `filing`), how the dossier came."""
    told = dossier.return_by_post if tells == "return" else None
    return str(WORDS["by_post"][dossier.channel or "DIRECT"]) if told is None else _flag(told)


def _flag(value: bool | None) -> str:
    return "" if value is None else "1" if value else "0"


def _result(file: Attachment) -> Wire:
    return {
        "TenGiayTo": text(file.name),
        "MaThanhPhanHoSo": text(file.component_code),
        "GiayToId": file.id,
        "DuongDanTepTinKetQua": text(file.url),
    }


def _fee(fee: Fee) -> Wire:
    return {
        "TenPhiLePhi": fee.name,
        "MaPhiLePhi": fee.code,
        "HinhThucThu": text(fee.collection),
        "Gia": str(fee.amount_vnd),
        "LoaiPhiLePhi": text(fee.kind),
    }


_SUPPLEMENT_FIELDS = (
    "NguoiYeuCauBoSung", "NoiDungBoSung", "NgayBoSung", "NguoiTiepNhanBoSung", "ThongTinTiepNhan",
    "NgayTiepNhanBoSung", "TrangThaiBoSung", "NgayHenTraTruoc", "NgayHenTraMoi",
)  # fmt: skip


def _supplement(step: DossierStep, **known: str) -> Wire:
    """An entry of DanhSachHoSoBoSung; its id is the code and the moment, so that a repeated delivery makes the same."""
    wire: Wire = {"HoSoBoSungId": f"{step.dossier_code}.{wire_time(step.occurred_at)}"}
    wire.update(dict.fromkeys(_SUPPLEMENT_FIELDS, ""), DanhSachGiayToBoSung=[], DanhSachLePhiBoSung=[])
    wire.update(known)
    return wire
