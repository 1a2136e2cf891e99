"""One agency floods, with real sockets: what another sends is taken, each time. Counted, never measured."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
from collections.abc import AsyncIterator, Iterator

import pytest

from hub.config import DoorSettings, GatewaySettings, Settings
from hub.control.keys import KeyRing, digest
from hub.control.records import Organisation
from hub.gateway.app import build
from hub.gateway.holders import Holders
from hub.gateway.ingest import Ingest
from hub.gateway.sender import TURN_BYTES, _Parcel, turn
from hub.ingress.acknowledged import Acknowledged
from hub.observe.connection_table import ConnectionTable
from hub.observe.protocol import Limits
from hub.observe.server import listen, serve_app
from tests.support.codecs import fixed_codec
from tests.support.gateway import event, step
from tests.support.gateway_app import ORG, SOURCE, Broker

FLOODS = Organisation(name="floods", sources=("urn:f",), agencies=("H11.12",), key_hashes=(digest("hub_f"),))
IN_FLIGHT = Settings().gateway.max_in_flight_bytes
PATH = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\n"


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16_384), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.asynccontextmanager
async def gateway(door: DoorSettings | None = None, limits: Limits | None = None) -> AsyncIterator[tuple[int, Broker]]:
    broker = Broker(max_bytes=IN_FLIGHT)
    app = build(
        Settings(),
        Holders(GatewaySettings(), KeyRing([ORG, FLOODS])),
        Ingest(fixed_codec(), broker, Acknowledged(8)),
        broker,
    )
    sock = listen("127.0.0.1", 0)
    async with serve_app(app, sock, limits, door=door or DoorSettings()):
        yield sock.getsockname()[1], broker


async def opened(port: int, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """From an address of our own: all of 127/8 is this machine."""
    return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0)), 60)


async def statuses(port: int, count: int, source: str) -> list[int]:
    """Of so many requests of ORG, one after another on one connection."""
    reader, writer = await opened(port, source)
    found = []
    for number in range(count):
        body = json.dumps(event(SOURCE, step(f"H11.12-261124-{number:04d}"))).encode()
        writer.write(PATH + b"X-Api-Key: hub_k\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        found.append(int(head.split()[1]))
    writer.close()
    return found


async def test_open_bodies_of_one_agency_do_not_shut_the_gateway_for_another() -> None:
    """64 bodies of a megabyte each were all that the gateway holds."""
    async with gateway() as (port, broker):
        open_ones = []
        for _ in range(300):
            reader, writer = await opened(port, "127.0.0.2")
            writer.write(PATH + b"X-Api-Key: hub_f\r\nContent-Length: 1048576\r\n\r\n{")
            await writer.drain()
            open_ones.append((reader, writer))
        answers = 0
        for reader, _ in open_ones[64:]:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            answers += int(head.split()[1]) == 429
        assert answers == len(open_ones) - 64
        found = await statuses(port, 1_000, "127.0.0.3")
        assert found == [202] * 1_000
        for _, writer in open_ones:
            writer.transport.abort()
    assert broker._shares == {}


async def test_connections_of_one_address_leave_room_for_others() -> None:
    door = DoorSettings(connections=600, connections_each=500)
    async with gateway(door) as (port, _):
        held = [await opened(port, "127.0.0.2") for _ in range(700)]
        closed = [asyncio.create_task(asyncio.wait_for(reader.read(1), 60)) for reader, _ in held[500:]]
        ended = await asyncio.gather(*closed, return_exceptions=True)
        assert all(one == b"" or isinstance(one, ConnectionError) for one in ended)
        assert 429 not in await statuses(port, 1_000, "127.0.0.3")
        for _, writer in held:
            writer.transport.abort()


async def test_1500_half_open_connections_end_by_themselves() -> None:
    door = DoorSettings(connections_each=2_000)
    async with gateway(door, Limits(head_s=2.0)) as (port, _):
        held = [await opened(port, "127.0.0.2") for _ in range(1_500)]
        for _, writer in held[:750]:
            writer.write(b"POST /v1/events HT")
        ended = await asyncio.gather(
            *(asyncio.wait_for(reader.read(-1), 60) for reader, _ in held), return_exceptions=True
        )
        assert not [one for one in ended if isinstance(one, TimeoutError)]
        assert 429 not in await statuses(port, 10, "127.0.0.2")
        for _, writer in held:
            writer.close()


def test_a_proxy_has_no_limit_of_its_own_but_that_of_the_door() -> None:
    table = ConnectionTable(DoorSettings(connections=20, connections_each=5, proxies=("10.0.0.1",)))
    places = [table.enter("10.0.0.1") for _ in range(15)]
    assert None not in places
    assert [table.enter("10.0.0.2") is None for _ in range(6)] == [False] * 5 + [True]
    table.leave("")
    table.leave("10.0.0.2")
    assert table.enter("10.0.0.2") is not None


async def test_what_one_organisation_has_waiting_goes_out_in_turns() -> None:
    flood = [_Parcel([(b"k", b"x" * 100_000, [])], "floods") for _ in range(50)]
    other = [_Parcel([(b"k", b"x" * 1_000, [])], "motcua") for _ in range(3)]
    now, later = turn([*flood, *other])
    assert now == [*flood[: TURN_BYTES // 100_000], *other]
    assert later == flood[TURN_BYTES // 100_000 :]
    large = _Parcel([(b"k", b"x" * 2 * TURN_BYTES, [])], "floods")
    assert turn([large]) == ([large], [])
