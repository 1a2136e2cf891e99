"""Is a procedure offered online? Levels 1 to 4 (NĐ 43/2011/NĐ-CP) and một phần / toàn trình (NĐ 42/2022/NĐ-CP) stand
side by side (docs/field/services.md): filing online is possible from level 3 on, and with either of the two kinds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.model.times import utc_text

FILING_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """A procedure or service. since: when it was last published or withdrawn, epoch ms, None if never told."""

    active: bool
    since: int | None

    def open_at(self, at: int) -> bool:
        """Offered at that moment. One that is offered now counts as offered before: the day it began is often only
        the day the hub learned of it."""
        return self.active or (self.since is not None and at < self.since)


@dataclass(frozen=True, slots=True)
class Offer(Standing):
    """An online service. level: mức độ. whole_process: toàn trình, False một phần, None not told."""

    level: int | None
    whole_process: bool | None

    @property
    def takes_filings(self) -> bool:
        """Unknown level and kind: taken to be one that does, for it is an *online* service."""
        return self.whole_process is not None or self.level is None or self.level >= FILING_LEVEL


def refusal(procedure: Standing | None, offers: Iterable[Offer], at: int, strict: bool) -> str:
    """Why a dossier could not be filed online at that moment, "" if it could.

    procedure: None if the catalogue does not know it. offers: all services of it that the catalogue knows.
    strict: without any known service it is refused; else nothing is known, and nothing is refused.
    """
    if procedure is not None and not procedure.open_at(at):
        return f"the procedure was withdrawn on {_day(procedure.since)}"
    known = list(offers)
    if not known:
        return "the catalogue has no online service for it" if strict else ""
    standing = [one for one in known if one.open_at(at)]
    if not standing:
        return f"its online service was withdrawn on {_day(max((one.since or 0 for one in known), default=0))}"
    if not any(one.takes_filings for one in standing):
        best = max(one.level or 0 for one in standing)
        return f"it is offered at level {best}; filing online needs level {FILING_LEVEL} or 4"
    return ""


def _day(ms: int | None) -> str:
    return utc_text(ms)[:10] if ms else "a day that was not told"
