"""A dossier's step whose facts are, byte for byte, those that its last step told.

Most steps differ from the one before in kind, time and note only. Avro bytes that begin with those of a field that was
read before are that field again, so they are neither read nor checked anew, and the dossier in the event and in the
state is put together from pieces. Whatever is not such a step is left to the whole way (`read` says None), also every
step that may be wrong: there the reason is found. What comes out is the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import is_normalized

from hub.avro.codec import schema_json
from hub.events.families import DOSSIER
from hub.model.facts import HOLDER_KEY
from hub.model.times import AHEAD_MS, EARLIEST_MS

STEP_MARKS = ("step", "handler", "note", "procedure_code", "step_started_at")
"""Where DossierStep is cut: code | step, time, correction | handler | note, transfer, rating | facts | the rest."""
DOSSIER_MARKS = ("hub_seq", "procedure_code")
"""Where Dossier is cut: code | number, status, since when | the rest."""

_ORDINARY = frozenset({
    "SUBMITTED", "RECEIVED", "IN_PROCESS", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN", "PAYMENT_REQUESTED",
    "PAYMENT_MADE", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED",
})  # fmt: skip
"""Kinds that ask nothing more of the step's other fields."""


def _kinds() -> list[str | None]:
    """By number on the wire; None: left to the whole way."""
    fields = {field["name"]: field["type"] for field in schema_json(DOSSIER.published_record)["fields"]}
    return [kind if kind in _ORDINARY else None for kind in fields["step"]["symbols"]]


def _nulls() -> bytes:
    """The fields after the step's own dates, all of them null."""
    names = [field["name"] for field in schema_json(DOSSIER.published_record)["fields"]]
    return bytes(len(names) - names.index("step_due_at") - 1)


_KINDS = _kinds()
_NULLS = _nulls()


class Step(NamedTuple):
    """What of a repeated step counts. at: epoch ms."""

    kind: str
    at: int
    correction: bool


class Repeat:
    """What the last step told. written: places of the keys, in `facts`, that it wrote and a repetition writes anew."""

    __slots__ = ("_facts", "_handler", "_head", "written")

    def __init__(self, value: bytes, places: Sequence[int], written: list[int]) -> None:
        """value: in wire format, and as `normalise` leaves it. places: of STEP_MARKS in it."""
        step, handler, note, facts, rest = places
        self._head = value[:step]
        self._handler = value[handler:note]
        self._facts = value[facts:rest]
        self.written = written

    def read(self, value: bytes, recorded_ms: int) -> Step | None:
        """The step, if it repeats the last one. recorded_ms: the record's time."""
        if not value.startswith(self._head):
            return None
        try:
            return self._read(value, len(self._head), recorded_ms)
        except (IndexError, UnicodeDecodeError):
            return None

    def _read(self, value: bytes, at: int, recorded_ms: int) -> Step | None:
        number = value[at]
        kind = None if number & 1 or number >= 2 * len(_KINDS) else _KINDS[number >> 1]
        occurred = _time(value, at + 1)
        correction = value[at + 7]
        at += 8
        if (
            kind is None
            or not EARLIEST_MS <= occurred <= recorded_ms + AHEAD_MS
            or correction > 1
            or not value.startswith(self._handler, at)
        ):
            return None
        at = _after_note(value, at + len(self._handler))
        # neither passed on nor rated
        if not at or value[at : at + 2] != b"\x00\x00" or not value.startswith(self._facts, at + 2):
            return None
        return Step(kind, occurred, correction == 1) if _ends(value, at + 2 + len(self._facts)) else None


def remembered(value: bytes, places: Sequence[int], written: list[int] | None) -> Repeat | None:
    """As `Repeat`; None if a repetition would not be known by what is compared."""
    return Repeat(value, places, written) if written is not None and _ends(value, places[-1]) else None


def written(before: Sequence[int], after: Sequence[int], key: int) -> list[int] | None:
    """Places of the keys that a step wrote, but the holder's; None unless it is newer than all that was known, so that
    each of its facts was taken. before, after: keys as in `facts.merge`."""
    if key <= max(before):
        return None
    return [place for place, own in enumerate(after) if own == key and place != HOLDER_KEY]


def _time(value: bytes, at: int) -> int:
    """A date of this age: six bytes of zigzag; 0 if it is none."""
    raw = int.from_bytes(value[at : at + 6], "little")
    if raw & 0x808080808081 != 0x008080808080:
        return 0
    return (
        raw >> 1 & 0x3F | raw >> 2 & 0x1FC0 | raw >> 3 & 0xFE000 | raw >> 4 & 0x7F00000 | raw >> 5 & 0x3F8000000
        | raw >> 6 & 0x1FC00000000
    )  # fmt: skip


def _after_date(value: bytes, at: int) -> int:
    """Where a date that may be null ends; 0 if it cannot be true."""
    branch = value[at]
    if branch == 0:
        return at + 1
    return at + 7 if branch == 2 and _time(value, at + 1) >= EARLIEST_MS else 0


def _ends(value: bytes, at: int) -> bool:
    """Whether the step's own dates stand here, and after them nothing but nulls."""
    at = _after_date(value, at)
    at = at and _after_date(value, at)
    return at > 0 and value[at:] == _NULLS


def _after_note(value: bytes, at: int) -> int:
    """Where a text that may be null ends; 0 if it is to be mended."""
    branch = value[at]
    if branch == 0:
        return at + 1
    size, at = value[at + 1], at + 2
    if size & 0x80:
        size = size & 0x7F | value[at] << 7
        at += 1
    end = at + (size >> 1)
    if branch != 2 or size & 1 or size & 0x4000 or end >= len(value):
        return 0
    text = value[at:end].decode()
    return end if text.strip() and (text.isascii() or is_normalized("NFC", text)) else 0
