"""The runner with all around it imitated: order of writes, what is left undone, the search for a bad record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hub.errors import StartError
from hub.stream.chunk_runner import Job
from hub.stream.errors import StepDied, WriteRefused
from hub.stream.poison_records import LIMIT, CrashLog
from hub.stream.stage import Out, Outputs, Record, StateView, Stored
from tests.support.chunk_runner import Bench, Raw, chunk


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_outputs_are_confirmed_before_state_and_state_before_the_chunk_is_finished(bench: Bench):
    finished: list[list[str]] = []
    await bench.runner.dispatch(Job(0, chunk(0, 2), lambda: True, lambda: finished.append(list(bench.events))))
    await bench.runner.drained(5)
    assert finished == [["out out", "out out", "state"]]


async def test_a_chunk_that_raises_is_not_finished_and_nothing_after_it_is_worked(bench: Bench):
    finished: list[int] = []
    for first, bad in ((0, None), (10, 12), (20, None)):
        await bench.runner.dispatch(Job(0, chunk(first, 5, bad), lambda: True, partial(finished.append, first)))
    await bench.runner.drained(5)
    assert finished == [0]
    assert bench.steps == [[0, 1, 2, 3, 4], [10, 11, 12, 13, 14]]
    with pytest.raises(ValueError, match="bad"):
        bench.runner.failed.result()


async def test_a_chunk_whose_epoch_ended_is_left(bench: Bench):
    assert not await bench.work(chunk(0, 3), live=lambda: False)
    assert bench.steps == []


async def test_without_the_lease_outputs_may_go_but_state_and_chunk_are_left(bench: Bench):
    bench.lease = False
    assert not await bench.work(chunk(0, 3))
    assert "state" not in bench.events


async def test_chunks_of_one_partition_are_worked_one_at_a_time_and_in_order(bench: Bench):
    order: list[int] = []
    write = bench.write

    async def slower_at_first(records: Iterable[Out], near: int) -> int:
        written = list(records)
        for _ in range(50 - int((written[0].key or b"")[1:])):
            await asyncio.sleep(0)
        return await write(written, near)

    bench.write = slower_at_first  # type: ignore[method-assign]
    for first in range(0, 50, 5):
        await bench.runner.dispatch(Job(0, chunk(first, 5), lambda: True, partial(order.append, first)))
    await bench.runner.drained(5)
    assert order == list(range(0, 50, 5))
    assert bench.events == (["out out"] * 5 + ["state"]) * 10


async def test_after_three_crashes_the_bad_record_alone_is_dead_lettered(bench: Bench):
    for _ in range(LIMIT):
        with pytest.raises(ValueError, match="bad"):
            await bench.work(chunk(0, 100, bad=37))
        assert bench.dead == []
        bench = bench.next_life()
    assert await bench.work(chunk(0, 100, bad=37))
    assert [(out.key, out.value) for out in bench.dead] == [(b"k37", b"ValueError")]
    assert sorted(int((out.key or b"")[1:]) for out in bench.outputs if out.topic == "out") == [
        n for n in range(100) if n != 37
    ]
    assert len(bench.steps) < 20  # in halves, not one by one
    assert await bench.work(chunk(100, 50))
    assert bench.steps[-1] == list(range(100, 150))  # back to whole chunks


async def test_chunks_cut_otherwise_after_a_restart_still_find_it(bench: Bench):
    for first, count in ((0, 100), (30, 20), (36, 64)):
        with pytest.raises(ValueError, match="bad"):
            await bench.work(chunk(first, count, bad=37))
        bench = bench.next_life()
    assert await bench.work(chunk(20, 60, bad=37))
    assert [out.key for out in bench.dead] == [b"k37"]


async def test_crashes_over_different_records_do_not_add_up(bench: Bench):
    for first in (0, 100, 200):
        with pytest.raises(ValueError, match="bad"):
            await bench.work(chunk(first, 10, bad=first))
        bench = bench.next_life()
    with pytest.raises(ValueError, match="bad"):
        await bench.work(chunk(300, 10, bad=300))


async def test_after_a_fault_other_lanes_work_no_more_and_leave_the_crash_file_alone(bench: Bench, tmp_path: Path):
    """A chunk that waits for its state when another raises must not name itself in the file afterwards."""
    restored = asyncio.Event()
    own = bench.runner._state.own

    async def slowly(partition: int) -> Any:
        if partition == 1:
            await restored.wait()
        return await own(partition)

    bench.runner._state.own = slowly  # type: ignore[method-assign]
    await bench.runner.dispatch(Job(1, [Raw(500, partition=1)], lambda: True, lambda: None))
    await bench.runner.dispatch(Job(0, chunk(0, 5, bad=2), lambda: True, lambda: None))
    await asyncio.wait([bench.runner.failed])
    said = (tmp_path / "crash.json").read_text()
    restored.set()
    await bench.runner.drained(5)
    assert bench.steps == [[0, 1, 2, 3, 4]]
    await bench.runner.cancel()
    assert (tmp_path / "crash.json").read_text() == said
    assert '"raised": "ValueError"' in said
    bench.runner.failed.exception()


async def test_a_record_whose_output_no_topic_takes_is_found_the_same_way(bench: Bench):
    records = chunk(0, 8)
    records[5].value = b"huge"
    for _ in range(LIMIT):
        bench.too_large = b"huge"
        with pytest.raises(WriteRefused):
            await bench.work(records)
        bench = bench.next_life()
    bench.too_large = b"huge"
    assert await bench.work(records)
    assert [(out.key, out.value) for out in bench.dead] == [(b"k5", b"WriteRefused")]


async def test_a_record_that_kills_the_process_is_found_by_its_deaths(bench: Bench):
    """No exception to catch: the process is gone in the middle of the step (memory, signal, hang limit)."""

    class Gone(BaseException):
        pass

    def kill(records: Sequence[Record], state: StateView) -> Outputs:
        if any(r.offset == 37 for r in records):
            raise Gone
        return Bench.step(bench, records, state)

    lives = 0
    while True:
        object.__setattr__(bench.runner._config, "step", kill)
        finished: list[bool] = []
        try:
            part = await bench.runner._state.own(0)
            assert part
            records = chunk(0, 100)
            await bench.runner._work(Job(0, records, lambda: True, partial(finished.append, True)))
        except Gone:
            pass
        if finished:
            break
        lives += 1
        assert lives < 15
        bench = bench.next_life()
    assert [(out.key, out.value) for out in bench.dead] == [(b"k37", StepDied.__name__.encode())]
    assert lives <= LIMIT + 7  # halving 100 records


async def test_what_the_broker_does_is_no_crash_of_the_records(bench: Bench):
    async def away(records: Iterable[Out], near: int) -> int:
        raise ConnectionError("broker away")

    for _ in range(LIMIT + 1):
        bench.write = away  # type: ignore[method-assign]
        with pytest.raises(ConnectionError):
            await bench.work(chunk(0, 10))
        bench = bench.next_life()
    assert await bench.work(chunk(0, 10))
    assert bench.dead == []


def test_two_processes_of_one_instance_are_refused(tmp_path: Path):
    """They would be one static member to the group, thrown out in turns and both at work."""
    first = CrashLog(tmp_path / "crash.json")
    with pytest.raises(StartError, match="runs already"):
        CrashLog(tmp_path / "crash.json")
    first.close()
    CrashLog(tmp_path / "crash.json").close()


@pytest.mark.parametrize(
    "said",
    [
        b'{"at_work": 7',
        b'{"at_work": 7}',
        b'{"suspects": [{"topic": "src"}]}',
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe",
        b"x" * 5_000,
    ],
)
def test_a_damaged_crash_file_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture, said: bytes):
    """Nothing of it counts as a death, it says so, and from then on deaths are counted as ever."""
    path = tmp_path / "run" / "crash.json"
    path.parent.mkdir()
    path.write_bytes(said)
    records = [Record("src", 0, offset, 0, b"k", b"v", ()) for offset in range(3)]
    crashes = CrashLog(path)
    assert caplog.messages == ["the crash file could not be read and is begun anew"]
    assert json.loads(path.read_bytes()[:4096].strip(b"\0")) == {"at_work": None, "suspects": []}
    for death in range(1, LIMIT + 1):
        assert crashes.suspect(records) is None
        crashes.entering(records)
        crashes.close()
        crashes = CrashLog(path)
        assert caplog.messages[death].endswith(f"(the process died), {death} time(s) now")
    found = crashes.suspect(records)
    crashes.close()
    assert found is not None
    assert (found.first, found.last, found.deaths) == (0, 2, LIMIT)


async def test_stored_headers_reach_the_state(bench: Bench):
    assert await bench.work(chunk(0, 1))
    assert bench.logs.last() == {b"k0": Stored(b"1", (("hub_seq", b"1"),))}
