"""TLS at a door, on real sockets, with a CA made here: 1.2 and more, taken up anew while open, mutual for agencies."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hub.config import DoorSettings, GatewaySettings
from hub.control.keys import KeyRing, digest
from hub.control.records import Organisation
from hub.errors import StartError
from hub.gateway.holders import Holders
from hub.observe.server import listen, serve_app
from hub.observe.tls import Certificates
from hub.web.own_calls import CERTIFICATE, trust
from tests.support.certificates import make_certificates


async def names(request: Request) -> JSONResponse:
    return JSONResponse([request.url.scheme, *request.scope["extensions"][CERTIFICATE]["names"]])


APP = Starlette(routes=[Route("/x", names)])


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    """Two CAs, each with a certificate of 127.0.0.1."""
    return [make_certificates(tmp_path_factory.mktemp(name)) for name in ("first", "second")]


def verified(ca: Path, **more: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    for name, value in more.items():
        setattr(context, name, value)
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_tls_1_2_and_more_for_who_trusts_the_ca_and_no_plain_http(two: list[tuple[Path, Path]]) -> None:
    (ca, pair), (other, _) = two
    door = DoorSettings(tls_certificate=pair, ca=ca)
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with serve_app(APP, sock, door=door):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = verified(ca, minimum_version=version, maximum_version=version)
            async with httpx.AsyncClient(verify=context, trust_env=False, timeout=60) as client:
                assert (await client.get(f"https://127.0.0.1:{port}/x")).json() == ["https"]
        async with httpx.AsyncClient(verify=trust(door), trust_env=False, timeout=60) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/x")).json() == ["https"]
        old = verified(ca, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
        for context in (verified(other), old):
            async with httpx.AsyncClient(verify=context, trust_env=False, timeout=60) as client:
                with pytest.raises(httpx.TransportError):
                    await client.get(f"https://127.0.0.1:{port}/x")
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://127.0.0.1:{port}/x")


async def seen(found: Certificates, ca: Path) -> bool:
    """Whether a new connection is given a certificate of that CA."""
    sock = listen("127.0.0.1", 0)
    server = await asyncio.start_server(lambda _, writer: writer.close(), sock=sock, ssl=found.server)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1], ssl=verified(ca))
        writer.transport.abort()
        return True
    except ssl.SSLError:
        return False
    finally:
        server.close()


async def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(
    two: list[tuple[Path, Path]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (ca, pair), (other, renewed) = two
    here = Path(shutil.copy(pair, tmp_path / "hub.pem"))
    found = Certificates(DoorSettings(tls_certificate=here))
    assert not found.look()
    assert (await seen(found, ca), await seen(found, other)) == (True, False)
    for broken in ("", "no PEM", pair.read_text()[:500], pair.with_name("ca.pem").read_text()):
        here.write_text(broken)
        assert not found.look()
        assert await seen(found, ca)
    assert "cannot be used" in caplog.text
    here.unlink()
    assert not found.look()
    shutil.copy(renewed, here)
    assert found.look()
    assert (await seen(found, ca), await seen(found, other)) == (False, True)


def test_a_broken_certificate_at_the_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no PEM")
    for name in ("x.pem", "none.pem"):
        with pytest.raises(StartError, match=name):
            Certificates(DoorSettings(tls_certificate=tmp_path / name))


async def test_a_client_s_certificate_is_named_if_its_ca_is_ours(two: list[tuple[Path, Path]]) -> None:
    (ca, pair), (_, foreign) = two
    sock = listen("127.0.0.1", 0)
    address = f"https://127.0.0.1:{sock.getsockname()[1]}/x"
    async with serve_app(APP, sock, door=DoorSettings(tls_certificate=pair, tls_client_ca=ca)):
        async with httpx.AsyncClient(verify=verified(ca), trust_env=False, timeout=60) as client:
            assert (await client.get(address)).json() == ["https"]
        own = verified(ca)
        own.load_cert_chain(pair)
        async with httpx.AsyncClient(verify=own, trust_env=False, timeout=60) as client:
            assert (await client.get(address)).json() == ["https", "127.0.0.1", "broker"]
        stranger = verified(ca)
        stranger.load_cert_chain(foreign)
        async with httpx.AsyncClient(verify=stranger, trust_env=False, timeout=60) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(address)


def test_whose_credentials_they_are() -> None:
    one = Organisation(name="one", sources=("urn:1",), key_hashes=(digest("hub_1"),))
    two = Organisation(name="two", sources=("urn:2",), key_hashes=(digest("hub_2"),))
    known = {"one.gov.vn": "one", "two.gov.vn": "two", "gone.gov.vn": "gone"}
    cases = [  # key, names; whose with: key, either, both
        ("hub_1", [], "one", "one", None),
        ("", ["one.gov.vn"], None, "one", None),
        ("hub_1", ["one.gov.vn", "x"], "one", "one", "one"),
        ("hub_1", ["two.gov.vn"], "one", "one", None),
        ("wrong", ["one.gov.vn"], None, None, None),
        ("", ["one.gov.vn", "two.gov.vn"], None, None, None),
        ("", ["gone.gov.vn"], None, None, None),
        ("", ["x"], None, None, None),
    ]
    for position, mode in enumerate(("key", "either", "both")):
        settings = GatewaySettings.model_validate({"client_certificates": known, "credentials": mode})
        holders = Holders(settings, KeyRing([one, two]))
        for key, names_, *expected in cases:
            found = holders(key, names_)
            assert (found.name if found else None) == expected[position], (mode, key, names_)
