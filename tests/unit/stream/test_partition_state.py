"""State over an imitated log: hand-written cases, and a model with late writers, crashes and compaction.

Each with the stores in memory and on disk.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.stream.disk_store import DiskStores
from hub.stream.errors import StateError
from hub.stream.memory_store import MakeStores, memory_stores
from hub.stream.partition_state import State
from hub.stream.stage import Stored
from tests.support.state_logs import FakeLogs, owner, stored, version, write

Own = Callable[[FakeLogs], State]


@pytest.fixture(params=["memory", "disk"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Own:
    """A new owner, as another replica would be: on disk, with a folder of its own."""
    states: list[State] = []

    def own(logs: FakeLogs) -> State:
        folder = tmp_path / str(len(states))
        states.append(owner(logs, DiskStores(folder) if request.param == "disk" else memory_stores))
        return states[-1]

    return own


async def test_restore_takes_the_last_record_and_obeys_tombstones(own: Own):
    logs = FakeLogs()
    for key, value in ((b"a", stored(1)), (b"b", stored(1)), (b"a", stored(2)), (b"b", None)):
        logs.add(key, value)
    part = await own(logs).own(0)
    assert part
    assert part.get("s", b"a") == stored(2)
    assert part.get("s", b"b") is None
    assert list(part.keys("s")) == [b"a"]


async def test_a_late_writers_older_record_loses_on_restore_and_is_written_over(own: Own):
    logs = FakeLogs()
    logs.add(b"a", stored(5))
    logs.add(b"a", stored(3))
    state = own(logs)
    part = await state.own(0)
    assert part
    assert part.get("s", b"a") == stored(5)
    await write(state, b"other", stored(1))
    assert logs.last()[b"a"] == stored(5)


async def test_a_foreign_write_is_seen_by_the_next_offset_and_ours_is_written_again(own: Own):
    logs = FakeLogs()
    state = own(logs)
    await write(state, b"a", stored(5))
    logs.add(b"a", stored(4))
    await write(state, b"b", stored(1))
    assert logs.last() == {b"a": stored(5), b"b": stored(1)}


async def test_a_late_writer_cannot_bring_back_a_deleted_key(own: Own):
    logs = FakeLogs()
    state = own(logs)
    await write(state, b"a", stored(5))
    await write(state, b"a", None)
    logs.add(b"a", stored(5))
    await write(state, b"b", stored(1))
    assert logs.last() == {b"b": stored(1)}


async def test_an_idle_owner_heals_too(own: Own):
    logs = FakeLogs()
    state = own(logs)
    await write(state, b"a", stored(5))
    assert await state.overtaken() == []
    logs.add(b"a", stored(4))
    assert await state.overtaken() == [0]
    part = await state.own(0)
    assert part
    await state.heal(part)
    assert logs.last() == {b"a": stored(5)}
    assert await state.overtaken() == []


async def test_what_another_owner_wrote_is_caught_up_after_the_next_assignment(own: Own):
    logs = FakeLogs()
    first, second = own(logs), own(logs)
    await write(first, b"a", stored(1))
    await write(second, b"a", stored(2))
    first.assigned(frozenset({0}))
    part = await first.own(0)
    assert part
    assert part.get("s", b"a") == stored(2)


async def test_a_partition_that_is_not_ours_has_no_state(own: Own):
    state = own(FakeLogs())
    assert await state.own(1) is None


async def test_a_log_that_became_shorter_is_refused(own: Own):
    logs = FakeLogs()
    state = own(logs)
    await write(state, b"a", stored(1))
    logs.lists["s", 0] = []
    state.assigned(frozenset({0}))
    with pytest.raises(StateError):
        await state.own(0)


class StateModel(RuleBasedStateMachine):
    """One owner at a time, crashes at will, and frozen former owners whose one unsent write arrives at any later time.

    The truth is the highest version ever written by an owner, key by key; a restore must always end there.
    """

    make: MakeStores = staticmethod(memory_stores)

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.logs = FakeLogs()
        self.truth: dict[bytes, int] = {}
        self.late: list[tuple[bytes, Stored]] = []
        self.state = owner(self.logs, self.make)

    def teardown(self) -> None:
        self.state.close()
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
        self.state.close()
        self.state = owner(self.logs, self.make)

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

    @rule()
    def the_owner_holds_the_highest_versions(self) -> None:
        assert self.view(self.state) == self.truth

    @invariant()
    def restore_ends_at_the_highest_versions(self) -> None:
        assert self.view(owner(self.logs)) == self.truth

    def view(self, state: State) -> dict[bytes, int]:
        part = self.loop.run_until_complete(state.own(0))
        assert part
        return {key: version(part.get("s", key) or stored(0)) for key in part.keys("s")}


class DiskModel(StateModel):
    """The same over stores on disk: after a crash only the changelog's tail is read."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.make = DiskStores(self.folder)
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)

    @rule(key=st.sampled_from([b"a", b"b", b"c"]))
    def crash_between_the_changelog_and_the_store(self, key: bytes) -> None:
        """The record is confirmed, what is kept beside it was not written."""
        part = self.loop.run_until_complete(self.state.own(0))
        assert part
        part.logs["s"].data.save = lambda end: None  # type: ignore[method-assign]
        self.work({key})
        self.crash()


StateModel.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestStateModel = StateModel.TestCase
DiskModel.TestCase.settings = settings(max_examples=25, stateful_step_count=30)
TestDiskModel = DiskModel.TestCase
