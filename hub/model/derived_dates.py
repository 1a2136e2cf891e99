"""Dates that no source told and that follow from what was told (decision 15): NgayTiepNhan is the time of the step that
made the dossier ACCEPTED; NgayHenTra, where the province wants it, the end of its procedure's time limit.

What is told wins whenever it comes: a date counts as told while its field has a key (`hub.model.facts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from hub.avro.records.dossier import Dossier
from hub.model.facts import DUE_AT, RECEIVED_AT
from hub.model.step_history import History

# procedure's code, received at -> when its time limit ends; None: unknown
Limit = Callable[[str, int], int | None]


def filled(dossier: Dossier, keys: Sequence[int], before: Dossier, history: History, limit: Limit | None) -> Dossier:
    """The dossier with what nobody told, and the marks. keys: its own. before: the dossier as it was. history: after
    the last step."""
    received_at, due_at = dossier.received_at, dossier.due_at
    if not keys[RECEIVED_AT] and not (history.dropped and received_at is not None):
        received_at = history.received_at()
    if not keys[DUE_AT]:
        due_at = _due(dossier, received_at, before, limit)
    received_derived = _mark(received_at, keys[RECEIVED_AT])
    due_derived = _mark(due_at, keys[DUE_AT])
    if (
        received_at == dossier.received_at
        and due_at == dossier.due_at
        and received_derived is dossier.received_at_derived
        and due_derived is dossier.due_at_derived
    ):
        return dossier
    return replace(
        dossier,
        received_at=received_at,
        due_at=due_at,
        received_at_derived=received_derived,
        due_at_derived=due_derived,
    )


def _due(dossier: Dossier, received_at: int | None, before: Dossier, limit: Limit | None) -> int | None:
    procedure = dossier.procedure_code
    if before.due_at is not None and (before.received_at, before.procedure_code) == (received_at, procedure):
        return dossier.due_at  # once it stands, a limit that is amended does not move it
    if limit is None or received_at is None or procedure is None:
        return None
    return limit(procedure, received_at)


def _mark(at: int | None, key: int) -> bool | None:
    return True if not key and at is not None else None
