"""The transport's consumer on Faust's own objects, with a broker imitated from memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types.tuples import TP

from hub.config import Settings
from hub.stream.chunk_runner import Job
from hub.stream.faust_app.app import EngineApp, make_app
from hub.stream.faust_app.link import Link
from hub.stream.faust_app.transport import Chunk, Consumer
from hub.stream.offset_ledger import Ledger
from hub.stream.stage import EngineConfig, Out, Outputs

A, B = TP("src", 0), TP("src", 1)


def raw(tp: TP, offset: int) -> Any:
    return SimpleNamespace(topic=tp.topic, partition=tp.partition, offset=offset, timestamp=0, timestamp_type=0)


class Broker:
    """What the consumer asks, answered from memory; `on_fetch` runs while a fetch is under way."""

    def __init__(self, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.committed: dict[TP, int | None] = {A: None, B: None}
        self.start = {A: 0, B: 0}
        self.position: dict[TP, int] = {}
        self.end = 100
        self.asked: list[Any] = []
        self.commits: list[dict[TP, int]] = []
        self.accepts = True
        self.on_fetch: Callable[[], Awaitable[None]] | None = None
        for name in ("_getmany", "seek_to_committed", "earliest_offsets", "seek_wait", "_commit"):
            monkeypatch.setattr(consumer, name, getattr(self, name))
        monkeypatch.setattr(consumer, "assignment", lambda: {A, B})

    async def _getmany(self, active_partitions: Any, timeout: float) -> dict[TP, list[Any]]:
        self.asked.append(active_partitions)
        if self.on_fetch:
            await self.on_fetch()
        found = {}
        for tp in active_partitions or (A, B):
            at = self.position.get(tp, 0)
            found[tp] = [raw(tp, offset) for offset in range(at, min(at + 10, self.end))]
            self.position[tp] = at + len(found[tp])
        return found

    async def seek_to_committed(self) -> dict[TP, int | None]:
        self.position |= {tp: at for tp, at in self.committed.items() if at}  # like aiokafka: not where none is
        return dict(self.committed)

    async def earliest_offsets(self, *tps: TP) -> dict[TP, int]:
        return {tp: self.start[tp] for tp in tps}

    async def seek_wait(self, offsets: dict[TP, int]) -> None:
        self.position |= offsets

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        self.commits.append(dict(offsets))
        return self.accepts


class Bench:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ledger: Ledger[TP] = Ledger()
        self.told: list[str] = []
        self.delivered: list[Chunk] = []
        config = EngineConfig(
            "g", ("src",), (), lambda r, s: Outputs(), lambda s: 0, lambda r, e: Out("d", None, None), chunk_records=4
        )
        settings = Settings(kafka={"bootstrap_servers": "127.0.0.1:1"})
        self.app: EngineApp = make_app(
            Link(config, settings, "g", self.ledger, self.drained, lambda: self.told.append("pausing"),
                 lambda owned: self.told.append(f"assigned {sorted(owned)}"), self.dispatch)
        )  # fmt: skip
        consumer = self.app.transport.create_consumer(
            callback=self.deliver, on_partitions_revoked=self.faust, on_partitions_assigned=self.faust
        )
        assert isinstance(consumer, Consumer)
        self.consumer = consumer
        self.broker = Broker(consumer, monkeypatch)
        self.app.consumer_generation_id = 1
        consumer._set_active_tps({A, B})
        consumer.resume_flow()

    async def drained(self) -> None:
        self.told.append("drained")

    async def dispatch(self, job: Job) -> None:
        raise AssertionError("no agent runs here")

    async def faust(self, *args: Any) -> None:
        self.told.append("faust")

    async def deliver(self, message: Any) -> None:
        self.delivered.append(message)

    async def turn(self) -> list[tuple[TP, int, int]]:
        """One fetch, delivered as Faust's fetcher does; (partition, first, last) of each chunk handed out."""
        before = len(self.delivered)
        async for _, message in self.consumer.getmany(timeout=1.0):
            await self.consumer.callback(message)
        return [(m.tp, m.records[0].offset, m.offset) for m in self.delivered[before:]]

    def finish(self, number: int) -> None:
        item = self.delivered[number].item
        assert item
        self.ledger.finish(item)
