"""Generated events on a real broker: straight into hub.ingress, and through the gateway."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

from hub.config import Settings
from hub.demo.generator import sinks
from hub.demo.generator.events import Wanted, events, sources
from hub.events.envelope import read_headers
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import INGRESS
from hub.model.agencies import table
from tests.support.codecs import fixed_codec
from tests.support.gateway import organisation, running

pytestmark = pytest.mark.broker


async def taken(settings: Settings, seed: int, count: int) -> dict[str, list[str]]:
    """By key: ids of that seed in hub.ingress, in the order of their partition."""
    out: dict[str, list[str]] = defaultdict(list)
    consumer = clients.consumer(settings, INGRESS)
    await consumer.start()
    try:
        found = 0
        while found < count:
            batches = await consumer.getmany(timeout_ms=10_000)
            assert batches, f"only {found} of {count} came"
            for record in (record for batch in batches.values() for record in batch):
                envelope = read_headers(record.headers)
                if envelope.id.startswith(f"{seed}-"):
                    assert record.key == envelope.subject.encode()
                    assert fixed_codec().decode(record.value)[0].startswith("vn.hub.")
                    out[envelope.subject].append(envelope.id)
                    found += 1
    finally:
        await consumer.stop()
    return dict(out)


def wanted(seed: int) -> dict[str, list[str]]:
    out: dict[str, list[str]] = defaultdict(list)
    for event in events(Wanted(seed, 1_000, date(2026, 1, 5), 300), table()):
        out[event.subject].append(event.id)
    return dict(out)


async def test_straight_into_kafka(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def codec(_: Settings) -> object:
        return fixed_codec()

    monkeypatch.setattr(sinks, "open_codec", codec)
    await ensure_topics(hub_settings)
    stream = events(Wanted(901, 1_000, date(2026, 1, 5), 300), table())
    assert await sinks.to_kafka(stream, hub_settings, lambda _: None) == {"accepted": 1_000}
    assert await taken(hub_settings, 901, 1_000) == wanted(901)


async def test_through_the_gateway(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Wanted(902, 1_000, date(2026, 1, 5), 300, bad=6)
    rights = sources(plan, table())
    families = ["dossier", "procedure", "service"]
    _, key = await organisation(
        hub_settings, sources=[s for s, _ in rights], agencies=[a for _, a in rights], families=families
    )
    async with running(hub_settings, monkeypatch) as client:
        url = f"{str(client.base_url).rstrip('/')}/v1/events"
        counts = await sinks.to_http(events(plan, table()), url, key, lambda _: None)
    rejected = counts["rejected"]
    assert counts["accepted"] + counts["duplicate"] + rejected == 1_006
    assert 2 <= rejected <= 6  # at least the code and the date that the gateway itself can see; the core finds the rest
    mine = await taken(hub_settings, 902, counts["accepted"] - (6 - rejected))
    assert {key: set(ids) for key, ids in mine.items()} == {key: set(ids) for key, ids in wanted(902).items()}
