"""Dates that no source told and that follow from what was told (decision 15): NgayTiepNhan is the time of the step that
made the dossier ACCEPTED; NgayHenTra, where the province wants it, the end of its procedure's time limit.

What is told wins whenever it comes: a date counts as told while its field has a key (`hub.model.facts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.model.facts import DUE_AT, RECEIVED_AT
from hub.model.step_history import History

# procedure's code, received at -> when its time limit ends; None: unknown
Limit = Callable[[str, int], int | None]


def fill(
    dossier: dict[str, Any], keys: Sequence[int], before: Mapping[str, Any], history: History, limit: Limit | None
) -> None:
    """Set what nobody told, and the marks, in `dossier`. keys: its own. before: the dossier as it was. history: after
    the last step."""
    if not keys[RECEIVED_AT]:
        known = dossier.get("received_at") if history.dropped else None
        dossier["received_at"] = known if known is not None else history.received_at()
    _mark(dossier, "received_at", keys[RECEIVED_AT])
    if not keys[DUE_AT]:
        _due(dossier, before, limit)
    _mark(dossier, "due_at", keys[DUE_AT])


def _due(dossier: dict[str, Any], before: Mapping[str, Any], limit: Limit | None) -> None:
    received_at, procedure = dossier.get("received_at"), dossier.get("procedure_code")
    counted = before.get("due_at") is not None
    if counted and (before.get("received_at"), before.get("procedure_code")) == (received_at, procedure):
        return  # once it stands, a limit that is amended does not move it
    dossier["due_at"] = (
        None if limit is None or received_at is None or procedure is None else limit(procedure, received_at)
    )


def _mark(dossier: dict[str, Any], field: str, key: int) -> None:
    dossier[f"{field}_derived"] = True if not key and dossier.get(field) is not None else None
