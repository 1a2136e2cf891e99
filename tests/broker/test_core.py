"""The core as a real process on a real broker, killed in the middle of its work; judged by the topics alone."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hub.avro.codec import Codec
from hub.config import CoreSettings, Settings
from hub.deadletter.record import parse
from hub.events import families
from hub.events.envelope import Envelope, read_headers
from hub.kafka import topics
from hub.kafka.topic_admin import ensure_topics
from hub.registry.client import open_codec, register_own
from tests.support.core import DAY, T0
from tests.support.registry_fixture import running
from tests.support.roles import RoleProcess
from tests.support.topics import read_all

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

LIFE = ("SUBMITTED", "RECEIVED", "IN_PROCESS", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN", "FINISHED", "RETURNED")


@dataclass
class Load:
    """What was sent: ids in order per dossier, and what each must become. `source` tells this test's events apart."""

    codec: Codec
    source: str = field(default_factory=lambda: f"urn:test:{uuid.uuid4()}")
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    good: set[str] = field(default_factory=set)
    bad: dict[str, str] = field(default_factory=dict)

    def record(self, code: str, event_id: str, kind: str, at: int, note: str | None = None):
        datum = {"dossier_code": code, "step": kind, "occurred_at": at, "remark": event_id, "note": note}
        envelope = Envelope(id=event_id, source=self.source, type=families.DOSSIER.published, subject=code)
        return {
            "key": code.encode(),
            "value": self.codec.encode("vn.hub.DossierStep", datum),
            "headers": envelope.headers(),
        }

    def dossier(self, number: int):
        """One dossier's records: in order, or with two neighbours swapped; some twice; some with a bad one."""
        code, rng = f"H11.12-260105-{number:07d}", random.Random(number)
        steps = list(enumerate(LIFE))
        if number % 3 == 0:
            cut = rng.randrange(len(steps) - 1)
            steps[cut], steps[cut + 1] = steps[cut + 1], steps[cut]
        for place, kind in steps:
            event_id = f"{number}-{place}"
            self.sent[code].append(event_id)
            self.good.add(event_id)
            yield self.record(code, event_id, kind, T0 + place * DAY)
            if rng.random() < 0.05:
                yield self.record(code, event_id, kind, T0 + place * DAY)
        if number % 50 == 0:
            yield self._bad(f"{number}-t", "transition", self.record(code, f"{number}-t", "IN_PROCESS", T0 + 9 * DAY))
            whole = self.record(code, f"{number}-c", "RATED", T0)
            yield self._bad(f"{number}-c", "truncated", whole | {"value": whole["value"][:20]})
            other = self.record(code, f"{number}-0", "SUBMITTED", T0 + 1)
            yield self._bad(f"{number}-0", "conflict", other)

    def just_under_the_limit(self, number: int):
        """A record of nearly 1 MiB that cannot be used."""
        code = f"H11.12-260105-{number:07d}"
        made = self.record(code, f"{number}-big", "UNKNOWN", T0, note="x" * (topics.RECORD_LIMIT - 1_500))
        return self._bad(f"{number}-big", "status", made)

    def _bad(self, event_id: str, reason: str, made):
        self.bad[event_id] = reason
        return made


async def produce(settings: Settings, load: Load, numbers: range) -> None:
    """Records of many dossiers, interleaved."""
    rows = [list(load.dossier(number)) for number in numbers]
    limits = {"max_batch_size": 1 << 20, "max_request_size": 2 << 20}
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all", **limits) as producer:
        pending = [await producer.send(topics.INGRESS, **load.just_under_the_limit(numbers.start))]
        for place in range(max(map(len, rows))):
            for row in rows:
                if place < len(row):
                    pending.append(await producer.send(topics.INGRESS, **row[place]))
        await asyncio.gather(*pending)


async def lag(settings: Settings) -> int:
    """Records of hub.ingress between the group's committed offsets and the end."""
    parts = [TopicPartition(topics.INGRESS, n) for n in range(settings.kafka.partitions)]
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, group_id="hub.core", enable_auto_commit=False
    ) as consumer:  # asks for the group's offsets without joining it
        begins, ends = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        return sum([ends[part] - (await consumer.committed(part) or begins[part]) for part in parts])


async def events_end(settings: Settings) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap) as consumer:
        parts = [TopicPartition(topics.EVENTS, n) for n in range(settings.kafka.partitions)]
        return sum((await consumer.end_offsets(parts)).values())


async def until(condition, what: str, within: float = 90) -> None:
    try:
        async with asyncio.timeout(within):
            while not await condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None


async def judge(settings: Settings, load: Load) -> None:
    """Nothing lost, numbered twice or out of order; dead letters exactly as planted; the state is the last event's."""
    by_code: dict[str, list[tuple[str, int, bytes]]] = defaultdict(list)
    async for record in read_all(settings.bootstrap, topics.EVENTS):
        envelope = read_headers(record.headers)
        if envelope.source == load.source:
            by_code[record.key.decode()].append((envelope.causationid, envelope.hub_seq, record.value))
    last: dict[str, dict] = {}
    for code, ids in load.sent.items():
        seen: dict[str, tuple[int, bytes]] = {}
        for cause, seq, value in by_code[code]:
            assert seen.setdefault(cause, (seq, value)) == (seq, value)  # a repetition is the same event, byte by byte
        assert list(seen) == ids
        assert [seq for seq, _ in seen.values()] == list(range(1, len(ids) + 1))
        last[code] = load.codec.decode(list(seen.values())[-1][1])[1]["dossier"]
        assert last[code]["status"] == "RETURNED"
    dead = defaultdict(set)
    async for record in read_all(settings.bootstrap, topics.DEAD_LETTERS):
        letter = parse(record.key, record.value, record.headers)
        if letter.source == load.source:
            dead[letter.event_id].add(letter.reason)
    assert dead == {event_id: {reason} for event_id, reason in load.bad.items()}
    state = {}
    async for record in read_all(settings.bootstrap, topics.DOSSIERS):
        state[record.key.decode()] = record.value
    for code, dossier in last.items():
        assert load.codec.decode(state[code], "vn.hub.Dossier")[1] == dossier


@pytest.mark.parametrize("store", ["memory", "disk"])
async def test_kill_9_in_the_middle_loses_nothing_and_keeps_number_and_order(
    store: Literal["memory", "disk"], hub_settings: Settings
):
    settings = hub_settings.model_copy(update={"core": CoreSettings(chunk_records=100, store=store)})
    await ensure_topics(settings)
    async with running(settings):
        await register_own(settings)
        codec = await open_codec(settings)
    load = Load(codec)
    core = RoleProcess("core", settings)
    first = random.randrange(1_000_000) * 10
    try:
        await asyncio.to_thread(core.ready)
        await until(partial(_no_lag, settings), "what other tests left is worked")
        for _ in range(3):
            some = await events_end(settings) + 500
            sending = asyncio.create_task(produce(settings, load, range(first, first + 800)))
            await until(partial(_more_events, settings, some), "some events of this round")
            core.kill()
            await sending
            assert await lag(settings) > 0  # it was caught at work
            first += 800
            core = RoleProcess("core", settings)
        await until(partial(_no_lag, settings), f"all input worked\n{core.tail()}")
        assert await asyncio.to_thread(core.terminate) == 0, core.tail()
    finally:
        if core.process.poll() is None:
            core.kill()
    await judge(settings, load)


async def _no_lag(settings: Settings) -> bool:
    return await lag(settings) == 0


async def _more_events(settings: Settings, than: int) -> bool:
    return await events_end(settings) > than
