"""The engine with its state on disk, in a process of its own: killed, and started on a damaged store."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.stream.chunk_runner import IN_WORK
from tests.chaos.engine.in_process import Topic, make_names
from tests.chaos.engine.load import Load, judge, wait_no_lag, worked_something
from tests.chaos.engine.workers import Worker, log_of, workers
from tests.conftest import Kafka

pytestmark = pytest.mark.broker
KEYS, CHUNK = 3_000, 100


async def test_kill_9_reads_only_the_tail_and_a_damaged_store_is_rebuilt(kafka: Kafka, topic: Topic, tmp_path: Path):
    names = await make_names(topic, partitions=4)
    load = Load(kafka.bootstrap, names, keys=KEYS)
    await load.produce(KEYS)
    with workers(load, tmp_path, count=1, chunk_records=CHUNK, pause_ms=10, store="disk") as (worker,):
        await wait_no_lag(load.bootstrap, names, 60)
        await load.produce(2_000)
        await worked_something(load, KEYS + 500)
        worker.kill()
        worker.start()
        await wait_no_lag(load.bootstrap, names, 60)
        assert restored(worker) <= IN_WORK * CHUNK, log_of([worker])
        worker.kill()
        for damaged in state_of(worker, load, "CURRENT"):
            damaged.write_bytes(b"nonsense")
        await load.produce(1_000)
        worker.start()
        await wait_no_lag(load.bootstrap, names, 60)
        assert worker.log.read_text().count("rebuilt from its changelog") == 4
        assert restored(worker) >= KEYS, log_of([worker])
        assert worker.terminate() == 0, log_of([worker])
    verdict = await judge(load)
    assert verdict.safe, (verdict, log_of([worker]))
    assert verdict.doubled <= IN_WORK * CHUNK, verdict


def restored(worker: Worker) -> int:
    """Records read from the changelog in this life, as it says itself."""
    return sum(int(found) for found in re.findall(r"restored: (\d+) records", worker.log.read_text()))


def state_of(worker: Worker, load: Load, name: str) -> list[Path]:
    """That file of each partition's store."""
    engine = f"{load.names.group}-{worker.instance}"
    found = list((worker.folder / worker.instance / "state" / engine).glob(f"[0-9]/{name}"))
    assert len(found) == 4
    return found
