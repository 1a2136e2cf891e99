"""Slice 5 of the generated province: who held which dossier from when to when, parents and parts. Imports nothing from
the hub but its sibling checkers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hub.demo.checker.hours import limit_end, local
from hub.demo.checker.result import Slice
from hub.demo.checker.sent import Dossier, Sent, Step, millis, statuses

Json = Mapping[str, Any]
CLOSED = ("NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED")


def agency(code: str) -> str:
    """H11.12 for both forms (docs/field/codes.md): the old one is read from right to left without groups of zeros."""
    parts = code.split(".")
    if not parts[0].isdigit():
        return code
    return ".".join(part for part in reversed(parts) if part.strip("0"))


def involved(sent: Sent) -> list[str]:
    """Codes of the dossiers that several agencies work on, and of parents and parts."""
    found = {code for code, dossier in sent.dossiers.items() if transfers(dossier) or dossier.told("parent_code")}
    return sorted(found | {parent for parent, _ in parts(sent)})


def parts(sent: Sent) -> list[tuple[str, str]]:
    """(parent, part)."""
    told = [(dossier.told("parent_code"), code) for code, dossier in sent.dossiers.items()]
    return sorted((str(parent), code) for parent, code in told if parent)


def transfers(dossier: Dossier) -> list[Json]:
    """{to, since, due} of each transfer, in event time. due: the date told, or the end of the limit told, or None."""
    return [
        {"to": agency(step.data["transferred_to"]), "since": step.at, "due": _due(step), "by_limit": _by_limit(step)}
        for step in dossier.in_time()
        if step.data.get("transferred_to")
    ]


def _by_limit(step: Step) -> bool:
    return step.data.get("transfer_limit") is not None and not step.data.get("step_due_at")


def _due(step: Step) -> int | None:
    if _by_limit(step):
        return limit_end(step.at, step.data["transfer_limit"], step.data["transfer_limit_unit"])
    told = step.data.get("step_due_at")
    return millis(told) if told else None


def _ended(dossier: Dossier) -> int | None:
    """Since when it has the status that it ended with; None while somebody works on it."""
    steps = [step for step in dossier.in_time() if step.kind != "RATED"]
    own = statuses(steps)
    if not own or own[-1] not in CLOSED:
        return None
    return next(step.at for n, step in enumerate(steps) if all(status == own[-1] for status in own[n:]))


def check(sent: Sent, answers: Mapping[str, Json]) -> Slice:
    """answers: dossier code -> what the read API answered."""
    found = Slice()
    moved = limits = held = 0
    for code in involved(sent):
        answer, dossier = answers.get(code), sent.dossiers.get(code)
        if dossier is None:
            continue
        if answer is None or not answer.get("state"):
            found.wrong.append(f"{code}: the read API does not know it")
            continue
        due = transfers(dossier)
        moved += len(due)
        limits += sum(bool(one["by_limit"]) for one in due)
        held += bool(due) and _ended(dossier) is None
        _check_transfers(found, code, due, _ended(dossier), answer)
    _check_parts(found, sent, answers)
    found.figures = {
        "dossiers": len(involved(sent)),
        "transfers": moved,
        "due_by_limit": limits,
        "parents": len({parent for parent, _ in parts(sent)}),
        "parts": len(parts(sent)),
        "held_elsewhere_now": sum(_elsewhere(answers.get(code)) for code in involved(sent)),
    }
    found.shown = (
        f"{moved} transfers of {len(involved(sent))} dossiers ({limits} with a time limit), {held} dossiers under way, "
        f"{found.figures['held_elsewhere_now']} of them with another agency now; "
        f"{found.figures['parts']} parts of {found.figures['parents']} parents"
    )
    return found


def _elsewhere(answer: Json | None) -> bool:
    transfers = (answer or {}).get("transfers") or []
    return bool(transfers and transfers[-1]["until"] is None and answer and answer["agency_code"]) and (
        transfers[-1]["to_agency"] != (answer or {})["agency_code"]
    )


def _check_transfers(found: Slice, code: str, due: list[Json], ended: int | None, answer: Json) -> None:
    shown = answer["transfers"]
    if not found.same(f"{code}, number of transfers", len(due), len(shown)) or not due:
        return
    untils: list[int | None] = [after["since"] for _, after in pairwise(due)]
    untils.append(ended if ended is not None and ended >= due[-1]["since"] else None)
    holder = agency(code.partition("-")[0])
    for number, (one, until, other) in enumerate(zip(due, untils, shown, strict=True), 1):
        wanted = {
            "from_agency": holder, "to_agency": one["to"], "since": one["since"], "until": until, "due_at": one["due"],
        }  # fmt: skip
        for name, value in wanted.items():
            found.same(f"{code}, transfer {number}, {name}", _word(value), _word(other[name]))
        holder = one["to"]
    state = answer["state"]
    now = state.get("holder_agency_code"), state.get("holder_since"), state.get("holder_due_at")
    wanted_now = due[-1]["to"], due[-1]["since"], due[-1]["due"]
    found.same(f"{code}, who holds it", " ".join(map(_word, wanted_now)), " ".join(map(_word, now)))


def _word(value: Any) -> str:
    """A moment as local time."""
    return f"{local(value):%d/%m/%Y %H:%M:%S.%f}"[:-3] if isinstance(value, int) else str(value or "none")


def _check_parts(found: Slice, sent: Sent, answers: Mapping[str, Json]) -> None:
    by_parent: dict[str, list[str]] = {}
    for parent, part in parts(sent):
        by_parent.setdefault(parent, []).append(part)
        shown = (answers.get(part) or {}).get("parent") or {}
        found.same(f"{part}, its parent", parent, shown.get("key"))
    for parent, due in by_parent.items():
        if parent in sent.dossiers:
            shown_parts = [row["key"] for row in (answers.get(parent) or {}).get("parts") or []]
            found.same(f"{parent}, its parts", due, shown_parts)
