"""What a dossier's steps tell of its due date: since when it is promised, and when the dossier waited (decision 20).

Kept step by step, as `hub.model.step_history` keeps the steps themselves, so that both follow from the steps in the
order in which they happened, whatever the order of arrival. Stored in the header `dates` of the
state record, which is left out while there is nothing to say.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hub.model.deadlines import Pause
from hub.model.facts import pack_keys, unpack_all
from hub.model.lifecycle import WAITING, Standing
from hub.model.step_history import History, key_time, walk

DATES = "dates"
MAX_WAITS = 64
"""Most waits before the remembered steps; of more, the oldest no longer count."""
MAX_REPORTED = 16
"""Most deadlines remembered as reported; of more, the oldest may be reported again if the date comes back to it."""
_VERSION = 1
_HEAD = struct.Struct("<BBBB")
_BEFORE = struct.Struct("<qqq")
_WAIT = struct.Struct("<qq")
_REPORT = struct.Struct("<qB")
_HAS_BEFORE = 1

Wait = tuple[int, int]


class Dates(NamedTuple):
    """told: the due date that each kept step tells, 0 for none; as long as the history's keys.
    due_at, since: the date that the steps before those told last, and since when; 0 for none.
    began: when the wait began that they end with; 0: they end with none, or the record is older than this field.
    waited: the waits among them that are over.
    reported: deadlines of which events were told, and which; a later step may have moved the deadline since."""

    told: tuple[int, ...] = ()
    due_at: int = 0
    since: int = 0
    began: int = 0
    waited: tuple[Wait, ...] = ()
    reported: tuple[tuple[int, int], ...] = ()

    def after(self, before: History, after: History, key: int, told: int, newest: bool) -> Dates:
        """With one more step. before, after: the history without it and with it. told: the due date that it tells, or
        0. newest: no step that happened later tells one."""
        if after is before:  # it happened before the kept steps, which nobody can place among the others any more
            if not told or not newest:
                return self
            due_at, since = _promised(self.due_at, self.since, [key], [told])
            return Dates(self.told, due_at, since, self.began, self.waited, self.reported)
        place = len(before.keys) if before.keys and key >= before.keys[-1] else bisect_right(before.keys, key)
        shown = (*self.told[:place], told, *self.told[place:])
        dates = Dates(shown, self.due_at, self.since, self.began, self.waited, self.reported)
        extra = len(dates.told) - len(after.keys)
        if not extra:
            return dates
        return dates._dropped(before.base, (*before.keys[:place], key, *before.keys[place:])[:extra])

    def _dropped(self, base: Standing, keys: Sequence[int]) -> Dates:
        """Without the first steps, which are no longer kept. base: where those before them led to."""
        due_at, since = _promised(self.due_at, self.since, keys, self.told)
        statuses, _ = walk(base, keys)
        waited, began = list(self.waited), 0
        for start, end in _waits(self._began(base), keys, statuses):
            if end is None:
                began = start
            else:
                waited.append((start, end))
        if due_at:  # of any later promise these are over
            waited = [wait for wait in waited if wait[1] > since]
        return Dates(self.told[len(keys) :], due_at, since, began, tuple(waited[-MAX_WAITS:]), self.reported)

    def promised(self, history: History) -> tuple[int, int]:
        """(the date that was told last, since when it is promised). A date that is only repeated is no new promise."""
        return _promised(self.due_at, self.since, history.keys, self.told)

    def waits(self, history: History, since: int) -> list[Pause]:
        """When the dossier waited for a supplement or a payment, in order; without what was over at `since`."""
        found: list[Pause] = [wait for wait in self.waited if wait[1] > since]
        base = history.base
        if base.status in WAITING or any(status in WAITING for status in history.statuses):  # most never wait
            shown = _waits(self._began(base), history.keys, history.statuses)
            found += [wait for wait in shown if wait[1] is None or wait[1] > since]
        return found

    @property
    def full(self) -> bool:
        """Whether older waits may have been forgotten: then the date that they moved cannot be counted again."""
        return len(self.waited) == MAX_WAITS

    def _began(self, base: Standing) -> int:
        return self.began or (base.since if base.status in WAITING else 0)

    def reporting(self, deadline_at: int, mask: int) -> Dates:
        """With what was told of a deadline."""
        others = [own for own in self.reported if own[0] != deadline_at]
        reported = (*others, (deadline_at, mask))[-MAX_REPORTED:]
        return Dates(self.told, self.due_at, self.since, self.began, self.waited, reported)

    def mask_of(self, deadline_at: int) -> int:
        """What was told of that deadline, whatever the deadline has been since."""
        return next((mask for own, mask in self.reported if own == deadline_at), 0)

    def pack(self) -> bytes:
        """Nothing where there is nothing to say."""
        before = self.due_at, self.since, self.began
        if not (any(before) or self.waited or self.reported or any(self.told)):
            return b""
        flags = _HAS_BEFORE if any(before) else 0
        return b"".join(
            (
                _HEAD.pack(_VERSION, flags, len(self.waited), len(self.reported)),
                _BEFORE.pack(*before) if flags else b"",
                *[_WAIT.pack(*wait) for wait in self.waited],
                *[_REPORT.pack(*report) for report in self.reported],
                pack_keys(self.told),
            )
        )


def unpack(raw: bytes) -> Dates:
    """What `pack` made, if it made something. ValueError for another version of it."""
    version, flags, waits, reports = _HEAD.unpack_from(raw)
    if version != _VERSION:
        raise ValueError(f"dates header has version {version}, this program reads {_VERSION}")
    at = _HEAD.size
    due_at, since, began = _BEFORE.unpack_from(raw, at) if flags & _HAS_BEFORE else (0, 0, 0)
    at += _BEFORE.size if flags & _HAS_BEFORE else 0
    waited = tuple(_WAIT.iter_unpack(raw[at : at + waits * _WAIT.size]))
    at += waits * _WAIT.size
    reported = tuple(_REPORT.iter_unpack(raw[at : at + reports * _REPORT.size]))
    at += reports * _REPORT.size
    return Dates(unpack_all(raw[at:]), due_at, since, began, waited, reported)


def taken_up(history: History, due_at: int, key: int, since: int, waited: Sequence[Wait], report: Wait) -> Dates:
    """Makes the dates of a record that has no header `dates`, from its older header `deadline`: date and since when,
    the waits that are over, (deadline, what was reported of it). key: of the step that told the date, 0 if none did."""
    told = [due_at if key and own == key else 0 for own in history.keys]
    if not key or (since == key_time(key) and any(told)):
        due_at = since = 0
    first = key_time(history.keys[0]) if history.dropped else 0
    shown = {began for began, _ in Dates().waits(history, 0)}
    lost = tuple([wait for wait in waited if wait[1] <= first and wait[0] not in shown])
    return Dates(tuple(told), due_at, since, 0, lost, (report,) if report[1] else ())


def _promised(due_at: int, since: int, keys: Sequence[int], told: Sequence[int]) -> tuple[int, int]:
    """(due date, since when) after these steps, of which told[n] is the date that the n-th tells."""
    for key, date in zip(keys, told, strict=False):
        if date and date != due_at and key_time(key) >= since:
            due_at, since = date, key_time(key)
    return due_at, since


def _waits(began: int, keys: Sequence[int], statuses: Sequence[int]) -> Iterator[Pause]:
    """began: when the wait began before these steps, 0 for none."""
    for key, status in zip(keys, statuses, strict=True):
        if status in WAITING:
            began = began or key_time(key)
        elif began:
            yield began, key_time(key)
            began = 0
    if began:
        yield began, None
