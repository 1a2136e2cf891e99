"""Slice 4 of the generated province: every dossier at both portals and in the read API as the file of what was sent
says it. Imports nothing from the hub but its sibling checkers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.demo.checker.result import Slice, rows
from hub.demo.checker.sample import wire
from hub.demo.checker.sent import STATUS_CODE, Dossier, Sent


def check(sent: Sent, national: Path, provincial: Path, answers: Mapping[str, Mapping[str, Any]]) -> Slice:
    """answers: dossier code -> what the read API answered."""
    found = Slice()
    at_provincial = _provincial(provincial)
    at_national, lines = _national(national)
    for code, dossier in sent.dossiers.items():
        _check_provincial(found, dossier, at_provincial.get(code, Received()))
        _check_national(found, dossier, at_national.get(code), lines.get(code, set()))
        state = answers.get(code) or {}
        found.same(f"{code} in the read API, status", dossier.status, state.get("status"))
    every = sent.dossiers.values()
    figures = {
        "dossiers": len(every),
        "events": sum(len(dossier.steps) for dossier in every),
        "sent_twice": sent.lines - sum(sent.events.values()) - len(sent.refused),
        "late": sum(late for dossier in every for _, _, late in dossier.shown()),
        "corrected": sum(any(step.correction for step in dossier.steps) for dossier in every),
        "provincial_events": sum(len(at_provincial[code].events) for code in sent.dossiers if code in at_provincial),
        "national_lines": sum(len(lines.get(code, ())) for code in sent.dossiers),
        "statuses": dict(sorted(Counter(dossier.status for dossier in every).items())),
    }
    found.figures = figures
    found.shown = (
        f"{figures['dossiers']} dossiers with {figures['events']} events ({figures['late']} late, "
        f"{figures['sent_twice']} sent twice, {figures['corrected']} corrected): "
        f"{figures['provincial_events']} events and {figures['national_lines']} lines at the portals"
    )
    return found


Shown = tuple[str, str, bool]
"""An event at the provincial portal: step, its own status, late."""


@dataclass
class Received:
    """A dossier at the provincial portal, in order of arrival. status: the dossier's in the last event."""

    numbers: list[int] = field(default_factory=list)
    events: list[Shown] = field(default_factory=list)
    status: str = ""


def _provincial(database: Path) -> dict[str, Received]:
    out: dict[str, Received] = {}
    for row in rows(database, "SELECT * FROM events WHERE type = 'vn.hub.dossier.event' ORDER BY arrival"):
        data = json.loads(row["body"])["data"]
        one = out.setdefault(row["key"], Received())
        one.numbers.append(row["hub_seq"])
        one.events.append((data["step"]["step"], data["status"], data["late"]))
        one.status = data["dossier"]["status"]
    return out


def _check_provincial(found: Slice, dossier: Dossier, shown: Received) -> None:
    """hub_seq rises, with gaps where the hub told a deadline, which this portal does not get."""
    where = f"{dossier.code} at the provincial portal"
    due = [(step.kind, status, late) for step, status, late in dossier.shown()]
    if not found.same(f"{where}, number of events", len(due), len(shown.events)):
        return
    for number, (one, other) in enumerate(zip(due, shown.events, strict=True), 1):
        if not found.same(f"{where}, event {number}", one, other):
            return
    if shown.numbers != sorted(set(shown.numbers)):
        found.wrong.append(f"{where}: the events came out of order, hub_seq {shown.numbers}")
    found.same(f"{where}, status", dossier.status, shown.status)


Line = tuple[str, str, str]
"""What the national portal tells a dossier's lines apart by: time, status, department."""


def _national(database: Path) -> tuple[dict[str, str], dict[str, set[Line]]]:
    """(dossier -> status, dossier -> its different lines)."""
    status = {row["ma_ho_so"]: row["trang_thai"] for row in rows(database, "SELECT * FROM dossiers")}
    lines: dict[str, set[Line]] = {}
    for row in rows(database, "SELECT * FROM progress_lines"):
        line = row["thoi_diem_xu_ly"], row["trang_thai"], row["phong_ban_xu_ly"]
        lines.setdefault(row["ma_ho_so"], set()).add(line)
    return status, lines


def _check_national(found: Slice, dossier: Dossier, status: str | None, lines: set[Line]) -> None:
    where = f"{dossier.code} at the national portal"
    if status is None:
        found.wrong.append(f"{where}: the dossier is missing")
        return
    found.same(f"{where}, status", STATUS_CODE.get(dossier.status), status)
    due = {(wire(step.at), STATUS_CODE.get(own, ""), step.department) for step, own, _ in dossier.shown()}
    for line in sorted(due - lines):
        found.wrong.append(f"{where}: the line {' '.join(line).strip()} is missing")
    for line in sorted(lines - due):
        found.wrong.append(f"{where}: nobody sent the line {' '.join(line).strip()}")
