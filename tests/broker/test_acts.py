"""Long acts on a real broker: progress, rate, cancel from elsewhere, going on, kill -9 in the middle of 10,000."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from hub.admin.acts import journal, running, table
from hub.admin.acts.journal import ActRecord, TakenOver, claimed
from hub.admin.audit_list import Wanted, entries
from hub.avro.codec import Codec
from hub.config import Settings
from hub.control.audit import Actor
from hub.control.requests import Request
from hub.deadletter.book import read as read_book
from hub.deadletter.filters import Filter
from hub.deadletter.record import build
from hub.errors import BadRecord
from hub.events.envelope import Envelope, read_headers
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import EVENTS, REQUESTS
from hub.registry.client import open_codec, register_own
from tests.support.command import hub
from tests.support.gateway import ingress_of, records_of
from tests.support.registry_fixture import running as registry
from tests.support.roles import RoleProcess, role

pytestmark = pytest.mark.broker
BY = Actor("lan", why="mended")


@pytest_asyncio.fixture
async def codec(hub_settings: Settings) -> AsyncIterator[Codec]:
    await ensure_topics(hub_settings)
    async with registry(hub_settings):
        await register_own(hub_settings)
        found = await open_codec(hub_settings)
    yield found


async def put(settings: Settings, codec: Codec, count: int) -> str:
    """Letters of as many dossiers, each of a step that the core would take now; their source."""
    source, some = f"urn:{uuid.uuid4().hex}", uuid.uuid4().int % 10**6
    letters = []
    for number in range(count):
        code = f"H11.12-260105-{some:06}{number:05}"
        value = codec.encode(
            "vn.hub.DossierStep", {"dossier_code": code, "step": "RECEIVED", "occurred_at": 1_767_571_200_000}
        )
        envelope = Envelope(f"e-{number}", source, "vn.hub.dossier.step", code)
        letters.append(
            build(
                stage="core", error=BadRecord("date", "no such day", "occurred_at"), topic="hub.ingress",
                partition=some, offset=number, key=code.encode(), value=value, headers=envelope.headers(),
                subscriber=source,
            )
        )  # fmt: skip
    producer = clients.producer(settings)
    await producer.start()
    try:
        for first in range(0, count, 1_000):
            await clients.send_all(producer, letters[first : first + 1_000])
    finally:
        await producer.stop()
    return source


async def until(ask: Callable[[], Awaitable[Any]], what: str, within: float = 120) -> Any:
    deadline = time.monotonic() + within
    while not (found := await ask()):
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.1)
    return found


async def test_cancelled_from_elsewhere_and_gone_on_with(hub_settings: Settings, codec: Codec) -> None:
    source = await put(hub_settings, codec, 300)
    wanted = {"subscriber": source, "rate": 50}
    begun = await table.begin(hub_settings, "dead-letters.replay", wanted, BY, "cli")
    seen: list[ActRecord] = []
    some = asyncio.Event()

    def watch(now: ActRecord) -> None:
        seen.append(now)
        if now.done:
            some.set()

    working = asyncio.create_task(table.carry_out(hub_settings, begun.id, begun.act, asyncio.Event(), watch))
    await asyncio.wait_for(some.wait(), 60)
    cancelled = await running.cancel(hub_settings, begun.id, Actor("an"))
    ended = await asyncio.wait_for(working, 60)
    assert (cancelled.state, ended.state, ended.reason) == ("cancelled", "cancelled", "cancelled by an")
    assert 0 < ended.done < 300 == ended.total
    # At most one chunk was on its way when it was taken; who goes on sees that it stands there.
    sent = len(await ingress_of(hub_settings, source))
    assert ended.done <= sent <= ended.done + 50

    code, out, err = await hub(hub_settings, "acts", "resume", begun.id)
    assert (code, "done, 300 of 300" in out) == (0, True), err
    found = Counter(dict(r.headers)["ce_id"] for r in await ingress_of(hub_settings, source))
    assert (len(found), set(found.values())) == (300, {1})
    [entry] = [e for e in await entries(hub_settings, Wanted()) if e.id == begun.id]
    assert (entry.result, entry.who, entry.why, entry.detail) == ("done", "lan", "mended", "sent=300 refused=0 of=300")
    assert not list((await read_book(hub_settings)).listed(Filter(subscriber=source)))
    with pytest.raises(running.NotUnderWay):
        await running.cancel(hub_settings, begun.id, BY)
    with pytest.raises(journal.NoSuchAct):
        await running.cancel(hub_settings, "nobody", BY)


async def test_who_was_overtaken_writes_nothing(hub_settings: Settings, codec: Codec) -> None:
    source = await put(hub_settings, codec, 1)
    begun = await table.begin(hub_settings, "dead-letters.replay", {"subscriber": source}, BY, "cli")
    async with claimed(hub_settings, begun.id) as first:
        record = await first.load()
        async with claimed(hub_settings, begun.id) as second:
            with pytest.raises(TakenOver):
                await first.write(record.model_copy(update={"done": 99}))
            assert (await second.load()).done == 0
            await second.write(record.model_copy(update={"done": 1}))
    assert (await journal.read(hub_settings))[begun.id].done == 1


async def test_refused_acts_are_in_the_audit(hub_settings: Settings, codec: Codec) -> None:
    with pytest.raises(Exception, match="right"):
        await table.perform(hub_settings, "subscriber.pause", {"name": "x"}, Actor("so", role="viewer"))
    with pytest.raises(Exception, match="--all"):
        await table.begin(hub_settings, "dead-letters.replay", {}, Actor("so"), "http")
    found = [(e.action, e.result) for e in await entries(hub_settings, Wanted(who="so"))]
    assert sorted(found) == [("dead-letters.replay", "refused"), ("subscriber.pause", "refused")]


def guarded(settings: Settings) -> Settings:
    gateway = settings.gateway.model_copy(update={"admin_token": SecretStr("t0p")})
    return settings.model_copy(update={"gateway": gateway})


class Http:
    """An operator's calls of a gateway that may be killed meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._at = f"http://127.0.0.1:{settings.gateway.port}"

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": "Bearer t0p", "x-operator": "lan", "x-reason": "mended"}
        async with httpx.AsyncClient(base_url=self._at, headers=headers, timeout=60) as http:
            return await http.request(method, path, **more)

    async def act(self, place: str) -> dict[str, Any]:
        with contextlib.suppress(httpx.TransportError):
            answer = await self.call("GET", place)
            if answer.status_code == 200:
                return dict(answer.json())
        return {}

    async def past(self, place: str, done: int) -> bool:
        return (await self.act(place)).get("done", 0) >= done

    async def over(self, place: str) -> dict[str, Any]:
        found = await self.act(place)
        return found if found.get("state") == "done" else {}


