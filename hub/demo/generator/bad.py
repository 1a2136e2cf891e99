"""Events that cannot be used, planted among the good ones; each must end as a dead letter with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from hub.demo.generator.event import Event
from hub.events import families

KINDS = {
    "code": "code",
    "transition": "transition",
    "rating": "limit",
    "unrated": "missing_field",
    "seconds": "date",
    "procedure": "code",
    "conflict": "conflict",
}
"""What is wrong -> reason of the dead letter. Through the gateway some are refused at once instead."""

HOUR_MS = 3_600_000


class Planter:
    """Spreads `bad` events evenly over `count` good ones; what they spoil are events that have just gone by."""

    def __init__(self, count: int, bad: int) -> None:
        self._count, self._bad = count, bad
        self._planted = 0
        self._step: Event | None = None
        self._returned: Event | None = None

    def after(self, number: int, event: Event) -> Iterator[Event]:
        """What follows the good event of that number (1, 2 …)."""
        if event.type == families.DOSSIER.published:
            self._step = event
            if event.data["step"] == "RETURNED":
                self._returned = event
        while self._step is not None and self._planted < self._due(number):
            kind = list(KINDS)[self._planted % len(KINDS)]
            if kind == "transition" and self._returned is None:
                kind = "code"  # nothing was returned yet
            self._planted += 1
            yield self._spoilt(kind, self._returned if kind == "transition" else self._step)

    def _due(self, number: int) -> int:
        """How many must stand before the good event `number + 1`; all of them at the end."""
        return self._bad * number // self._count

    def _spoilt(self, kind: str, victim: Event | None) -> Event:
        assert victim is not None
        marker = f"planted-{kind}-{self._planted}"
        data = {**victim.data, "note": marker}
        id, subject, at = marker, victim.subject, victim.at
        match kind:
            case "code":
                data["dossier_code"] = subject = f"HS-{self._planted}/{victim.at}"
            case "transition":
                # Work goes on after the result was returned, and nobody calls it a correction.
                at = victim.at + HOUR_MS
                data |= {"step": "IN_PROCESS", "occurred_at": at}
                data.pop("returned_at", None)
            case "rating":
                data |= {"step": "RATED", "rating": 9}
            case "unrated":
                data |= {"step": "RATED", "rating": None}
            case "seconds":
                data["occurred_at"] = victim.at // 1000
            case "procedure":
                data["procedure_code"] = "TTHC-1"
            case "conflict":
                id = victim.id
        return Event(id, victim.source, victim.type, subject, at, victim.arrived_at, data, kind)
