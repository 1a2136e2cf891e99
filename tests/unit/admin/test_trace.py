"""What one record says of the key, for each kind of record that can stand in a topic."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub.admin.trace import Hop, _hop
from hub.avro import bodies
from hub.avro.record import Body, Record
from hub.avro.records import (
    Dossier,
    DossierDeadline,
    DossierDeadlineEvent,
    DossierEvent,
    DossierStep,
    OnlineService,
    Procedure,
    ProcedureChange,
    ProcedureEvent,
    ServiceChange,
    ServiceEvent,
)
from hub.events.envelope import Envelope
from hub.kafka import topics
from tests.support.codecs import fixed_codec

CODEC = fixed_codec()
STEP = DossierStep(dossier_code="x", step="FINISHED", occurred_at=5, note="Ông Nguyễn Văn A")
DEADLINE = DossierDeadline(dossier_code="x", kind="WARNING", occurred_at=5, due_at=6, deadline_at=6)
CHANGE = ProcedureChange(procedure_code="x", change="AMENDED", occurred_at=5)
OFFER = ServiceChange(service_code="x", change="WITHDRAWN", occurred_at=5)
DOSSIER = Dossier(dossier_code="x", hub_seq=3, status="RETURNED", status_at=5)
PROCEDURE = Procedure(procedure_code="x", hub_seq=3, active=True, changed_at=5)
SERVICE = OnlineService(service_code="x", hub_seq=3, active=False, changed_at=5)


def hop(topic: str, body: Body[Any], record: Record) -> Hop:
    headers = Envelope("e-1", "urn:one", "vn.hub.some", "x", causationid="c-1").headers()
    found: Any = SimpleNamespace(timestamp=7, topic=topic, partition=1, offset=2, key=b"x", headers=headers)
    found.value = CODEC.write(body, record)
    return _hop(found, CODEC)


@pytest.mark.parametrize(
    ("body", "record", "what"),
    [
        (bodies.DOSSIER_STEP, STEP, "accepted FINISHED"),
        (bodies.PROCEDURE_CHANGE, CHANGE, "accepted AMENDED"),
        (bodies.SERVICE_CHANGE, OFFER, "accepted WITHDRAWN"),
        (bodies.DOSSIER_DEADLINE, DEADLINE, "accepted WARNING"),
        (bodies.DOSSIER, DOSSIER, "accepted vn.hub.some"),
    ],
)
def test_in_hub_ingress(body: Body[Any], record: Record, what: str) -> None:
    assert hop(topics.INGRESS, body, record) == Hop(7, topics.INGRESS, 1, 2, what, "from urn:one", ("e-1",))


@pytest.mark.parametrize(
    ("body", "record", "what", "detail"),
    [
        (bodies.DOSSIER_EVENT, DossierEvent(hub_seq=3, late=True, status="FINISHED", step=STEP, dossier=DOSSIER),
         "canonical FINISHED", "hub_seq 3, status FINISHED, late"),
        (bodies.DOSSIER_DEADLINE_EVENT, DossierDeadlineEvent(hub_seq=3, deadline=DEADLINE, dossier=DOSSIER),
         "canonical WARNING", "hub_seq 3"),
        (bodies.PROCEDURE_EVENT, ProcedureEvent(hub_seq=3, change=CHANGE, procedure=PROCEDURE),
         "canonical AMENDED", "hub_seq 3"),
        (bodies.SERVICE_EVENT, ServiceEvent(hub_seq=3, late=True, change=OFFER, service=SERVICE),
         "canonical WITHDRAWN", "hub_seq 3, late"),
    ],
)  # fmt: skip
def test_in_hub_events(body: Body[Any], record: Record, what: str, detail: str) -> None:
    assert hop(topics.EVENTS, body, record) == Hop(7, topics.EVENTS, 1, 2, what, detail, ("e-1", "c-1"), 3)


def test_what_is_no_canonical_event_is_unreadable_there() -> None:
    found = hop(topics.EVENTS, bodies.DOSSIER_STEP, STEP)
    assert (found.what, "no canonical event" in found.detail, "Nguyễn" in found.detail) == ("unreadable", True, False)
