"""A restore and Python's collector: it rests meanwhile, and leaves a large state alone afterwards."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest

from hub.machine import garbage_collector
from hub.stream.partition_state import Entry, LogId
from tests.support.state_logs import FakeLogs, owner, stored


class Telling(FakeLogs):
    """Notes whether the collector works while it is read; may fail then."""

    def __init__(self) -> None:
        super().__init__()
        self.collects: list[bool] = []
        self.fails = False

    async def read(self, ranges: Mapping[LogId, tuple[int, int]]) -> AsyncIterator[tuple[LogId, Sequence[Entry]]]:
        self.collects.append(gc.isenabled())
        if self.fails:
            raise ConnectionError
        async for found in super().read(ranges):
            yield found


@pytest.fixture
def logs() -> Iterator[Telling]:
    logs = Telling()
    for number in range(10):
        logs.add(b"k%d" % number, stored(number))
    yield logs
    gc.unfreeze()


async def test_nothing_is_collected_during_a_restore(logs: Telling):
    assert await owner(logs).own(0)
    assert logs.collects == [False]
    assert gc.isenabled()


async def test_a_restore_that_fails_leaves_the_collector_at_work(logs: Telling):
    logs.fails = True
    with pytest.raises(ConnectionError):
        await owner(logs).own(0)
    assert gc.isenabled()


async def test_only_a_large_state_is_set_apart(logs: Telling, monkeypatch: pytest.MonkeyPatch):
    before = gc.get_freeze_count()
    await owner(logs).own(0)
    assert gc.get_freeze_count() == before
    monkeypatch.setattr(garbage_collector, "MANY", 10)
    await owner(logs).own(0)
    assert gc.get_freeze_count() > before
