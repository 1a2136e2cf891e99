"""Wrong credentials: a wait that doubles, by address and by name; one line a burst; bounded memory."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp

from hub.config import DoorSettings, GatewaySettings, Settings
from hub.control import bursts
from hub.control.audit import AuditEntry
from hub.control.keys import KeyRing
from hub.gateway.app import build
from hub.gateway.holders import Holders
from hub.gateway.ingest import Ingest
from hub.ingress.acknowledged import Acknowledged
from hub.observe.server import listen, serve_app
from hub.registry.server.api import app as registry_app
from hub.registry.server.service import Registry
from hub.registry.server.users import users
from hub.web import brake as module
from hub.web.brake import KEPT, LONGEST_S, TRIES, Brake
from tests.support.codecs import fixed_codec
from tests.support.gateway_app import ORG, Broker
from tests.support.memory_log import MemoryLog


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_wait_begins_after_ten_and_doubles_to_its_limit(clock: Clock) -> None:
    brake, waits = Brake("d", clock), []
    for _ in range(TRIES - 1):
        brake.failed("10.0.0.1")
    assert brake.wait_s("10.0.0.1") == 0
    for _ in range(13):
        brake.failed("10.0.0.1")
        waits.append(brake.wait_s("10.0.0.1"))
        clock.now += waits[-1]
        assert brake.wait_s("10.0.0.1") == 0
    assert waits == sorted(waits)
    assert (waits[0], waits[1], waits[2], waits[-1]) == (2, 3, 5, LONGEST_S + 1)
    assert brake.wait_s("10.0.0.2") == 0
    clock.now += module.FORGOTTEN_S + 1
    brake.failed("10.0.0.1")
    assert brake.wait_s("10.0.0.1") == 0


def test_a_name_is_held_back_from_all_who_failed_and_its_owner_is_not_locked_out(clock: Clock) -> None:
    brake = Brake("d", clock)
    for number in range(TRIES):
        brake.failed(f"10.0.0.{number}", "operator")
    assert brake.wait_s("10.0.0.3", "operator") > 0
    assert brake.wait_s("10.0.0.3", "reader") == 0
    assert brake.wait_s("10.9.9.9", "operator") == 0


def test_one_network_of_ipv6_is_one_address(clock: Clock) -> None:
    brake = Brake("d", clock)
    for number in range(TRIES):
        brake.failed(f"2001:db8::{number}")
    assert brake.wait_s("2001:db8::ffff") > 0
    assert brake.wait_s("2001:db8:0:1::1") == 0


def test_a_burst_is_told_once_with_its_count(clock: Clock) -> None:
    brake = Brake("d", clock)
    for _ in range(400):
        clock.now += 1 / 787
        if not brake.wait_s("10.0.0.1"):
            brake.failed("10.0.0.1")
    assert brake.bursts() == []
    clock.now += module.QUIET_S
    [burst] = brake.bursts()
    assert burst.wrong + burst.held == 400
    assert burst.wrong < 15
    assert brake.bursts() == []


def test_memory_is_bounded_and_nothing_is_left_untold(clock: Clock) -> None:
    brake = Brake("d", clock)
    for number in range(KEPT + 500):
        brake.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"name {number}")
    assert len(brake._seen) <= KEPT
    clock.now += module.QUIET_S
    found = brake.bursts()
    assert sum(one.wrong for one in found) == KEPT + 500
    lines = bursts.entries(found)
    assert len(lines) == bursts.AT_ONCE + 1
    assert sum(int(line.detail.split()[0]) for line in lines) == KEPT + 500


# --- at the doors ----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    sock = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    door = DoorSettings(proxies=("127.0.0.1",))
    async with serve_app(app, sock, door=door), httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client:
        yield client


async def told(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[AuditEntry]:
    found: list[AuditEntry] = []

    async def record(_: Settings, *entries: AuditEntry) -> None:
        found.extend(entries)

    monkeypatch.setattr(bursts, "record", record)
    await bursts.tell(settings, end=True)
    return found


async def test_400_wrong_tokens_at_the_gateway_leave_one_line_and_others_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BRAKES", one := list[Brake]())
    monkeypatch.setattr(bursts, "BRAKES", one)
    settings = Settings(gateway=GatewaySettings(admin_token=SecretStr("t0p")))
    broker = Broker()
    app = build(
        settings, Holders(GatewaySettings(), KeyRing([ORG])), Ingest(fixed_codec(), broker, Acknowledged(8)), broker
    )
    async with served(app) as client:
        statuses = [
            (await client.get("/v1/subscribers", headers={"x-api-key": f"guess {n}", "x-forwarded-for": "10.0.0.1"}))
            for n in range(400)
        ]
        codes = [answer.status_code for answer in statuses]
        assert codes[:TRIES] == [401] * TRIES
        assert codes.count(429) > 350
        assert int(statuses[-1].headers["retry-after"]) >= 1
        right = {"x-api-key": "t0p", "x-forwarded-for": "10.0.0.1"}
        assert (await client.get("/v1/subscribers", headers=right)).status_code == 429  # it learns nothing
        # An agency behind the same address is served: its key is not one that can be guessed.
        event = {"x-api-key": "hub_k", "x-forwarded-for": "10.0.0.1"}
        assert (await client.post("/v1/events", json={}, headers=event)).status_code == 415
        wrong = {"x-api-key": "hub_wrong", "x-forwarded-for": "10.0.0.1"}
        assert (await client.post("/v1/events", json={}, headers=wrong)).status_code == 429
    [line] = await told(monkeypatch, settings)
    assert (line.action, line.who, line.where, line.result) == ("credentials.wrong", "nobody", "10.0.0.1", "refused")
    assert line.detail.startswith("402 tries in ")


async def test_wrong_passwords_at_the_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "BRAKES", one := list[Brake]())
    monkeypatch.setattr(bursts, "BRAKES", one)
    settings = Settings(data_dir=tmp_path)
    async with served(registry_app(Registry(MemoryLog()), users(settings))) as client:
        answers = [await client.put("/mode", json={}, auth=("operator", f"{n}")) for n in range(30)]
    assert [answer.status_code for answer in answers[:TRIES]] == [401] * TRIES
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    [line] = await told(monkeypatch, settings)
    assert (str(line.target), line.detail.split()[0]) == ("door/registry", "30")
