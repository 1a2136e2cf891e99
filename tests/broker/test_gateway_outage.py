"""Overload and a broker that is away: never a 2xx, always Retry-After, and whole again when the broker is back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.broker.broker import EmbeddedBroker
from hub.config import Settings
from hub.gateway import sender
from hub.machine.ports import free_port
from hub.observe.health import HEALTH
from tests.conftest import settings_for
from tests.support import quick_broker
from tests.support.gateway import BATCH, STRUCTURED, event, ingress_of, organisation, running, step

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """One of our own: the session's must not stop."""
    with EmbeddedBroker(quick_broker.prepare(tmp_path_factory.mktemp("kafka")), free_port(), heap_mb=256) as own:
        yield own


@pytest.fixture
def settings(broker: EmbeddedBroker, tmp_path: Path) -> Settings:
    return settings_for(broker.bootstrap, tmp_path / "hub")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "ACK_WAIT_S", 2.0)
    monkeypatch.setattr(sender, "STUCK_S", 0.5)


async def test_broker_stopped_503_then_accepted_again(
    broker: EmbeddedBroker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, key = await organisation(settings)
    source = org.sources[0]
    async with running(settings, monkeypatch) as http:
        http.headers.update(STRUCTURED | {"x-api-key": key})
        before = event(source)
        assert (await http.post("/v1/events", json=before)).status_code == 202
        await asyncio.to_thread(broker.stop)

        lost = event(source)
        answers = [await http.post("/v1/events", json=lost) for _ in range(2)]

        assert [a.status_code for a in answers] == [503, 503]
        assert answers[0].json()["code"] == "unavailable"
        assert int(answers[0].headers["retry-after"]) > 0
        assert not HEALTH.report("ready")[0]
        assert HEALTH.report("live")[0]

        broker.start()  # in this thread: the JVM ends with the thread that started it
        again = await _until_taken(http, lost)
        assert again.json()["accepted"] == 1
        assert (await http.post("/v1/events", json=before)).json()["duplicate"] == 1
        assert HEALTH.report("ready")[0]
    ids = [dict(r.headers)["ce_id"].decode() for r in await ingress_of(settings, source)]
    assert set(ids) == {before["id"], lost["id"]}


async def _until_taken(http: httpx.AsyncClient, document: Any) -> httpx.Response:
    async with asyncio.timeout(90):
        while True:
            answer = await http.post("/v1/events", json=document)
            if answer.status_code == 202:
                return answer
            assert answer.status_code in (429, 503)
            await asyncio.sleep(0.25)


@pytest.fixture
async def frozen(broker: EmbeddedBroker) -> AsyncIterator[Any]:
    """`frozen()` freezes the broker: connections stand and nothing is answered. Thawed at the end."""
    yield lambda: os.kill(broker.pid, signal.SIGSTOP)
    os.kill(broker.pid, signal.SIGCONT)


async def test_producer_stuck_429_and_the_waiting_request_is_not_lost(
    broker: EmbeddedBroker, settings: Settings, monkeypatch: pytest.MonkeyPatch, frozen: Any
) -> None:
    monkeypatch.setattr(sender, "ACK_WAIT_S", 15.0)
    org, key = await organisation(settings)
    async with running(settings, monkeypatch) as http:
        http.headers.update(STRUCTURED | {"x-api-key": key})
        assert (await http.post("/v1/events", json=event(org.sources[0]))).status_code == 202
        frozen()
        waiting = asyncio.create_task(http.post("/v1/events", json=event(org.sources[0])))
        await asyncio.sleep(1.0)

        refused = await http.post("/v1/events", json=event(org.sources[0]))

        assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
        assert int(refused.headers["retry-after"]) > 0
        os.kill(broker.pid, signal.SIGCONT)
        assert (await waiting).status_code == 202
        assert (await http.post("/v1/events", json=event(org.sources[0]))).status_code == 202
    assert len(await ingress_of(settings, org.sources[0])) == 3


async def test_too_many_bytes_under_way_429(
    broker: EmbeddedBroker, settings: Settings, monkeypatch: pytest.MonkeyPatch, frozen: Any
) -> None:
    monkeypatch.setattr(sender, "STUCK_S", 60.0)
    monkeypatch.setattr(sender, "ACK_WAIT_S", 15.0)
    small = settings.gateway.model_copy(update={"max_in_flight_bytes": 120_000})
    settings = settings.model_copy(update={"gateway": small})
    org, key = await organisation(settings)
    batch = [event(org.sources[0], step(note="x" * 500)) for _ in range(100)]
    async with running(settings, monkeypatch) as http:
        http.headers.update(BATCH | {"x-api-key": key})
        assert (await http.post("/v1/events", json=batch)).status_code == 202
        frozen()
        more = [[e | {"id": f"{e['id']}-{n}"} for e in batch] for n in range(2)]
        waiting = asyncio.create_task(http.post("/v1/events", json=more[0]))
        await asyncio.sleep(0.5)

        assert (await http.post("/v1/events", json=more[1])).status_code == 429

        os.kill(broker.pid, signal.SIGCONT)
        assert (await waiting).status_code == 202
        assert (await http.post("/v1/events", json=more[1])).status_code == 202
