"""Fixtures for every layer: a real broker for each test file, fresh topics, and no skips where all is required."""

from __future__ import annotations

import os
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from hub.broker.broker import EmbeddedBroker
from hub.config import SecretSettings, Settings
from hub.machine.ports import free_port
from hub.observe.health import HEALTH
from tests.support import leaks, quick_broker

TopicFactory = Callable[..., Awaitable[str]]


@dataclass(frozen=True)
class Kafka:
    """bootstrap: `host:port` of the session's broker. settings: a hub on it, with its own folder and ports."""

    bootstrap: str
    settings: Settings
    broker: EmbeddedBroker


def settings_for(bootstrap: str, data_dir: Path) -> Settings:
    """Settings of a hub on that broker: own folder, free ports, nothing shared with a hub that runs beside."""
    return Settings(
        data_dir=data_dir,
        kafka={"bootstrap_servers": bootstrap, "partitions": 3},
        registry={"port": free_port()},
        gateway={"port": free_port()},
        console={"port": free_port()},
        observe={"port_base": 0},
    )


def pytest_configure() -> None:
    """Each JVM of this process and of hubs that it starts, if the machine has run these tests before. No example of a
    property has a time limit: on a loaded machine the first one is over Hypothesis's 200 ms by chance."""
    quick_broker.use()
    hypothesis_settings.register_profile("hub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis_settings.load_profile("hub")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with processes and brokers first: they last long, and the short ones fill what is left at the end."""
    items.sort(key=lambda item: [item.get_closest_marker(mark) is None for mark in ("e2e", "broker")])


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """A test that leaves a connection to Kafka open fails itself, not whichever runs when memory is freed."""
    yield from leaks.closed_at_end()


@pytest.fixture(scope="module", autouse=True)
def own_health() -> Iterator[None]:
    """One process is one role, but not in tests: what a file's roles say of their health ends with the file."""
    HEALTH.live.clear()
    HEALTH.ready.clear()
    yield
    HEALTH.live.clear()
    HEALTH.ready.clear()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A real embedded broker of the test file's own (1 s): the hub's topics have fixed names, so files must not share
    them. Tests of one file keep apart by codes, fresh topics and groups."""
    with EmbeddedBroker(quick_broker.prepare(tmp_path_factory.mktemp("kafka")), heap_mb=384) as broker:
        yield Kafka(broker.bootstrap, settings_for(broker.bootstrap, tmp_path_factory.mktemp("hub")), broker)


@pytest.fixture
def hub_settings(kafka: Kafka, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings on the file's broker with this test's own data folder and ports; the key of secrets is the broker's."""
    key = tmp_path_factory.getbasetemp() / f"secrets-{kafka.bootstrap.rpartition(':')[2]}.key"
    return settings_for(kafka.bootstrap, tmp_path / "hub").model_copy(update={"secrets": SecretSettings(key_file=key)})


@pytest.fixture
def topic(kafka: Kafka) -> TopicFactory:
    """`await topic(partitions=3, config={"cleanup.policy": "compact"}, prefix="x")` makes a topic, returns its name."""

    async def make(partitions: int = 1, config: Mapping[str, str] | None = None, prefix: str = "t") -> str:
        name = f"{prefix}.{uuid.uuid4().hex[:10]}"
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            wanted = NewTopic(name, num_partitions=partitions, replication_factor=1, topic_configs=dict(config or {}))
            answer = await admin.create_topics([wanted], timeout_ms=20_000)
            assert all(code == 0 for _, code, *_ in answer.topic_errors), answer.topic_errors
        finally:
            await admin.close()
        return name

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """With HUB_REQUIRE_ALL=1 a skipped test is a failure that quotes the reason for the skip."""
    report = yield
    if report.skipped and os.environ.get("HUB_REQUIRE_ALL") == "1" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"skipped although HUB_REQUIRE_ALL=1: {reason}"
    return report
