"""State under a fence, over an imitated log: claimed before it is read, taken into memory only when it counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.stream.chunk_runner import Runner
from hub.stream.partition_state import LogId, State
from hub.stream.stage import Out, Outputs
from hub.stream.transaction_fence import Fence
from tests.support.chunk_runner import Bench
from tests.support.state_logs import FakeLogs, stored, version


class Logs(FakeLogs):
    """Tells what it is asked; `claim` may find that a former owner has just written."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    async def claim(self, partitions: Collection[int]) -> None:
        self.told.append(f"claim {sorted(partitions)}")
        self.add(b"late", stored(7))

    async def bounds(self, logs: Iterable[LogId]) -> dict[LogId, tuple[int, int]]:
        self.told.append("bounds")
        return await super().bounds(logs)


def owner(logs: Logs, stores: Sequence[str] = ("s",)) -> State:
    state = State(stores, version, logs, "test", claim=logs.claim)
    state.assigned(frozenset({0}))
    return state


def ends(commits: bool, logs: FakeLogs) -> Any:
    """The end of the transaction: a marker in the log, which is no record."""

    async def end() -> bool:
        logs.log().append(None)
        return commits

    return end


async def test_partitions_are_claimed_before_their_state_is_read():
    """What a former owner wrote up to the claim is in it; nothing comes after."""
    logs = Logs()
    part = await owner(logs).own(0)
    assert part
    assert logs.told[:2] == ["claim [0]", "bounds"]
    assert part.get("s", b"late") == stored(7)


async def test_they_are_claimed_where_there_is_no_state_too():
    logs = Logs()
    assert await owner(logs, ()).own(0)
    assert logs.told == ["claim [0]"]


async def test_what_was_not_committed_is_not_taken_into_memory():
    logs = Logs()
    state = owner(logs)
    part = await state.own(0)
    assert part
    assert not await state.write_at_once(part, {("s", b"k"): stored(1)}, ends(False, logs))
    assert part.get("s", b"k") is None


async def test_a_transactions_end_takes_an_offset_and_is_no_foreign_write(caplog: pytest.LogCaptureFixture):
    logs = Logs()
    state = owner(logs)
    part = await state.own(0)
    assert part
    for number in range(3):
        assert await state.write_at_once(part, {("s", b"k"): stored(number)}, ends(True, logs))
        assert part.logs["s"].next == len(logs.log())
    assert part.get("s", b"k") == stored(2)
    assert await state.overtaken() == []
    assert caplog.text == ""


async def test_a_chunk_whose_epoch_ended_before_the_commit_is_left(tmp_path: Path):
    """Outputs and state were written; the broker undoes them."""
    bench = Bench(tmp_path)

    class Transaction:
        open = True

        async def commit(self) -> None:
            raise AssertionError("it is not live any more")

    class Fake(Fence):
        def __init__(self) -> None: ...

        def transaction(self, partition: int) -> Any:
            return self

        async def __aenter__(self) -> Transaction:
            return Transaction()

        async def __aexit__(self, *_: object) -> None: ...

        async def write(self, records: Iterable[Out], near: int) -> int:
            return await bench.write(records, near)

    runner: Runner = bench.runner
    runner._writer = Fake()
    part = await runner._state.own(0)
    assert part
    outputs = Outputs([Out("out", b"k", b"")], {("s", b"k"): stored(1)})
    assert not await runner.write(outputs, part, lambda: False)
    assert bench.events == ["out out", "state"]
    assert part.get("s", b"k") is None
