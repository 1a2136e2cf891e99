"""Slice 8 of the generated province: a month's figures counted anew from what was sent (docs/figures.md). Imports
nothing from the hub but its sibling checkers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.demo.checker.joint import agency
from hub.demo.checker.result import Slice
from hub.demo.checker.sent import Dossier, Sent, Step, millis, statuses

Json = Mapping[str, Any]
NAMES = ("received", "on_time", "late", "no_deadline", "pending", "withdrawn", "online")
OUTCOMES = ("on_time", "late", "no_deadline", "pending", "withdrawn")
WORKING = ("NEW", "ACCEPTED", "IN_PROCESS", "SUPPLEMENT")
ACCEPTED = ("ACCEPTED", "IN_PROCESS", "FINISHED")
UNDONE = ("NOT_ACCEPTED", "WITHDRAWN", "STOPPED")
"""Papers handed back after one of these show no acceptance."""


@dataclass
class Counted:
    """Codes by name of the number."""

    codes: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in NAMES})

    def add(self, name: str, code: str) -> None:
        self.codes[name].append(code)


def count(sent: Sent, start: int, end: int) -> dict[str, Counted]:
    """Agency -> what it counts in the month from `start` to `end`, ms UTC."""
    out: dict[str, Counted] = {}
    for code, dossier in sent.dossiers.items():
        own = out.setdefault(_agency(dossier), Counted())
        received = _received(dossier)
        if received is None or received >= end:
            continue
        if received >= start:
            own.add("received", code)
            if dossier.told("channel") == "ONLINE":
                own.add("online", code)
        outcome = _outcome(dossier, received, start, end)
        if outcome:
            own.add(outcome, code)
    return out


def _agency(dossier: Dossier) -> str:
    """The one that it names, else the one that its code begins with."""
    return agency(dossier.told("agency_code") or dossier.code.partition("-")[0])


def _received(dossier: Dossier) -> int | None:
    """The day told, else the first step that shows it accepted; None of one that never was."""
    told = dossier.told("received_at")
    if told:
        return millis(told)
    steps = [step for step in dossier.in_time() if step.kind != "RATED"]
    undone = False
    for step, status in zip(steps, _in_time(dossier, steps), strict=True):
        if status in ACCEPTED or (status == "RETURNED" and not undone):
            return step.at
        undone = undone or status in UNDONE
    return None


def _outcome(dossier: Dossier, received: int, start: int, end: int) -> str:
    """on_time, late, withdrawn or pending; "" for what ended before the month, or has no date."""
    steps = [step for step in dossier.in_time() if step.at < end and step.kind != "RATED"]
    own = _in_time(dossier, steps)
    ended = _end(dossier, steps, own, end)
    if ended is None:
        return "pending"
    at, how = ended
    if not start <= at < end:
        return ""
    if how == "WITHDRAWN":
        return "withdrawn"
    asked = {step.at for step in steps if step.kind == "SUPPLEMENT_REQUESTED"}
    if len(asked) > 1:  # more than one request is late (QĐ 766, item 2.1)
        return "late"
    due = dossier.told("due_at")
    if due is None:
        return "no_deadline"
    return "late" if at - _waited(steps, own, received, at) > millis(due) else "on_time"


def _in_time(dossier: Dossier, steps: list[Step]) -> list[str]:
    """The status that each step gives among all of the dossier's, also where a late one filled in what lay before."""
    own = dict(zip((step.id for step in dossier.in_time()), statuses(dossier.in_time()), strict=True))
    return [own[step.id] for step in steps]


def _end(dossier: Dossier, steps: list[Step], own: list[str], end: int) -> tuple[int, str] | None:
    """FINISHED before RETURNED before STOPPED and NOT_ACCEPTED, after the last step of work."""
    last = max((n for n, status in enumerate(own) if status in WORKING), default=-1)
    first: dict[str, int] = {}
    for step in steps[last + 1 :]:
        first.setdefault(step.kind, step.at)
    for how in ("FINISHED", "WITHDRAWN"):
        if how in first:
            return first[how], how
    refused = sorted((first[how], how) for how in ("NOT_ACCEPTED", "STOPPED") if how in first)
    if "RETURNED" in first:
        return first["RETURNED"], refused[0][1] if refused else "RETURNED"
    if refused:
        return refused[0]
    told = dossier.told("finished_at")
    if told and millis(told) < end and (last < 0 or millis(told) >= steps[last].at):
        return millis(told), "FINISHED"
    return None


def _waited(steps: list[Step], own: list[str], received: int, until: int) -> int:
    """Time with status SUPPLEMENT since the receipt."""
    total, since = 0, None
    for step, status in zip(steps, own, strict=True):
        if status == "SUPPLEMENT":
            since = max(step.at, received) if since is None else since
        elif since is not None:
            total += max(0, min(step.at, until) - since)
            since = None
    return total


def check(sent: Sent, report: Json, planted: Mapping[str, str]) -> Slice:
    """report: what GET /v1/figures/{month} answered. planted: dossier -> its outcome, worked out by hand."""
    found = Slice()
    counted = count(sent, millis(report["from"]), millis(report["until"]))
    for code, outcome in planted.items():
        own = counted[_agency(sent.dossiers[code])].codes
        counts = [name for name in OUTCOMES if code in own[name]]
        found.same(f"{code}, planted with an outcome", [outcome], counts)
    shown = {one["agency"]: one for one in report["agencies"]}
    sums = dict.fromkeys(NAMES, 0)
    for code in sorted(counted):
        figures = shown.get(code, {}).get("figures", {})
        for name in NAMES:
            due = set(counted[code].codes[name])
            have = set(figures[name]["dossiers"]) if figures else set()
            # The agency may have dossiers that are not of this province.
            have &= sent.dossiers.keys()
            sums[name] += len(due)
            for one in sorted(due ^ have):
                where = "is missing" if one in due else "is counted and is none"
                found.wrong.append(f"{report['month']}, {code}, {name}: {one} {where}")
    share = round(100 * sums["online"] / sums["received"], 1) if sums["received"] else 0.0
    rated = [step for d in sent.dossiers.values() for step in d.steps if step.kind == "RATED"]
    found.figures = {"month": report["month"], "agencies": len(counted), **sums, "online_percent": share,
                     "judged_by_hand": len(planted)}  # fmt: skip
    found.figures["ratings"] = len(rated)
    found.shown = (
        f"{report['month']}, {len(counted)} agencies: received {sums['received']}, on time {sums['on_time']}, late "
        f"{sums['late']}, pending {sums['pending']}, withdrawn {sums['withdrawn']}, online {share} %"
    )
    return found
