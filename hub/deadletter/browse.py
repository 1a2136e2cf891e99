"""Reading `hub.dead-letters`: by filter, one by id, counted. The topic is the truth; no index stands beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from hub.config import Settings
from hub.deadletter.filters import Filter
from hub.deadletter.record import REPLAY_OF, DeadLetter, parse
from hub.errors import HubError
from hub.kafka.tail import Record, opened
from hub.kafka.topics import DEAD_LETTERS


class NoSuchLetter(HubError):
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


@dataclass(slots=True)
class Index:
    """Which letters still count. ends: where the topic ended when it was read.

    A letter may stand there twice (its stage was killed in between, or a replay failed for the same reason): the last
    one counts. A letter whose replay failed is superseded by the one that tells of that: or each replay would double.
    """

    last: dict[str, tuple[int, int]] = field(default_factory=dict)
    superseded: set[str] = field(default_factory=set)
    ends: dict[int, int] = field(default_factory=dict)

    def counts(self, found: Found) -> bool:
        id = found.letter.id
        return self.last.get(id) == (found.partition, found.offset) and id not in self.superseded


async def index(settings: Settings, since_ms: int = 0) -> Index:
    """One reading of the topic, to its present end."""
    out = Index()
    async for found in scan(settings, Filter(since_ms=since_ms), out.ends):
        out.last[found.letter.id] = (found.partition, found.offset)
        for name, raw in found.letter.headers:
            if name == REPLAY_OF:
                out.superseded.add(raw.decode(errors="replace"))
    return out


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
                found = Found(_letter(record), record.partition, record.offset, record.timestamp)
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


def _letter(record: Record) -> DeadLetter:
    letter = parse(record.key, record.value, record.headers)
    # A record that no stage of the hub wrote is named by its place.
    return letter if letter.id else replace(letter, id=f"{record.partition}-{record.offset}", at_ms=record.timestamp)
