"""Which canonical event is due to which subscriber. Pure; delivery and reconcile ask the same question here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.access.control import Filter
from hub.wire.envelope import DOSSIER_DEADLINE

STATE_FIELD = {"dossier": "dossier", "procedure": "procedure", "service": "service", "deadline": "dossier"}
"""family -> field of the canonical record that holds the state after the event."""

_WORD = {
    "dossier": ("step", "step"),
    "procedure": ("change", "change"),
    "service": ("change", "change"),
    "deadline": ("deadline", "kind"),
}


def family_of(event_type: str) -> str:
    """`vn.hub.dossier.event` -> `dossier`. Deadlines are a family of their own: no state portal has a line for them."""
    return "deadline" if event_type == DOSSIER_DEADLINE else event_type.split(".")[2]


def groups(agency: str) -> tuple[str, ...]:
    """Level 1, level 2 … of an agency code in either form: `H11.12` and `000.00.12.H11` are both (H11, 12).

    Old form: read from right to left, all-zero groups left out (docs/field/codes.md#agency-codes).
    """
    parts = agency.strip().upper().split(".")
    if parts[0].isdigit():
        parts = [part for part in reversed(parts) if part.strip("0")]
    return tuple(parts)


def due(wanted: Filter, event_type: str, data: Mapping[str, Any]) -> bool:
    """Whether the decoded canonical event passes the filter; an empty part of the filter admits all.

    agencies:   the competent, receiving or holding agency, the one transferred to, or the one in the code of the
                dossier that this is a part of (liên thông), is one of these or part of it.
    procedures: the procedure code is one of these, or one of these with the province's suffix (`1.004194` admits
                `1.004194.000.00.00.H11`).
    types:      the event's type, or the word of its step or change (of a deadline: its kind).
    """
    family = family_of(event_type)
    state = data[STATE_FIELD[family]]
    part, word = _WORD[family]
    step = data[part]
    if wanted.types and event_type not in wanted.types and step[word] not in wanted.types:
        return False
    if wanted.procedures and not _procedure(wanted.procedures, state.get("procedure_code")):
        return False
    return not wanted.agencies or _agency(wanted.agencies, state, step)


def _procedure(wanted: tuple[str, ...], code: str | None) -> bool:
    return code is not None and any(code == one or code.startswith(f"{one}.") for one in wanted)


def _agency(wanted: tuple[str, ...], state: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    prefixes = [groups(one) for one in wanted]
    parent = state.get("parent_code")
    codes = (
        state.get("agency_code"),
        state.get("receiving_agency_code"),
        state.get("holder_agency_code"),
        step.get("transferred_to"),
        parent and parent.partition("-")[0],
    )
    return any(groups(code)[: len(prefix)] == prefix for code in codes if code for prefix in prefixes)