@pytest.mark.slow
async def test_kill_9_in_the_middle_of_10_000(hub_settings: Settings, codec: Codec) -> None:
    """Twice killed; each letter has gone through the core once."""
    settings = guarded(hub_settings)
    source = await put(settings, codec, 10_000)
    http = Http(settings)
    wanted = {"subscriber": source, "rate": 1_500}
    async with registry(settings):
        with role("core", settings):
            gateway = RoleProcess("gateway", settings)
            try:
                await asyncio.to_thread(gateway.ready)
                foreseen = (await http.call("POST", "/v1/dead-letters/replay?preview=true", json=wanted)).json()
                assert foreseen["sent"] == [{"stage": "core", "reason": "date", "count": 10_000}]
                begun = await http.call("POST", "/v1/dead-letters/replay", json=wanted)
                place = begun.headers["location"]
                assert (begun.status_code, begun.json()["state"]) == (202, "waiting")
                for done in (2_500, 6_000):
                    await until(partial(http.past, place, done), f"{done} of the letters")
                    gateway.kill()
                    gateway = RoleProcess("gateway", settings)
                    await asyncio.to_thread(gateway.ready)
                ended = await until(lambda: http.over(place), "the act is done")
            finally:
                gateway.kill()
            assert (ended["done"], ended["total"], ended["result"]["sent"][0]["count"]) == (10_000, 10_000, 10_000)
            sent = Counter(dict(r.headers)["ce_id"] for r in await ingress_of(settings, source))
            assert len(sent) == 10_000
            doubled = sum(sent.values()) - 10_000
            assert doubled == 0

            async def through() -> Counter[str]:
                causes = Counter[str]()
                for record in await records_of(settings, EVENTS):
                    envelope = read_headers(record.headers)
                    if envelope.source == source or dict(record.headers).get("ce_causesource") == source.encode():
                        causes[envelope.causationid or envelope.id] += 1
                return causes

            async def all_through() -> Counter[str] | None:
                found = await through()
                return found if len(found) >= 10_000 else None

            once = await until(all_through, "all letters through the core")
    assert len(once) == 10_000
    assert set(once.values()) == {1}
    print(f"sent twice to hub.ingress: {doubled}; at the core's output: 0")


