"""One event of the made-up province."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """arrived_at: ms UTC; the stream is in its order. data: the published record. bad: what is wrong with it, or ""."""

    id: str
    source: str
    type: str
    subject: str
    at: int
    arrived_at: int
    data: dict[str, Any]
    bad: str = ""
