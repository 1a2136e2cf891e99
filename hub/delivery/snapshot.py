"""A canonical event made from a state, for a new subscriber: "this is how the dossier stands" (backfill).

Its id follows from the code and `hub_seq`, so a repeated backfill sends the same id; its type is that of the family's
canonical event, its step the one that gave the status. Later events of the log with a higher `hub_seq` follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.avro.codec import Codec
from hub.events.envelope import Envelope, derived_id, rfc3339
from hub.events.families import DOSSIER, Family

SOURCE = "/hub/snapshot"

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


def snapshot(codec: Codec, family: Family, state: Mapping[str, Any]) -> tuple[Envelope, dict[str, Any], bytes]:
    """(envelope, canonical datum, its bytes) for a decoded state record (`vn.hub.Dossier` …)."""
    code = state[family.code]
    changed = state[family.changed_at]
    datum = _dossier(state) if family is DOSSIER else _catalogue(family, state)
    envelope = Envelope(
        id=derived_id("snapshot", family.name, code, str(state["hub_seq"])),
        source=SOURCE,
        type=family.event.type,
        subject=code,
        time=rfc3339(datetime.fromtimestamp(changed / 1000, UTC)),
        hub_seq=state["hub_seq"],
    )
    value = codec.encode(family.event.record, datum)
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


def _catalogue(family: Family, state: Mapping[str, Any]) -> dict[str, Any]:
    event = family.event
    change = {k: v for k, v in state.items() if k not in ("hub_seq", "active", family.changed_at)}
    change |= {event.word: "PUBLISHED" if state["active"] else "WITHDRAWN", "occurred_at": state[family.changed_at]}
    return {"hub_seq": state["hub_seq"], "late": False, event.change: change, event.state: dict(state)}
