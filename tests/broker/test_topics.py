"""Topic creation from the catalogue on a real broker: idempotent, mends configuration, refuses a changed count."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hub.config import Settings
from hub.errors import StartError
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import CATALOGUE, agency_topic, subscriber_topics

pytestmark = pytest.mark.broker


async def _configs(settings: Settings, name: str) -> dict[str, str]:
    admin = clients.admin(settings)
    await admin.start()
    try:
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    finally:
        await admin.close()
    [(_, _, _, _, entries)] = answer.resources
    return {entry[0]: entry[1] for entry in entries}


async def _alter(settings: Settings, name: str, configs: dict[str, str]) -> None:
    admin = clients.admin(settings)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=configs)])
    finally:
        await admin.close()


async def test_a_second_run_changes_nothing(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    assert await ensure_topics(hub_settings) == []


async def test_creates_what_is_missing_and_says_so(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    name = f"a{uuid.uuid4().hex[:8]}"
    extra = [agency_topic(name), *subscriber_topics(name)]

    changes = await ensure_topics(hub_settings, extra)

    assert {(c.topic, c.what) for c in changes} == {
        (f"hub.ingress.{name}", "created"),
        (f"hub.out.{name}", "created"),
        (f"hub.parking.{name}", "created"),
    }
    parking = await _configs(hub_settings, f"hub.parking.{name}")
    assert parking["cleanup.policy"] == "compact"
    ingress = await _configs(hub_settings, f"hub.ingress.{name}")
    assert (ingress["cleanup.policy"], ingress["retention.ms"]) == ("delete", "604800000")
    dead = await _configs(hub_settings, "hub.dead-letters")
    assert dead["max.message.bytes"] == "4194304"


async def _until_configured(settings: Settings, topic: str, retention: str) -> None:
    """The controller confirms a change before the broker that is asked knows of it."""
    for _ in range(200):
        if (await _configs(settings, topic))["retention.ms"] == retention:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the broker does not tell retention.ms {retention}")


async def test_mends_a_config_and_keeps_what_others_set(hub_settings: Settings) -> None:
    topic = agency_topic(f"a{uuid.uuid4().hex[:8]}")
    await ensure_topics(hub_settings, [topic])
    await _alter(hub_settings, topic.name, {"retention.ms": "1000", "flush.messages": "77"})
    await _until_configured(hub_settings, topic.name, "1000")

    changes = await ensure_topics(hub_settings, [topic])

    [change] = [c for c in changes if c.topic == topic.name]
    assert change.what == "configured"
    assert "retention.ms 1000 -> 604800000" in change.detail
    await _until_configured(hub_settings, topic.name, "604800000")
    after = await _configs(hub_settings, topic.name)
    assert (after["retention.ms"], after["flush.messages"]) == ("604800000", "77")
    assert after["max.message.bytes"] == "1048576"


async def test_refuses_a_changed_partition_count_and_says_how_to_migrate(hub_settings: Settings) -> None:
    await ensure_topics(hub_settings)
    other = hub_settings.model_copy(update={"kafka": hub_settings.kafka.model_copy(update={"partitions": 5})})
    with pytest.raises(StartError, match=r"hub.events has 3 partitions, the catalogue asks for 5.*migrate"):
        await ensure_topics(other)


async def test_no_broker_is_a_plain_error(hub_settings: Settings) -> None:
    nowhere = hub_settings.model_copy(
        update={"kafka": hub_settings.kafka.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})}
    )
    with pytest.raises(StartError, match=r"cannot set up topics on 127\.0\.0\.1:1"):
        await ensure_topics(nowhere)


def test_the_catalogue_names_no_topic_twice() -> None:
    assert len({t.name for t in CATALOGUE}) == len(CATALOGUE)
