"""The pipeline on a broker that demands SCRAM and denies by default: one principal per role, each with the rights that
the topic catalogue lists and no others."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from hub.broker.broker import EmbeddedBroker
from hub.config import KafkaSettings, Settings
from hub.control.changes import write
from hub.kafka import acl_admin, clients, topics
from hub.kafka.topic_admin import acl_listing, ensure_topics
from hub.kafka.topics import subscriber_topics
from tests.conftest import settings_for
from tests.support.gateway import event, organisation, step
from tests.support.roles import RoleProcess, role, until
from tests.support.simulators import simulator

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

PRINCIPALS = ("admin", "registry", "gateway", "core", "deliver", "reconcile", "operator")
CODE = "H11.12-261124-0001"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of the admin on a broker of its own; the topics stand, the rights are granted, nothing more."""
    users = {name: f"{name}-secret" for name in PRINCIPALS}
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka"), heap_mb=256, sasl_users=users) as broker:
        admin = as_principal(settings_for(broker.bootstrap, tmp_path_factory.mktemp("hub")), "admin")
        asyncio.run(ensure_topics(admin, subscriber_topics("provincial")))
        rights = acl_listing(subscriber_topics("provincial"))
        assert asyncio.run(acl_admin.apply(admin, rights)) == len(rights)
        yield admin


def as_principal(settings: Settings, name: str) -> Settings:
    """The same hub, speaking to Kafka as that principal."""
    own = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": name,
        "sasl_password": f"{name}-secret",
    }
    return settings.model_copy(update={"kafka": KafkaSettings(**(settings.kafka.model_dump() | own))})


async def produce(settings: Settings, topic: str) -> None:
    producer = clients.producer(settings)
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"{}", key=CODE.encode())
    finally:
        await producer.stop()


@pytest.mark.parametrize(
    ("principal", "topic"),
    [("gateway", topics.EVENTS), ("deliver", topics.INGRESS), ("core", topics.CONTROL), ("reconcile", topics.DOSSIERS)],
)
async def test_a_write_outside_a_roles_rights_is_refused(secured: Settings, principal: str, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await produce(as_principal(secured, principal), topic)


async def test_a_wrong_password_gets_nowhere(secured: Settings) -> None:
    wrong = secured.kafka.model_dump() | {"sasl_password": "guessed"}
    with pytest.raises(Exception, match=r"SCRAM|[Aa]uthentication|Unable to bootstrap"):
        await produce(secured.model_copy(update={"kafka": KafkaSettings(**wrong)}), topics.INGRESS)


def test_an_event_goes_through_all_roles_each_with_its_own_principal(secured: Settings, tmp_path: Path) -> None:
    with (
        simulator("webhook", tmp_path) as portal,
        role("registry", as_principal(secured, "registry")),
        role("core", as_principal(secured, "core")),
        role("reconcile", as_principal(secured, "reconcile")),
        role("gateway", as_principal(secured, "gateway")) as gateway,
    ):
        asyncio.run(write(as_principal(secured, "operator"), portal.subscriber("provincial", backfill="log")))
        with role("deliver:provincial", as_principal(secured, "deliver")) as delivery:
            assert post(secured, gateway) == "accepted"
            received = "SELECT key, hub_seq FROM events"
            until(lambda: portal.rows(received), 60, f"the event at the portal\n{delivery.tail()}")
            assert portal.rows(received) == [(CODE, 1)]


def post(settings: Settings, gateway: RoleProcess) -> str:
    """One event of a new organisation over HTTP; the status of its result."""
    body, key = asyncio.run(organisation(settings))
    document = json.dumps(event(body.sources[0], step(CODE)), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {key}"}
    url = f"http://{settings.gateway.host}:{settings.gateway.port}/v1/events"

    def answered() -> Any:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, document, headers), timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:  # 401 until the gateway has read the new key
            with error:
                return None

    found: list[Any] = []

    def told() -> bool:
        said = answered()
        found.extend([] if said is None else [said])
        return bool(found)

    until(told, 60, f"an answer\n{gateway.tail()}")
    return str((found[0].get("results") or [found[0]])[0]["status"])