async def test_gateway_cancels_and_goes_on_over_http(hub_settings: Settings, codec: Codec) -> None:
    settings = guarded(hub_settings)
    source = await put(settings, codec, 200)
    http = Http(settings)
    async with registry(settings):
        with role("gateway", settings):
            begun = await http.call("POST", "/v1/dead-letters/replay", json={"subscriber": source, "rate": 20})
            place = begun.headers["location"]
            await until(lambda: http.past(place, 20), "some letters")
            cancelled = await http.call("DELETE", place)
            assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
            assert 0 < cancelled.json()["done"] < 200
            again = await http.call("DELETE", place)
            assert (again.status_code, again.json()["code"]) == (409, "conflict")
            assert (await http.call("POST", f"{place}/resume")).status_code == 202
            ended = await until(lambda: http.over(place), "the act is done")
            assert ended["result"]["sent"][0]["count"] == 200
            unknown = await http.call("GET", "/v1/acts/nobody")
            assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
            audit = (await http.call("GET", "/v1/audit?who=admin-token&action=act.&limit=3")).json()
            assert audit[0]["action"] == "act.resume"
            assert (await http.call("GET", "/v1/status")).status_code == 200
            assert isinstance((await http.call("GET", "/v1/trace/H11.12-260105-0001")).json(), list)
    assert len({dict(r.headers)["ce_id"] for r in await ingress_of(settings, source)}) == 200


async def test_resend_orders_what_is_due_once(hub_settings: Settings, codec: Codec) -> None:
    """Of some dossiers, of a time; what another subscriber's filter leaves out is not asked for."""
    source = await put(hub_settings, codec, 30)
    name = f"sub-{uuid.uuid4().hex[:8]}"
    wanted = {"name": name, "kind": "kafka-topic", "backfill": "none", "filter": {"types": ["RECEIVED"]}}
    await table.perform(hub_settings, "subscriber.add", wanted, BY)
    async with registry(hub_settings):
        with role("core", hub_settings):
            await _carried_out(hub_settings, "dead-letters.replay", {"subscriber": source})
            keys = {r.key for r in await ingress_of(hub_settings, source)}

            async def all_there() -> bool:
                return keys <= {r.key for r in await records_of(hub_settings, EVENTS)}

            await until(all_there, "the events")
        code = sorted(keys)[0].decode()
        foreseen = await table.preview(hub_settings, "subscriber.resend", {"name": name, "dossiers": [code]}, BY)
        assert foreseen["sent"] == [{"stage": "resend", "reason": "missing", "count": 1}]
        await _carried_out(hub_settings, "subscriber.resend", {"name": name, "dossiers": [code], "again": True})
        assert [(o.action, o.key) for o in await _orders(hub_settings, name)] == [("replay", code)]
        await _carried_out(hub_settings, "subscriber.resend", {"name": name, "since": "1h", "rate": 100})
        orders = [o for o in await _orders(hub_settings, name) if o.action == "resend"]
        assert keys <= {o.key.encode() for o in orders}
        assert len({o.id for o in orders}) == len(orders)
    await table.perform(hub_settings, "subscriber.change", {"name": name, "filter": {"types": ["RATED"]}}, BY)
    async with registry(hub_settings):
        none = await table.preview(hub_settings, "subscriber.resend", {"name": name, "dossiers": [code]}, BY)
    assert none["sent"] == []


async def _carried_out(settings: Settings, act: str, values: dict[str, Any]) -> None:
    begun = await table.begin(settings, act, values, BY, "cli")
    ended = await table.carry_out(settings, begun.id, act, asyncio.Event())
    assert (ended.state, ended.reason) == ("done", "")


async def _orders(settings: Settings, name: str) -> list[Request]:
    found = [Request.model_validate_json(r.value) for r in await records_of(settings, REQUESTS)]
    return [order for order in found if order.subscriber == name]
