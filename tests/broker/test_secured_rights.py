"""The rights of the topic catalogue on a broker that demands SCRAM and denies by default: enough for each.

The pipeline as its principals is in tests/e2e/test_secured.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from hub.broker.broker import EmbeddedBroker
from hub.config import KafkaSettings, Settings
from hub.errors import StartError
from hub.kafka import acl_admin, clients, topics
from hub.kafka.acls import agency_principal, subscriber_principal
from hub.kafka.topic_admin import acl_listing, ensure, ensure_topics
from hub.kafka.topics import agency_topic, subscriber_topics
from hub.registry.client import OWN_RECORDS, open_codec
from tests.conftest import settings_for
from tests.support.registry_fixture import running

pytestmark = pytest.mark.broker

LAND, TAX, PORTAL = "so-tnmt", "cuc-thue", "portal"
NAMES = (
    "admin", "operator", "registry", "gateway", "intake", "core", "deliver",
    agency_principal(LAND), agency_principal(TAX), subscriber_principal(PORTAL),
)  # fmt: skip
EXTRA = [agency_topic(LAND), agency_topic(TAX), *subscriber_topics(PORTAL)]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The admin's settings; topics and rights stand."""
    users = {name: f"{name}-secret" for name in NAMES}
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka"), heap_mb=256, sasl_users=users) as broker:
        admin = principal(settings_for(broker.bootstrap, tmp_path_factory.mktemp("hub")), "admin")
        asyncio.run(ensure_topics(admin, EXTRA))
        asyncio.run(acl_admin.apply(admin, acl_listing(EXTRA)))
        yield admin


def principal(settings: Settings, name: str) -> Settings:
    own = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": name, "sasl_password": f"{name}-secret"}
    return settings.model_copy(update={"kafka": KafkaSettings(**(settings.kafka.model_dump() | own))})


async def write(settings: Settings, topic: str, **producer: object) -> None:
    client = clients.producer(settings, **producer)
    try:
        await client.start()
        if "transactional_id" in producer:
            async with client.transaction():
                await client.send_and_wait(topic, b"x", key=b"k")
        else:
            await client.send_and_wait(topic, b"x", key=b"k")
    finally:
        try:
            await client.stop()
        finally:  # aiokafka leaves the connection open when its sender was refused
            await client.client.close()


async def read_one(settings: Settings, topic: str, group: str | None = None) -> bytes:
    """One record of the topic; with a group also committed."""
    client = clients.consumer(settings, topic, group=group)
    try:
        await client.start()
        async with asyncio.timeout(60):
            record = await client.getone()
            if group is not None:
                await client.commit()
        return record.value
    finally:
        await client.stop()


@pytest.mark.parametrize(
    ("name", "topic", "producer"),
    [
        (agency_principal(LAND), topics.agency_ingress(LAND), {}),
        ("gateway", topics.INGRESS, {}),
        ("gateway", topics.DEAD_LETTERS, {"enable_idempotence": True}),
        ("core", topics.EVENTS, {"enable_idempotence": True}),
        ("core", topics.DOSSIERS, {"transactional_id": "hub.core-0-3"}),
        ("deliver", topics.out(PORTAL), {}),
        ("deliver", topics.parking(PORTAL), {}),
        ("operator", topics.CONTROL, {}),
    ],
)
async def test_writes_that_are_a_roles_work(secured: Settings, name: str, topic: str, producer: dict) -> None:
    await write(principal(secured, name), topic, **producer)


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        (agency_principal(LAND), topics.agency_ingress(TAX)),
        (agency_principal(LAND), topics.INGRESS),
        ("gateway", topics.EVENTS),
        ("core", topics.SCHEMAS),
        ("deliver", topics.EVENTS),
        (subscriber_principal(PORTAL), topics.out(PORTAL)),
    ],
)
async def test_writes_that_are_refused(secured: Settings, name: str, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await write(principal(secured, name), topic)


async def test_a_transactional_id_of_another_role_is_refused(secured: Settings) -> None:
    with pytest.raises(TransactionalIdAuthorizationFailed):
        await write(principal(secured, "core"), topics.DOSSIERS, transactional_id="hub.reconcile-0-3")


async def test_reads_with_the_roles_own_group(secured: Settings) -> None:
    await write(principal(secured, agency_principal(LAND)), topics.agency_ingress(LAND))
    await write(principal(secured, "deliver"), topics.out(PORTAL))
    await write(principal(secured, "gateway"), topics.INGRESS)
    assert await read_one(principal(secured, "intake"), topics.agency_ingress(LAND), "hub.intake") == b"x"
    assert await read_one(principal(secured, "core"), topics.INGRESS, "hub.core") == b"x"
    subscriber = principal(secured, subscriber_principal(PORTAL))
    assert await read_one(subscriber, topics.out(PORTAL), subscriber_principal(PORTAL)) == b"x"


@pytest.mark.parametrize(
    ("name", "topic", "group", "error"),
    [
        ("core", topics.INGRESS, "hub.intake", GroupAuthorizationFailedError),
        (subscriber_principal(PORTAL), topics.EVENTS, None, TopicAuthorizationFailedError),
        (agency_principal(TAX), topics.agency_ingress(LAND), None, TopicAuthorizationFailedError),
        ("intake", topics.EVENTS, None, TopicAuthorizationFailedError),
    ],
)
async def test_reads_that_are_refused(
    secured: Settings, name: str, topic: str, group: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await read_one(principal(secured, name), topic, group)


async def test_the_operator_may_set_topics_up(secured: Settings) -> None:
    assert await ensure_topics(principal(secured, "operator"), EXTRA) == []


async def test_the_gateway_makes_a_new_subscriber_s_topics_and_no_others(secured: Settings) -> None:
    gateway = principal(secured, "gateway")
    made = await ensure(gateway, subscriber_topics("new"))
    assert {c.topic for c in made} == {"hub.out.new", "hub.parking.new"}
    with pytest.raises(StartError, match="AuthorizationFailed"):
        await ensure_topics(gateway)


@pytest.fixture
async def registered(secured: Settings) -> None:
    """The registry ran as its own principal, and has gone."""
    async with running(principal(secured, "registry")):
        assert len((await open_codec(principal(secured, "core"))).ids) == len(OWN_RECORDS)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("name", ["gateway", "core", "deliver", "intake"])
async def test_every_role_may_read_the_schemas_without_the_registry(secured: Settings, name: str) -> None:
    own = principal(secured, name)
    codec = await open_codec(own.model_copy(update={"data_dir": own.data_dir / name}))
    assert len(codec.ids) == len(OWN_RECORDS)
