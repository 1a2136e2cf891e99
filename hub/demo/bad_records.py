"""The forty bad records of the demo, four of each of ten kinds; each must end as a dead letter and nowhere else.

Each is known again by its marker (`planted-<kind>-<n>`), which stands in the event's id or in its note and so in the
bytes or headers of the dead letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.connect.samples import Step

EACH = 4
MARKER = re.compile(rb"planted-[a-z0-9_]+-\d+")

# kind -> (carrier, stage and reason of the dead letter)
KINDS = {
    "date": ("file", "source", "date"),
    "word": ("file", "source", "status"),
    "code": ("file", "source", "code"),
    "transition": ("file", "core", "transition"),
    "conflict": ("kafka", "core", "conflict"),
    "truncated": ("kafka", "intake", "truncated"),
    "magic": ("kafka", "intake", "magic_byte"),
    "schema_id": ("kafka", "intake", "schema_id"),
    "utf8": ("kafka", "intake", "utf8"),
    "right": ("kafka", "intake", "right"),
}
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Planted:
    """step: a real step that was spoilt (its note replaced by the marker); fields: what to send instead."""

    kind: str
    marker: str
    step: Step
    fields: dict[str, object]

    def entry(self) -> dict[str, str]:
        """For the manifest."""
        carrier, stage, reason = KINDS[self.kind]
        return {"marker": self.marker, "kind": self.kind, "carrier": carrier, "stage": stage, "reason": reason}


def plant(steps: Sequence[Step]) -> list[Planted]:
    """All forty, made from real steps of agencies with the kind's carrier, evenly spread over these agencies."""
    return [planted for kind in KINDS for planted in _of_kind(kind, steps)]


def _of_kind(kind: str, steps: Sequence[Step]) -> Iterator[Planted]:
    for number, step in enumerate(_victims(kind, steps), 1):
        marker = f"planted-{kind}-{number}"
        yield Planted(kind, marker, step, dict(step.fields) | {"note": marker} | _spoilt(kind, step, number))


def _victims(kind: str, steps: Sequence[Step]) -> list[Step]:
    """One step each of EACH dossiers; for `transition`, steps that returned the result."""
    carrier = KINDS[kind][0]
    step_kind = "RETURNED" if kind == "transition" else "IN_PROCESS"
    fit = [s for s in steps if s.agency.carrier == carrier and s.fields["step"] == step_kind]
    by_agency: dict[str, list[Step]] = {}
    for step in fit:
        by_agency.setdefault(step.agency.name, []).append(step)
    # Kinds take different dossiers, so that one fault does not hide another.
    shift = list(KINDS).index(kind) * 7
    names = sorted(by_agency)
    out: list[Step] = []
    for turn in range(EACH):
        mine = by_agency[names[(turn + shift) % len(names)]]
        free = [s for s in mine if s.code not in {taken.code for taken in out}]
        out.append(free[shift % len(free)])
    return out


def _spoilt(kind: str, step: Step, number: int) -> dict[str, object]:
    match kind:
        case "date":
            return {"occurred_at": "31/02/2011 08:00:00"}
        case "word":
            return {"step": "Đã xem qua", "word": "Đã xem qua"}
        case "code":
            return {"dossier_code": f"HS-{number}/2011"}
        case "transition":
            # Work goes on a day after the result was returned, and nobody calls it a correction.
            return {"step": "IN_PROCESS", "word": "Kiểm tra giấy tiếp nhận", "occurred_at": step.at + DAY_MS}
        case "right":
            return {"dossier_code": f"H11.99-110101-{number:04d}", "agency_code": "H11.99"}
    return {}
