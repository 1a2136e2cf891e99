"""Inputs of the frozen parts: plain data and what writes it down shortly. Nothing of the hub is imported here.

An event is a dictionary: the fields of its record, and after an underscore what does not stand in the record (`_id`,
`_source`, `_door`, `_time`, `_agencies`). A text as "2026-01-05 08:00" is a time in Việt Nam and becomes epoch ms.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

CODE = "H11.12-260105-0001"
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d{3})?)?")

Event = dict[str, Any]


def ms(local: str) -> int:
    """Epoch milliseconds of a local time."""
    return round(datetime.fromisoformat(local + "+07:00").timestamp() * 1000)


def with_times(value: Any) -> Any:
    """The value, with all texts that are times as epoch milliseconds."""
    if isinstance(value, dict):
        return {name: with_times(own) for name, own in value.items()}
    if isinstance(value, list):
        return [with_times(own) for own in value]
    return ms(value) if isinstance(value, str) and _TIME.fullmatch(value) else value


def step(kind: str, at: str, code: str = CODE, **more: Any) -> Event:
    """A dossier's step."""
    return {"dossier_code": code, "step": kind, "occurred_at": at, **more}


def procedure(kind: str, at: str, code: str = "1.004194", **more: Any) -> Event:
    """A procedure's change."""
    return {"procedure_code": code, "change": kind, "occurred_at": at, **more}


def service(kind: str, at: str, code: str = "1.004194.01", **more: Any) -> Event:
    """An online service's change."""
    return {"service_code": code, "change": kind, "occurred_at": at, **more}


def singles(*events: Event) -> list[list[Event]]:
    """Each event as a chunk of its own."""
    return [[event] for event in events]
