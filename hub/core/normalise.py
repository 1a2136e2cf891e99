"""One spelling for everything: text in NFC, blanks as null, agency codes in the new form, times that can be true.

Each function mends the datum in place, returns whether it changed anything, and raises BadRecord naming field, rule and
value where nothing can be mended.
"""

from __future__ import annotations

from typing import Any

from hub.errors import BadRecord
from hub.events.families import DOSSIER, PROCEDURE, SERVICE, Family
from hub.model import codes, joint, service_levels
from hub.model.deadlines import Rules
from hub.model.text import tidy
from hub.model.times import check_event_time, check_time

Datum = dict[str, Any]

_STEP_TIMES = ("received_at", "due_at", "finished_at", "returned_at", "submitted_at", "step_started_at", "step_due_at")
_NEEDED = frozenset({DOSSIER.code})
_STEP_AGENCIES = ("agency_code", "receiving_agency_code", "transferred_to")


def dossier_step(datum: Datum, recorded_ms: int, rules: Rules) -> bool:
    """DossierStep. The dossier code itself is checked at first contact only (`dossier_code`). rules: of deadlines."""
    changed = tidy(datum, _NEEDED)
    if datum["step"] == "UNKNOWN":
        raise BadRecord("status", "step: the word is none of StepKind; map the source's status word first", "step")
    check_event_time(datum["occurred_at"], "occurred_at", recorded_ms)
    for field in _STEP_TIMES:
        if (at := datum[field]) is not None:
            check_time(at, field)
    for field in _STEP_AGENCIES:
        changed |= _agency(datum, field)
    if datum["procedure_code"] is not None:
        codes.procedure(datum["procedure_code"])
    joint.check_parent(datum)
    changed |= joint.date_transfer(datum, rules)
    if datum["step"] == "RESCHEDULED" and datum["due_at"] is None:
        raise BadRecord("missing_field", "due_at: step RESCHEDULED needs one, the new date for the result", "due_at")
    rating = datum["rating"]
    if datum["step"] == "RATED" and rating is None:
        raise BadRecord("missing_field", "rating: step RATED needs one, 1 to 5", "rating")
    if rating is not None and not 1 <= rating <= 5:
        raise BadRecord("limit", f"rating: must be 1 to 5; got {rating}", "rating")
    return changed


def procedure_change(datum: Datum, recorded_ms: int) -> bool:
    """ProcedureChange."""
    changed = _change(datum, recorded_ms, PROCEDURE)
    codes.procedure(datum["procedure_code"])
    if datum["effective_at"] is not None:
        check_time(datum["effective_at"], "effective_at")
    return changed


def service_change(datum: Datum, recorded_ms: int) -> bool:
    """ServiceChange."""
    changed = _change(datum, recorded_ms, SERVICE)
    codes.service(datum["service_code"])
    if datum["procedure_code"] is not None:
        codes.procedure(datum["procedure_code"])
    service_levels.check(datum["level"], datum["whole_process"])
    return changed


def _change(datum: Datum, recorded_ms: int, family: Family) -> bool:
    if datum["change"] == "UNKNOWN":
        raise BadRecord("status", "change: the word is none of ChangeKind; map the source's word first", "change")
    check_event_time(datum["occurred_at"], "occurred_at", recorded_ms)
    return tidy(datum, frozenset({family.code})) | _agency(datum, "agency_code")


def _agency(datum: Datum, field: str) -> bool:
    given = datum[field]
    if given is None:
        return False
    datum[field] = codes.agency(given, field).normal
    return bool(datum[field] != given)
