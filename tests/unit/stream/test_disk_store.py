"""Stores on disk: what is read again after a crash, and when all is thrown away."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.stream import disk_store
from hub.stream.disk_store import DiskStores
from hub.stream.errors import StateError
from hub.stream.partition_state import LogId, State
from hub.stream.stage import Stored
from tests.support.state_logs import FakeLogs, owner, stored, version, write


class CountingLogs(FakeLogs):
    """Remembers which offsets were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []

    def read(self, ranges: Mapping[LogId, tuple[int, int]]):
        self.asked += ranges.values()
        return super().read(ranges)


@pytest.fixture
def logs() -> CountingLogs:
    return CountingLogs()


async def keys_of(state: State) -> dict[bytes, int]:
    part = await state.own(0)
    assert part
    found = {key: part.get("s", key) for key in part.keys("s")}
    assert len(part.logs["s"].data) == len(found)
    return {key: version(value) for key, value in found.items() if value}


async def filled(logs: CountingLogs, folder: Path) -> None:
    """Three keys in the log and on disk, a fourth deleted, and then the end of the process: offsets 0 to 4."""
    state = owner(logs, DiskStores(folder))
    for key, value in ((b"a", stored(1)), (b"b", stored(1)), (b"x", stored(1)), (b"c", stored(7)), (b"x", None)):
        await write(state, key, value)
    state.close()
    logs.asked.clear()


async def test_a_restart_reads_nothing_when_nothing_came_since(logs: CountingLogs, tmp_path: Path):
    await filled(logs, tmp_path)
    assert await keys_of(owner(logs, DiskStores(tmp_path))) == {b"a": 1, b"b": 1, b"c": 7}
    assert logs.asked == []


async def test_a_restart_reads_only_what_came_since(logs: CountingLogs, tmp_path: Path):
    await filled(logs, tmp_path)
    logs.add(b"a", stored(2))
    logs.add(b"b", None)
    assert await keys_of(owner(logs, DiskStores(tmp_path))) == {b"a": 2, b"c": 7}
    assert logs.asked == [(5, 7)]


async def test_what_was_read_or_healed_is_not_read_twice(logs: CountingLogs, tmp_path: Path):
    await filled(logs, tmp_path)
    logs.add(b"a", stored(2))
    state = owner(logs, DiskStores(tmp_path))
    part = await state.own(0)
    assert part
    state.close()
    state = owner(logs, DiskStores(tmp_path))
    part = await state.own(0)
    assert part
    logs.add(b"b", stored(9))
    await state.heal(part)
    state.close()
    assert (await keys_of(owner(logs, DiskStores(tmp_path)))) == {b"a": 2, b"b": 9, b"c": 7}
    assert logs.asked == [(5, 6), (6, 7)]


