"""An imitated compacted topic for the tests of the state, and values for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from hub.stream.memory_store import MakeStores, memory_stores
from hub.stream.partition_state import Entry, Line, LogId, State
from hub.stream.stage import Stored


def stored(version: int) -> Stored:
    return Stored(b"%d" % version, (("hub_seq", b"%d" % version),))


def version(state: Stored) -> int:
    return int(dict(state.headers)["hub_seq"])


class FakeLogs:
    """One list of (key, stored) per log, offsets are places; a compacted record is a hole (None)."""

    def __init__(self) -> None:
        self.lists: dict[LogId, list[tuple[bytes, Stored | None] | None]] = {}

    def log(self, topic: str = "s", partition: int = 0) -> list[tuple[bytes, Stored | None] | None]:
        return self.lists.setdefault((topic, partition), [])

    def add(self, key: bytes, state: Stored | None) -> None:
        self.log().append((key, state))

    async def bounds(self, logs: Iterable[LogId]) -> dict[LogId, tuple[int, int]]:
        return {log: (0, len(self.log(*log))) for log in logs}

    async def read(self, ranges: Mapping[LogId, tuple[int, int]]) -> AsyncIterator[tuple[LogId, Sequence[Entry]]]:
        for log, (first, end) in ranges.items():
            found = [(at, entry) for at, entry in enumerate(self.log(*log)) if entry and first <= at < end]
            for at, (key, state) in found:
                yield log, [(key, state, at)]

    async def append(self, topic: str, partition: int, lines: Iterable[Line]) -> list[tuple[int, int]]:
        landed = []
        for key, value, headers, _ in lines:  # a batch a record: the worst case for continuity
            assert key is not None
            log = self.log(topic, partition)
            landed.append((len(log), 1))
            log.append((key, None if value is None else Stored(value, tuple(headers))))
        return landed

    def last(self) -> dict[bytes, Stored]:
        """What the next owner believes: the last record of each key."""
        view: dict[bytes, Stored] = {}
        for entry in self.log():
            if entry is not None:
                key, state = entry
                if state is None:
                    view.pop(key, None)
                else:
                    view[key] = state
        return view

    def compact(self) -> None:
        """Only the last record of each key stays, as the broker does; tombstones too, for a while."""
        log = self.log()
        last = {entry[0]: at for at, entry in enumerate(log) if entry}
        self.lists["s", 0] = [entry if entry and last[entry[0]] == at else None for at, entry in enumerate(log)]


def owner(logs: FakeLogs, make: MakeStores = memory_stores) -> State:
    state = State(("s",), version, logs, "test", make)
    state.assigned(frozenset({0}))
    return state


async def write(state: State, key: bytes, value: Stored | None) -> None:
    part = await state.own(0)
    assert part
    await state.write(part, {("s", key): value})
