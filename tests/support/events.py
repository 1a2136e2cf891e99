"""Canonical events and deliveries written out plainly, for tests of the rooms that read them."""

from __future__ import annotations

from typing import Any

from hub.avro.codec import Codec
from hub.avro.records import Dossier, DossierEvent, DossierStep, StepKind
from hub.events import families
from hub.events.envelope import Envelope, derived_id

T0 = 1_700_000_000_000
Headers = list[tuple[str, bytes]]


def dossier_event(
    codec: Codec, code: str, seq: int, step: str = "IN_PROCESS", status: str = "IN_PROCESS", **facts: Any
) -> tuple[bytes, bytes, Headers]:
    """(key, value, headers) as the core writes them to hub.events."""
    at = facts.pop("at", T0 + seq * 60_000)
    late = facts.pop("late", False)
    state = {"dossier_code": code, "hub_seq": seq, "status": status, "status_at": at, **facts}
    datum = {
        "hub_seq": seq,
        "late": late,
        "status": status,
        "step": {"dossier_code": code, "step": step, "occurred_at": at, **facts},
        "dossier": state,
    }
    envelope = Envelope(
        id=derived_id("test", code, str(seq)),
        source="urn:vn:gov:H11.12:test",
        type=families.DOSSIER.event.type,
        subject=code,
        recordedtime="2023-11-14T22:13:20.000Z",
        causationid=f"cause-{code}-{seq}",
        hub_seq=seq,
    )
    return code.encode(), codec.encode("vn.hub.DossierEvent", datum), envelope.headers()


def stands(step: StepKind, transferred_to: str | None = None, **state: Any) -> DossierEvent:
    """An event that says this of a dossier, and nothing else."""
    told = DossierStep(
        dossier_code="000.00.12.H11-231114-0001", step=step, occurred_at=T0, transferred_to=transferred_to
    )
    after = Dossier(dossier_code=told.dossier_code, hub_seq=1, status="UNKNOWN", status_at=T0, **state)
    return DossierEvent(hub_seq=1, status="UNKNOWN", step=told, dossier=after)


def delivery(
    codec: Codec, code: str, subscriber: str, seqs: list[int], outcome: str = "DELIVERED", **more: Any
) -> bytes:
    """Value of a record in hub.deliveries."""
    datum = {
        "subscriber": subscriber,
        "key": code,
        "outcome": outcome,
        "event_ids": [derived_id("test", code, str(s)) for s in seqs],
        "hub_seqs": seqs,
        "attempt": 1,
        "at": T0 + 1_000_000,
        **more,
    }
    return codec.encode("vn.hub.Delivery", datum)
