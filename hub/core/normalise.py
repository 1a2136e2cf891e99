"""One spelling for everything: text in NFC, blanks as null, agency codes in the new form, times that can be true.

Each function returns the record as it is to be; the very one that was given where nothing is to be mended. BadRecord
names field, rule and value where nothing can be.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from hub.avro.records.dossier import DossierStep
from hub.avro.records.procedure import ProcedureChange
from hub.avro.records.service import ServiceChange
from hub.errors import BadRecord
from hub.events.families import DOSSIER, PROCEDURE, SERVICE
from hub.model import codes, joint, service_levels
from hub.model.deadlines import Rules
from hub.model.text import tidy
from hub.model.times import check_event_time, check_time

_DOSSIER: Final = frozenset({DOSSIER.code})
_PROCEDURE: Final = frozenset({PROCEDURE.code})
_SERVICE: Final = frozenset({SERVICE.code})


def dossier_step(given: DossierStep, recorded_ms: int, rules: Rules) -> DossierStep:
    """The dossier code itself is checked at first contact only (`DossierState`). rules: of deadlines."""
    step = tidy(given, _DOSSIER)
    if step.step == "UNKNOWN":
        raise BadRecord("status", "step: the word is none of StepKind; map the source's status word first", "step")
    _check_times(step, recorded_ms)
    agency = _agency(step.agency_code, "agency_code")
    receiving = _agency(step.receiving_agency_code, "receiving_agency_code")
    transferred_to = _agency(step.transferred_to, "transferred_to")
    if step.procedure_code is not None:
        codes.procedure(step.procedure_code)
    joint.check_parent(step)
    step_due_at = joint.transfer_date(step, rules)
    if step.step == "RESCHEDULED" and step.due_at is None:
        raise BadRecord("missing_field", "due_at: step RESCHEDULED needs one, the new date for the result", "due_at")
    rating = step.rating
    if step.step == "RATED" and rating is None:
        raise BadRecord("missing_field", "rating: step RATED needs one, 1 to 5", "rating")
    if rating is not None and not 1 <= rating <= 5:
        raise BadRecord("limit", f"rating: must be 1 to 5; got {rating}", "rating")
    if (
        agency == step.agency_code
        and receiving == step.receiving_agency_code
        and transferred_to == step.transferred_to
        and step_due_at == step.step_due_at
    ):
        return step
    return replace(
        step,
        agency_code=agency,
        receiving_agency_code=receiving,
        transferred_to=transferred_to,
        step_due_at=step_due_at,
    )


def procedure_change(given: ProcedureChange, recorded_ms: int) -> ProcedureChange:
    """The change of a procedure."""
    change = tidy(given, _PROCEDURE)
    _check_change(change, recorded_ms)
    agency = _agency(change.agency_code, "agency_code")
    codes.procedure(change.procedure_code)
    if change.effective_at is not None:
        check_time(change.effective_at, "effective_at")
    return change if agency == change.agency_code else replace(change, agency_code=agency)


def service_change(given: ServiceChange, recorded_ms: int) -> ServiceChange:
    """The change of an online service."""
    change = tidy(given, _SERVICE)
    _check_change(change, recorded_ms)
    agency = _agency(change.agency_code, "agency_code")
    codes.service(change.service_code)
    if change.procedure_code is not None:
        codes.procedure(change.procedure_code)
    service_levels.check(change.level, change.whole_process)
    return change if agency == change.agency_code else replace(change, agency_code=agency)


def _check_times(step: DossierStep, recorded_ms: int) -> None:
    check_event_time(step.occurred_at, "occurred_at", recorded_ms)
    if step.received_at is not None:
        check_time(step.received_at, "received_at")
    if step.due_at is not None:
        check_time(step.due_at, "due_at")
    if step.finished_at is not None:
        check_time(step.finished_at, "finished_at")
    if step.returned_at is not None:
        check_time(step.returned_at, "returned_at")
    if step.submitted_at is not None:
        check_time(step.submitted_at, "submitted_at")
    if step.step_started_at is not None:
        check_time(step.step_started_at, "step_started_at")
    if step.step_due_at is not None:
        check_time(step.step_due_at, "step_due_at")


def _check_change(change: ProcedureChange | ServiceChange, recorded_ms: int) -> None:
    if change.change == "UNKNOWN":
        raise BadRecord("status", "change: the word is none of ChangeKind; map the source's word first", "change")
    check_event_time(change.occurred_at, "occurred_at", recorded_ms)


def _agency(given: str | None, field: str) -> str | None:
    return None if given is None else codes.agency(given, field).normal
