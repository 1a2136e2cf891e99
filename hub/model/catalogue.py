"""State of a procedure (TTHC) or online service (DVC): per field the last writer in event time, as for dossiers.

PUBLISHED offers it, WITHDRAWN ends that, the later of the two counts; AMENDED changes facts only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from hub.avro.records.procedure import Procedure, ProcedureChange
from hub.avro.records.service import OnlineService, ServiceChange

Entry = TypeVar("Entry", Procedure, OnlineService)

PROCEDURE_FIELDS = (
    "name", "agency_code", "authority_level", "field_code", "field_name", "time_limit", "time_limit_unit", "fee_vnd",
    "decision", "effective_at", "time_limits", "fees", "components", "forms", "results", "legal_bases",
    "linked_procedures", "related_procedures",
)  # fmt: skip
SERVICE_FIELDS = ("name", "procedure_code", "agency_code", "level", "whole_process", "channels", "url")
"""Both orders are in stored keys: append only."""

_EMPTY_IS_UNTOLD = frozenset({"channels"})
"""Lists that cannot be null: empty means not told. For the others empty means that there are none (any more)."""

CHANGES = ("PUBLISHED", "AMENDED", "WITHDRAWN")
"""ChangeKind, in the order taken for changes of the same millisecond."""

_LAST, _ACTIVE, _FIRST_FIELD = 0, 1, 2


def time_limits(*limits: tuple[float | None, str | None]) -> tuple[tuple[float, str], ...]:
    """(amount, DONVITINH), as far as told: of a procedure, and of each way in which it can be handed in."""
    return tuple([(float(amount), unit) for amount, unit in limits if amount and unit])


def order_key(at_ms: int, change: str, id_hash: int) -> int:
    """Orders the changes of one entry; the layout is that of `history.order_key`."""
    return at_ms << 21 | CHANGES.index(change) << 16 | id_hash & 0xFFFF


def merge(
    entry: Entry, keys: Sequence[int], change: ProcedureChange | ServiceChange, key: int, fields: tuple[str, ...]
) -> tuple[Entry, list[int], bool]:
    """(entry, keys, late). keys: of the last change, of the last publication or withdrawal, then of each field; an
    empty tuple at first contact."""
    told: dict[str, object] = {}
    new = [*keys, *(0,) * (_FIRST_FIELD + len(fields) - len(keys))]
    late = key >> 16 < new[_LAST] >> 16
    if key >= new[_LAST]:
        new[_LAST] = key
        told["changed_at"] = change.occurred_at
    if change.change != "AMENDED" and key >= new[_ACTIVE]:
        new[_ACTIVE] = key
        told["active"] = change.change == "PUBLISHED"
        told["active_since"] = change.occurred_at
    for index, name in enumerate(fields, start=_FIRST_FIELD):
        value = getattr(change, name)
        untold = value is None or (value == () and name in _EMPTY_IS_UNTOLD)
        if not untold and key >= new[index]:
            told[name] = value
            new[index] = key
    return replace(entry, **told), new, late
