"""Every role closes what it opened, wherever in its start it ends: cancelled, without a broker, asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from hub.admin import subscribers
from hub.config import Settings
from hub.control.audit import Actor
from hub.errors import HubError
from hub.kafka.topic_admin import ensure_topics
from hub.machine.ports import free_port
from hub.registry import client as registry
from hub.registry import schema_lookup
from hub.registry.client import register_own
from hub.registry.schema_log import SchemaCopy
from hub.supervisor import roles
from tests.chaos.engine.in_process import with_kafka
from tests.conftest import Kafka
from tests.support.cut_off import cut_off
from tests.support.leaks import open_connections, running_tasks
from tests.support.registry_fixture import running

pytestmark = pytest.mark.broker

ROLES = (
    "registry", "gateway", "intake", "core", "reconcile", "projector", "console", "source:filedrop", "deliver:topic",
)  # fmt: skip
AWAITS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)
"""Places of a cancellation. Each of the first 80 was tried once by hand; each costs what a start costs."""


@pytest.fixture(scope="module")
def stocked(kafka: Kafka) -> None:
    """Topics, schemas and a subscriber are there."""
    asyncio.run(_stock(kafka.settings))


async def _stock(settings: Settings) -> None:
    await ensure_topics(settings)
    async with running(settings):
        await register_own(settings)
        await subscribers.add(settings, {"name": "topic", "kind": "kafka-topic", "backfill": "none"}, Actor("test"))


@pytest.fixture
def ready(stocked: None, hub_settings: Settings) -> Settings:
    """Roles can start; none runs."""
    (hub_settings.data_dir / "drop").mkdir(parents=True)
    return hub_settings


def _nothing_left(place: object) -> None:
    assert open_connections() == [], place
    assert running_tasks() == [], place


@pytest.mark.parametrize("name", ROLES)
async def test_a_role_that_is_cancelled_in_the_middle_of_its_start(name: str, ready: Settings):
    run: Any = roles.function(name)
    for at in AWAITS:
        in_the_middle = await cut_off(run(name, ready, asyncio.Event()), at, settled_s=2)
        _nothing_left(at)
        if not in_the_middle:
            break
    assert at > 1


@pytest.mark.parametrize("name", ROLES)
async def test_a_role_that_is_asked_to_stop_in_the_middle_of_its_start(name: str, ready: Settings):
    for after in (0.0, 0.5):
        stop = asyncio.Event()
        run: Any = roles.function(name)
        role = asyncio.create_task(run(name, ready, stop))
        await asyncio.sleep(after)
        stop.set()
        await asyncio.wait_for(role, 60)
        _nothing_left(after)


@pytest.mark.parametrize("name", ROLES)
async def test_a_role_without_a_broker(name: str, ready: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry, "WAIT_S", 0.1)  # it would wait for the schemas as long as a hub's start takes
    nowhere = with_kafka(ready, bootstrap_servers=f"127.0.0.1:{free_port()}")
    with pytest.raises((HubError, KafkaError)):
        await roles.function(name)(name, nowhere, asyncio.Event())
    _nothing_left("away")


async def test_a_read_of_the_schemas_that_takes_too_long(ready: Settings, monkeypatch: pytest.MonkeyPatch):
    """On a busy machine its time limit cuts off the start or the stop of a consumer."""
    for limit in (0.0, 0.001, 0.002, 0.004, 0.008, 0.016):
        monkeypatch.setattr(schema_lookup, "LOOK_S", limit)
        with contextlib.suppress(HubError):
            await schema_lookup.read_within(ready, SchemaCopy())
        _nothing_left(limit)
