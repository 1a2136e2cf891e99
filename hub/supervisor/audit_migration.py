"""Moves the audit of older versions out of `hub.control`: run wherever topics are made, does nothing the second time.

1. What the old acts closed becomes the state of those dead letters, one record each; a letter that has one is left.
2. Entries go over in transactions: written to `hub.audit` under the same id and removed from `hub.control`, together
   with the mark up to which ratings were sent. So each entry stands in exactly one of the two, whenever this is killed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from hub.config import Settings
from hub.control.audit import line_of
from hub.control.claim import Line, commit
from hub.control.directory import Directory
from hub.control.records import SatisfactionSent
from hub.deadletter import book, browse, old_audit
from hub.deadletter.filters import Filter
from hub.deadletter.old_audit import KEY_PREFIX, OldAct, OldEntry
from hub.deadletter.states import LetterState, write_states
from hub.kafka import clients
from hub.kafka.tail import opened
from hub.kafka.topics import CONTROL

log = logging.getLogger(__name__)

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Moved:
    entries: int
    letters: int


async def migrate(settings: Settings) -> Moved:
    """Idempotent. TopicError, StartError: as of the topics and `claim.commit`."""
    found = await _old_entries(settings)
    if not found:
        return Moved(0, 0)
    known = [entry for entry in found.values() if entry is not None]
    letters = await _close_letters(settings, old_audit.acts(known))
    keys = list(found)
    for start in range(0, len(keys), CHUNK):
        await _move(settings, {key: found[key] for key in keys[start : start + CHUNK]})
    log.info("the audit of an older version is moved: %d entries, %d dead letters closed", len(found), letters)
    return Moved(len(found), letters)


async def _old_entries(settings: Settings) -> dict[bytes, OldEntry | None]:
    """By key; None for one that cannot be read, which is then only removed."""
    out: dict[bytes, OldEntry | None] = {}
    async with opened(settings, isolation_level="read_committed") as tail:
        await tail.from_beginning(CONTROL)
        async for _, records in tail.to_end():
            for record in records:
                if (key := record.key or b"").startswith(KEY_PREFIX):
                    out.pop(key, None)
                    if record.value is not None:
                        out[key] = _read(key, record.value)
    return out


def _read(key: bytes, value: bytes) -> OldEntry | None:
    try:
        return OldEntry.model_validate_json(value)
    except ValidationError as error:
        log.error("control record %r is no audit entry and is removed: %s", key, error.errors()[0]["msg"])
        return None


async def _close_letters(settings: Settings, acts: Sequence[OldAct]) -> int:
    if not acts:
        return 0
    known, states = await book.read(settings), []
    async for found in browse.scan(settings, Filter(), dict(known.ends)):
        if known.counts(found) and known.state(found.letter.id) is None:
            act = next((act for act in acts if act.covers(found)), None)
            if act is not None:
                told = act.entry
                states.append(
                    LetterState(
                        letter=found.letter.id, state=act.state, act=told.id, at=told.at, who=told.who,
                        partition=found.partition, offset=found.offset,
                    )
                )  # fmt: skip
    producer = clients.producer(settings)
    await producer.start()
    try:
        for start in range(0, len(states), CHUNK):
            await write_states(producer, states[start : start + CHUNK])
    finally:
        await producer.stop()
    return len(states)


async def _move(settings: Settings, entries: dict[bytes, OldEntry | None]) -> None:
    def lines(present: Directory) -> Sequence[Line]:
        out = [_mark(name, slot) for name, slot in _slots(present, entries.values()).items()]
        told = [old for old in entries.values() if old is not None and not old.is_of_go_back]
        out += [line_of(old_audit.entry(old)) for old in told]
        return out + [Line(CONTROL, key, None) for key in entries]

    await commit(settings, lines)


def _slots(present: Directory, entries: Iterable[OldEntry | None]) -> dict[str, date]:
    """Subscriber -> the last slot these entries tell, where no later one is noted."""
    out: dict[str, date] = {}
    for old in entries:
        if old is not None and (told := old.satisfaction()) is not None:
            name, slot = told
            noted = present.satisfaction.get(name)
            if slot > out.get(name, noted.slot if noted else date.min):
                out[name] = slot
    return out


def _mark(name: str, slot: date) -> Line:
    record = SatisfactionSent(subscriber=name, slot=slot)
    return Line(CONTROL, f"satisfaction/{name}".encode(), record.model_dump_json().encode())
