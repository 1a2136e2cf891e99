"""One event of the made-up province."""

from __future__ import annotations

from dataclasses import dataclass

from hub.untyped import JsonObject


@dataclass(frozen=True, slots=True)
class Event:
    """arrived_at: ms UTC; the stream is in its order. data: what the agency says, as JSON holds it. bad: what is wrong
    with it, or ""."""

    id: str
    source: str
    type: str
    subject: str
    at: int
    arrived_at: int
    data: JsonObject
    bad: str = ""
