"""What operators have done with dead letters, from the audit: no second record of it is kept.

The audit entry of an act is written when it begins and again, under the same id, when the broker has everything: only
then does it close what it covered. It names the filter, and per partition the end of the topic up to which it went, so
that a letter which came later is never taken for done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from hub.control.records import AuditEntry
from hub.deadletter.browse import Found
from hub.deadletter.filters import Filter

log = logging.getLogger(__name__)

Action = Literal["replay", "skip"]
PREFIX = "dead-letters."
_PLAIN = ",:"


def target(wanted: Filter, ends: Mapping[int, int], sent: int | None = None) -> str:
    """`stage=core reason=date upto=0:12,1:5,2:9`, and `sent=3` when it is done."""
    words = wanted.words() | {"upto": ",".join(f"{part}:{end}" for part, end in sorted(ends.items()))}
    if sent is not None:
        words["sent"] = str(sent)
    return " ".join(f"{name}={quote(value, safe=_PLAIN)}" for name, value in words.items())


@dataclass(frozen=True, slots=True)
class Act:
    """One act that was carried through."""

    entry: AuditEntry
    wanted: Filter
    upto: Mapping[int, int]

    def covers(self, found: Found) -> bool:
        skipped = self.entry.action == f"{PREFIX}skip"
        return (
            found.offset < self.upto.get(found.partition, 0)
            and found.written_ms >= self.wanted.since_ms
            and self.wanted.admits(found.letter)
            and (not skipped or found.letter.stage == "deliver")
        )


class Acts:
    """All of them, the newest first."""

    def __init__(self, audit: Iterable[AuditEntry]) -> None:
        entries = sorted(audit, key=lambda entry: entry.at, reverse=True)
        self._acts = [act for entry in entries if (act := _act(entry)) is not None]

    def closed_by(self, found: Found) -> Act | None:
        """The act that sent this letter back or gave it up.

        Letters of stage `intake` are never closed: whether they could go back hung on the rights of that moment, and to
        send one again costs a copy that the core drops.
        """
        if found.letter.stage == "intake" or found.letter.obstacle:
            return None
        return next((act for act in self._acts if act.covers(found)), None)


def _act(entry: AuditEntry) -> Act | None:
    if entry.action not in (f"{PREFIX}replay", f"{PREFIX}skip"):
        return None
    words = {name: unquote(value) for name, _, value in (word.partition("=") for word in entry.target.split())}
    if "sent" not in words or "upto" not in words:
        return None  # begun and not carried through
    try:
        upto = {int(part): int(end) for part, end in (place.split(":") for place in words["upto"].split(",") if place)}
        return Act(entry, Filter.of(words), upto)
    except ValueError:
        log.warning("audit entry %s is not understood and closes nothing", entry.id)
        return None
