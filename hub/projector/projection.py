"""Kafka records to table rows. Pure: `rows` reads nothing but its arguments, so a rebuild gives the same tables.

A row is a document: what is read is a typed record, what goes into a table is its columns by name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import orjson

from hub.avro.bodies import DELIVERY
from hub.avro.codec import Codec
from hub.avro.document import document
from hub.avro.records import Dossier, DossierDeadlineEvent, DossierEvent
from hub.deadletter import record as deadletter
from hub.errors import BadRecord
from hub.events import envelope as ce
from hub.events import families
from hub.events.canonical import EVENT_BODIES, CanonicalRecord, State, state_of, word_of
from hub.kafka import topics

log = logging.getLogger(__name__)
Row = dict[str, Any]

TOPICS = (topics.EVENTS, topics.DELIVERIES, topics.DEAD_LETTERS, topics.DISCREPANCIES)


class KafkaRecord(Protocol):
    """What aiokafka's ConsumerRecord gives."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any


@dataclass
class Rows:
    """Rows of one batch; `dossiers` holds the newest state of each key only."""

    dossiers: dict[str, Row] = field(default_factory=dict)
    events: dict[tuple[str, int], Row] = field(default_factory=dict)
    deliveries: list[Row] = field(default_factory=list)
    dead_letters: list[Row] = field(default_factory=list)
    discrepancies: dict[str, Row | None] = field(default_factory=dict)


def rows(records: Iterable[KafkaRecord], codec: Codec) -> Rows:
    """The rows of a batch. A record that cannot be read is logged and left out: a page must not stop for it."""
    out = Rows()
    handlers: dict[str, Callable[[Rows, KafkaRecord, Codec], None]] = {
        topics.EVENTS: _event,
        topics.DELIVERIES: _delivery,
        topics.DEAD_LETTERS: _dead_letter,
        topics.DISCREPANCIES: _discrepancy,
    }
    for record in records:
        try:
            handlers[record.topic](out, record, codec)
        except (BadRecord, ValueError, KeyError) as error:
            log.error("%s/%d/%d is not in the read model: %s", record.topic, record.partition, record.offset, error)
    return out


def millis(rfc3339: str) -> int | None:
    """Epoch milliseconds of a CloudEvents time, None for an empty one."""
    return int(datetime.fromisoformat(rfc3339).timestamp() * 1000) if rfc3339 else None


def _event(out: Rows, record: KafkaRecord, codec: Codec) -> None:
    head = ce.read_headers(record.headers)
    kind = families.BY_TYPE[head.type]
    event: CanonicalRecord = codec.read(EVENT_BODIES[head.type], record.value)
    key, state = head.subject, state_of(head.type, event)
    out.events[key, event.hub_seq] = {
        "key": key,
        "hub_seq": event.hub_seq,
        "event_id": head.id,
        "cause_id": head.causationid or None,
        "type": head.type,
        "source": head.source,
        "step": word_of(head.type, event),
        "occurred_at": getattr(event, kind.change).occurred_at,
        "accepted_at": millis(head.recordedtime),
        "partition": record.partition,
        "offset": record.offset,
        **_told(event),
    }
    known = out.dossiers.get(key)
    if known is None or known["hub_seq"] <= state.hub_seq:
        out.dossiers[key] = _subject(key, kind.family, state)


def _told(event: CanonicalRecord) -> Row:
    """The columns that a dossier's step fills."""
    if isinstance(event, DossierEvent):
        step = event.step
        return {
            "status": event.status,
            "late": event.late,
            "correction": step.correction,
            "rating": step.rating,
            "transferred_to": step.transferred_to,
            "step_due_at": step.step_due_at,
            "note": step.note,
            "handler": step.handler and document(step.handler),
        }
    late = not isinstance(event, DossierDeadlineEvent) and event.late
    untold = ("status", "rating", "transferred_to", "step_due_at", "note", "handler")
    return {"late": late, "correction": False, **dict.fromkeys(untold)}


def _subject(key: str, family: families.FamilyName, state: State) -> Row:
    row: Row = {
        "key": key,
        "family": family,
        "hub_seq": state.hub_seq,
        "procedure_code": state.procedure_code,
        "agency_code": state.agency_code,
        "state": document(state),
    }
    if isinstance(state, Dossier):
        own = ("status", "status_at", "received_at", "due_at", "finished_at", "parent_code")
        return row | {name: getattr(state, name) for name in own}
    untold = ("received_at", "due_at", "finished_at", "parent_code")
    status = "ACTIVE" if state.active else "WITHDRAWN"
    return row | {"status": status, "status_at": state.changed_at, **dict.fromkeys(untold)}


def _delivery(out: Rows, record: KafkaRecord, codec: Codec) -> None:
    told = document(codec.read(DELIVERY, record.value))
    out.deliveries.append(told | {"partition": record.partition, "offset": record.offset})


def _dead_letter(out: Rows, record: KafkaRecord, _: Codec) -> None:
    letter = deadletter.parse(record.key, record.value, record.headers)
    origin = f"{letter.topic}/{letter.partition}/{letter.offset}" if letter.offset >= 0 else letter.topic
    out.dead_letters.append(
        {
            "partition": record.partition,
            "offset": record.offset,
            "id": letter.id,
            "key": letter.key.decode(errors="replace")[:200] if letter.key else None,
            "stage": letter.stage,
            "reason": letter.reason,
            "detail": letter.detail,
            "field": letter.field,
            "subscriber": letter.subscriber,
            "event_id": letter.event_id[:200],
            "source": letter.source[:200],
            "origin": origin[:300],
            "at": letter.at_ms,
        }
    )


def _discrepancy(out: Rows, record: KafkaRecord, _: Codec) -> None:
    identity = (record.key or b"").decode()
    if record.value is None:
        out.discrepancies[identity] = None
        return
    datum = orjson.loads(record.value)
    out.discrepancies[identity] = {
        "id": identity,
        **{name: datum[name] for name in ("key", "subscriber", "kind", "opened_at", "detail")},
        "healed_at": datum.get("healed_at"),
    }
