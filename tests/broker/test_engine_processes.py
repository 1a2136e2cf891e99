"""Two workers in processes of their own, killed, frozen and stopped under load; judged from outside."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from functools import partial
from pathlib import Path

import pytest

from hub.broker.broker import EmbeddedBroker
from hub.machine.ports import free_port
from hub.stream.chunk_runner import IN_WORK
from tests.chaos.engine.in_process import Topic, make_names
from tests.chaos.engine.load import Load, judge, new_topic, read_all, wait_no_lag, worked_something
from tests.chaos.engine.workers import log_of, revive_all, workers
from tests.conftest import Kafka

pytestmark = pytest.mark.broker


async def test_kill_9_under_load_loses_nothing(kafka: Kafka, topic: Topic, tmp_path: Path):
    names = await make_names(topic, partitions=4)
    load = Load(kafka.bootstrap, names)
    await load.produce(4_000)
    with workers(load, tmp_path, chunk_records=100, pause_ms=20) as team:
        for round_ in range(2):
            await worked_something(load, 100 + 400 * round_)
            team[round_].kill()
            team[round_].start()
            await load.produce(2_000)
        await wait_no_lag(load.bootstrap, names, 60)
        assert [worker.terminate() for worker in team] == [0, 0], log_of(team)
    verdict = await judge(load)
    assert verdict.safe, (verdict, log_of(team))
    assert verdict.doubled <= 2 * IN_WORK * 100, verdict  # what was sent and whose state was not yet


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
async def test_kill_freeze_and_terminate_under_load(seed: int, kafka: Kafka, topic: Topic, tmp_path: Path):
    """Frozen for 10 s with a session of 6 s: another owner has taken over when it wakes."""
    names = await make_names(topic, partitions=4, sources=seed)
    load, chance = Load(kafka.bootstrap, names, keys=2_000), random.Random(seed)
    acts = ["kill", "freeze", "terminate"] * 2
    chance.shuffle(acts)
    with workers(load, tmp_path, chunk_records=200, pause_ms=10) as team:
        await load.produce(3_000)
        await worked_something(load, 100)
        for act in acts:
            victim = chance.choice(team)
            await load.produce(5_000)
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            if act == "kill":
                victim.kill()
                victim.start()
            elif act == "terminate":
                assert victim.terminate() == 0, log_of(team)
                victim.start()
            else:
                victim.freeze()
                await load.produce(2_000)
                await asyncio.sleep(10)
                victim.thaw()
            await asyncio.sleep(chance.uniform(0.5, 3.0))
            for worker in team:
                worker.revive()
        await load.produce(5_000)
        await wait_no_lag(load.bootstrap, names, 90, partial(revive_all, team))
        assert [worker.terminate() for worker in team] == [0, 0], log_of(team)
    verdict = await judge(load)
    assert verdict.safe, (verdict, log_of(team))
    print(f"seed {seed}: {verdict}")


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_a_record_that_kills_the_process_is_found_by_its_deaths(kafka: Kafka, topic: Topic, tmp_path: Path):
    """No exception to catch: the process gets SIGKILL in the middle of the step, each time."""
    names = await make_names(topic, partitions=1)
    load = Load(kafka.bootstrap, names)
    await load.produce(200)
    with workers(load, tmp_path, count=1, die_at=77) as team:
        await wait_no_lag(load.bootstrap, names, 150, lambda: team[0].revive())
        lives = team[0].lives
    (dead,) = await read_all(load.bootstrap, names.dead)
    assert dead.value.startswith(b"77:")
    assert dict(dead.headers)["error"] == b"StepDied"
    assert lives <= 3 + 8 + 1, log_of(team)
    del load.sent[77]
    verdict = await judge(load)
    assert verdict.lost == verdict.disordered == 0, verdict


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_broker_freezes_and_restarts_under_load(tmp_path: Path):
    """Frozen for longer than a session, then stopped for some seconds, then killed."""
    with EmbeddedBroker(tmp_path / "kafka", port=free_port(), heap_mb=384) as broker:

        async def topic(partitions: int, config: dict[str, str] | None = None, prefix: str = "t") -> str:
            return await new_topic(broker.bootstrap, partitions, config, prefix)

        names = await make_names(topic, partitions=4)
        load = Load(broker.bootstrap, names, keys=2_000)
        await load.produce(3_000)
        with workers(load, tmp_path, chunk_records=100, pause_ms=20) as team:

            def revive() -> None:
                for worker in team:
                    worker.revive()

            await worked_something(load, 200)
            os.kill(broker.pid, signal.SIGSTOP)
            await asyncio.sleep(9)
            os.kill(broker.pid, signal.SIGCONT)
            await load.produce(3_000)
            await worked_something(load, 3_500)
            await asyncio.to_thread(broker.stop)
            await asyncio.sleep(3)
            await asyncio.to_thread(broker.start)
            revive()
            await load.produce(3_000)
            os.kill(broker.pid, signal.SIGKILL)
            await asyncio.to_thread(broker.stop)
            await asyncio.to_thread(broker.start)
            await load.produce(1_000)
            await wait_no_lag(load.bootstrap, names, 120, revive)
            assert [worker.terminate() for worker in team] == [0, 0], log_of(team)
        verdict = await judge(load)
        assert verdict.safe, (verdict, log_of(team))
        print(f"broker faults: {verdict}, lives {[worker.lives for worker in team]}")
