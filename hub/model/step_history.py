"""The last steps of one dossier, and the judgement of a further one in event time.

A step is kept as one int that orders it among its fellows: time in ms, then corrections after others, then the step's
rank, then 16 bits of its id's hash. So equal times have one order, whatever the order of arrival.

Bound: `keep` steps are kept one by one, what was before them only as the standing it led to. A step older than the
oldest one kept can no longer be judged; it is accepted as late and changes no state.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from hub.errors import BadRecord
from hub.model.lifecycle import (
    BARRED_AFTER,
    BARRED_BEFORE,
    START,
    STATUS_NUMBER,
    STEP_RANK,
    Standing,
    advance,
    is_neutral,
    moved,
)
from hub.model.times import utc_text
from hub.model.transitions import STATUS_OF_STEP, STATUSES, STEPS

_TIME_SHIFT: Final = 21
_CORRECTION_BIT: Final = 1 << 20
_RANK_SHIFT: Final = 16
_HEAD = struct.Struct("<BBHBBq")
_VERSION = 2
_INSERTED = STEP_RANK["RESCHEDULED"]
"""Version 1 did not know this kind; those that come after it had numbers less by one (decision 13)."""
_DROPPED = 1
_RECEIVED, _ACCEPTED = STEP_RANK["RECEIVED"], STATUS_NUMBER["ACCEPTED"]
_STATUS = [bytes((number,)) for number in range(len(STATUSES))]


def order_key(at_ms: int, step: str, correction: bool, id_hash: int) -> int:
    """63 bits. `id_hash`: any int, its low 16 bits count."""
    return (
        at_ms << _TIME_SHIFT
        | (_CORRECTION_BIT if correction else 0)
        | STEP_RANK[step] << _RANK_SHIFT
        | id_hash & 0xFFFF
    )


def renumbered(key: int) -> int:
    """An order key that was stored with version 1."""
    return key + (1 << _RANK_SHIFT) if _rank(key) >= _INSERTED else key


def key_time(key: int) -> int:
    """Epoch ms of an order key."""
    return key >> _TIME_SHIFT


class Judged(NamedTuple):
    """What a step did. status: number of the one it gave at its own time. late: it stands before a step known already
    (ratings aside)."""

    history: History
    status: int
    late: bool


class History(NamedTuple):
    """base: where the steps before `keys` led to. dropped: whether there were any. tail: where all of them lead to.
    statuses: the number of the one that the dossier had after each of `keys`."""

    base: Standing = START
    dropped: bool = False
    keys: tuple[int, ...] = ()
    tail: Standing = START
    statuses: bytes = b""

    def add(self, key: int, keep: int) -> Judged:
        """Judge the step in event time. BadRecord (`transition`) names both states if it fits nowhere."""
        keys = self.keys
        if not keys or key >= keys[-1]:
            _check_before(self.tail, key)
            tail = _advance(self.tail, key)
            statuses = self.statuses + _STATUS[tail.status]
            return Judged(self._kept((*keys, key), statuses, tail, keep), tail.status, False)
        if self.dropped and key < keys[0]:
            return Judged(self, _advance(START, key).status, True)
        place = bisect_right(keys, key)
        before = _fold(self.base, keys[:place])
        after = keys[place:]
        _check_before(before, key)
        _check_after(key, after)
        own = _advance(before, key)
        keys = (*keys[:place], key, *after)
        history = self._kept(keys, *walk(self.base, keys), keep)
        late = any(not is_neutral(_rank(k)) and k >> _RANK_SHIFT > key >> _RANK_SHIFT for k in after)
        return Judged(history, own.status, late)

    def _kept(self, keys: tuple[int, ...], statuses: bytes, tail: Standing, keep: int) -> History:
        extra = len(keys) - keep
        if extra <= 0:
            return History(self.base, self.dropped, keys, tail, statuses)
        return History(_fold(self.base, keys[:extra]), True, keys[extra:], tail, statuses[extra:])

    def received_at(self) -> int | None:
        """When the dossier was received, as far as the steps tell: the first RECEIVED among those kept, if it made the
        dossier ACCEPTED. One that comes after work had begun is a joint agency's (docs/joint.md)."""
        for key, status in zip(self.keys, self.statuses, strict=True):
            if _rank(key) == _RECEIVED:
                return key_time(key) if status == _ACCEPTED else None
        return None

    def pack(self) -> bytes:
        """14 bytes and 8 for each step kept."""
        base = self.base
        head = _HEAD.pack(
            _VERSION, _DROPPED if self.dropped else 0, base.mask, base.rest, base.status, base.since
        )  # fmt: skip
        return head + _keys(len(self.keys)).pack(*self.keys)


