"""kill -9 and SIGTERM of the gateway under load: what was answered with 202 stands in Kafka."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.config import Settings
from hub.registry.client import open_codec
from tests.support.gateway import BATCH, event, ingress_of, organisation, step
from tests.support.registry_fixture import running as registry
from tests.support.roles import RoleProcess, role

pytestmark = pytest.mark.broker


class Clients:
    """Post batches of 20 until the gateway is gone; `answered` holds the ids that were answered with 202."""

    def __init__(self, settings: Settings, source: str, key: str) -> None:
        self.source = source
        self.answered: set[str] = set()
        self.refused: list[int] = []
        self.some = asyncio.Event()
        self._address = f"http://127.0.0.1:{settings.gateway.port}"
        self._key = {"x-api-key": key}

    def _batches(self, number: int) -> Iterator[list[dict[str, Any]]]:
        for batch in range(2_000):
            code = f"H11.12-261124-{number}{batch % 50:03}"
            yield [event(self.source, step(code, note="x" * 200)) for _ in range(20)]

    async def _one(self, number: int) -> None:
        async with httpx.AsyncClient(base_url=self._address, headers=BATCH | self._key, timeout=20) as http:
            with contextlib.suppress(httpx.TransportError):
                for batch in self._batches(number):
                    answer = await http.post("/v1/events", json=batch)
                    if answer.status_code == 202:
                        self.answered |= {e["id"] for e in batch}
                    else:
                        self.refused.append(answer.status_code)
                    if len(self.answered) > 400:
                        self.some.set()

    def start(self) -> asyncio.Future[Any]:
        return asyncio.gather(*(self._one(number) for number in range(4)))


async def clients(settings: Settings) -> Clients:
    org, key = await organisation(settings)
    async with registry(settings):
        await open_codec(settings)
    return Clients(settings, org.sources[0], key)


async def arrived(settings: Settings, source: str) -> list[str]:
    return [dict(r.headers)["ce_id"].decode() for r in await ingress_of(settings, source)]


async def test_kill_9_under_load(hub_settings: Settings) -> None:
    load = await clients(hub_settings)
    gateway = RoleProcess("gateway", hub_settings)
    await asyncio.to_thread(gateway.ready)
    posting = load.start()
    await asyncio.wait_for(load.some.wait(), 60)

    assert gateway.kill() == -9
    await asyncio.wait_for(posting, 60)

    assert load.answered <= set(await arrived(hub_settings, load.source))
    with role("gateway", hub_settings):  # a new one takes events at once
        again = Clients(hub_settings, load.source, load._key["x-api-key"])
        posting = again.start()
        await asyncio.wait_for(again.some.wait(), 60)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)


async def test_sigterm_under_load_ends_with_0_and_answers_what_it_took(hub_settings: Settings) -> None:
    load = await clients(hub_settings)
    gateway = RoleProcess("gateway", hub_settings)
    await asyncio.to_thread(gateway.ready)
    posting = load.start()
    await asyncio.wait_for(load.some.wait(), 60)

    assert await asyncio.to_thread(gateway.terminate) == 0
    await asyncio.wait_for(posting, 60)

    in_kafka = await arrived(hub_settings, load.source)
    assert load.answered == set(in_kafka)  # nothing taken without an answer, nothing answered that is not there
    assert len(in_kafka) == len(set(in_kafka))
    assert load.refused == []
