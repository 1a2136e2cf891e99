"""Which addresses a webhook may be sent to, and that the checked address is the one that is called."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from hub.connect.address_guard import AddressGuard
from hub.connect.http_call import Reply, send
from hub.connect.http_client import make_client
from hub.control.records import Subscriber
from hub.errors import ConfigError, Retryable
from hub_connectors.webhook.portal import portal
from tests.support.certificates import make_certificates
from tests.support.http_peer import OK, talking

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
        ("240.0.0.1", True, True, False),
        ("255.255.255.255", True, True, False),
        ("192.0.2.1", False, True, False),  # for documents (RFC 5737)
        ("198.18.0.1", False, True, False),  # for benchmarks (RFC 2544)
        # IPv4 in other clothes: where the packet ends is what counts.
        ("::ffff:203.162.4.191", False, False, True),
        ("::ffff:169.254.169.254", True, True, False),
        ("::127.0.0.1", True, False, False),
        ("::10.0.0.1", False, True, False),
        ("::169.254.169.254", True, True, False),
        ("64:ff9b::7f00:1", True, False, False),
        ("64:ff9b::a00:1", False, True, False),
        ("64:ff9b::a9fe:a9fe", True, True, False),
        ("64:ff9b::cba2:4bf", False, False, True),  # 203.162.4.191 behind the network's own NAT64
        ("64:ff9b:1::7f00:1", True, True, False),
        ("64:ff9b:1:a00:1::", True, True, False),
        ("2002:7f00:1::", True, True, False),  # 6to4
        ("2002:a00:1::1", True, True, False),
        ("2002:cba2:4bf::1", True, True, False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", True, True, False),  # Teredo
        ("fec0::1", True, True, False),  # site-local
        ("feff::1", True, True, False),
        ("2001:4860::5efe:7f00:1", True, True, False),  # ISATAP
        ("fe80::5efe:a00:1", True, True, False),
        ("::", True, True, False),
        ("ff02::1", True, True, False),
        ("2001:db8::1", False, True, False),
        ("100::1", False, True, False),
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


class Names:
    """The loop's names: each look-up gives the next answer, the last one for ever. asked: how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._look)

    async def _look(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not found:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


async def _call(guard: AddressGuard, url: str) -> Reply:
    async with make_client(5, guard) as client:
        return await send(client, client.build_request("GET", url), 5, 100)


async def test_calls_the_address_it_checked_under_the_name_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look-up gives an address that is blocked: nobody makes it."""
    async with talking(OK) as (server, _):
        names = Names(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
        assert (await _call(AddressGuard(False, True), f"http://portal.test:{server.port}/hook")).body == b"ok"
        assert names.asked == 1
        assert f"host: portal.test:{server.port}".encode() in server.requests[0].lower()


async def test_a_name_that_answers_otherwise_later_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is kept stays with the address that was checked; a new one is checked anew."""
    async with talking(OK) as (server, _):
        guard = AddressGuard(False, True)
        Names(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
        async with make_client(5, guard) as client:
            request = client.build_request("GET", f"http://portal.test:{server.port}/")
            for _ in range(3):
                assert (await send(client, request, 5, 100)).body == b"ok"
            server.writers[0].close()
            await asyncio.sleep(0.05)
            with pytest.raises(Retryable) as caught:
                await send(client, request, 5, 100)
        assert caught.value.kind == "blocked"
        assert (server.connections, len(server.requests)) == (1, 3)


async def test_the_name_of_the_url_is_asked_of_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SNI tells the server the name; its certificate is for 127.0.0.1 only, so the call fails at that name."""
    ca, own = make_certificates(tmp_path)
    asked: list[str | None] = []
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(own)
    ours.sni_callback = lambda _, name, __: asked.append(name)
    Names(monkeypatch, ["127.0.0.1"])
    guard = AddressGuard(False, True)
    listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=ours)
    port = listening.sockets[0].getsockname()[1]
    trusted = ssl.create_default_context(cafile=str(ca))
    async with make_client(5, guard, trusted=trusted) as client:
        with pytest.raises(Retryable) as caught:
            await send(client, client.build_request("GET", f"https://portal.test:{port}/"), 5, 100)
    listening.close()
    assert (caught.value.kind, asked) == ("connect", ["portal.test"])
    assert "portal.test" in str(caught.value)


@pytest.mark.parametrize("addresses", [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]])
async def test_a_name_with_one_blocked_address_is_not_called(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    async with talking(OK) as (server, _):
        Names(monkeypatch, addresses)
        with pytest.raises(Retryable) as caught:
            await _call(AddressGuard(False, True), f"http://portal.test:{server.port}/")
        assert (caught.value.kind, server.connections) == ("blocked", 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "127.1", "2130706433"])
async def test_a_literal_address_is_looked_at_too(host: str) -> None:
    """Nobody resolves it. A number in another form is refused in one way or another."""
    async with talking(OK) as (server, _):
        with pytest.raises(Retryable):
            await _call(AddressGuard(True, False), f"http://{host}:{server.port}/")
        assert server.connections == 0


async def test_an_unknown_name_is_a_connection_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, [])
    with pytest.raises(Retryable) as caught:
        await _call(AddressGuard(False, False), "http://portal.test/")
    assert caught.value.kind == "connect"


async def test_the_connector_calls_over_its_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(OK) as (server, _):
        Names(monkeypatch, ["127.0.0.1"])
        for allowed in (False, True):
            settings = {"url": f"http://portal.test:{server.port}/", "allow_loopback": allowed}
            made = portal(
                Subscriber(name="t", kind="provincial-portal", settings=settings, secrets={"signing": SECRET})
            )
            await made.open()
            try:
                if allowed:
                    await made.probe()
                else:
                    with pytest.raises(Retryable, match="loopback"):
                        await made.probe()
            finally:
                await made.close()
        assert server.connections == 1
