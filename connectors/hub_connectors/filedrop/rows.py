"""A row and its mapping -> an event, or a refusal that names column, rule and value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hub.avro.bodies import BODIES
from hub.avro.document import from_document
from hub.avro.personal import tree
from hub.avro.records import DossierStep, ProcedureChange, ServiceChange
from hub.connect.source import Incoming, Refused
from hub.control.rights import covers
from hub.errors import BadRecord
from hub.events.envelope import Envelope, derived_id, rfc3339
from hub.model import codes
from hub.model.deadlines import DUE_FIELDS
from hub_connectors.filedrop.encodings import nfc
from hub_connectors.filedrop.fields import END_OF_DAY, NO_TIME, Value, to_time, to_value
from hub_connectors.filedrop.mapping import Mapping
from hub_connectors.filedrop.table import Row, as_text

Fields = dict[str, Value]
"""What a row tells: dotted field -> value. A field that it does not tell is not there, so it counts for no id."""
_DETAIL = 300
"""Characters of a refusal's detail; a personal field's value is not quoted at all."""


class Converter:
    """For one file. `where` is folder and file name, as in `mot-cua/2026-11.csv`. day_end: see `fields.to_time`.

    BadRecord from the constructor when a mapped column is missing: then the whole file is refused.
    """

    def __init__(self, mapping: Mapping, columns: Sequence[str], where: str, day_end: timedelta = END_OF_DAY) -> None:
        self._mapping, self._where, self._width, self._day_end = mapping, where, len(columns), day_end
        place = {name: number for number, name in reversed(list(enumerate(columns)))}
        missing = [name for name in mapping.columns if name not in place]
        if missing:
            found = ", ".join(name for name in columns if name)
            problem = f"the file has no column {', '.join(map(repr, missing))}; its columns are: {found}"
            raise BadRecord("missing_field", problem, missing[0])
        self._columns = [(name, place[name], field) for name, field in mapping.columns.items()]
        self._constants = [(field, self._convert(field, value, field)) for field, value in mapping.constants.items()]
        needed = [field for field, target in mapping.targets.items() if target.needed and "." not in field]
        self._required = tuple(dict.fromkeys([*needed, *mapping.required]))

    def convert(self, row: Row) -> Incoming | Refused:
        try:
            if row.error is not None:
                raise row.error
            return self._event(self._told(row))
        except BadRecord as error:
            return self._refusal(row, error)
        except Exception as error:  # no row stops the ones behind it, whatever stands in it
            return self._refusal(row, BadRecord("crash", f"the row cannot be mapped ({type(error).__name__})"))

    def _refusal(self, row: Row, error: BadRecord) -> Refused:
        digest = hashlib.sha256(row.raw).hexdigest()
        where = f"{self._where}:{row.line}#{digest[:12]}"
        refusal = derived_id(self._mapping.source, "refused", where, digest)
        return Refused(refusal, self._mapping.source, error.reason, error.detail, row.raw, where)

    def _told(self, row: Row) -> Fields:
        if any(as_text(cell).strip() for cell in row.cells[self._width :]):
            problem = f"{len(row.cells)} cells, the header has {self._width}; quote cells that hold the delimiter"
            raise BadRecord("row", problem)
        told: Fields = dict(self._constants)
        for name, number, field in self._columns:
            cell = row.cells[number] if number < len(row.cells) else None
            if cell is None or (text := as_text(cell)).strip() == "":
                continue
            told[field] = self._convert(field, cell if isinstance(cell, date) else text, name)
        for field in self._required:
            if field not in told:
                column = next((n for n, _, f in self._columns if f == field), field)
                raise BadRecord("missing_field", f"column {column!r} is empty; {field} must be given", column)
        self._check_agency(told)
        return told

    def _check_agency(self, told: Fields) -> None:
        """BadRecord (`code`, `right`): whoever leaves files here may not bring other agencies' records."""
        mapping = self._mapping
        code, named = told.get("dossier_code"), told.get("agency_code")
        agency = codes.dossier(str(code)).agency if code is not None else str(named or "")
        if mapping.agencies and not (agency and covers(mapping.agencies, agency)):
            own = ", ".join(mapping.agencies)
            raise BadRecord("right", f"this folder is for records of {own}; this one is of {agency or 'nobody'}")

    def _convert(self, field: str, value: Value | date, column: str) -> Value:
        mapping, target = self._mapping, self._mapping.targets[field]
        try:
            if target.kind == "time":
                cell = value.strip() if isinstance(value, str) else value
                ends = self._day_end if field in DUE_FIELDS else NO_TIME
                return to_time(cell, mapping.dates.forms, mapping.dates.zone, ends)
            text = nfc(as_text(value).strip())
            return to_value(mapping.words.get(field, {}).get(text, text), target)
        except BadRecord as error:
            # Also where the record only holds something personal: a name may stand in its neighbour's column.
            personal = field.partition(".")[0] in tree(mapping.record)
            detail = f"breaks the rule for {field}; the value is personal and not shown" if personal else error.detail
            raise BadRecord(error.reason, f"column {column!r}: {_cut(detail)}", column) from None

    def _event(self, told: Fields) -> Incoming:
        mapping = self._mapping
        nested = _nested(told)
        record = from_document(BODIES[mapping.record].record, nested)
        assert isinstance(record, DossierStep | ProcedureChange | ServiceChange), mapping.record
        subject = str(told[mapping.subject])
        kind = record.step if isinstance(record, DossierStep) else record.change
        # Of the row's own fields: what the record adds to them is no news of the row.
        digest = hashlib.sha256(json.dumps(nested, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        identity = derived_id(mapping.source, subject, kind, str(record.occurred_at), digest)
        time = rfc3339(datetime.fromtimestamp(record.occurred_at / 1000, UTC))
        envelope = Envelope(id=identity, source=mapping.source, type=mapping.type, subject=subject, time=time)
        return Incoming(envelope, record)


def _nested(told: Fields) -> dict[str, Value | Fields]:
    """As the record is: `handler.name` in an object `handler`."""
    out: dict[str, Value | Fields] = {}
    for field, value in told.items():
        outer, _, inner = field.rpartition(".")
        if outer:
            group = out.setdefault(outer, {})
            assert isinstance(group, dict)
            group[inner] = value
        else:
            out[field] = value
    return out


def _cut(detail: str) -> str:
    return detail if len(detail) <= _DETAIL else detail[:_DETAIL] + "…"
