"""What a dossier's state record keeps of its deadline, in the header `deadline`: 26 bytes and 16 for each wait that is
over, read without the value; and of the date of whoever it was passed on to, in the header `transfer` (decision 22).

So the core's clock finds its moments from headers alone, and what was told is not told again after a restart.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hub.model.deadlines import Pause, Rules, running
from hub.model.history import History, key_time
from hub.model.lifecycle import STATUS_NUMBER, STEP_RANK, WAITING

DEADLINE, TRANSFER = "deadline", "transfer"
WARNING, DUE = "WARNING", "DUE"
TRANSFER_WARNING, TRANSFER_DUE = "TRANSFER_WARNING", "TRANSFER_DUE"
KINDS = {DEADLINE: (WARNING, DUE), TRANSFER: (TRANSFER_WARNING, TRANSFER_DUE)}
"""By header: what is told before the date, and at it."""
HEADER_OF = {kind: header for header, kinds in KINDS.items() for kind in kinds}
_BITS = {WARNING: 1, DUE: 1 | 2, TRANSFER_WARNING: 1, TRANSFER_DUE: 1 | 2}
"""By kind: what is told with it. A warning after the deadline would be none."""
_RUNS = 4
_LAYOUT = struct.Struct("<BBqqq")
_WAIT = struct.Struct("<qq")
_VERSION = 1
MAX_WAITS = 64
"""Of more waits towards one date the oldest no longer count."""
_OPEN = frozenset(STATUS_NUMBER[status] for status in ("NEW", "ACCEPTED", "IN_PROCESS"))
_ASKS = sum(1 << STEP_RANK[step] for step in ("SUPPLEMENT_REQUESTED", "PAYMENT_REQUESTED"))


class Watch(NamedTuple):
    """due_at: NgayHenTra. since: when that date was promised. deadline_at: the date that holds after pauses.
    runs: the dossier is in work, neither over nor waiting for the applicant. mask: what was told of `deadline_at`.
    waited: waits that are over, since the date was promised; the dossier's history keeps its last steps only."""

    due_at: int
    since: int
    deadline_at: int
    runs: bool
    mask: int = 0
    waited: tuple[tuple[int, int], ...] = ()

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
        head = _LAYOUT.pack(_VERSION, flags, self.due_at, self.since, self.deadline_at)
        return head + b"".join([_WAIT.pack(*wait) for wait in self.waited])


def unpack(raw: bytes) -> Watch:
    """What `pack` made. ValueError for another version of it."""
    version, flags, due_at, since, deadline_at = _LAYOUT.unpack_from(raw)
    if version != _VERSION:
        raise ValueError(f"deadline header has version {version}, this program reads {_VERSION}")
    waited = tuple(_WAIT.iter_unpack(raw[_LAYOUT.size :]))
    return Watch(due_at, since, deadline_at, bool(flags & _RUNS), flags & ~_RUNS, waited)


def watches_of(headers: Sequence[tuple[str, bytes]]) -> dict[str, Watch]:
    """Both watches, as far as there are, by header."""
    return {name: unpack(value) for name, value in headers if name in KINDS}


def transferred(watch: Watch | None, due_at: int | None, since: int, status: int) -> Watch | None:
    """The watch of a holder's date; None without one. watch: what was told of this holder and date. since: when the
    dossier was passed on. status: number of the one it has. The date does not move with pauses (decision 130)."""
    if due_at is None:
        return None
    if watch is None:
        watch = Watch(due_at, since, due_at, False)
    return watch._replace(runs=status in _OPEN)


def followed(
    watch: Watch | None, rules: Rules, due_at: int, written: int, history: History, before: History | None = None
) -> Watch:
    """The watch after a step. written: when the step happened that gave `due_at`. before: the history without the step,
    if that came last in it; it only saves time.

    A date that is only repeated is not promised anew. When the deadline moves, everything may be told again.
    """
    if before is not None and watch is not None and watch.due_at == due_at and _ended(watch, before, history):
        runs = history.tail.status in _OPEN
        return watch if runs == watch.runs else watch._replace(runs=runs)
    if watch is None or watch.due_at != due_at:
        watch = Watch(due_at, written, due_at, False)
    since, pauses = watch.since, _pauses(watch, history)
    deadline_at = _deadline(watch, rules, pauses)
    runs = deadline_at is not None and history.tail.status in _OPEN
    if deadline_at is None:  # it waits: the date stands still until the answer
        deadline_at = watch.deadline_at
    mask = watch.mask if watch.deadline_at == deadline_at else 0
    waited = tuple([(began, ended) for began, ended in pauses if ended is not None][-MAX_WAITS:])
    return Watch(due_at, since, deadline_at, runs, mask, waited)


def _ended(watch: Watch, before: History, history: History) -> bool:
    """Whether every wait up to the last step but one is over and is known to the watch, and so still counts as it did:
    what the step began, if anything, is not over."""
    if before.tail.status in WAITING or history.base.status in WAITING or len(watch.waited) == MAX_WAITS:
        return False
    return all(began < ended for began, ended in watch.waited)


def _deadline(watch: Watch, rules: Rules, pauses: list[Pause]) -> int | None:
    """As `running` over all of them; from what the watch knows already where its waits are the first of them, for
    counting working days is dearer than all else of a step."""
    known = len(watch.waited)
    if known < MAX_WAITS and tuple(pauses[:known]) == watch.waited:
        return running(rules, watch.deadline_at, watch.since, pauses[known:])
    return running(rules, watch.due_at, watch.since, pauses)


def _pauses(watch: Watch, history: History) -> list[Pause]:
    """Those that the history still shows, and before them those that only the watch remembers."""
    shown = list(waits(history, watch.since))
    if not watch.waited or not history.dropped:
        return shown
    first = key_time(history.keys[0])
    begun = {began for began, _ in shown}
    return [wait for wait in watch.waited if wait[1] <= first and wait[0] not in begun] + shown


def waits(history: History, since: int) -> Iterator[Pause]:
    """When the dossier waited for a supplement or a payment; without what was over at `since`."""
    base, statuses = history.base, history.statuses
    if base.status not in WAITING and not any(status in statuses for status in WAITING):
        return  # most dossiers never wait
    began = base.since if base.status in WAITING else None
    for key, status in zip(history.keys, statuses, strict=True):
        if status in WAITING:
            began = key_time(key) if began is None else began
        elif began is not None:
            if (ended := key_time(key)) > since:
                yield began, ended
            began = None
    if began is not None:
        yield began, None
