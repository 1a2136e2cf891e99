"""What the lists and the replay see: each letter once, with what has become of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from hub.admin.letter_acts import Act, Acts
from hub.config import Settings
from hub.control.directory import directory
from hub.deadletter.browse import Found, Index, index, scan
from hub.deadletter.filters import Filter
from hub.deadletter.record import DeadLetter
from hub.events.envelope import rfc3339


@dataclass(frozen=True, slots=True)
class Listed:
    """act: the operator's act that closed it, None for an open one."""

    letter: DeadLetter
    act: Act | None = None

    @property
    def state(self) -> str:
        """`open`, or `replay 2026-11-24T08:30:00.000Z by lan@desk`."""
        if self.act is None:
            return "open"
        entry = self.act.entry
        return f"{entry.action.rpartition('.')[2]} {rfc3339(entry.at)} by {entry.who}"


async def listed(settings: Settings, wanted: Filter, known: Index | None = None) -> AsyncIterator[Listed]:
    """Open and closed ones that the filter admits; not those that a failed replay has superseded."""
    async with directory(settings) as copy:
        acts = Acts(copy.audit.values())
    known = known or await index(settings, wanted.since_ms)
    async for found in scan(settings, wanted, dict(known.ends)):
        if known.counts(found):
            yield _listed(found, acts)


def _listed(found: Found, acts: Acts) -> Listed:
    return Listed(found.letter, acts.closed_by(found))


async def newest(settings: Settings, wanted: Filter, limit: int, closed: bool = False) -> list[Listed]:
    """At most `limit`, the newest first, without their bytes (`value` is None). closed: those that are done, too."""
    kept: list[Listed] = []
    async for one in listed(settings, wanted):
        if closed or one.act is None:
            kept.append(replace(one, letter=replace(one.letter, value=None)))
            if len(kept) > 4 * limit:
                kept = _newest(kept, limit)
    return _newest(kept, limit)


def _newest(kept: list[Listed], limit: int) -> list[Listed]:
    return sorted(kept, key=lambda one: one.letter.at_ms, reverse=True)[:limit]


async def counts(settings: Settings, wanted: Filter, closed: bool = False) -> Counter[tuple[str, str]]:
    """(stage, reason) -> how many."""
    out: Counter[tuple[str, str]] = Counter()
    async for one in listed(settings, wanted):
        if closed or one.act is None:
            out[one.letter.stage, one.letter.reason] += 1
    return out
