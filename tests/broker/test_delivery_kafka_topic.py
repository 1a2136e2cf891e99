"""kafka-topic on the real broker: what a subscriber finds in its own topic."""

from __future__ import annotations

import uuid

import pytest

from hub.avro.records import Handler
from hub.connect.portal import Strategy, make_portal
from hub.control.records import Subscriber
from hub.errors import ConfigError, Rejected, Retryable
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import subscriber_topics
from hub.registry.client import open_codec
from hub.supervisor.environment import variables
from hub_connectors.kafka_topic.portal import KafkaTopicPortal, KafkaTopicSettings
from hub_connectors.kafka_topic.writer import _WRITERS
from tests.support.contract_events import changed, dossier_event_of, dossier_items, dossier_of
from tests.support.registry_fixture import running
from tests.support.topics import read_all

pytestmark = pytest.mark.broker


@pytest.fixture
async def codec(hub_settings, monkeypatch):
    await ensure_topics(hub_settings)
    for name, value in variables(hub_settings).items():
        monkeypatch.setenv(name, value)
    async with running(hub_settings):
        return await open_codec(hub_settings)


@pytest.fixture
async def name(hub_settings):
    name = f"tax-{uuid.uuid4().hex[:8]}"
    await ensure_topics(hub_settings, subscriber_topics(name))
    return name


async def sent(portal, items):
    await portal.open()
    try:
        await portal.probe()
        return [await portal.deliver([item]) for item in items]
    finally:
        await portal.close()


async def arrived(settings, name):
    return [record async for record in read_all(settings.bootstrap, f"hub.out.{name}")]


async def test_events_arrive_with_key_envelope_and_order_and_without_personal_data(codec, name, hub_settings):
    portal = make_portal(Subscriber(name=name, kind="kafka-topic"))
    assert (portal.strategy, portal.max_fold) == (Strategy.EVENT_LOG, 1)
    items = dossier_items("H11.12-261124-0001", 3)
    answers = await sent(portal, items)
    assert all(f"hub.out.{name}" in answer.text for answer in answers)
    found = await arrived(hub_settings, name)
    assert [record.key for record in found] == [b"H11.12-261124-0001"] * 3
    assert [dict(record.headers)["hub_seq"] for record in found] == [b"1", b"2", b"3"]
    assert [dict(record.headers)["ce_id"].decode() for record in found] == [item.envelope.id for item in items]
    for record, item in zip(found, items, strict=True):
        kind, datum = codec.decode(record.value)
        assert kind == "vn.hub.DossierEvent"
        assert dossier_event_of(item).step.handler == Handler(name="Nguyễn Thị Hoa", department="Một cửa")
        assert datum["step"]["handler"] == {"name": None, "title": None, "department": "Một cửa"}
        assert datum["dossier"]["abstract"] is None
        assert datum["dossier"]["status"] == dossier_of(item).status
        assert "Nguyễn".encode() not in record.value
    assert _WRITERS == {}


async def test_with_the_right_the_event_comes_as_it_is(codec, name, hub_settings):
    portal = make_portal(Subscriber(name=name, kind="kafka-topic", settings={"personal_data": True}))
    (item,) = dossier_items("H11.12-261124-0002", 1)
    await sent(portal, [item])
    (record,) = await arrived(hub_settings, name)
    assert record.value == item.value


async def test_workers_share_one_producer(codec, name, hub_settings):
    portals = [KafkaTopicPortal(name, KafkaTopicSettings(), hub_settings) for _ in range(4)]
    for portal in portals:
        await portal.open()
    assert len({id(portal._writer) for portal in portals}) == 1
    for portal in portals:
        await portal.close()
    assert _WRITERS == {}


async def test_too_large_is_refused(codec, name, hub_settings):
    portal = make_portal(Subscriber(name=name, kind="kafka-topic"))
    # above the topic's limit of 1 MiB
    item = changed(dossier_items("H11.12-261124-0003", 1)[0], dossier={"procedure_name": "x" * 1_100_000})
    with pytest.raises(Rejected) as caught:
        await sent(portal, [item])
    assert caught.value.reason == "limit"


async def test_a_missing_topic_is_seen_by_the_probe(codec, hub_settings):
    portal = KafkaTopicPortal(f"gone-{uuid.uuid4().hex[:6]}", KafkaTopicSettings(), hub_settings)
    await portal.open()
    with pytest.raises(Retryable):
        await portal.probe()
    await portal.close()


def test_settings_are_checked():
    with pytest.raises(ConfigError) as caught:
        make_portal(Subscriber(name="x", kind="kafka-topic", settings={"colour": "red"}))
    assert caught.value.field == "settings.colour"
