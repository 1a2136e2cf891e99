"""The fixture `bench` of the delivery tests; imported by name where it is used."""

from __future__ import annotations

import pytest

from hub.config import Settings
from hub.kafka.topic_admin import ensure_topics
from hub.registry.client import open_codec
from tests.support.delivery import Bench, Site
from tests.support.registry_fixture import running


@pytest.fixture
async def bench(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Bench:
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        codec = await open_codec(hub_settings)
    return Bench(hub_settings, codec, Site(), monkeypatch)
