"""State of a procedure (TTHC) or online service (DVC): per field the last writer in event time, as for dossiers.

PUBLISHED offers it, WITHDRAWN ends that, the later of the two counts; AMENDED changes facts only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Datum = dict[str, Any]

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
    entry: Datum, keys: Sequence[int], change: Datum, key: int, fields: tuple[str, ...]
) -> tuple[Datum, list[int], bool]:
    """(entry, keys, late). keys: of the last change, of the last publication or withdrawal, then of each field; an
    empty tuple at first contact."""
    out = dict(entry)
    new = [*keys, *(0,) * (_FIRST_FIELD + len(fields) - len(keys))]
    late = key >> 16 < new[_LAST] >> 16
    if key >= new[_LAST]:
        new[_LAST] = key
        out["changed_at"] = change["occurred_at"]
    if change["change"] != "AMENDED" and key >= new[_ACTIVE]:
        new[_ACTIVE] = key
        out["active"] = change["change"] == "PUBLISHED"
        out["active_since"] = change["occurred_at"]
    for index, name in enumerate(fields, start=_FIRST_FIELD):
        value = change.get(name)
        told = value is not None and not (value == [] and name in _EMPTY_IS_UNTOLD)
        if told and key >= new[index]:
            out[name] = value
            new[index] = key
    return out, new, late
