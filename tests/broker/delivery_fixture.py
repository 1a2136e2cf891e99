"""The fixture `bench` of the delivery tests; imported by name where it is used."""

from __future__ import annotations

import pytest

from hub.config import Settings
from hub.wire.admin import ensure_topics
from hub.wire.registry import open_codec
from tests.broker.registry_fixture import running
from tests.support.delivery import Bench, Site


@pytest.fixture
async def bench(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Bench:
    await ensure_topics(hub_settings)
    async with running(hub_settings):
        codec = await open_codec(hub_settings)
    return Bench(hub_settings, codec, Site(), monkeypatch)
