"""The records in hub.events, typed: their bodies, and what every room asks of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.avro.bodies import BODIES
from hub.avro.record import Body
from hub.avro.records import (
    Dossier,
    DossierDeadlineEvent,
    DossierEvent,
    OnlineService,
    Procedure,
    ProcedureEvent,
    ServiceEvent,
)
from hub.events.families import BY_TYPE

CanonicalRecord = DossierEvent | ProcedureEvent | ServiceEvent | DossierDeadlineEvent
State = Dossier | Procedure | OnlineService

EVENT_BODIES: Mapping[str, Body[Any]] = {event.type: BODIES[event.record] for event in BY_TYPE.values()}
"""By CloudEvents type."""


def state_of(event_type: str, record: CanonicalRecord) -> State:
    """The state after the event."""
    state: State = getattr(record, BY_TYPE[event_type].state)
    return state


def word_of(event_type: str, record: CanonicalRecord) -> str:
    """What happened, in one word: the step, the change, or the kind of the deadline."""
    event = BY_TYPE[event_type]
    word: str = getattr(getattr(record, event.change), event.word)
    return word
