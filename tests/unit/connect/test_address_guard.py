"""Which addresses a webhook may be sent to, and that the checked address is the one that is called."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import httpx
import pytest

from hub.connect.address_guard import AddressGuard, GuardedTransport
from hub.control.records import Subscriber
from hub.errors import ConfigError, Retryable
from hub_connectors.webhook.portal import portal

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("address", "private", "loopback", "allowed"),
    [
        ("203.162.4.191", False, False, True),
        ("2001:4860:4860::8888", False, False, True),
        ("10.1.2.3", False, False, False),
        ("172.16.0.9", False, False, False),
        ("192.168.1.1", False, True, False),
        ("fd00::1", False, False, False),
        ("10.1.2.3", True, False, True),
        ("fd00::1", True, False, True),
        ("127.0.0.1", False, False, False),
        ("127.9.9.9", True, False, False),
        ("::1", True, False, False),
        ("127.0.0.1", False, True, True),
        ("::1", False, True, True),
        ("::ffff:127.0.0.1", True, False, False),
        ("::ffff:10.0.0.1", False, False, False),
        ("169.254.169.254", True, True, False),
        ("fe80::1", True, True, False),
        ("0.0.0.0", True, True, False),
        ("224.0.0.1", True, True, False),
        ("100.64.0.1", True, True, False),
    ],
)
def test_blocked_and_allowed(address: str, private: bool, loopback: bool, allowed: bool) -> None:
    assert (AddressGuard(private, loopback).why_blocked(ip_address(address)) == "") is allowed


def test_a_blocked_literal_is_refused_when_the_subscriber_is_made() -> None:
    for host in ("127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1"):
        with pytest.raises(ConfigError) as caught:
            portal(
                Subscriber(name="t", kind="webhook", settings={"url": f"http://{host}/"}, secrets={"signing": SECRET})
            )
        assert caught.value.field == "settings.url"


@pytest.mark.parametrize(
    ("settings", "secrets", "field"),
    [
        ({}, {"signing": SECRET}, "settings.url"),
        ({"url": "http://portal.test/", "uri": 1}, {"signing": SECRET}, "settings.uri"),
        ({"url": "http://portal.test/"}, {}, "secrets.signing"),
        ({"url": "http://portal.test/"}, {"signing": "whsec_"}, "secrets.signing"),
        (
            {"url": "http://portal.test/"},
            {"signing": SECRET, "signing-previous": "whsec_a"},
            "secrets.signing-previous",
        ),
    ],
)
def test_what_is_wrong_is_named(settings: dict[str, Any], secrets: dict[str, str], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        portal(Subscriber(name="t", kind="webhook", settings=settings, secrets=secrets))
    assert caught.value.field == field


def _answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def _call(guard: AddressGuard, seen: list[httpx.Request]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    transport = GuardedTransport(guard, httpx.MockTransport(answer))
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        await client.get("https://portal.test/hook")


async def test_calls_the_address_it_checked_under_the_name_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "203.162.4.191")
    seen: list[httpx.Request] = []
    await _call(AddressGuard(False, False), seen)
    assert seen[0].url.host == "203.162.4.191"
    assert seen[0].headers["host"] == "portal.test"
    assert seen[0].extensions["sni_hostname"] == "portal.test"


async def test_a_name_with_one_blocked_address_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "203.162.4.191", "10.0.0.1")
    seen: list[httpx.Request] = []
    with pytest.raises(Retryable) as caught:
        await _call(AddressGuard(False, True), seen)
    assert (caught.value.kind, seen) == ("blocked", [])


async def test_an_unknown_name_is_a_connection_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch)
    with pytest.raises(Retryable) as caught:
        await _call(AddressGuard(False, False), [])
    assert caught.value.kind == "connect"
