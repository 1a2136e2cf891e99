"""What waits in a dossier's lane: one canonical event, where its bytes stand, and what is finished with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Raw:
    """One Kafka record as read. `timestamp_ms` epoch milliseconds, UTC."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Mode(StrEnum):
    """Why an event is in the lane.

    NEW:    it was read from the log (or a new subscriber's backfill).
    RESEND: reconcile or an operator asks for it again, if it is not known as delivered.
    REPLAY: an operator asks for it again after it became a dead letter.
    """

    NEW = "new"
    RESEND = "resend"
    REPLAY = "replay"


class Source:
    """A source offset that is finished when the last of `count` entries that hang on it is settled."""

    __slots__ = ("_count", "_finish")

    def __init__(self, finish: Callable[[], object], count: int = 1) -> None:
        self._finish = finish
        self._count = count

    def settle(self) -> None:
        self._count -= 1
        if self._count == 0:
            self._finish()


@dataclass(slots=True, eq=False)
class Entry:
    """One event of one dossier. `record` None: its bytes must be read again from (topic, partition, offset).

    sources: source offsets that wait for this entry; empty once a parking record names it.
    since_ms: when the hub accepted it (epoch ms), for ages and latencies.
    """

    key: str
    event_id: str
    hub_seq: int
    family: str
    topic: str
    partition: int
    offset: int
    since_ms: int
    record: Raw | None = None
    mode: Mode = Mode.NEW
    sources: list[Source] = field(default_factory=list)

    def hang(self, sources: Iterable[Source]) -> None:
        """These source offsets wait for this entry too."""
        self.sources.extend(sources)

    def loaded(self, raw: Raw) -> None:
        """Its bytes were read again."""
        self.record = raw
        self.since_ms = self.since_ms or raw.timestamp_ms

    def unload(self) -> None:
        """It waits for long: its bytes are read again when its time comes."""
        self.record = None

    def replay(self, order: Source) -> None:
        """An operator asks for it; the order is finished when the attempt's outcome is confirmed."""
        self.mode = Mode.REPLAY
        self.sources.append(order)

    def settle(self) -> None:
        """All that follows from this entry is confirmed by the broker."""
        sources, self.sources = self.sources, []
        for source in sources:
            source.settle()