async def test_a_rebuild_that_was_cut_off_begins_again(
    logs: CountingLogs, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """What was read may hold a key whose tombstone the cleaner has dropped before the next attempt."""
    for number in range(4):
        logs.add(b"%d" % number, stored(1))
    unreadable: Any = (b"", 1)
    whole, logs.lists["s", 0] = logs.log(), [*logs.log()[:2], unreadable]

    with pytest.raises(AttributeError):
        await owner(logs, DiskStores(tmp_path)).own(0)
    logs.lists["s", 0] = [None, *whole[1:]]
    assert await keys_of(owner(logs, DiskStores(tmp_path))) == {b"1": 1, b"2": 1, b"3": 1}
    assert logs.asked == [(0, 3), (0, 4)]
    assert "unfinished" in caplog.text


async def test_what_the_log_has_and_the_disk_has_not_is_read_again(logs: CountingLogs, tmp_path: Path):
    await filled(logs, tmp_path)
    state = owner(logs, DiskStores(tmp_path))
    part = await state.own(0)
    assert part
    part.logs["s"].data.save = lambda end: None  # type: ignore[method-assign]
    await write(state, b"a", stored(2))
    await write(state, b"a", stored(3))
    state.close()
    assert await keys_of(owner(logs, DiskStores(tmp_path))) == {b"a": 3, b"b": 1, b"c": 7}
    assert logs.asked == [(5, 7)]


async def test_a_late_writers_record_is_still_known_after_a_crash_before_it_was_written_over(
    logs: CountingLogs, tmp_path: Path
):
    await filled(logs, tmp_path)
    logs.add(b"c", stored(3))
    state = owner(logs, DiskStores(tmp_path))
    assert (await keys_of(state))[b"c"] == 7
    state.close()
    state = owner(logs, DiskStores(tmp_path))
    await write(state, b"a", stored(2))
    assert logs.last() == {b"a": stored(2), b"b": stored(1), b"c": stored(7)}
    state.close()
    logs.asked.clear()
    await keys_of(owner(logs, DiskStores(tmp_path)))
    assert logs.asked == []


@pytest.mark.parametrize("cut", ["shorter", "its beginning"])
async def test_a_log_that_does_not_hold_our_offset_is_read_from_its_beginning(
    cut: str, logs: CountingLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    await filled(logs, tmp_path)
    log = logs.log()
    if cut == "shorter":
        logs.lists["s", 0] = log[:2]
        bounds, wanted = (0, 2), {b"a": 1, b"b": 1}
    else:
        logs.lists["s", 0] = [None] * 9 + [(b"d", stored(4))]
        bounds, wanted = (9, 10), {b"d": 4}

    async def asked(parts: Sequence[LogId]) -> dict[LogId, tuple[int, int]]:
        return dict.fromkeys(parts, bounds)

    monkeypatch.setattr(logs, "bounds", asked)
    assert await keys_of(owner(logs, DiskStores(tmp_path))) == wanted
    assert logs.asked == [bounds]
    assert "rebuilt" in caplog.text


async def test_a_store_that_was_away_for_longer_than_deletions_last_is_rebuilt(
    logs: CountingLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Another owner deleted `a`; the broker's cleaner has dropped the record and, after a day, its tombstone."""
    await filled(logs, tmp_path)
    logs.lists["s", 0] = [None, *logs.log()[1:], None]
    now = time.time()
    monkeypatch.setattr("hub.stream.disk_store.time.time", lambda: now + disk_store.TRUSTED_S + 1)
    assert await keys_of(owner(logs, DiskStores(tmp_path))) == {b"b": 1, b"c": 7}
    assert logs.asked == [(0, 6)]
    assert "too old" in caplog.text


async def test_an_idle_owners_store_does_not_grow_old(
    logs: CountingLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await filled(logs, tmp_path)
    state, now = owner(logs, DiskStores(tmp_path)), time.time()
    await state.own(0)
    for hours in (6, 15, 24):
        monkeypatch.setattr("hub.stream.disk_store.time.time", lambda hours=hours: now + hours * 3600)
        assert await state.overtaken() == []
        state.close()
        state = owner(logs, DiskStores(tmp_path))
        assert len(await keys_of(state)) == 3
    assert logs.asked == []


async def test_a_store_that_lags_behind_its_log_does_grow_old(
    logs: CountingLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await filled(logs, tmp_path)
    state, now = owner(logs, DiskStores(tmp_path)), time.time()
    await state.own(0)
    logs.add(b"a", stored(2))
    monkeypatch.setattr("hub.stream.disk_store.time.time", lambda: now + disk_store.TRUSTED_S + 1)
    assert await state.overtaken() == [0]
    state.close()
    await keys_of(owner(logs, DiskStores(tmp_path)))
    assert logs.asked == [(0, 6)]


@pytest.mark.parametrize("part", ["CURRENT", "MANIFEST-*", "*.sst"])
async def test_a_damaged_store_is_thrown_away_and_said_so(
    part: str, logs: CountingLogs, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    await filled(logs, tmp_path)
    await keys_of(state := owner(logs, DiskStores(tmp_path)))  # opening it again sorts what was written into files
    state.close()
    damaged = sorted((tmp_path / "0").glob(part))
    assert damaged
    for file in damaged:
        file.write_bytes(b"\x13" * file.stat().st_size)
    assert await keys_of(owner(logs, DiskStores(tmp_path))) == {b"a": 1, b"b": 1, b"c": 7}
    assert logs.asked == [(0, 5)]
    assert "damaged" in caplog.text
    assert "thrown away" in caplog.text


async def test_damage_found_while_reading_ends_the_process_and_the_next_one_rebuilds(
    logs: CountingLogs, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    state = owner(logs, DiskStores(tmp_path))
    part = await state.own(0)
    assert part
    await state.write(part, {("s", b"k%04d" % n): Stored(b"v" * 500, (("hub_seq", b"1"),)) for n in range(3_000)})
    state.close()
    state = owner(logs, DiskStores(tmp_path))
    assert await state.own(0)
    state.close()
    (table,) = (tmp_path / "0").glob("*.sst")
    bytes_ = bytearray(table.read_bytes())
    bytes_[2_000:20_000] = b"\x13" * 18_000  # values; the store's mark, which `open` reads, lies behind them
    table.write_bytes(bytes_)
    state = owner(logs, DiskStores(tmp_path))
    part = await state.own(0)
    assert part
    with pytest.raises(StateError):
        for n in range(3_000):
            part.get("s", b"k%04d" % n)
    with pytest.raises(StateError):
        list(part.keys("s"))
    state.close()
    assert len(await keys_of(owner(logs, DiskStores(tmp_path)))) == 3_000
    assert "thrown away" in caplog.text


async def test_what_throwing_away_would_not_mend_is_refused_and_left_alone(logs: CountingLogs, tmp_path: Path):
    await filled(logs, tmp_path)
    first = owner(logs, DiskStores(tmp_path))
    await first.own(0)
    with pytest.raises(StateError, match="cannot be opened"):
        await owner(logs, DiskStores(tmp_path)).own(0)
    assert len(await keys_of(first)) == 3


async def test_a_partition_taken_away_is_closed_and_goes_on_where_it_was(logs: CountingLogs, tmp_path: Path):
    state = owner(logs, DiskStores(tmp_path))
    await write(state, b"a", stored(1))
    part = await state.own(0)
    assert part
    state.assigned(frozenset())
    with pytest.raises(StateError, match="taken away"):
        part.get("s", b"a")
    logs.add(b"b", stored(1))
    state.assigned(frozenset({0}))
    assert await keys_of(state) == {b"a": 1, b"b": 1}
    assert logs.asked == [(1, 2)]


async def test_stores_of_one_partition_do_not_mix(tmp_path: Path):
    stores = DiskStores(tmp_path)(0, ("s", "s2"))
    for name, store in stores.items():
        assert store.open() == 0
        store[b"k"] = stored(len(name))
        store.save(len(name))
    stores["s"].clear()
    assert (list(stores["s"].keys()), list(stores["s2"].keys())) == ([], [b"k"])
    for store in stores.values():
        store.close()
    again = DiskStores(tmp_path)(0, ("s", "s2"))
    assert {name: (store.open(), store.get(b"k")) for name, store in again.items()} == {
        "s": (0, None),
        "s2": (2, stored(2)),
    }


async def test_the_list_of_what_waits_for_a_tick_follows_every_change(logs: CountingLogs, tmp_path: Path):
    stores = DiskStores(tmp_path, lambda state: version(state) % 2 == 1)
    state = owner(logs, stores)
    for key, value in ((b"a", 1), (b"b", 2), (b"c", 3), (b"d", 5), (b"c", 4), (b"b", 7), (b"d", None)):
        await write(state, key, stored(value) if value else None)
    part = await state.own(0)
    assert part
    assert list(part.waiting("s")) == [b"a", b"b"]
    state.close()
    logs.add(b"a", None)
    logs.add(b"e", stored(1))
    state = owner(logs, stores)
    part = await state.own(0)
    assert part
    assert list(part.waiting("s")) == [b"b", b"e"]
    part.logs["s"].start_over()
    assert list(part.waiting("s")) == []
