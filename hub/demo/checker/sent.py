"""What was sent of the generated province, read from its NDJSON alone, and what must come of it.

Imports nothing from the hub (only its sibling checkers): the rules below are written anew from docs/lifecycle.md, so
that an error of the core is not made a second time here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.demo.checker.result import JsonObject

DOSSIER, PROCEDURE, SERVICE = "vn.hub.dossier.step", "vn.hub.procedure.change", "vn.hub.service.change"
PLANTED = "planted-"
"""Ids of events that must not get through begin so."""

# Steps of one millisecond are taken in this order (docs/lifecycle.md), corrections after others.
ORDER = (
    "SUBMITTED", "RECEIVED", "IN_PROCESS", "TRANSFERRED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN",
    "PAYMENT_REQUESTED", "PAYMENT_MADE", "RESCHEDULED", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED",
    "RATED",
)  # fmt: skip
STATUS_CODE = {
    "NEW": "1", "ACCEPTED": "2", "NOT_ACCEPTED": "3", "IN_PROCESS": "4", "SUPPLEMENT": "5", "PAYMENT": "6",
    "WITHDRAWN": "7", "STOPPED": "8", "FINISHED": "9", "RETURNED": "10",
}  # fmt: skip
"""TrangThaiHoSo of the national portal (docs/field/statuses.md#codes)."""
_ENDS = {"SUBMITTED": "NEW", "NOT_ACCEPTED": "NOT_ACCEPTED", "WITHDRAWN": "WITHDRAWN", "STOPPED": "STOPPED",
         "FINISHED": "FINISHED", "RETURNED": "RETURNED", "IN_PROCESS": "IN_PROCESS"}  # fmt: skip
_ASKS = {"SUPPLEMENT_REQUESTED": "SUPPLEMENT", "PAYMENT_REQUESTED": "PAYMENT"}


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a dossier. at: ms UTC. arrival: its place in the file."""

    id: str
    at: int
    kind: str
    correction: bool
    arrival: int
    data: Mapping[str, Any]

    @property
    def order(self) -> tuple[int, bool, int]:
        return self.at, self.correction, ORDER.index(self.kind)

    @property
    def department(self) -> str:
        return str((self.data.get("handler") or {}).get("department") or "")


@dataclass
class Dossier:
    """steps: each event once, as they arrived."""

    code: str
    steps: list[Step] = field(default_factory=list)

    def in_time(self) -> list[Step]:
        """In the order in which they happened."""
        return sorted(self.steps, key=lambda step: step.order)

    @property
    def status(self) -> str:
        """Where all of them lead to."""
        return statuses(self.in_time())[-1]

    def shown(self) -> Iterator[tuple[Step, str, bool]]:
        """(step, its own status, whether it was late) as the hub could know it when the step arrived."""
        for number, step in enumerate(self.steps, 1):
            known = sorted(self.steps[:number], key=lambda one: one.order)
            place = known.index(step)
            after = [one for one in known[place + 1 :] if one.kind != "RATED"]
            late = any((one.at, one.correction, one.kind) != (step.at, step.correction, step.kind) for one in after)
            yield step, statuses(known[: place + 1])[-1], late

    def told(self, name: str) -> Any:
        """A fact: what the newest step says of it that says anything."""
        found = [step.data[name] for step in self.in_time() if step.data.get(name) is not None]
        return found[-1] if found else None


def statuses(steps: Iterable[Step]) -> list[str]:
    """The status after each of them, in the order of time."""
    return statuses_of((step.kind, step.correction) for step in steps)


def statuses_of(kinds: Iterable[tuple[str, bool]]) -> list[str]:
    """kinds: (kind, whether it is a correction)."""
    rest, status, out = "", "UNKNOWN", []
    for kind, correction in kinds:
        rest = "" if correction and kind != "RATED" else rest
        if kind == "RESCHEDULED":  # a new date; the status stays, that of a wait too
            status = "IN_PROCESS" if correction or status == "UNKNOWN" else status
        elif kind != "RATED":
            waits = kind == "TRANSFERRED" and not correction and status in _ASKS.values()
            rest, after = _after(rest, kind)
            status = status if waits else after  # a transfer moves the holder, who goes on waiting
        out.append(status)
    return out


def _after(rest: str, kind: str) -> tuple[str, str]:
    """(where it rests then, its status). rest "": nothing is known before."""
    if kind in _ASKS:  # a wait ends where it began
        return rest, _ASKS[kind]
    if kind in _ENDS:
        return _ENDS[kind], _ENDS[kind]
    if kind == "RECEIVED":
        status = "IN_PROCESS" if rest == "IN_PROCESS" else "ACCEPTED"
        return status, status
    # A paper given, a fee paid, a transfer.
    stays = {"SUPPLEMENT_GIVEN": ("NEW",), "PAYMENT_MADE": ("NEW", "FINISHED"), "TRANSFERRED": ("NEW", "FINISHED")}
    status = rest if rest in stays[kind] else "IN_PROCESS"
    return (status if rest else ""), status


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a procedure or a service."""

    id: str
    at: int
    change: str
    data: Mapping[str, Any]


@dataclass
class Sent:
    """dossiers: by code, planted events left out. procedures, services: by code. events: different ones, by type.
    refused: id -> step of dossiers that were planted to be refused. lines: of the file, doubled ones included."""

    lines: int = 0
    events: dict[str, int] = field(default_factory=dict)
    dossiers: dict[str, Dossier] = field(default_factory=dict)
    procedures: dict[str, list[Change]] = field(default_factory=dict)
    services: dict[str, list[Change]] = field(default_factory=dict)
    refused: dict[str, Step] = field(default_factory=dict)


def read(path: Path) -> Sent:
    """Everything that was sent, in its order."""
    out, seen = Sent(), set[tuple[str, str]]()
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            event = json.loads(line)
            out.lines += 1
            identity = event["source"], event["id"]
            if identity in seen:
                continue
            seen.add(identity)
            _take(out, number, event)
    return out


def _take(out: Sent, number: int, event: Mapping[str, Any]) -> None:
    data, kind = event["data"], event["type"]
    if kind == DOSSIER:
        step = Step(event["id"], millis(data["occurred_at"]), data["step"], bool(data.get("correction")), number, data)
        if step.id.startswith(PLANTED):
            out.refused[step.id] = step
            return
        out.dossiers.setdefault(event["subject"], Dossier(event["subject"])).steps.append(step)
    else:
        entries = out.procedures if kind == PROCEDURE else out.services
        change = Change(event["id"], millis(data["occurred_at"]), data["change"], data)
        entries.setdefault(event["subject"], []).append(change)
    out.events[kind] = out.events.get(kind, 0) + 1


def standing(changes: Iterable[Change]) -> tuple[JsonObject, bool, int | None]:
    """(facts, whether it is offered, since when) of a procedure or a service: each fact as last told in event time."""
    facts: JsonObject = {}
    active, since = True, None
    for change in sorted(changes, key=lambda one: one.at):
        facts |= {name: value for name, value in change.data.items() if value is not None}
        if change.change != "AMENDED":
            active, since = change.change == "PUBLISHED", change.at
    return facts, active, since


def millis(text: str) -> int:
    """RFC 3339 -> ms UTC."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)
