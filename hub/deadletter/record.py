"""A dead letter: the source's bytes as they came, and headers that say why, where and from where.

Headers: those of the source, then `dl_id, dl_stage, dl_reason, dl_detail, dl_field, dl_topic, dl_partition, dl_offset,
dl_at` (and `dl_subscriber` from a delivery). The id is derived, so a replayed failure writes the same id again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.errors import BadRecord
from hub.events.envelope import Headers, derived_id
from hub.kafka.topics import DEAD_LETTERS, INGRESS

DETAIL_BYTES = 2_000
PREFIX = "dl_"
REPLAY_OF = "ce_replayof"
"""Header of an event that was sent back: the id of its dead letter."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter as read back. `at_ms` epoch milliseconds; `event_id`, `source` may be empty if unreadable."""

    id: str
    stage: str
    reason: str
    detail: str
    field: str
    topic: str
    partition: int
    offset: int
    at_ms: int
    subscriber: str
    event_id: str
    source: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    """The source's own headers, without the dl_ ones: what a replay sends."""

    @property
    def obstacle(self) -> str:
        """Why it cannot go back as it is, whoever asks, in a sentence that says what to do; "" if it can."""
        if self.stage == "deliver":
            return "" if self.key is not None and self.subscriber else "it names no dossier or no subscriber"
        given = {name for name, _ in self.headers}
        if self.value is None or not {"ce_id", "ce_source", "ce_type"} <= given:
            return "it never was an event (a row of a file, or no envelope): correct it at its source"
        if self.topic not in (INGRESS, "") and not self.topic.startswith(f"{INGRESS}."):
            return f"it comes from {self.topic}, which only the hub itself may write"
        return ""


def build(
    *,
    stage: str,
    error: BadRecord,
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    headers: Headers = (),
    subscriber: str = "",
    where: str = "",
    at_ms: int | None = None,
) -> tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]:
    """(topic, key, value, headers) ready for the producer. `where`: a file's line, for sources without offsets.

    at_ms: a step that must give the same bytes again passes the record's own time; None: now.
    """
    own = {
        "id": derived_id("dead-letter", stage, subscriber, topic, str(partition), str(offset), where, error.reason),
        "stage": stage,
        "reason": error.reason,
        "detail": error.detail.encode()[:DETAIL_BYTES].decode(errors="ignore"),
        "field": error.field,
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "at": str(int(time.time() * 1000) if at_ms is None else at_ms),
        "subscriber": subscriber,
        "where": where,
    }
    kept = [(name, raw) for name, raw in headers if not name.startswith(PREFIX)]
    return DEAD_LETTERS, key, value, kept + [(PREFIX + n, v.encode()) for n, v in own.items() if v]


class Source(Protocol):
    """A Kafka record as read, by aiokafka or by the engine."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


def of_record(
    record: Source, stage: str, error: BadRecord, subscriber: str = "", at_ms: int | None = None
) -> tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]:
    """The dead letter of a Kafka record as it came, in the shape of `build`."""
    return build(
        stage=stage,
        error=error,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=record.headers,
        subscriber=subscriber,
        at_ms=at_ms,
    )


def parse(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> DeadLetter:
    """The other way round; missing headers become empty, so that any record of the topic can be shown."""
    own = {n[len(PREFIX) :]: v.decode(errors="replace") for n, v in headers if n.startswith(PREFIX)}
    kept = tuple((n, v) for n, v in headers if not n.startswith(PREFIX))
    plain = {n: v.decode(errors="replace") for n, v in kept if v is not None}
    return DeadLetter(
        id=own.get("id", ""),
        stage=own.get("stage", ""),
        reason=own.get("reason", ""),
        detail=own.get("detail", ""),
        field=own.get("field", ""),
        topic=own.get("topic", "") or own.get("where", ""),
        partition=int(own.get("partition", "-1")),
        offset=int(own.get("offset", "-1")),
        at_ms=int(own.get("at", "0")),
        subscriber=own.get("subscriber", ""),
        event_id=plain.get("ce_id", ""),
        source=plain.get("ce_source", ""),
        key=key,
        value=value,
        headers=kept,
    )
