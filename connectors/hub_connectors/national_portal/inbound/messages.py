"""What the national portal sends, as steps of a dossier (docs/field/packets.md#inbound).

Which names the inbound messages use is not published; those of the outbound ones are taken (setting `field_names`),
and more than one name for a moment is tried. Errors are BadRecord with the wire's own field name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from msgspec import structs

from hub.avro.records import Applicant, ApplicantKind, Attachment, DossierStep
from hub.connect.source import Incoming
from hub.errors import BadRecord
from hub.events import families
from hub.events.envelope import ORIGIN, Envelope, derived_id
from hub.model import codes
from hub.model.times import utc_text
from hub_connectors.national_portal.catalogue.cursor import digest
from hub_connectors.national_portal.catalogue.values import Row, day, rows, text
from hub_connectors.national_portal.names import Names
from hub_connectors.national_portal.portal import PORTAL

_FILED = ("NgayNopHoSo", "NgayTiepNhan", "NgayGui")
_SUPPLEMENTED = ("NgayBoSung", "NgayTiepNhanBoSung", "NgayGui")
_NOTICED = ("NGAY_TB", "NGAY_LAP", "NGAY_TBAO")
_LARGEST_XML = 1_000_000


def entries(body: Mapping[str, Any]) -> list[Row]:
    """`data`, one object or a list of them. BadRecord when there is none."""
    found = list(rows(body.get("data")))
    if not found:
        raise BadRecord("missing_field", "data: holds no dossier", "data")
    return found


def filed(entry: Row, now_ms: int, kinds: Mapping[ApplicantKind, str]) -> DossierStep:
    """addtthcKhuyenMai: a dossier filed on the portal. kinds: hub kind -> LoaiDoiTuong."""
    at = _moment(entry, _FILED, now_ms)
    return DossierStep(
        dossier_code=_code(entry.get("MaHoSo"), "MaHoSo"),
        step="SUBMITTED",
        occurred_at=at,
        submitted_at=at,
        channel="ONLINE",
        filed_at_portal="national",
        procedure_code=_procedure(entry),
        procedure_name=text(entry.get("TenTTHC")),
        field_code=text(entry.get("MaLinhVuc")),
        field_name=text(entry.get("TenLinhVuc")),
        agency_name=text(entry.get("DonViXuLy")),
        abstract=text(entry.get("TrichYeuHoSo")),
        remark=text(entry.get("GhiChu")),
        applicant=_who(entry, {code: kind for kind, code in kinds.items()}),
        attachments=_files(entry),
    )


def supplement(entry: Row, now_ms: int) -> DossierStep:
    """nhanhsdvcqg: papers that the agency had asked for."""
    return DossierStep(
        dossier_code=_code(entry.get("MaHoSo"), "MaHoSo"),
        step="SUPPLEMENT_GIVEN",
        occurred_at=_moment(entry, _SUPPLEMENTED, now_ms),
        note=text(entry.get("NoiDungBoSung")),
        attachments=_files(entry),
    )


def tax_notice(body: Mapping[str, Any], now_ms: int, names: Names) -> DossierStep:
    """nhantbthuedvcqg: a tax notice, base64 of an XML that names its dossier in MA_HSO. names: of its elements."""
    found = names.back("nhantbthuedvcqg", _xml(body))
    return DossierStep(
        dossier_code=_code(found.get("MA_HSO"), "MA_HSO"),
        step="PAYMENT_REQUESTED",
        occurred_at=_moment(found, _NOTICED, now_ms),
        note="Thông báo thuế",
    )


def event(source: str, service: str, reference: str, sent: Any, step: DossierStep) -> Incoming:
    """The event of a message: its id from refId, or without one from what was sent: the same again, the same id."""
    envelope = Envelope(
        id=derived_id(source, service, step.dossier_code, reference or digest(sent)),
        source=source,
        type=families.DOSSIER.published,
        subject=step.dossier_code,
        time=utc_text(step.occurred_at),
        extensions={ORIGIN: PORTAL},
    )
    return Incoming(envelope, step)


def _code(value: Any, field: str) -> str:
    code = text(value)
    if code is None:
        raise BadRecord("missing_field", f"{field}: is empty", field)
    codes.dossier(code, field)
    return code


def _procedure(entry: Row) -> str | None:
    code = text(entry.get("MaTTHC"))
    return codes.procedure(code, "MaTTHC") if code else None


def _moment(entry: Row, names: tuple[str, ...], now_ms: int) -> int:
    """The first of these fields that is filled; now, if none is."""
    for name in names:
        if given := text(entry.get(name)):
            at = day(given)
            if at is None:
                raise BadRecord("date", f"{name}: must be yyyyMMddHHmmss; got {given[:40]!r}", name)
            return at
    return now_ms


def _who(entry: Row, kinds: Mapping[str, ApplicantKind]) -> Applicant | None:
    """None: nothing is told of them."""
    kind = text(entry.get("LoaiDoiTuong"))
    if kind and kind not in kinds:
        raise BadRecord("status", f"LoaiDoiTuong: must be one of {', '.join(kinds)}; got {kind[:20]!r}", "LoaiDoiTuong")
    who = Applicant(
        name=text(entry.get("ChuHoSo")),
        national_account=text(entry.get("MaDoiTuong")),
        identity_number=text(entry.get("SoGiayToChuHoSo")),
        email=text(entry.get("Email")),
        phone=text(entry.get("SoDienThoai")),
        fax=text(entry.get("Fax")),
        other=text(entry.get("ThongTinKhac")),
    )
    if kind:
        return structs.replace(who, kind=kinds[kind])
    return who if who != Applicant() else None


def _files(entry: Row) -> tuple[Attachment, ...]:
    """TaiLieuNop without those marked as deleted; files are links."""
    return tuple(
        Attachment(
            id=text(file.get("TepDinhKemId")) or "",
            name=text(file.get("TenTepDinhKem")),
            component_code=text(file.get("MaThanhPhanHoSo")),
            url=text(file.get("DuongDanTaiTepTin")),
        )
        for file in rows(entry.get("TaiLieuNop"))
        if str(file.get("IsDeleted")).casefold() != "true"
    )


def _xml(body: Mapping[str, Any]) -> dict[str, str]:
    """Local name -> text of every element, of the last one of each name."""
    inner = body.get("data")
    given = body.get("FileThongBaoThue") or (inner.get("FileThongBaoThue") if isinstance(inner, Mapping) else inner)
    try:
        raw = base64.b64decode(str(given or ""), validate=True)
    except (binascii.Error, ValueError):
        raise BadRecord("row", "FileThongBaoThue: is no base64", "FileThongBaoThue") from None
    if not raw or len(raw) > _LARGEST_XML:
        raise BadRecord("limit", f"FileThongBaoThue: must have 1 to {_LARGEST_XML} bytes", "FileThongBaoThue")
    if b"<!DOCTYPE" in raw or "<!DOCTYPE".encode("utf-16-le") in raw or "<!DOCTYPE".encode("utf-16-be") in raw:
        raise BadRecord("row", "FileThongBaoThue: an XML with a DOCTYPE is not read", "FileThongBaoThue")
    try:
        root = ElementTree.fromstring(raw)
    except (ElementTree.ParseError, LookupError, ValueError):
        raise BadRecord("row", "FileThongBaoThue: is no XML", "FileThongBaoThue") from None
    return {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