def unpack(raw: bytes) -> History:
    """What `pack` made, of this version or the one before it. ValueError for any other."""
    version, flags, mask, rest, status, since = _HEAD.unpack_from(raw)
    if version != _VERSION and not is_old(raw):
        raise ValueError(f"steps header has version {version}, this program reads {_VERSION}")
    keys = _keys((len(raw) - _HEAD.size) // 8).unpack_from(raw, _HEAD.size)
    if is_old(raw):
        low = (1 << _INSERTED) - 1
        mask = mask & low | (mask & ~low) << 1
        keys = tuple([renumbered(key) for key in keys])
    base = Standing(mask, rest, status, since)
    statuses, tail = walk(base, keys)
    return History(base, bool(flags & _DROPPED), keys, tail, statuses)


def is_old(raw: bytes) -> bool:
    """Whether it has version 1; then the keys in the record's header `facts` have the old numbers as well."""
    return raw[0] == 1


@lru_cache(maxsize=1_024)
def _keys(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}q")


def _rank(key: int) -> int:
    return key >> _RANK_SHIFT & 0xF


def _is_correction(key: int) -> bool:
    return bool(key & _CORRECTION_BIT)


def _advance(standing: Standing, key: int) -> Standing:
    return advance(standing, _rank(key), key_time(key), _is_correction(key))


def _fold(standing: Standing, keys: tuple[int, ...]) -> Standing:
    return walk(standing, keys)[1]


def walk(standing: Standing, keys: Sequence[int]) -> tuple[bytes, Standing]:
    """(the status after each of these steps, where they lead to)."""
    statuses = bytearray()
    mask, rest, status, since = standing
    for key in keys:
        mask, rest, status, since = moved(mask, rest, status, since, _rank(key), key_time(key), _is_correction(key))
        statuses.append(status)
    return bytes(statuses), Standing(mask, rest, status, since)


def _check_before(standing: Standing, key: int) -> None:
    barred = standing.mask & BARRED_BEFORE[_rank(key)]
    if barred and not _is_correction(key):
        raise _unfit(key, "after", STEPS[barred.bit_length() - 1])


def _check_after(key: int, after: tuple[int, ...]) -> None:
    barred = BARRED_AFTER[_rank(key)]
    for later in after:
        if _is_correction(later) and not is_neutral(_rank(later)):
            return
        if barred >> _rank(later) & 1:
            raise _unfit(key, "before", STEPS[_rank(later)], later)


def _state(step: str) -> str:
    status = STATUS_OF_STEP.get(step, "UNKNOWN")
    return f"{step} (state {status}, code {STATUSES.index(status) + 1})"


def _unfit(key: int, side: str, other: str, other_key: int | None = None) -> BadRecord:
    when = f" of {utc_text(key_time(other_key))}" if other_key is not None else ""
    return BadRecord(
        "transition",
        f"step {_state(STEPS[_rank(key)])} of {utc_text(key_time(key))} cannot stand {side} {_state(other)}{when}; "
        "if the dossier was turned back on purpose send it as a correction, and if that correction came later than "
        "this step, replay this one",
        "step",
    )
