"""Offices (cơ quan, đơn vị) over time: when a code is in force, and who took over.

A dossier keeps the code it was born with; what changes is who answers for it. On 1 July 2025 the province of Bình Thuận
merged into Lâm Đồng, its ten district units ended and 45 communal ones began (docs/field/codes.md). The table is data,
`schemas/reference/agencies.toml`, which says of each row how sure it is; the province replaces it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from hub.errors import BadRecord, ConfigError
from hub.model import codes

KINDS = ("province", "department", "district", "commune", "special_zone")
EVIDENCE = ("A", "A-", "B", "C", "I", "K", "ours")
"""Grades of docs/field/README.md; see the head of the file."""
_FIELDS = {"code", "name", "kind", "parent", "valid_from", "valid_to", "successors", "evidence", "code_evidence"}
_REQUIRED = ("code", "name", "kind", "evidence", "code_evidence")


@dataclass(frozen=True, slots=True)
class Office:
    """code: new form. valid_from, valid_to: first and last day, None where open. successors: codes, the first takes
    over a dossier that names no place. evidence, code_evidence: how sure the row and its code are (EVIDENCE)."""

    code: str
    name: str
    kind: str
    evidence: str
    code_evidence: str
    parent: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[str, ...] = ()

    def in_force(self, at: date) -> bool:
        return (self.valid_from is None or self.valid_from <= at) and (self.valid_to is None or at <= self.valid_to)

    @property
    def official(self) -> bool:
        """Whether a public source stands behind both the row and its code."""
        return {self.evidence, self.code_evidence} <= {"A", "A-", "B"}


class Agencies:
    """The table. Codes may be given in either form; unknown ones raise BadRecord (`code`)."""

    def __init__(self, offices: Sequence[Office]) -> None:
        """ConfigError (`agencies`) for a table that contradicts itself."""
        self._by_code = {office.code: office for office in offices}
        if len(self._by_code) != len(offices):
            raise ConfigError("agencies", "a code stands twice in the table")
        self._before: dict[str, list[str]] = {}
        for office in offices:
            self._check(office)
            for code in office.successors:
                self._before.setdefault(code, []).append(office.code)

    def __iter__(self) -> Iterator[Office]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def get(self, code: str) -> Office | None:
        """The row of this very code, in force or not; None if the table has none."""
        return self._by_code.get(codes.agency(code).normal)

    def office(self, code: str, at: date) -> Office:
        """Who answers on that day for a dossier with this code: the office itself, or the one that took over.

        BadRecord (`code`) for a code not in the table, or not yet in force on that day.
        """
        office = self._known(code)
        while not office.in_force(at):
            if office.valid_from is not None and at < office.valid_from:
                raise BadRecord("code", f"agency {office.code} exists since {office.valid_from} only; asked for {at}")
            if not office.successors:
                raise BadRecord("code", f"agency {office.code} ended on {office.valid_to} and has no successor")
            office = self._by_code[office.successors[0]]
        return office

    def successors(self, code: str) -> tuple[Office, ...]:
        """All offices that took over from this one directly; none for one that goes on."""
        return tuple(self._by_code[own] for own in self._known(code).successors)

    def predecessors(self, code: str) -> tuple[Office, ...]:
        """All offices that this one took over from directly."""
        return tuple(self._by_code[own] for own in self._before.get(self._known(code).code, ()))

    def _known(self, code: str) -> Office:
        office = self.get(code)
        if office is None:
            raise BadRecord(
                "code", f"agency {codes.agency(code).normal} is not in the table of agencies", "agency_code"
            )
        return office

    def _check(self, office: Office) -> None:
        if office.valid_from and office.valid_to and office.valid_from > office.valid_to:
            raise ConfigError("agencies", f"{office.code}: valid_from is after valid_to")
        if office.parent is not None and office.parent not in self._by_code:
            raise ConfigError("agencies", f"{office.code}: parent {office.parent} is not in the table")
        if office.successors and office.valid_to is None:
            raise ConfigError("agencies", f"{office.code}: has successors but no valid_to")
        for code in office.successors:
            successor = self._by_code.get(code)
            if successor is None:
                raise ConfigError("agencies", f"{office.code}: successor {code} is not in the table")
            if office.valid_to is not None and not successor.in_force(office.valid_to + timedelta(days=1)):
                raise ConfigError("agencies", f"{office.code}: successor {code} is not in force the day after it ended")


def read(text: str) -> Agencies:
    """The table from TOML. ConfigError (`agencies`) names the row and what is wrong with it."""
    try:
        rows = tomllib.loads(text).get("office", [])
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("agencies", f"is no TOML: {error}") from None
    if not rows:
        raise ConfigError("agencies", "has no [[office]]")
    return Agencies([_office(number, row) for number, row in enumerate(rows, 1)])


def _office(number: int, row: Mapping[str, Any]) -> Office:
    where = f"office {number} ({row.get('code', 'no code')})"
    missing = [name for name in _REQUIRED if not row.get(name)]
    unknown = sorted(set(row) - _FIELDS)
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"has unknown fields {', '.join(unknown)}"
        raise ConfigError("agencies", f"{where}: {what}")
    if row["kind"] not in KINDS or not {row["evidence"], row["code_evidence"]} <= set(EVIDENCE):
        raise ConfigError("agencies", f"{where}: kind must be one of {KINDS}, evidence one of {EVIDENCE}")
    if not all(type(row.get(name, date.min)) is date for name in ("valid_from", "valid_to")):
        raise ConfigError("agencies", f"{where}: valid_from and valid_to must be days, as 2025-07-01")
    try:
        named = {name: codes.agency(row[name]).normal for name in ("code", "parent") if name in row}
        successors = tuple(codes.agency(code).normal for code in row.get("successors", ()))
    except BadRecord as error:
        raise ConfigError("agencies", f"{where}: {error.detail}") from None
    return Office(**{**row, **named, "successors": successors})


@cache
def table(path: Path | None = None) -> Agencies:
    """The province's own file, or the one that comes with the hub. ConfigError if it cannot be read."""
    if path is None:
        return read(resources.files("hub_schemas").joinpath("reference/agencies.toml").read_text("utf-8"))
    try:
        return read(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("agencies", f"{path}: {error}") from None


def office(code: str, at: date) -> Office:
    """`Agencies.office` of the table that comes with the hub."""
    return table().office(code, at)


def successors(code: str) -> tuple[Office, ...]:
    """`Agencies.successors` of the table that comes with the hub."""
    return table().successors(code)
