"""What a family of events is: the one table that every room reads.

Three families: dossiers (hồ sơ), administrative procedures (thủ tục hành chính) and online services (dịch vụ công trực
tuyến). Of each: what agencies publish, the canonical event that the core makes of it, and the state that follows. The
core tells of one kind more, the deadlines of dossiers, which nobody publishes. A new family needs its schemas and an
entry here, and the work on it in `hub.core`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.model import catalogue

FamilyName = Literal["dossier", "procedure", "service"]


@dataclass(frozen=True, slots=True)
class Canonical:
    """One kind of event in `hub.events`.

    name:        the word for it in subscriptions and pages.
    type:        its CloudEvents type. record: its Avro record.
    change:      the field with what happened; in it, `word` is the field that says it in one word of the enum `words`.
    state:       the field with the state after it.
    family:      whose state that is.
    """

    name: str
    type: str
    record: str
    change: str
    word: str
    words: str
    state: str
    family: FamilyName


@dataclass(frozen=True, slots=True)
class Family:
    """name: in rights, subscriptions and tables. title: in Vietnamese, for people. code: the field that is the key.

    published:        CloudEvents type that agencies use. published_record: its Avro record.
    event:            what the core makes of it.
    state_record:     the Avro record of its state. state_topic: the compacted topic of all states.
    changed_at:       the field of the state with the time of its last change.
    catalogue_fields: of a catalogue entry the fields that its changes tell; a dossier's are in `hub.model.facts`.
    """

    name: FamilyName
    title: str
    code: str
    published: str
    published_record: str
    event: Canonical
    state_record: str
    state_topic: str
    changed_at: str
    catalogue_fields: tuple[str, ...] = ()


DOSSIER = Family(
    name="dossier",
    title="Hồ sơ",
    code="dossier_code",
    published="vn.hub.dossier.step",
    published_record="vn.hub.DossierStep",
    event=Canonical(
        "dossier",
        "vn.hub.dossier.event",
        "vn.hub.DossierEvent",
        "step",
        "step",
        "vn.hub.StepKind",
        "dossier",
        "dossier",
    ),
    state_record="vn.hub.Dossier",
    state_topic="hub.dossiers",
    changed_at="status_at",
)
PROCEDURE = Family(
    name="procedure",
    title="Thủ tục hành chính",
    code="procedure_code",
    published="vn.hub.procedure.change",
    published_record="vn.hub.ProcedureChange",
    event=Canonical(
        "procedure", "vn.hub.procedure.event", "vn.hub.ProcedureEvent", "change", "change", "vn.hub.ChangeKind",
        "procedure", "procedure",
    ),
    state_record="vn.hub.Procedure",
    state_topic="hub.procedures",
    changed_at="changed_at",
    catalogue_fields=catalogue.PROCEDURE_FIELDS,
)  # fmt: skip
SERVICE = Family(
    name="service",
    title="Dịch vụ công trực tuyến",
    code="service_code",
    published="vn.hub.service.change",
    published_record="vn.hub.ServiceChange",
    event=Canonical(
        "service", "vn.hub.service.event", "vn.hub.ServiceEvent", "change", "change", "vn.hub.ChangeKind",
        "service", "service",
    ),
    state_record="vn.hub.OnlineService",
    state_topic="hub.services",
    changed_at="changed_at",
    catalogue_fields=catalogue.SERVICE_FIELDS,
)  # fmt: skip
DEADLINE = Canonical(
    "deadline", "vn.hub.dossier.deadline", "vn.hub.DossierDeadlineEvent", "deadline", "kind", "vn.hub.DeadlineKind",
    "dossier", "dossier",
)  # fmt: skip
"""A deadline of a dossier, told by the core."""

CLOCK = "vn.hub.dossier.clock"
"""Type of the core's question in hub.ingress whether to tell of a deadline; nobody else may send it (decision 7)."""
CLOCK_RECORD = "vn.hub.DossierDeadline"

FAMILIES: tuple[Family, ...] = (DOSSIER, PROCEDURE, SERVICE)
NAMES: tuple[FamilyName, ...] = tuple(family.name for family in FAMILIES)
BY_NAME = {family.name: family for family in FAMILIES}
BY_PUBLISHED = {family.published: family for family in FAMILIES}
BY_STATE_TOPIC = {family.state_topic: family for family in FAMILIES}
CANONICAL: tuple[Canonical, ...] = (*(family.event for family in FAMILIES), DEADLINE)
BY_TYPE = {event.type: event for event in CANONICAL}
"""Canonical events by CloudEvents type."""
EVENT_NAMES: tuple[str, ...] = tuple(event.name for event in CANONICAL)
"""What a connector may take. Deadlines are a name of their own: no state portal has a line for them."""
