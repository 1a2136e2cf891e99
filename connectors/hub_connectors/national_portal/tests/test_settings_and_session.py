"""Settings that are wrong name their field; one login serves all connections of a process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.connect.portal import Portal, make_portal
from hub.control.records import Subscriber
from hub.control.vault import References, Vault
from hub.errors import ConfigError, Rejected, Retryable
from hub.untyped import SettingsTable
from hub_connectors.national_portal.session import Session
from hub_connectors.national_portal.tests.site import national_site
from hub_connectors.simulation.faults import FaultOrder
from tests.support.contract_events import dossier_items, item

GOOD: SettingsTable = {"adapter_url": "http://x/", "madonvi": "H11", "username": "u"}


def subscriber(settings: SettingsTable, **secrets: str) -> Subscriber:
    return Subscriber(name="dvcqg", kind="national-portal", settings=settings, secrets=secrets)


@pytest.mark.parametrize(
    ("settings", "secrets", "field"),
    [
        ({}, {"password": "p"}, "settings.adapter_url"),
        ({**GOOD, "adapter_url": "ftp://x"}, {"password": "p"}, "settings.adapter_url"),
        ({**GOOD, "dstcode": "có dấu"}, {"password": "p"}, "settings.dstcode"),
        ({**GOOD, "lines_per_call": 11}, {"password": "p"}, "settings.lines_per_call"),
        ({**GOOD, "sesion_s": 3}, {"password": "p"}, "settings.sesion_s"),
        (GOOD, {}, "secrets.password"),
        (GOOD, {"password": "env:HUB_TEST_NO_SUCH"}, "secrets.password"),
        (GOOD, {"password": "file:/no/such/file"}, "secrets.password"),
    ],
)
def test_what_is_wrong_is_named(settings: SettingsTable, secrets: dict[str, str], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_portal(subscriber(settings, **secrets))
    assert caught.value.field == field


def test_secrets_from_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    monkeypatch.setenv("HUB_SECRET_PORTAL", "from-env")
    keeper = Vault(tmp_path / "no.key", References(tmp_path, "HUB_SECRET_"))
    for given, value in (("file:secret", "from-file"), ("env:HUB_SECRET_PORTAL", "from-env")):
        portal: Any = make_portal(subscriber(GOOD, password=given), keeper)
        assert portal._secret == value


async def _opened(subscriber: Subscriber, count: int) -> list[Portal]:
    portals = [make_portal(subscriber) for _ in range(count)]
    for one in portals:
        await one.open()
    return portals


async def test_sixteen_workers_log_in_once(tmp_path: Path) -> None:
    async with national_site(tmp_path, one_session=True) as site:
        portals = await _opened(site.subscriber(), 16)
        await asyncio.gather(*(p.deliver(dossier_items(f"H11.12-260302-{n:04}", 1)) for n, p in enumerate(portals, 1)))
        assert site.app.plan.calls == 1 + 16 * 3
        site.app.plan.order(FaultOrder(force=("expired_session",)))
        await asyncio.gather(*(p.deliver(dossier_items(f"H11.12-260302-{n:04}", 1)) for n, p in enumerate(portals, 1)))
        for one in portals:
            await one.close()
        assert site.rows("SELECT count(*) FROM dossiers") == [(16,)]


async def test_a_session_is_renewed_after_its_life(tmp_path: Path) -> None:
    async with national_site(tmp_path, session_s=0.0) as site:
        (one,) = await _opened(site.subscriber(), 1)
        with pytest.raises(Retryable) as caught:
            await one.deliver(dossier_items("H11.12-260302-0001", 1))
        assert caught.value.kind == "session"
        await one.close()
    async with national_site(tmp_path, session_s=600.0) as site:
        (one,) = await _opened(site.subscriber(session_s=0.000001), 1)
        await one.deliver(dossier_items("H11.12-260302-0001", 1))
        assert site.app.plan.calls == 6, "three calls, each under a new login"
        await one.close()


async def test_wrong_password_is_retryable_for_no_event_is_to_blame(tmp_path: Path) -> None:
    async with national_site(tmp_path, password="another") as site:
        (one,) = await _opened(site.subscriber(), 1)
        for attempt in (one.deliver(dossier_items("H11.12-260302-0001", 1)), one.probe()):
            with pytest.raises(Retryable) as caught:
                await attempt
            assert caught.value.kind == "login"
        await one.close()


async def test_refusals_are_rejected(tmp_path: Path) -> None:
    async with national_site(tmp_path, madonvi="000.00.00.H12") as site:
        (one,) = await _opened(site.subscriber(), 1)
        with pytest.raises(Rejected) as caught:
            await one.deliver(dossier_items("H11.12-260302-0001", 1))
        assert caught.value.reason == "refused"
        change = {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": 0}
        service = {"service_code": "1.004194.01", "hub_seq": 1, "active": True, "changed_at": 0}
        data = {"hub_seq": 1, "change": change, "service": service}
        with pytest.raises(Rejected) as caught:
            await one.deliver([item(data, "id", "1.004194.01", "vn.hub.service.event")])
        assert caught.value.reason == "unsupported"
        await one.close()


async def test_a_failed_login_is_not_repeated_by_those_who_waited_for_it() -> None:
    session = Session("key", 600)
    tried = 0

    async def login() -> str:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0.01)
        raise Retryable("timeout", "silent", retry_after=5)

    outcomes = await asyncio.gather(*(session.token(login) for _ in range(8)), return_exceptions=True)
    assert tried == 1
    assert all(isinstance(o, Retryable) and (o.kind, o.retry_after) == ("timeout", 5) for o in outcomes)
    with pytest.raises(Retryable):
        await session.token(login)
    assert tried == 2
