"""Events a second of the engine with state and a step that does next to nothing.

`python -m tests.chaos.engine.bench [N [disk] [transactions]]`. Each record is another key's next number (20,000 keys,
430 bytes); it is passed on with its headers, and its state is written. The time is from the first step to the last
commit, CPU is this process's own, both threads. A figure for people, not for a test.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hub.broker.broker import EmbeddedBroker
from hub.config import Settings
from hub.stream.engine import Engine
from tests.chaos.engine.load import Names, config, wait_no_lag

NAMES = Names("bench", ("bench.in",), "bench.out", "bench.store", "bench.dead")
PARTITIONS = 4
Store = Literal["memory", "disk"]
Fencing = Literal["lease", "transactions"]


async def fill(bootstrap: str, count: int) -> None:
    """Topics and records, batch by batch."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    compact = {"cleanup.policy": "compact"}
    await admin.create_topics([
        NewTopic(t, PARTITIONS, 1, topic_configs=compact if t == NAMES.store else {})
        for t in (*NAMES.sources, NAMES.out, NAMES.store, NAMES.dead)
    ])  # fmt: skip
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=500_000)
    await producer.start()
    batches = [producer.create_batch() for _ in range(PARTITIONS)]
    for number in range(count):
        key = number % 20_000
        at = key % PARTITIONS
        line = {"key": b"D%05d" % key, "value": b"%d:" % number + b"x" * 420, "headers": [("ce_id", b"%d" % number)]}
        if batches[at].append(timestamp=None, **line) is None:
            await (await producer.send_batch(batches[at], NAMES.sources[0], partition=at))
            batches[at] = producer.create_batch()
            batches[at].append(timestamp=None, **line)
    for at, batch in enumerate(batches):
        await (await producer.send_batch(batch, NAMES.sources[0], partition=at))
    await producer.stop()


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


async def measure(settings: Settings, store: Store, fencing: Fencing) -> tuple[float, float]:
    """Seconds from the first step to the last commit, of the clock and of CPU."""
    began: list[tuple[float, float]] = []
    stop = asyncio.Event()
    engine_config = config(
        NAMES, wrap=lambda records: None if began else began.append(clocks()), store=store, fencing=fencing
    )
    engine = asyncio.create_task(Engine(engine_config, settings).run(stop))
    await wait_no_lag(settings.bootstrap, NAMES, 300, lambda: engine.result() if engine.done() else None)
    seconds, cpu_s = (after - before for after, before in zip(clocks(), began[0], strict=True))
    stop.set()
    await engine
    return seconds, cpu_s


def main(count: int, store: Store, fencing: Fencing) -> None:
    with tempfile.TemporaryDirectory() as folder, EmbeddedBroker(Path(folder) / "kafka") as broker:
        settings = Settings(data_dir=Path(folder) / "hub", kafka={"bootstrap_servers": broker.bootstrap})
        asyncio.run(fill(broker.bootstrap, count))
        seconds, cpu_s = asyncio.run(measure(settings, store, fencing))
        print(f"{store}, {fencing}: {count} events in {seconds:.1f} s: {count / seconds:.0f} events/s,", end=" ")
        print(f"CPU {cpu_s / count * 1e6:.0f} us/event")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 300_000,
        "disk" if "disk" in sys.argv else "memory",
        "transactions" if "transactions" in sys.argv else "lease",
    )
