"""A portal whose behaviour is scripted, and a bench that runs the delivery role against it on the real broker."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from hub.avro.codec import Codec
from hub.config import DeliverySettings, Settings
from hub.connect.portal import Answer, Item, Strategy
from hub.control.changes import write
from hub.control.records import Filter, Subscriber
from hub.control.requests import Pointer, Request
from hub.delivery import role as role_module
from hub.events.canonical import state_of
from hub.kafka import clients, topics
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import subscriber_topics
from tests.support.events import dossier_event
from tests.support.topics import read_all

Script = Callable[[Sequence[Item]], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Call:
    """One call that reached the portal. `state_seq`: hub_seq of the dossier state it carried."""

    key: str
    seqs: tuple[int, ...]
    ids: tuple[str, ...]
    state_seq: int
    ok: bool


@dataclass
class Site:
    """The far end of all connections of one test. `script` may raise a verdict, wait, or return an answer."""

    strategy: Strategy = Strategy.EVENT_LOG
    max_fold: int = 1
    script: Script | None = None
    probe_error: Exception | None = None
    families: tuple[str, ...] = ("dossier", "procedure", "service")
    calls: list[Call] = field(default_factory=list)
    probes: int = 0
    open_now: int = 0
    overlapping: list[str] = field(default_factory=list)
    _in_flight: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def delivered(self, key: str) -> list[int]:
        """hub_seqs in the order in which the portal took them, repetitions included."""
        return [seq for call in self.calls if call.ok and call.key == key for seq in call.seqs]

    def first_deliveries(self, key: str) -> list[int]:
        return list(dict.fromkeys(self.delivered(key)))

    async def take(self, items: Sequence[Item]) -> Answer:
        key = items[0].key
        assert {item.key for item in items} == {key}
        assert len(items) <= self.max_fold
        self._in_flight[key] += 1
        if self._in_flight[key] > 1:
            self.overlapping.append(key)
        ok = False
        try:
            answer = await self.script(items) if self.script else None
            ok = True
            return answer or Answer(200, "ok")
        finally:
            self._in_flight[key] -= 1
            state = state_of(items[-1].envelope.type, items[-1].data)
            seqs, ids = tuple(i.hub_seq for i in items), tuple(i.envelope.id for i in items)
            self.calls.append(Call(key, seqs, ids, state.hub_seq, ok))


class ScriptedPortal:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.strategy, self.max_fold, self.families = site.strategy, site.max_fold, site.families
        self.answered = 0

    async def open(self) -> None:
        self.site.open_now += 1

    async def close(self) -> None:
        self.site.open_now -= 1

    async def deliver(self, items: Sequence[Item]) -> Answer:
        return await self.site.take(items)

    async def probe(self) -> None:
        self.site.probes += 1
        if self.site.probe_error:
            raise self.site.probe_error


QUICK = DeliverySettings(
    workers=8, retry_base_s=0.02, retry_cap_s=0.2, breaker_failures=1000, breaker_open_s=0.2, drain_s=5
)


@dataclass
class Bench:
    """One subscriber on the session's broker; its agency code is its own, so other tests' events are not due to it."""

    settings: Settings
    codec: Codec
    site: Site
    monkeypatch: pytest.MonkeyPatch
    tag: str = field(default_factory=lambda: f"{uuid.uuid4().int % 10**8:08}")
    pointers: dict[tuple[str, int], Pointer] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"t-{self.tag}"

    @property
    def agency(self) -> str:
        return f"H11.{self.tag}"

    def code(self, number: int) -> str:
        return f"{self.agency}-261124-{number:04}"

    def partition(self, number: int) -> int:
        return clients.partition_of(self.code(number).encode(), self.settings.kafka.partitions)

    async def subscribe(self, **changes: Any) -> Subscriber:
        await ensure_topics(self.settings, subscriber_topics(self.name))
        given: dict[str, Any] = {"backfill": "log", "filter": Filter(agencies=(self.agency,))}
        subscriber = Subscriber(name=self.name, kind="scripted", **(given | changes))
        await write(self.settings, subscriber)
        self.monkeypatch.setattr(role_module, "make_portal", lambda *_: ScriptedPortal(self.site))
        return subscriber

    @contextlib.asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator[asyncio.Task[None]]:
        """The role in this process; stopped cleanly at the end of the context."""
        limits = QUICK.model_copy(update=changes)
        settings = self.settings.model_copy(update={"delivery": limits})
        stop = asyncio.Event()
        task = asyncio.create_task(role_module.run(f"deliver:{self.name}", settings, stop))
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait_for(task, 60)

    @contextlib.asynccontextmanager
    async def crashing(self, **changes: Any) -> AsyncIterator[None]:
        """The role in this process; torn down at the end of the context without drain or commit."""
        settings = self.settings.model_copy(update={"delivery": QUICK.model_copy(update=changes)})
        task = asyncio.create_task(role_module.run(f"deliver:{self.name}", settings, asyncio.Event()))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task], timeout=60)
            assert task.done()

    async def events(self, *which: tuple[int, int], **facts: Any) -> None:
        """(dossier number, hub_seq) in this order, written to hub.events as the core does."""
        producer = clients.producer(self.settings)
        await producer.start()
        try:
            for number, seq in which:
                more = {"agency_code": self.agency} | facts
                key, value, headers = dossier_event(self.codec, self.code(number), seq, **more)
                sent = await producer.send_and_wait(topics.EVENTS, value, key=key, headers=headers)
                event_id = dict(headers)["ce_id"].decode()
                pointer = Pointer(offset=sent.offset, hub_seq=seq, event_id=event_id)
                self.pointers[self.code(number), seq] = pointer
        finally:
            await producer.stop()

    async def states(self, *which: tuple[int, int]) -> None:
        """(dossier number, hub_seq) as the core writes them to hub.dossiers."""
        rows = []
        for number, seq in which:
            state = {"dossier_code": self.code(number), "hub_seq": seq, "status": "IN_PROCESS", "status_at": 1_000}
            value = self.codec.encode("vn.hub.Dossier", state | {"agency_code": self.agency})
            rows.append((topics.DOSSIERS, self.code(number).encode(), value, ()))
        await self.send(rows)

    async def order(self, action: Any, number: int, *seqs: int) -> None:
        key = self.code(number)
        pointers = tuple(self.pointers[key, seq] for seq in seqs)
        request = Request(
            id=uuid.uuid4().hex, action=action, subscriber=self.name, key=key, pointers=pointers, who="test"
        )
        await self.send([(topics.REQUESTS, key.encode(), request.model_dump_json().encode(), ())])

    async def send(self, rows: Sequence[tuple[str, bytes, bytes | None, clients.Headers]]) -> None:
        producer = clients.producer(self.settings)
        await producer.start()
        try:
            await clients.send_all(producer, rows)
        finally:
            await producer.stop()

    async def receipts(self, outcome: str | None = None) -> list[dict[str, Any]]:
        """This subscriber's records in hub.deliveries, in order per dossier."""
        out = []
        async for record in read_all(self.settings.bootstrap, topics.DELIVERIES):
            datum = self.codec.decode(record.value, "vn.hub.Delivery")[1]
            if datum["subscriber"] == self.name and outcome in (None, datum["outcome"]):
                out.append(datum)
        return out

    async def receipted(self, number: int) -> list[int]:
        """hub_seqs with a DELIVERED receipt, each once."""
        found = await self.receipts("DELIVERED")
        return sorted({seq for r in found if r["key"] == self.code(number) for seq in r["hub_seqs"]})

    async def parked(self) -> dict[str, bytes]:
        """What the parking topic holds now."""
        last: dict[str, bytes | None] = {}
        async for record in read_all(self.settings.bootstrap, topics.parking(self.name)):
            last[record.key.decode()] = record.value
        return {key: value for key, value in last.items() if value is not None}

    async def dead_letters(self) -> list[dict[str, str]]:
        out = []
        async for record in read_all(self.settings.bootstrap, topics.DEAD_LETTERS):
            headers = {name: raw.decode() for name, raw in record.headers}
            if headers.get("dl_subscriber") == self.name:
                out.append(headers)
        return out

    async def retention_passes(self) -> None:
        """All that hub.events holds is deleted, as when its time is over."""
        client = clients.admin(self.settings)
        await client.start()
        try:
            where = [TopicPartition(topics.EVENTS, p) for p in range(self.settings.kafka.partitions)]
            await client.delete_records({one: RecordsToDelete(before_offset=-1) for one in where})
        finally:
            await client.close()

    async def committed_all(self) -> bool:
        """Is all that hub.events holds committed?"""
        end = {}
        async for record in read_all(self.settings.bootstrap, topics.EVENTS):
            end[record.partition] = record.offset + 1
        return await self.committed() >= sum(end.values())

    async def committed(self, topic: str = topics.EVENTS) -> int:
        """Sum over the topic's partitions of what the role committed."""
        client = clients.admin(self.settings)
        await client.start()
        try:
            found = await client.list_consumer_group_offsets(role_module.group_of(self.name))
        finally:
            await client.close()
        return sum(meta.offset for where, meta in found.items() if where.topic == topic)


async def until(check: Callable[[], Any], what: str, within: float = 60) -> None:
    """Polls (a value or an awaitable) what another task or the broker brings about. AssertionError names it."""
    deadline = time.monotonic() + within
    while True:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.05)
