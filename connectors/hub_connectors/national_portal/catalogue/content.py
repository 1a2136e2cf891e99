"""What an entry of the catalogue is told apart by from what it was: the facts that the mapping knows, and no other.

Their names stand here, not only in the schema. A fact that a later version maps too would otherwise make every entry of
a running hub look changed, and the whole catalogue come again.
"""

from __future__ import annotations

from hub.avro.record import Record
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
from hub.untyped import JsonObject
from hub_connectors.national_portal.catalogue.cursor import digest

Entry = ProcedureChange | ServiceChange
"""An entry as it stands. Its change and its moment are no facts of it."""

FACTS: dict[type[Record], tuple[str, ...]] = {
    ProcedureChange: (
        "procedure_code", "name", "agency_code", "authority_level", "field_code", "field_name", "time_limit",
        "time_limit_unit", "fee_vnd", "decision", "time_limits", "fees", "components", "forms", "results",
        "legal_bases", "linked_procedures", "related_procedures",
    ),
    ServiceChange: ("service_code", "name", "procedure_code", "level", "whole_process", "channels"),
    ProcedureTimeLimit: ("channel", "time_limit", "time_limit_unit", "note"),
    ProcedureFee: ("code", "channel", "amount_vnd", "unit", "note"),
    ProcedureComponent: ("code", "name", "case", "originals", "copies", "replaced_by"),
    ProcedureForm: ("name", "component_code", "url", "version", "sha256"),
    ProcedureResult: ("code", "name"),
    LegalBasis: ("number", "title", "issuer", "issued_on", "effective_on", "url"),
}  # fmt: skip


def content(entry: Entry, active: bool) -> str:
    """Digest of the facts, and whether the entry is public."""
    return digest([_facts(entry), active])


def _facts(record: Record) -> JsonObject:
    return {name: _plain(getattr(record, name)) for name in FACTS[type(record)]}


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return _facts(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
