"""A canonical event made from a state, for a new subscriber: "this is how the dossier stands" (backfill).

Its id follows from the code and `hub_seq`, so a repeated backfill sends the same id; its type is that of the family's
canonical event, its step the one that gave the status. Later events of the log with a higher `hub_seq` follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.avro.codec import Codec
from hub.events.envelope import (
    CANONICAL_RECORDS,
    DOSSIER_EVENT,
    PROCEDURE_EVENT,
    SERVICE_EVENT,
    Envelope,
    derived_id,
    rfc3339,
)

SOURCE = "/hub/snapshot"

EVENT_TYPE = {"dossier": DOSSIER_EVENT, "procedure": PROCEDURE_EVENT, "service": SERVICE_EVENT}
CODE_FIELD = {"dossier": "dossier_code", "procedure": "procedure_code", "service": "service_code"}

STEP_OF_STATUS = {
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


def snapshot(codec: Codec, family: str, state: Mapping[str, Any]) -> tuple[Envelope, dict[str, Any], bytes]:
    """(envelope, canonical datum, its bytes) for a decoded state record (`vn.hub.Dossier` …)."""
    event_type = EVENT_TYPE[family]
    code = state[CODE_FIELD[family]]
    changed = state["status_at"] if family == "dossier" else state["changed_at"]
    datum = _dossier(state) if family == "dossier" else _catalogue(family, state)
    envelope = Envelope(
        id=derived_id("snapshot", family, code, str(state["hub_seq"])),
        source=SOURCE,
        type=event_type,
        subject=code,
        time=rfc3339(datetime.fromtimestamp(changed / 1000, UTC)),
        hub_seq=state["hub_seq"],
    )
    value = codec.encode(CANONICAL_RECORDS[event_type], datum)
    # Decoded again, so that a connector finds every field, as in an event that was read from the log.
    return envelope, codec.decode(value)[1], value


def _dossier(state: Mapping[str, Any]) -> dict[str, Any]:
    step = {
        "dossier_code": state["dossier_code"],
        "step": STEP_OF_STATUS[state["status"]],
        "occurred_at": state["status_at"],
        "agency_code": state["agency_code"],
        "agency_name": state["agency_name"],
        "procedure_code": state["procedure_code"],
    }
    return {"hub_seq": state["hub_seq"], "late": False, "status": state["status"], "step": step, "dossier": dict(state)}


def _catalogue(family: str, state: Mapping[str, Any]) -> dict[str, Any]:
    change = {k: v for k, v in state.items() if k not in ("hub_seq", "active", "changed_at")}
    change |= {"change": "PUBLISHED" if state["active"] else "WITHDRAWN", "occurred_at": state["changed_at"]}
    return {"hub_seq": state["hub_seq"], "late": False, "change": change, family: dict(state)}
