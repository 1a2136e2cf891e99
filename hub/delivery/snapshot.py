"""A canonical event made from a state, for a new subscriber: "this is how the dossier stands" (backfill).

Its id follows from the code and `hub_seq`, so a repeated backfill sends the same id; its type is that of the family's
canonical event, its step the one that gave the status. Later events of the log with a higher `hub_seq` follow it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from hub.avro.codec import Codec
from hub.avro.records import (
    Dossier,
    DossierEvent,
    DossierStatus,
    DossierStep,
    OnlineService,
    Procedure,
    ProcedureChange,
    ProcedureEvent,
    ServiceChange,
    ServiceEvent,
    StepKind,
)
from hub.events.canonical import EVENT_BODIES, CanonicalRecord, State
from hub.events.envelope import Envelope, derived_id, rfc3339
from hub.events.families import Family

SOURCE = "/hub/snapshot"
Change = TypeVar("Change", ProcedureChange, ServiceChange)

STEP_OF_STATUS: dict[DossierStatus, StepKind] = {
    "NEW": "SUBMITTED",
    "ACCEPTED": "RECEIVED",
    "NOT_ACCEPTED": "NOT_ACCEPTED",
    "IN_PROCESS": "IN_PROCESS",
    "SUPPLEMENT": "SUPPLEMENT_REQUESTED",
    "PAYMENT": "PAYMENT_REQUESTED",
    "WITHDRAWN": "WITHDRAWN",
    "STOPPED": "STOPPED",
    "FINISHED": "FINISHED",
    "RETURNED": "RETURNED",
    "UNKNOWN": "UNKNOWN",
}


def snapshot(codec: Codec, family: Family, state: State) -> tuple[Envelope, CanonicalRecord, bytes]:
    """(envelope, canonical record, its bytes) of a state."""
    code = getattr(state, family.code)
    changed = getattr(state, family.changed_at)
    envelope = Envelope(
        id=derived_id("snapshot", family.name, code, str(state.hub_seq)),
        source=SOURCE,
        type=family.event.type,
        subject=code,
        time=rfc3339(datetime.fromtimestamp(changed / 1000, UTC)),
        hub_seq=state.hub_seq,
    )
    record = _event(state)
    return envelope, record, codec.write(EVENT_BODIES[envelope.type], record)


def _event(state: State) -> CanonicalRecord:
    if isinstance(state, Dossier):
        step = DossierStep(
            dossier_code=state.dossier_code,
            step=STEP_OF_STATUS[state.status],
            occurred_at=state.status_at,
            agency_code=state.agency_code,
            agency_name=state.agency_name,
            procedure_code=state.procedure_code,
        )
        return DossierEvent(hub_seq=state.hub_seq, status=state.status, step=step, dossier=state)
    if isinstance(state, Procedure):
        return ProcedureEvent(hub_seq=state.hub_seq, change=_change(ProcedureChange, state), procedure=state)
    return ServiceEvent(hub_seq=state.hub_seq, change=_change(ServiceChange, state), service=state)


def _change(made: type[Change], state: Procedure | OnlineService) -> Change:
    """A change that tells all that is known."""
    known = {name: getattr(state, name) for name in made.__struct_fields__ if name in state.__struct_fields__}
    return made(**known, change="PUBLISHED" if state.active else "WITHDRAWN", occurred_at=state.changed_at)
