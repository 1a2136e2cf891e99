"""The long act that sends dead letters back, or gives them up: letter by letter, in chunks, from where it stands.

A chunk: its records are sent and acknowledged; then the state of its letters and the act's own progress are written in
one transaction. Who goes on after a kill between the two looks for the chunk in its target, and sends what is missing.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hub.admin.acts.journal import Tally
from hub.admin.acts.landed import landed
from hub.admin.acts.run import Run, chunk_size
from hub.admin.replay import Action, NotReplayable, Record, Returns, order_id
from hub.config import Settings
from hub.control.claim import Line
from hub.control.directory import directory
from hub.control.records import now
from hub.deadletter.book import Book, read
from hub.deadletter.browse import Found, scan
from hub.deadletter.filters import Filter
from hub.deadletter.states import LetterState
from hub.intake.agency_record import Judge
from hub.kafka.topics import LETTER_STATES
from hub.registry.client import open_codec
from hub.untyped import JsonObject


@dataclass(frozen=True, slots=True)
class Wanted:
    """again: also those that were replayed or skipped before. rate: letters a second."""

    filter: Filter
    action: Action
    again: bool = False
    rate: float | None = None


@dataclass(slots=True)
class Walk:
    """From letter to letter. places: partition -> offset up to which it has come; what is before is passed over.
    act: its id, so that it knows its own letters again. landed: what stands in its target already."""

    settings: Settings
    wanted: Wanted
    book: Book
    returns: Returns
    tally: Tally
    places: dict[int, int]
    act: str = ""
    landed: frozenset[str] = frozenset()

    async def letters(self, ends: dict[int, int]) -> AsyncIterator[tuple[Found, Record | None]]:
        """Those that go back, each with the record that takes it, None if that is sent; the others are counted only."""
        async for found in scan(self.settings, self.wanted.filter, dict(ends)):
            if found.offset < self.places.get(found.partition, 0):
                continue
            made = self._judged(found)
            self.places[found.partition] = found.offset + 1
            if made is not None:
                yield found, None if self._is_sent(found) else made

    def _judged(self, found: Found) -> Record | None:
        letter, what = found.letter, f"{found.letter.stage}/{found.letter.reason}"
        if not self.book.counts(found):
            return None
        state = self.book.state(letter.id)
        if state is not None and state.act == self.act:
            self.tally.add(what)  # its state stands there, and the act was killed before it knew
            return None
        if state is not None and not self.wanted.again:
            self.tally.closed += 1
            return None
        try:
            made = self.returns.record(letter)
        except NotReplayable as error:
            self.tally.refuse(letter.id, str(error))
            return None
        self.tally.add(what)
        return made

    def _is_sent(self, found: Found) -> bool:
        id = found.letter.id
        return id in self.landed or order_id(self.wanted.action, id, self.act) in self.landed

    @property
    def done(self) -> int:
        return self.tally.total + self.tally.stays + self.tally.closed


async def preview(settings: Settings, wanted: Wanted) -> JsonObject:
    """What would be sent, what stays and why, what is done already."""
    async with _walk(settings, wanted, "", "", "", Tally(), {}) as walk:
        async for _ in walk.letters(walk.book.ends):
            pass
    return walk.tally.document()


async def job(run: Run, wanted: Wanted) -> None:
    """Goes on where the act stands. Its end is that of hub.dead-letters when it began: letters of later stay."""
    by = run.by
    async with _walk(run.settings, wanted, by.who, by.why, run.id, run.tally, run.places) as walk:
        await run.begins(walk.book.ends, sum(1 for _ in walk.book.listed(wanted.filter, closed=True)))
        walk.landed = await landed(run)
        chunk: list[tuple[Found, Record | None]] = []
        async for one in walk.letters(run.record.ends):
            chunk.append(one)
            if len(chunk) >= chunk_size(wanted.rate):
                await _send(run, walk, chunk)
        await _send(run, walk, chunk)


async def _send(run: Run, walk: Walk, chunk: list[tuple[Found, Record | None]]) -> None:
    await run.send([made for _, made in chunk if made is not None], walk.wanted.rate)
    await run.advance(walk.done, [_state(run, walk.wanted.action, found) for found, _ in chunk])
    chunk.clear()


def _state(run: Run, action: Action, found: Found) -> Line:
    state = LetterState(
        letter=found.letter.id,
        state="replayed" if action == "replay" else "skipped",
        act=run.id,
        at=now(),
        who=run.by.who,
        partition=found.partition,
        offset=found.offset,
    )
    return Line(LETTER_STATES, state.letter.encode(), state.model_dump_json().encode())


@contextlib.asynccontextmanager
async def _walk(
    settings: Settings, wanted: Wanted, who: str, why: str, act: str, tally: Tally, places: dict[int, int]
) -> AsyncIterator[Walk]:
    book = await read(settings, wanted.filter.since_ms)
    async with directory(settings) as copy:
        returns = Returns(wanted.action, Judge(await open_codec(settings)), copy, who, why, act)
        yield Walk(settings, wanted, book, returns, tally, places, act)
