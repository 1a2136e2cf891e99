"""Joint handling (liên thông): the date of a transfer, and the part that names its parent (decision 10)."""

from __future__ import annotations

from hub.avro.records.dossier import DossierStep
from hub.errors import BadRecord
from hub.model import codes
from hub.model.deadlines import UNITS, Rules, due

MAX_LIMIT = 366
"""Longest limit of a transfer, in any unit. Ours: a slip of the keyboard is not counted through a century."""


def check_parent(step: DossierStep) -> None:
    """BadRecord (`code`) for a parent that is no dossier code, or the dossier itself."""
    parent = step.parent_code
    if parent is None:
        return
    codes.dossier(parent, "parent_code")
    if parent == step.dossier_code:
        raise BadRecord("code", f"parent_code: {parent} cannot be a part of itself", "parent_code")


def transfer_date(step: DossierStep, rules: Rules) -> int | None:
    """`step_due_at`; unless it was told, counted from `transfer_limit`.

    BadRecord: `missing_field` for a limit without an agency, `limit` for an amount or a unit that cannot be counted.
    """
    amount, unit = step.transfer_limit, step.transfer_limit_unit
    if amount is None and unit is None:
        return step.step_due_at
    if step.transferred_to is None:
        raise BadRecord("missing_field", "transferred_to: whom the time limit is for", "transferred_to")
    if unit is None or unit not in UNITS:
        known = ", ".join(UNITS)
        raise BadRecord("limit", f"transfer_limit_unit: must be one of {known}; got {unit!r}", "transfer_limit_unit")
    if amount is None or not 0 < amount <= MAX_LIMIT:
        raise BadRecord(
            "limit", f"transfer_limit: must be above 0, at most {MAX_LIMIT}; got {amount}", "transfer_limit"
        )
    try:
        counted = due(rules, step.occurred_at, amount, UNITS[unit])
    except ValueError as error:
        raise BadRecord("limit", f"transfer_limit: {error}", "transfer_limit") from None
    return counted if step.step_due_at is None else step.step_due_at
