"""What one generated dossier is made with: chance, a clock, and its steps.

Chance comes from `Draw`, one a dossier (its parts share it), so that a dossier depends on the seed and its number only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hub.demo.generator.shape import HOUR_MS
from hub.model.agencies import Office
from hub.untyped import JsonObject

T = TypeVar("T")
Datum = JsonObject
"""What a made-up agency says under `data`, and parts of it. No record of the hub: some of it is wrong on purpose."""
MIN_GAP_MS = 1_000
"""Between two steps of one dossier: no two happen at once."""


class Draw:
    """Chance, by `random()` alone, whose numbers are the same in every version of Python."""

    def __init__(self, seed: str) -> None:
        self._next = random.Random(seed).random

    def chance(self, share: float) -> bool:
        return self._next() < share

    def of(self, items: Sequence[T]) -> T:
        return items[int(self._next() * len(items))]

    def whole(self, least: float, most: float) -> int:
        """A whole number from `least` up to, not with, `most`."""
        return int(least + self._next() * (most - least))

    def hours(self, span: Sequence[float]) -> int:
        """Milliseconds of a span in hours."""
        return self.whole(span[0] * HOUR_MS, span[1] * HOUR_MS)


@dataclass(slots=True)
class Dossier:
    """name: its number, `12`, or of a part its parent's and its own, `12.1`. code: MaHoSo. moments: (when, StepKind,
    what it says besides), in order of time. common: facts of the first."""

    name: str
    code: str
    office: Office
    common: Datum
    moments: list[tuple[int, str, Datum]] = field(default_factory=list)

    def datum(self, index: int) -> Datum:
        """The DossierStep; times in ms UTC."""
        at, step, own = self.moments[index]
        base = self.common if index == 0 else {"agency_code": self.common["agency_code"]}
        return {"dossier_code": self.code, "step": step, "occurred_at": at, **base, **own}


class Clock:
    """Adds steps one after the other. now: ms UTC of the last one."""

    def __init__(self, dossier: Dossier) -> None:
        self._moments = dossier.moments
        self.now = dossier.moments[-1][0]

    def add(self, gap_ms: int, step: str, own: Datum) -> None:
        self.now += max(MIN_GAP_MS, gap_ms)
        self._moments.append((self.now, step, own))


def paper(name: str, kind: str, title: str, result: bool, digitised: bool) -> Datum:
    """An Attachment of the dossier of that name."""
    url = f"https://tep.example.com/{kind}/{name}"
    return {"id": f"{kind}-{name}", "name": title, "url": url, "result": result, "digitised": digitised}


def by(department: str, draw: Draw) -> Datum:
    return {"handler": {"name": f"Cán bộ {draw.whole(1, 60)}", "department": department}}
