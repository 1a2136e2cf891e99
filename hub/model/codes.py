"""Codes of agencies, dossiers, procedures and online services (docs/field/codes.md).

Two forms of agency code are in use at once. Old: `000.00.12.H11`, read from right to left, zeros where the office is
not that deep. New (QĐ 20/2020): `H11.12`, at most 35 characters of 0-9, A-Z and `.`. Both name one office; the hub
compares and publishes agency codes in the new form. Dossier codes are names that stand on paper: never rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from hub.errors import BadRecord

MAX_AGENCY = 35

_OLD = re.compile(r"(\d{3})\.(\d{2})\.(\d{2})\.([A-Z]\d{2})", re.ASCII)
_NEW = re.compile(r"[A-Z]\d{2}(\.[0-9A-Z]+)*", re.ASCII)
_ENTERPRISE = re.compile(r"\d{10}(\d{3})?", re.ASCII)
_DOSSIER = re.compile(r"([0-9A-Z.]+)-(\d{8}|\d{6})-(\d{4,})", re.ASCII)
_PROCEDURE = re.compile(r"\d\.\d{6}(?P<place>\.\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|\.[A-Z]\d{2})?", re.ASCII)
_SERVICE = re.compile(
    r"(?P<procedure>\d\.\d{6}(\.\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|\.[A-Z]\d{2})?)\.(?P<number>\d{2})", re.ASCII
)
_SHOWN = 60


class AgencyCode(NamedTuple):
    """original: as written. normal: new form, or the enterprise code of a business."""

    original: str
    normal: str


class DossierCode(NamedTuple):
    """text: as written, the dossier's identity. agency: new form. day: of the counter. counter: digits kept."""

    text: str
    agency: str
    day: date
    counter: str


class ServiceCode(NamedTuple):
    """procedure: the procedure code it belongs to. number: two digits."""

    text: str
    procedure: str
    number: str


def _bad(field: str, rule: str, value: str) -> BadRecord:
    shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    return BadRecord("code", f"{field}: {rule}; got {shown!r}", field)


@lru_cache(maxsize=65_536)
def agency(text: str, field: str = "agency_code") -> AgencyCode:
    """Either form, blanks around it and lower case forgiven. BadRecord (`code`) names field, rule and value."""
    trimmed = text.strip().upper()
    old = _OLD.fullmatch(trimmed)
    if old is not None:
        parts = [old[4], old[3], old[2], old[1]]
        while not parts[-1].strip("0"):  # not that deep; a zero between two groups is kept, or two offices would merge
            parts.pop()
        return AgencyCode(text, ".".join(parts))
    if len(trimmed) > MAX_AGENCY:
        raise _bad(field, f"an agency code has at most {MAX_AGENCY} characters", text)
    if _NEW.fullmatch(trimmed) or _ENTERPRISE.fullmatch(trimmed):
        return AgencyCode(text, trimmed)
    raise _bad(field, "must be an agency code as H11.12 or 000.00.12.H11, or 10 or 13 digits of an enterprise", text)


@lru_cache(maxsize=65_536)
def normal(text: str) -> str | None:
    """The normal form of an agency code, None for text that is none."""
    try:
        return agency(text).normal
    except BadRecord:
        return None


def covers(agencies: Iterable[str], part: str) -> bool:
    """True if `part` is one of these agencies or a part of one: H11.12 covers H11.12.3. Each code in either form.

    The one rule of covering: rights, filters, file drop and the core ask here. Text that is no agency code covers
    nothing and is part of nothing: the doors refuse it, but an old control record may hold it.
    """
    code = normal(part)
    if code is None:
        return False
    wanted = f"{code}."
    return any(own is not None and wanted.startswith(f"{own}.") for own in map(normal, agencies))


def old_form(code: str, field: str = "agency_code") -> str:
    """`H11.12` -> `000.00.12.H11`. BadRecord (`code`) for an office that the old form cannot name."""
    groups = agency(code, field).normal.split(".")
    if len(groups) > 4 or not _NEW.fullmatch(".".join(groups)):
        raise _bad(field, "only offices of level 1 to 4 have a code in the old form", code)
    groups += ["0"] * (4 - len(groups))
    widths = (3, 2, 2, 2)
    text = ".".join(group.zfill(width) for group, width in zip(reversed(groups), widths, strict=True))
    if not _OLD.fullmatch(text):
        raise _bad(field, "its groups do not fit the old form NNN.NN.NN.LNN", code)
    return text


def dossier(text: str, field: str = "dossier_code") -> DossierCode:
    """`{agency}-{YYMMDD or YYYYMMDD}-{4 digits or more}` (Thông tư 01/2018/TT-VPCP, Điều 19). BadRecord (`code`)."""
    found = _DOSSIER.fullmatch(text)
    if found is None:
        raise _bad(field, "must be a dossier code as 000.00.06.H56-231027-0361 or H11.12-20260609-0092637", text)
    office, day, counter = found.groups()
    digits = day if len(day) == 8 else "20" + day
    try:
        of = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise _bad(field, f"there is no day {day} in a calendar", text) from None
    return DossierCode(text, agency(office, field).normal, of, counter)


@lru_cache(maxsize=65_536)
def procedure(text: str, field: str = "procedure_code") -> str:
    """`1.004194`, `1.001612.000.00.00.H48` or `2.002621.H56`, unchanged. BadRecord (`code`)."""
    if _PROCEDURE.fullmatch(text) is None:
        raise _bad(field, "must be a procedure code as 1.004194, 1.001612.000.00.00.H48 or 2.002621.H56", text)
    return text


@lru_cache(maxsize=65_536)
def service(text: str, field: str = "service_code") -> ServiceCode:
    """A procedure code and `.NN`, as `2.000815.000.00.00.H55.02`. BadRecord (`code`)."""
    found = _SERVICE.fullmatch(text)
    if found is None:
        raise _bad(field, "must be a procedure code and two digits, as 2.000815.000.00.00.H55.02", text)
    return ServiceCode(text, found["procedure"], found["number"])
