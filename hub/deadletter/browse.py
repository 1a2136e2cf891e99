"""Reading `hub.dead-letters` with their bytes, by filter or by id. What has become of them: `hub.deadletter.book`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from hub.config import Settings
from hub.deadletter.filters import Filter
from hub.deadletter.record import DeadLetter, parse
from hub.errors import Refused
from hub.kafka.tail import Record, opened
from hub.kafka.topics import DEAD_LETTERS


class NoSuchLetter(Refused):
    """There is no dead letter of that id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no dead letter {id!r}; see `hub dead-letters list --closed`")


@dataclass(frozen=True, slots=True)
class Found:
    """A letter, where it stands in hub.dead-letters, and since when (epoch milliseconds)."""

    letter: DeadLetter
    partition: int
    offset: int
    written_ms: int


async def scan(settings: Settings, wanted: Filter, ends: dict[int, int]) -> AsyncIterator[Found]:
    """Those that the filter admits, per key in the order they were written.

    ends: partition -> offset to stop before; if it is empty, the present end, which is then noted there.
    """
    async with opened(settings) as tail:
        parts = await tail.partitions(DEAD_LETTERS)
        if not ends:
            ends |= {part.partition: end for part, end in (await tail.ends(parts)).items()}
        tail.begin(await (tail.since(parts, wanted.since_ms) if wanted.since_ms else tail.beginnings(parts)))
        async for _, records in tail.to_end({part: ends.get(part.partition, 0) for part in parts}):
            for record in records:
                found = Found(letter_of(record), record.partition, record.offset, record.timestamp)
                if wanted.admits(found.letter):
                    yield found


async def one(settings: Settings, id: str) -> DeadLetter:
    """The letter of that id, with its bytes. NoSuchLetter."""
    last: DeadLetter | None = None
    async for found in scan(settings, Filter(ids=frozenset({id})), {}):
        last = found.letter
    if last is None:
        raise NoSuchLetter(id)
    return last


def letter_of(record: Record) -> DeadLetter:
    """The letter in a record of the topic."""
    letter = parse(record.key, record.value, record.headers)
    # A record that no stage of the hub wrote is named by its place.
    return letter if letter.id else replace(letter, id=f"{record.partition}-{record.offset}", at_ms=record.timestamp)
