"""Dead letters and their states as Kafka gives them, for the book."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord

from hub.deadletter.book import Book
from hub.deadletter.states import LetterState, State
from hub.kafka.topics import DEAD_LETTERS, LETTER_STATES

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1000)


def kafka(topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None, **more: Any) -> Any:
    headers = tuple((name, raw.encode()) for name, raw in more.pop("headers", {}).items())
    at = more.pop("at", AT_MS - 1_000)
    return ConsumerRecord(topic, partition, offset, at, 0, key, value, None, 0, 0, headers)


def letter(id: str, offset: int, partition: int = 0, stage: str = "core", **more: Any) -> Any:
    own = {"dl_id": id, "dl_stage": stage, "dl_reason": "date", "dl_at": str(offset)}
    headers = own | more.pop("headers", {})
    return kafka(DEAD_LETTERS, partition, offset, more.pop("key", b"K"), b"personal bytes", headers=headers, **more)


def state(id: str, offset: int, state: State = "replayed", partition: int = 0) -> Any:
    told = LetterState(letter=id, state=state, act="a-1", at=AT, who="lan@desk", partition=partition, offset=offset)
    return kafka(LETTER_STATES, 0, 0, id.encode(), told.model_dump_json().encode())


def book(*records: Any) -> Book:
    out = Book()
    for one in records:
        out.take(one)
    return out
