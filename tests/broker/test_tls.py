"""SASL_SSL: a broker that wants TLS and SCRAM of its clients. The settings reach aiokafka, Faust, the admin client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from hub.broker import properties
from hub.broker.broker import EmbeddedBroker
from hub.config import KafkaSettings, Settings
from hub.errors import HubError
from hub.kafka import clients, scram_users
from hub.kafka.closing_clients import Client
from hub.stream.engine import Engine
from hub.stream.stage import EngineConfig, Out, Outputs
from tests.support.certificates import make_certificates

pytestmark = pytest.mark.broker
USERS = {"admin": "admin-password", "core": "core-password"}


@dataclass(frozen=True)
class Secured:
    settings: Settings
    ca: Path


@pytest.fixture
async def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Secured]:
    ca, keystore = make_certificates(tmp_path)
    plain = properties.server

    def with_tls(*args: object) -> str:
        text = plain(*args).replace("CLIENT:SASL_PLAINTEXT", "CLIENT:SASL_SSL")  # type: ignore[arg-type]
        return text + (
            f"ssl.keystore.type=PEM\nssl.keystore.location={keystore}\nssl.truststore.type=PEM\n"
            f"ssl.truststore.location={ca}\nssl.client.auth=none\n"
        )

    monkeypatch.setattr(properties, "server", with_tls)
    broker = EmbeddedBroker(tmp_path / "broker", heap_mb=384, sasl_users=USERS)
    await asyncio.to_thread(broker.launch)
    try:
        await set_users(broker, ca)
        yield Secured(settings(broker.bootstrap, tmp_path, ca), ca)
    finally:
        await asyncio.to_thread(broker.stop)


async def set_users(broker: EmbeddedBroker, ca: Path) -> None:
    """As `EmbeddedBroker.set_users`, over TLS, as soon as the broker answers."""
    async with asyncio.timeout(60):
        while True:
            client = Client(
                bootstrap_servers=broker.bootstrap,
                security_protocol="SASL_SSL",
                ssl_context=ssl.create_default_context(cafile=str(ca)),
                sasl_mechanism="PLAIN",
                sasl_plain_username="admin",
                sasl_plain_password=USERS["admin"],
            )
            try:
                await client.bootstrap()
                return await scram_users.apply(client, USERS)
            except KafkaError:
                await asyncio.sleep(0.2)
            finally:
                await client.close()


def settings(bootstrap: str, tmp_path: Path, ca: Path | None, password: str = USERS["admin"]) -> Settings:
    secured = KafkaSettings(
        bootstrap_servers=bootstrap,
        security_protocol="SASL_SSL",
        sasl_username="admin",
        sasl_password=SecretStr(password),
        ssl_cafile=ca,
        partitions=2,
    )
    return Settings(data_dir=tmp_path / "hub", kafka=secured)


async def admin_when_up(settings: Settings) -> None:
    """Creates the test's topics as soon as the broker lets us in."""
    async with asyncio.timeout(60):
        while True:
            client = clients.admin(settings)
            try:
                await client.start()
                await client.create_topics(
                    [
                        NewTopic("in", 2, 1),
                        NewTopic("out", 2, 1),
                        NewTopic("state", 2, 1, topic_configs={"cleanup.policy": "compact"}),
                    ]
                )
                return
            except KafkaError:
                await asyncio.sleep(0.3)
            finally:
                await client.close()


async def test_engine_and_clients_over_tls_with_scram(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    await admin_when_up(secured.settings)
    producer = clients.producer(secured.settings)
    await producer.start()
    await clients.send_all(producer, [("in", str(n).encode(), b"x", ()) for n in range(100)])
    await producer.stop()
    config = EngineConfig(
        name="hub.tls",
        sources=("in",),
        stores=(),
        step=lambda records, _: Outputs([Out("out", r.key, r.value) for r in records]),
        version=lambda _: 0,
        dead_letter=lambda record, _: Out("out", record.key, None),
    )
    stop = asyncio.Event()
    engine = asyncio.create_task(Engine(config, secured.settings).run(stop))
    consumer = clients.consumer(secured.settings, "out")
    await consumer.start()
    seen: set[bytes | None] = set()
    async with asyncio.timeout(60):
        while len(seen) < 100:
            assert not engine.done(), engine.exception()
            for records in (await consumer.getmany(timeout_ms=500)).values():
                seen.update(r.key for r in records)
    await consumer.stop()
    stop.set()
    await asyncio.wait_for(engine, 60)


async def test_a_wrong_password_and_an_unknown_authority_are_refused(secured: Secured, tmp_path: Path) -> None:
    await admin_when_up(secured.settings)
    for wrong in (
        settings(secured.settings.bootstrap, tmp_path, secured.ca, "wrong"),
        settings(secured.settings.bootstrap, tmp_path, None),
    ):
        client = clients.producer(wrong)
        with pytest.raises((KafkaError, HubError)):
            await client.start()
        await client.stop()
