"""The rows that the projector writes: one class a table of the read model (`hub.readmodel.tables`), a field a column.

None is what was not told. What stands in a column of JSON is a document, made for pages and the read API.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from hub.events.families import FamilyName
from hub.untyped import JsonObject


class SubjectRow(Struct, frozen=True, gc=False, kw_only=True):
    """Table `dossiers`: a dossier, procedure or service as it stands."""

    key: str
    family: FamilyName
    hub_seq: int
    status: str
    status_at: int
    procedure_code: str | None
    agency_code: str | None
    received_at: int | None = None
    due_at: int | None = None
    finished_at: int | None = None
    parent_code: str | None = None
    state: JsonObject


class EventRow(Struct, frozen=True, gc=False, kw_only=True):
    """Table `events`."""

    key: str
    hub_seq: int
    event_id: str
    cause_id: str | None
    type: str
    source: str
    step: str
    status: str | None = None
    late: bool
    correction: bool = False
    rating: int | None = None
    transferred_to: str | None = None
    step_due_at: int | None = None
    occurred_at: int
    accepted_at: int | None
    note: str | None = None
    handler: JsonObject | None = None
    partition: int
    offset: int


class DeliveryRow(Struct, frozen=True, gc=False, kw_only=True):
    """Table `deliveries`: one attempt."""

    partition: int
    offset: int
    key: str
    subscriber: str
    outcome: str
    event_ids: list[str]
    hub_seqs: list[int]
    attempt: int
    at: int
    latency_ms: int
    http_status: int | None
    error_kind: str | None
    answer: str | None
    not_before: int | None


class DeadLetterRow(Struct, frozen=True, gc=False, kw_only=True):
    """Table `dead_letters`."""

    partition: int
    offset: int
    id: str
    key: str | None
    stage: str
    reason: str
    detail: str
    field: str
    subscriber: str
    event_id: str
    source: str
    origin: str
    at: int


class DiscrepancyRow(Struct, frozen=True, gc=False, kw_only=True):
    """Table `discrepancies`."""

    id: str
    key: str
    subscriber: str
    kind: str
    opened_at: int
    healed_at: int | None
    detail: str


@dataclass
class Rows:
    """Rows of one batch; `dossiers` holds the newest state of each key only. A discrepancy of None is gone."""

    dossiers: dict[str, SubjectRow] = field(default_factory=dict)
    events: dict[tuple[str, int], EventRow] = field(default_factory=dict)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    dead_letters: list[DeadLetterRow] = field(default_factory=list)
    discrepancies: dict[str, DiscrepancyRow | None] = field(default_factory=dict)
