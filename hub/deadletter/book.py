"""Every dead letter that counts, each once, with what has become of it: read to the end, or followed.

Command line, HTTP and console all ask this one, so that they say the same number.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from hub.config import Settings
from hub.deadletter.browse import Found, letter_of
from hub.deadletter.filters import Filter
from hub.deadletter.record import REPLAY_OF
from hub.deadletter.states import LetterState, read_state
from hub.events.envelope import rfc3339
from hub.kafka.tail import Record, Tail, opened
from hub.kafka.topics import DEAD_LETTERS, LETTER_STATES


@dataclass(frozen=True, slots=True)
class Listed:
    """A letter without its bytes and headers (None, ()). state: None for an open one."""

    found: Found
    state: LetterState | None

    @property
    def text(self) -> str:
        """`open`, or `replayed 2026-11-24T08:30:00.000Z by lan@desk`."""
        return "open" if self.state is None else f"{self.state.state} {rfc3339(self.state.at)} by {self.state.who}"


class Book:
    """A letter may stand in the topic twice (its stage was killed in between, or a replay failed for the same reason):
    the last one counts. A letter whose replay failed is superseded by the one that tells of that: or each replay would
    double. ends: partition of hub.dead-letters -> offset up to which it was read."""

    def __init__(self) -> None:
        self._last: dict[str, Found] = {}
        self._superseded: set[str] = set()
        self._states: dict[str, LetterState] = {}
        self.ends: dict[int, int] = {}

    def take(self, record: Record) -> None:
        """A record of one of the two topics."""
        if record.topic == LETTER_STATES:
            self._mark((record.key or b"").decode(errors="replace"), record.value)
            return
        letter = letter_of(record)
        self._superseded.update(raw.decode(errors="replace") for name, raw in letter.headers if name == REPLAY_OF)
        found = Found(replace(letter, value=None, headers=()), record.partition, record.offset, record.timestamp)
        last = self._last.get(letter.id)
        # One without a key may stand in two partitions, which are read in any order.
        if last is None or last.partition == found.partition or last.written_ms <= found.written_ms:
            self._last[letter.id] = found

    def counts(self, found: Found) -> bool:
        """Whether this occurrence of the letter is the one that counts."""
        id, last = found.letter.id, self._last.get(found.letter.id)
        place = found.partition, found.offset
        return last is not None and (last.partition, last.offset) == place and id not in self._superseded

    def state(self, id: str) -> LetterState | None:
        """What has become of the letter, as it stands last."""
        told, last = self._states.get(id), self._last.get(id)
        return told if told is not None and last is not None and _covers(told, last) else None

    def status(self, id: str) -> str:
        """`open`, or its state; `superseded`: its replay failed, and another letter tells of that."""
        if id in self._superseded:
            return "superseded"
        state = self.state(id)
        return "open" if state is None else state.state

    def listed(self, wanted: Filter, closed: bool = False) -> Iterator[Listed]:
        """Open ones that the filter admits; closed: those that are done, too."""
        for id, found in self._last.items():
            if id in self._superseded or found.written_ms < wanted.since_ms or not wanted.admits(found.letter):
                continue
            state = self.state(id)
            if closed or state is None:
                yield Listed(found, state)

    def newest(self, wanted: Filter, limit: int, closed: bool = False) -> list[Listed]:
        """At most `limit`, the newest first."""
        return heapq.nlargest(limit, self.listed(wanted, closed), key=lambda one: one.found.letter.at_ms)

    def numbers(self, wanted: Filter, closed: bool = False) -> Counter[tuple[str, str]]:
        """(stage, reason) -> how many."""
        return Counter((one.found.letter.stage, one.found.letter.reason) for one in self.listed(wanted, closed))

    def _mark(self, id: str, value: bytes | None) -> None:
        state = None if value is None else read_state(value)
        if state is None:
            self._states.pop(id, None)
        else:
            self._states[id] = state


def _covers(state: LetterState, found: Found) -> bool:
    """Whether it speaks of this occurrence of the letter, and not of an earlier one."""
    if state.partition == found.partition:
        return found.offset <= state.offset
    return found.written_ms <= state.at.timestamp() * 1000


class Reader:
    """Fills a book: `load` to the topics' present ends, then perhaps `follow`."""

    def __init__(self, tail: Tail) -> None:
        self._tail, self.book = tail, Book()

    async def load(self, since_ms: int = 0) -> Book:
        """since_ms: letters that are older are not read; whatever supersedes a letter came after it."""
        letters, states = await self._tail.partitions(DEAD_LETTERS), await self._tail.partitions(LETTER_STATES)
        begins = await (self._tail.since(letters, since_ms) if since_ms else self._tail.beginnings(letters))
        self._tail.begin(begins | await self._tail.beginnings(states))
        async for _, records in self._tail.to_end():
            self._take(records)
        self.book.ends = {part.partition: self._tail.position(part) for part in letters}
        return self.book

    async def follow(self, stop: asyncio.Event) -> None:
        async for _, records in self._tail.onwards(stop):
            self._take(records)

    def _take(self, records: Collection[Record]) -> None:
        for record in records:
            self.book.take(record)


async def read(settings: Settings, since_ms: int = 0) -> Book:
    """The book as it stands now. TopicError."""
    async with opened(settings) as tail:
        return await Reader(tail).load(since_ms)
