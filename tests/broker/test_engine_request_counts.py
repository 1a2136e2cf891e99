"""A guard that is no timer, on the real broker: requests of the engine on a fixed workload (see tests/unit)."""

from __future__ import annotations

from collections import Counter

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.produce import ProduceRequest

from hub.config import Settings
from tests.chaos.engine.in_process import Topic, make_names, running
from tests.chaos.engine.load import Load, config, judge, wait_no_lag

pytestmark = pytest.mark.broker

EVENTS, KEYS = 6_000, 300


async def test_requests_follow_chunks_not_events(
    topic: Topic, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = await make_names(topic, partitions=2)
    load = Load(hub_settings.bootstrap, names)
    await load.produce(EVENTS)
    sent: Counter[str] = Counter()
    send = AIOKafkaClient.send

    async def counted(self, node_id, request, **more):
        for kind in (ProduceRequest, OffsetCommitRequest):
            if isinstance(request, kind):
                sent[kind.__name__] += 1
        return await send(self, node_id, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", counted)
    chunks: list[int] = []
    async with running(config(names, wrap=lambda records: chunks.append(len(records))), hub_settings):
        await wait_no_lag(load.bootstrap, names, 60)
    assert sum(chunks) == EVENTS
    assert len(chunks) <= 20  # six full ones, and what fetches cut
    # A chunk: its outputs (one partition, murmur2 as its source), then its state; two partitions may share a request.
    assert len(chunks) <= sent["ProduceRequest"] <= 2 * len(chunks) + 2
    assert sent["OffsetCommitRequest"] <= len(chunks) + 2
    verdict = await judge(load)
    assert verdict.safe, verdict
