"""State over an imitated log: hand-written cases, and a model with late writers, crashes and compaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.stream.api import Stored
from hub.stream.errors import StateError
from hub.stream.state import Entry, Line, LogId, State


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


def owner(logs: FakeLogs) -> State:
    state = State(("s",), version, logs, "test")
    state.assigned(frozenset({0}))
    return state


async def write(state: State, key: bytes, value: Stored | None) -> None:
    part = await state.own(0)
    assert part
    await state.write(part, {("s", key): value})


async def test_restore_takes_the_last_record_and_obeys_tombstones():
    logs = FakeLogs()
    for key, value in ((b"a", stored(1)), (b"b", stored(1)), (b"a", stored(2)), (b"b", None)):
        logs.add(key, value)
    part = await owner(logs).own(0)
    assert part
    assert part.get("s", b"a") == stored(2)
    assert part.get("s", b"b") is None
    assert list(part.keys("s")) == [b"a"]


async def test_a_late_writers_older_record_loses_on_restore_and_is_written_over():
    logs = FakeLogs()
    logs.add(b"a", stored(5))
    logs.add(b"a", stored(3))
    state = owner(logs)
    part = await state.own(0)
    assert part
    assert part.get("s", b"a") == stored(5)
    await write(state, b"other", stored(1))
    assert logs.last()[b"a"] == stored(5)


async def test_a_foreign_write_is_seen_by_the_next_offset_and_ours_is_written_again():
    logs = FakeLogs()
    state = owner(logs)
    await write(state, b"a", stored(5))
    logs.add(b"a", stored(4))
    await write(state, b"b", stored(1))
    assert logs.last() == {b"a": stored(5), b"b": stored(1)}


async def test_a_late_writer_cannot_bring_back_a_deleted_key():
    logs = FakeLogs()
    state = owner(logs)
    await write(state, b"a", stored(5))
    await write(state, b"a", None)
    logs.add(b"a", stored(5))
    await write(state, b"b", stored(1))
    assert logs.last() == {b"b": stored(1)}


async def test_an_idle_owner_heals_too():
    logs = FakeLogs()
    state = owner(logs)
    await write(state, b"a", stored(5))
    assert await state.overtaken() == []
    logs.add(b"a", stored(4))
    assert await state.overtaken() == [0]
    part = await state.own(0)
    assert part
    await state.heal(part)
    assert logs.last() == {b"a": stored(5)}
    assert await state.overtaken() == []


async def test_what_another_owner_wrote_is_caught_up_after_the_next_assignment():
    logs = FakeLogs()
    first, second = owner(logs), owner(logs)
    await write(first, b"a", stored(1))
    await write(second, b"a", stored(2))
    first.assigned(frozenset({0}))
    part = await first.own(0)
    assert part
    assert part.get("s", b"a") == stored(2)


async def test_a_partition_that_is_not_ours_has_no_state():
    state = owner(FakeLogs())
    assert await state.own(1) is None


async def test_a_log_that_became_shorter_is_refused():
    logs = FakeLogs()
    state = owner(logs)
    await write(state, b"a", stored(1))
    logs.lists["s", 0] = []
    state.assigned(frozenset({0}))
    with pytest.raises(StateError):
        await state.own(0)


class StateModel(RuleBasedStateMachine):
    """One owner at a time, crashes at will, and frozen former owners whose one unsent write arrives at any later time.

    The truth is the highest version ever written by an owner, key by key; a restore must always end there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.logs = FakeLogs()
        self.truth: dict[bytes, int] = {}
        self.late: list[tuple[bytes, Stored]] = []
        self.state = owner(self.logs)

    def teardown(self) -> None:
        self.loop.close()

    @rule(keys=st.sets(st.sampled_from([b"a", b"b", b"c"]), min_size=1))
    def work(self, keys: set[bytes]) -> None:
        async def work() -> None:
            part = await self.state.own(0)
            assert part
            changes: dict[tuple[str, bytes], Stored | None] = {}
            for key in keys:
                old = part.get("s", key)
                self.truth[key] = version(old) + 1 if old else 1
                changes["s", key] = stored(self.truth[key])
            await self.state.write(part, changes)

        self.loop.run_until_complete(work())

    @rule(key=st.sampled_from([b"a", b"b", b"c"]))
    def freeze(self, key: bytes) -> None:
        """The owner froze with a write on its way, and another process takes over without having seen it."""
        if key in self.truth:
            self.late.append((key, stored(self.truth[key])))
        self.crash()

    @rule()
    def late_write_arrives(self) -> None:
        if self.late:
            self.logs.add(*self.late.pop(0))

    @rule()
    def crash(self) -> None:
        self.state = owner(self.logs)

    @rule()
    def rebalance(self) -> None:
        self.state.assigned(frozenset({0}))

    @rule()
    def compact_when_healed(self) -> None:
        """The broker compacts long after; the owner's idle check is much sooner (see `overtaken`)."""
        self.idle_check()
        self.logs.compact()

    @rule()
    def idle_check(self) -> None:
        async def check() -> None:
            part = await self.state.own(0)
            assert part
            if await self.state.overtaken():
                await self.state.heal(part)

        self.loop.run_until_complete(check())

    @invariant()
    def restore_ends_at_the_highest_versions(self) -> None:
        part = self.loop.run_until_complete(owner(self.logs).own(0))
        assert part
        assert {key: version(part.get("s", key) or stored(0)) for key in part.keys("s")} == self.truth


StateModel.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestStateModel = StateModel.TestCase
