"""One entry of the national catalogue as a ProcedureChange or ServiceChange: published, at the moment when it was
looked at (docs/field/packets.md). What it is a change of is seen later (`changes`).

Lists come out in the order of their codes, so that a portal which shuffles them changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.avro.record import R
from hub.avro.records import (
    LegalBasis,
    ProcedureChange,
    ProcedureComponent,
    ProcedureFee,
    ProcedureForm,
    ProcedureResult,
    ProcedureTimeLimit,
    ServiceChange,
)
from hub.errors import BadRecord
from hub.model import codes as model_codes
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.catalogue.values import Row, amount, codes, count, day, number, rows, text

DEFAULTS = CatalogueSettings()


def procedure(row: Row, at: int, settings: CatalogueSettings = DEFAULTS) -> tuple[ProcedureChange, bool]:
    """(the entry, whether it is public) of LayThuTuc's answer. BadRecord (`missing_field`, `code`)."""
    limits, fees = _ways(row, settings.time_units)
    papers, forms = _papers(row)
    field = next(rows(row.get("LINHVUCTHUCHIEN")), {})
    levels = [name for level in rows(row.get("CAPTHUCHIEN")) if (name := text(level.get("TENCAP")))]
    entry = ProcedureChange(
        procedure_code=procedure_code(row),
        change="PUBLISHED",
        occurred_at=at,
        name=text(row.get("TENTTHC")),
        agency_code=_agency(row.get("MACOQUANCONGBO")),
        authority_level="; ".join(sorted(levels)) or None,
        field_code=text(field.get("MALINHVUC")),
        field_name=text(field.get("TENLINHVUC")),
        time_limit=next((one.time_limit for one in limits if one.time_limit is not None), None),
        time_limit_unit=next((one.time_limit_unit for one in limits if one.time_limit_unit is not None), None),
        fee_vnd=next((one.amount_vnd for one in fees if one.amount_vnd is not None), None),
        decision=text(row.get("QUYETDINH")),
        time_limits=limits,
        fees=fees,
        components=papers,
        forms=forms,
        results=_results(row),
        legal_bases=_law(row),
        linked_procedures=tuple(codes(row.get("TTHCLIENTHONG"), "MATTHC")),
        related_procedures=tuple(codes(row.get("TTHCLIENQUAN"), "MATTHC")),
    )
    return entry, (text(row.get("TRANGTHAI")) or "") in settings.public_codes


def procedure_code(row: Row) -> str:
    """MATTHC of a row. BadRecord (`missing_field`, `code`)."""
    code = text(row.get("MATTHC"))
    if code is None:
        raise BadRecord("missing_field", "MATTHC: is empty", "MATTHC")
    return model_codes.procedure(code, "MATTHC")


def service(row: Row, at: int, settings: CatalogueSettings) -> ServiceChange:
    """A row of LayDVC. BadRecord (`missing_field`, `code`)."""
    code = text(row.get("MADVC"))
    if code is None:
        raise BadRecord("missing_field", "MADVC: is empty", "MADVC")
    of = model_codes.service(code, "MADVC").procedure
    kind = (text(row.get(settings.kind_field)) or "").casefold() if settings.kind_field else ""
    return ServiceChange(
        service_code=code,
        change="PUBLISHED",
        occurred_at=at,
        name=text(row.get("TENDVC")),
        procedure_code=text(row.get("MATTHC")) or of,
        level=count(row.get(settings.level_field)) if settings.level_field else None,
        whole_process=True if "toàn trình" in kind else False if "một phần" in kind else None,
        channels=(settings.channel,),
    )


def _agency(value: Any) -> str | None:
    code = text(value)
    return model_codes.agency(code, "MACOQUANCONGBO").normal if code else None


def _ways(row: Row, units: Mapping[str, str]) -> tuple[tuple[ProcedureTimeLimit, ...], tuple[ProcedureFee, ...]]:
    """Time limits and fees of all ways in which it can be handed in (CACHTHUCTHUCHIEN)."""
    limits: list[ProcedureTimeLimit] = []
    fees: list[ProcedureFee] = []
    for way in rows(row.get("CACHTHUCTHUCHIEN")):
        channel = text(way.get("KENH"))
        for time in rows(way.get("THOIGIAN")):
            value = number(time.get("THOIGIANGIAIQUYET"))
            unit = text(time.get("DONVITINH"))
            limits.append(
                ProcedureTimeLimit(
                    channel=channel,
                    time_limit=value,
                    time_limit_unit=units.get(unit, unit) if unit else None,
                    note=_note(time, "THOIGIANGIAIQUYET", value),
                )
            )
            fees += [_fee(fee, channel) for fee in rows(time.get("PHILEPHI"))]
    return _sorted(limits, "channel", "note"), _sorted(fees, "channel", "code", "note")


def _fee(row: Row, channel: str | None) -> ProcedureFee:
    value = amount(row.get("SOTIEN"))
    return ProcedureFee(
        code=text(row.get("MAPHILEPHI")) or "",
        channel=channel,
        amount_vnd=value,
        unit=text(row.get("DONVI")),
        note=_note(row, "SOTIEN", value),
    )


def _note(row: Row, field: str, value: float | None) -> str | None:
    """MOTA, and the field's own words where it is no number."""
    words = text(row.get(field)) if value is None else None
    return "; ".join(part for part in (words, text(row.get("MOTA"))) if part) or None


def _papers(row: Row) -> tuple[tuple[ProcedureComponent, ...], tuple[ProcedureForm, ...]]:
    """Components and the forms among them (THANHPHANHOSO)."""
    papers: list[ProcedureComponent] = []
    forms: list[ProcedureForm] = []
    for case in rows(row.get("THANHPHANHOSO")):
        for paper in rows(case.get("GIAYTO")):
            code = text(paper.get("MAGIAYTO")) or ""
            papers.append(
                ProcedureComponent(
                    code=code,
                    name=text(paper.get("TENGIAYTO")),
                    case=text(case.get("TRUONGHOP")),
                    originals=count(paper.get("SOBANCHINH")),
                    copies=count(paper.get("SOBANSAO")),
                    replaced_by=text(paper.get("MA_KQ_THAYTHE")),
                )
            )
            form, url = text(paper.get("TENMAUDON")), text(paper.get("URL"))
            if form or url:
                forms.append(ProcedureForm(name=form, component_code=code or None, url=url))
    return _sorted(papers, "code", "case", "name"), _sorted(forms, "component_code", "name", "url")


def _results(row: Row) -> tuple[ProcedureResult, ...]:
    found = [
        ProcedureResult(code=text(result.get("MAKETQUA")) or "", name=text(result.get("TENKETQUA")))
        for result in rows(row.get("KETQUATHUCHIEN"))
    ]
    return _sorted(found, "code", "name")


def _law(row: Row) -> tuple[LegalBasis, ...]:
    found = [
        LegalBasis(
            number=text(law.get("SOVANBAN")) or "",
            title=text(law.get("TENVANBAN")),
            issuer=text(law.get("COQUANBANHANH")),
            issued_on=day(law.get("NGAYBANHANH")),
            effective_on=day(law.get("NGAYHIEULUC")),
            url=text(law.get("DIACHITRUYCAP")),
        )
        for law in rows(row.get("CANCUPHAPLY"))
    ]
    return _sorted(found, "number", "title")


def _sorted(found: Iterable[R], *names: str) -> tuple[R, ...]:
    return tuple(sorted(found, key=lambda one: [str(getattr(one, name) or "") for name in names]))
