"""Which records the process died over, kept across restarts, so that one record never stops the province.

Before each step a line in a small file says which records are being worked; after it the line says nothing. A process
that starts and finds records named there has died inside the step, by an exception, by the kernel's memory killer or
by the hang limit. Records that keep being there become a *suspect*: the range common to these deaths. After
`LIMIT` deaths the runner works the suspect in ever smaller pieces, until the one record is found and dead-lettered.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hub.errors import StartError
from hub.stream.stage import Record

LIMIT = 3
_SIZE = 4096  # of the file; the line is padded to it, so that one write replaces it whole
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Suspect:
    """Offsets first..last (inclusive) of one partition. raised: the exception's type, or "" if the process died."""

    topic: str
    partition: int
    first: int
    last: int
    deaths: int
    raised: str = ""

    def meets(self, other: Suspect) -> bool:
        same = (self.topic, self.partition) == (other.topic, other.partition)
        return same and self.first <= other.last and other.first <= self.last

    def holds(self, record: Record) -> bool:
        same = (self.topic, self.partition) == (record.topic, record.partition)
        return same and self.first <= record.offset <= self.last


class CrashLog:
    """One file per engine instance; opened (and the last life's death counted) by `__init__`, closed by `close`.

    StartError: another process holds it. Two of one instance would be taken for one member of the group, in turns.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise StartError(f"this replica runs already: {path} is held; give each its own instance name") from None
        self._at_work: Suspect | None = None
        self._suspects: list[Suspect] = []
        self._frozen = False
        self._load()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    # --- around each step ---

    def entering(self, records: Sequence[Record], raised: str = "") -> None:
        """These records are being worked; they stay named if the process dies. No fsync: only the process may die."""
        first, last = records[0], records[-1]
        self._at_work = Suspect(first.topic, first.partition, first.offset, last.offset, 1, raised)
        self._save()

    def left(self) -> None:
        self._at_work = None
        self._save()

    def freeze(self) -> None:
        """The process is about to end by a fault: what the file says now is what the next life must read."""
        self._frozen = True

    # --- what is known of earlier deaths ---

    def suspect(self, records: Sequence[Record]) -> Suspect | None:
        """The suspect among these records that has died often enough to be worked apart."""
        first, last = records[0], records[-1]
        here = Suspect(first.topic, first.partition, first.offset, last.offset, 0)
        return next((s for s in self._suspects if s.deaths >= LIMIT and s.meets(here)), None)

    def clear(self, suspect: Suspect) -> None:
        """It has been worked or dead-lettered."""
        self._suspects = [s for s in self._suspects if s != suspect]
        self._save()

    def _load(self) -> None:
        text = os.pread(self._file, _SIZE, 0).strip(b"\0 \n")
        try:
            kept = json.loads(text) if text else {}
            self._suspects = [Suspect(**s) for s in kept.get("suspects", ())]
            dead = Suspect(**kept["at_work"]) if kept.get("at_work") else None
        except (ValueError, TypeError, AttributeError):  # a half-written or foreign file: at worst three crashes more
            _log.warning("the crash file could not be read and is begun anew")
            self._suspects, dead = [], None
        if dead is not None:
            self._count(dead)
        self._save()

    def _count(self, dead: Suspect) -> None:
        for i, known in enumerate(self._suspects):
            if known.meets(dead):
                common = replace(
                    dead,
                    first=max(known.first, dead.first),
                    last=min(known.last, dead.last),
                    deaths=known.deaths + 1,
                )
                self._suspects[i] = dead = common
                break
        else:
            self._suspects = [*self._suspects, dead][-8:]
        _log.error(
            "the last run ended inside the step of %s/%s, offsets %s to %s (%s), %s time(s) now",
            dead.topic, dead.partition, dead.first, dead.last, dead.raised or "the process died", dead.deaths,
        )  # fmt: skip

    def _save(self) -> None:
        if self._frozen:
            return
        at_work = asdict(self._at_work) if self._at_work else None
        text = json.dumps({"at_work": at_work, "suspects": [asdict(s) for s in self._suspects]})
        os.pwrite(self._file, text.encode().ljust(_SIZE), 0)
