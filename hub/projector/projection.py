"""Kafka records to table rows. Pure: `rows` reads nothing but its arguments, so a rebuild gives the same tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from msgspec import structs

from hub.avro.bodies import DELIVERY
from hub.avro.codec import Codec
from hub.avro.document import document
from hub.avro.records import Dossier, DossierDeadlineEvent, DossierEvent
from hub.deadletter import record as deadletter
from hub.errors import BadRecord
from hub.events import discrepancy, families
from hub.events import envelope as ce
from hub.events.canonical import EVENT_BODIES, CanonicalRecord, State, state_of, word_of
from hub.kafka import topics
from hub.projector.rows import DeadLetterRow, DeliveryRow, DiscrepancyRow, EventRow, Rows, SubjectRow

log = logging.getLogger(__name__)

TOPICS = (topics.EVENTS, topics.DELIVERIES, topics.DEAD_LETTERS, topics.DISCREPANCIES)


class KafkaRecord(Protocol):
    """What aiokafka's ConsumerRecord gives."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any


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
    row = EventRow(
        key=key,
        hub_seq=event.hub_seq,
        event_id=head.id,
        cause_id=head.causationid or None,
        type=head.type,
        source=head.source,
        step=word_of(head.type, event),
        late=not isinstance(event, DossierDeadlineEvent) and event.late,
        occurred_at=getattr(event, kind.change).occurred_at,
        accepted_at=millis(head.recordedtime),
        partition=record.partition,
        offset=record.offset,
    )
    out.events[key, event.hub_seq] = _with_step(row, event) if isinstance(event, DossierEvent) else row
    known = out.dossiers.get(key)
    if known is None or known.hub_seq <= state.hub_seq:
        out.dossiers[key] = _subject(key, kind.family, state)


def _with_step(row: EventRow, event: DossierEvent) -> EventRow:
    """With the columns that a dossier's step fills."""
    step = event.step
    return structs.replace(
        row,
        status=event.status,
        correction=step.correction,
        rating=step.rating,
        transferred_to=step.transferred_to,
        step_due_at=step.step_due_at,
        note=step.note,
        handler=step.handler and document(step.handler),
    )


def _subject(key: str, family: families.FamilyName, state: State) -> SubjectRow:
    if isinstance(state, Dossier):
        return SubjectRow(
            key=key,
            family=family,
            hub_seq=state.hub_seq,
            status=state.status,
            status_at=state.status_at,
            procedure_code=state.procedure_code,
            agency_code=state.agency_code,
            received_at=state.received_at,
            due_at=state.due_at,
            finished_at=state.finished_at,
            parent_code=state.parent_code,
            state=document(state),
        )
    return SubjectRow(
        key=key,
        family=family,
        hub_seq=state.hub_seq,
        status="ACTIVE" if state.active else "WITHDRAWN",
        status_at=state.changed_at,
        procedure_code=state.procedure_code,
        agency_code=state.agency_code,
        state=document(state),
    )


def _delivery(out: Rows, record: KafkaRecord, codec: Codec) -> None:
    told = codec.read(DELIVERY, record.value)
    out.deliveries.append(
        DeliveryRow(
            partition=record.partition,
            offset=record.offset,
            key=told.key,
            subscriber=told.subscriber,
            outcome=told.outcome,
            event_ids=list(told.event_ids),
            hub_seqs=list(told.hub_seqs),
            attempt=told.attempt,
            at=told.at,
            latency_ms=told.latency_ms,
            http_status=told.http_status,
            error_kind=told.error_kind,
            answer=told.answer,
            not_before=told.not_before,
        )
    )


def _dead_letter(out: Rows, record: KafkaRecord, _: Codec) -> None:
    letter = deadletter.parse(record.key, record.value, record.headers)
    origin = f"{letter.topic}/{letter.partition}/{letter.offset}" if letter.offset >= 0 else letter.topic
    out.dead_letters.append(
        DeadLetterRow(
            partition=record.partition,
            offset=record.offset,
            id=letter.id,
            key=letter.key.decode(errors="replace")[:200] if letter.key else None,
            stage=letter.stage,
            reason=letter.reason,
            detail=letter.detail,
            field=letter.field,
            subscriber=letter.subscriber,
            event_id=letter.event_id[:200],
            source=letter.source[:200],
            origin=origin[:300],
            at=letter.at_ms,
        )
    )


def _discrepancy(out: Rows, record: KafkaRecord, _: Codec) -> None:
    identity = (record.key or b"").decode()
    if record.value is None:
        out.discrepancies[identity] = None
        return
    told = discrepancy.loads(record.value)
    out.discrepancies[identity] = DiscrepancyRow(
        id=identity,
        key=told.key,
        subscriber=told.subscriber,
        kind=told.kind,
        opened_at=told.opened_at,
        healed_at=told.healed_at,
        detail=told.detail,
    )
