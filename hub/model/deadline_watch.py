"""What a dossier's state record keeps of its deadline, in the header `deadline`: 26 bytes, read without the value; and
of the date of whoever it was passed on to, in the header `transfer` (decision 14).

So the core's clock finds its moments from headers alone, and what was told is not told again after a restart.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from hub.avro.records.enums import DeadlineKind
from hub.model.dates import Dates
from hub.model.deadlines import Rules, running
from hub.model.lifecycle import STATUS_NUMBER, WAITING
from hub.model.step_history import History, key_time

DEADLINE, TRANSFER = "deadline", "transfer"
WARNING: Final = "WARNING"
DUE: Final = "DUE"
TRANSFER_WARNING: Final = "TRANSFER_WARNING"
TRANSFER_DUE: Final = "TRANSFER_DUE"
KINDS: Final[dict[str, tuple[DeadlineKind, DeadlineKind]]] = {
    DEADLINE: (WARNING, DUE),
    TRANSFER: (TRANSFER_WARNING, TRANSFER_DUE),
}
"""By header: what is told before the date, and at it."""
HEADER_OF: Final[dict[str, str]] = {kind: header for header, kinds in KINDS.items() for kind in kinds}
_BITS: Final[dict[str, int]] = {WARNING: 1, DUE: 1 | 2, TRANSFER_WARNING: 1, TRANSFER_DUE: 1 | 2}
"""By kind: what is told with it. A warning after the deadline would be none."""
_RUNS = 4
_LAYOUT = struct.Struct("<BBqqq")
_WAIT = struct.Struct("<qq")
_VERSION = 1
_OPEN = frozenset(STATUS_NUMBER[status] for status in ("NEW", "ACCEPTED", "IN_PROCESS"))


class Watch(NamedTuple):
    """due_at: NgayHenTra. since: when that date was promised. deadline_at: the date that holds after pauses.
    runs: the dossier is in work, neither over nor waiting for the applicant. mask: what was told of `deadline_at`."""

    due_at: int
    since: int
    deadline_at: int
    runs: bool
    mask: int = 0

    def open(self, kind: str) -> bool:
        """Whether this is still to be told."""
        return self.runs and self.mask & _BITS[kind] != _BITS[kind]

    def told(self, kind: str, deadline_at: int) -> Watch | None:
        """The watch once `kind` is told of that deadline; None if it is not to be told."""
        if kind not in _BITS or deadline_at != self.deadline_at or not self.open(kind):
            return None
        return self._replace(mask=self.mask | _BITS[kind])

    def pack(self) -> bytes:
        flags = self.mask | (_RUNS if self.runs else 0)
        return _LAYOUT.pack(_VERSION, flags, self.due_at, self.since, self.deadline_at)


def unpack(raw: bytes) -> Watch:
    """What `pack` made. ValueError for another version of it."""
    version, flags, due_at, since, deadline_at = _LAYOUT.unpack_from(raw)
    if version != _VERSION:
        raise ValueError(f"deadline header has version {version}, this program reads {_VERSION}")
    return Watch(due_at, since, deadline_at, bool(flags & _RUNS), flags & ~_RUNS)


def old_waits(raw: bytes) -> tuple[tuple[int, int], ...]:
    """Waits that are over, which stood here before there was a header `dates` (decision 20)."""
    return tuple(_WAIT.iter_unpack(raw[_LAYOUT.size :]))


def watches_of(headers: Sequence[tuple[str, bytes]]) -> dict[str, Watch]:
    """Both watches, as far as there are, by header."""
    return {name: unpack(value) for name, value in headers if name in KINDS}


def transferred(watch: Watch | None, due_at: int | None, since: int, status: int) -> Watch | None:
    """The watch of a holder's date; None without one. watch: what was told of this holder and date. since: when the
    dossier was last passed on. status: number of the one it has. The date does not move with pauses (decision 10)."""
    if due_at is None:
        return None
    return Watch(due_at, since, due_at, status in _OPEN, watch.mask if watch is not None else 0)


def followed(
    watch: Watch | None,
    rules: Rules,
    due_at: int,
    since: int,
    dates: Dates,
    history: History,
    settled: bool = False,
    waited: bool = False,
) -> Watch:
    """The watch after a step. since: when `due_at` was promised.

    settled: the step came last and all waits are known, so that the date that stands holds, moved by the wait that this
    step ended, if it ended one. waited: the dossier waited until this step. Both only save time, for counting working
    days is dearer than all else of a step.

    While the dossier waits the deadline stands where the waits that are over have moved it.
    """
    runs = history.tail.status in _OPEN
    counted, known = due_at, settled and watch is not None and (watch.due_at, watch.since) == (due_at, since)
    if watch is not None and known and (not waited or history.tail.status in WAITING):
        return watch if runs == watch.runs else watch._replace(runs=runs)
    over = [pause for pause in dates.waits(history, since) if pause[1] is not None]
    if watch is not None and known:
        counted, over = watch.deadline_at, [pause for pause in over[-1:] if pause[1] == key_time(history.keys[-1])]
    deadline_at = running(rules, counted, since, over)
    assert deadline_at is not None  # none of them goes on
    return Watch(due_at, since, deadline_at, runs, dates.mask_of(deadline_at))
