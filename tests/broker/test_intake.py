"""Agencies' own topics on a real broker: what is taken, what is refused, and kill -9 in mid-run."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, MessageSizeTooLargeError

from hub.avro.codec import Codec
from hub.config import Settings
from hub.deadletter.record import DeadLetter, parse
from hub.events.envelope import Envelope
from hub.intake.role import GROUP
from hub.kafka import clients
from hub.kafka.topics import DEAD_LETTERS, INGRESS, agency_ingress
from hub.registry.client import open_codec
from tests.support.gateway import ingress_of, organisation, records_of
from tests.support.registry_fixture import running as registry
from tests.support.roles import RoleProcess, role

pytestmark = pytest.mark.broker
MS = 1_795_483_800_000
Record = tuple[str, bytes | None, bytes | None, Any]


@pytest_asyncio.fixture
async def codec(hub_settings: Settings) -> AsyncIterator[Codec]:
    """Schemas registered for real; the registry itself is away while the intake works."""
    await organisation(hub_settings)  # makes the topics
    async with registry(hub_settings):
        found = await open_codec(hub_settings)
    yield found


def record(codec: Codec, topic: str, source: str, code: str, id: str = "", **datum: Any) -> Record:
    envelope = Envelope(id or uuid.uuid4().hex, source, "vn.hub.dossier.step", code)
    value = codec.encode("vn.hub.DossierStep", {"dossier_code": code, "step": "RECEIVED", "occurred_at": MS} | datum)
    return topic, code.encode(), value, envelope.headers()


async def produce(settings: Settings, records: list[Record]) -> None:
    producer = clients.producer(settings)
    await producer.start()
    try:
        await clients.send_all(producer, records)
    finally:
        await producer.stop()


async def letters_of(settings: Settings, topic: str) -> list[DeadLetter]:
    """Dead letters of that source topic."""
    found = [parse(r.key, r.value, r.headers) for r in await records_of(settings, DEAD_LETTERS)]
    return [letter for letter in found if letter.topic == topic]


async def settled(settings: Settings, topic: str, within: float = 60) -> None:
    """The group has committed the end of each partition that holds anything, as the broker tells."""
    consumer = clients.consumer(settings)
    admin = clients.admin(settings)
    await consumer.start()
    await admin.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(3)])
        async with asyncio.timeout(within):
            while True:
                done: dict[TopicPartition, Any] = {}
                with contextlib.suppress(GroupCoordinatorNotAvailableError):  # nobody has committed anything yet
                    done = await admin.list_consumer_group_offsets(GROUP)
                if all(not end or (tp in done and done[tp].offset >= end) for tp, end in ends.items()):
                    return
                await asyncio.sleep(0.1)
    finally:
        await admin.close()
        await consumer.stop()


async def test_kill_9_in_mid_run_loses_nothing_and_keeps_the_order(hub_settings: Settings, codec: Codec) -> None:
    quick = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 1_000}  # after a kill its partitions wait so long
    hub_settings = hub_settings.model_copy(update={"kafka": hub_settings.kafka.model_copy(update=quick)})
    org, _ = await organisation(hub_settings, kafka_topic=True)
    topic, source = agency_ingress(org.name), org.sources[0]
    total, dossiers = 24_000, 4_000
    sent = [
        record(codec, topic, source, f"H11.12-261124-{n % dossiers:04}", f"{n:06}", note="hồ sơ " * 20)
        for n in range(total)
    ]
    bad = [record(codec, topic, "urn:not:ours", "H11.12-261124-0001", f"bad-{n}") for n in range(20)]
    mixed = [*sent[: total // 2], *bad, *sent[total // 2 :]]
    await produce(hub_settings, mixed)

    killed = RoleProcess("intake", hub_settings)
    before = await _high(hub_settings)
    async with asyncio.timeout(60):
        while await _high(hub_settings) < before + 1_500:
            assert killed.process.poll() is None, killed.tail()
    assert killed.kill() == -9
    caught = {ids(r) for r in await ingress_of(hub_settings, source)}
    assert 0 < len(caught) < total, "the kill must come in mid-run"
    with role("intake", hub_settings) as process:
        await settled(hub_settings, topic, 60)
        assert process.terminate() == 0

    arrived = await ingress_of(hub_settings, source)
    assert Counter(ids(r) for r in arrived).keys() == {ids_of(r) for r in sent}
    first: dict[bytes, list[str]] = {}
    for one in arrived:
        seen = first.setdefault(one.key, [])
        if ids(one) not in seen:
            seen.append(ids(one))
    assert all(order == sorted(order) for order in first.values())
    assert {dict(r.headers)["ce_authid"] for r in arrived} == {org.name.encode()}
    letters = await letters_of(hub_settings, topic)
    assert {letter.event_id for letter in letters} == {f"bad-{n}" for n in range(20)}
    assert {(letter.stage, letter.reason, letter.field) for letter in letters} == {("intake", "right", "source")}


def ids(record: Any) -> str:
    return dict(record.headers)["ce_id"].decode()


def ids_of(made: Record) -> str:
    return dict(made[3])["ce_id"].decode()


async def _high(settings: Settings) -> int:
    """Records in hub.ingress, all partitions."""
    consumer = clients.consumer(settings, INGRESS)
    await consumer.start()
    try:
        while not consumer.assignment():
            await asyncio.sleep(0.01)
        return sum((await consumer.end_offsets(sorted(consumer.assignment()))).values())
    finally:
        await consumer.stop()


async def test_a_topic_that_comes_at_run_time_and_each_reason_to_refuse(hub_settings: Settings, codec: Codec) -> None:
    with role("intake", hub_settings) as process:
        org, _ = await organisation(hub_settings, kafka_topic=True, families=["dossier"])
        topic, source = agency_ingress(org.name), org.sources[0]
        good = record(codec, topic, source, "000.00.12.H11-261124-0001", "good")
        name, key, value, headers = good
        assert value is not None
        facts = {"procedure_code": "1.004194", "change": "WITHDRAWN", "occurred_at": MS}
        change = codec.encode("vn.hub.ProcedureChange", facts)
        wrong = {
            "no-envelope": (name, key, value, [("x", b"y")]),
            "key": (name, b"H11.12-261124-0002", value, headers),
            "no-key": (name, None, value, headers),
            "source": record(codec, topic, "urn:else", "H11.12-261124-0001"),
            "agency": record(codec, topic, source, "H11.99-261124-0001"),
            "code": record(codec, topic, source, "12/HS"),
            "truncated": (name, key, value[:-3], headers),
            "magic": (name, key, b"\x07" + value[1:], headers),
            "schema_id": (name, key, b"\x00\x7f\xff\xff\xff" + value[5:], headers),
            "no-value": (name, key, None, headers),
            "seq": (name, key, value, [*headers, ("hub_seq", b"abc")]),
            "family": (
                name, b"1.004194", change,
                Envelope("p", source, "vn.hub.procedure.change", "1.004194").headers(),
            ),
        }  # fmt: skip
        await produce(hub_settings, [*wrong.values(), good])
        await settled(hub_settings, topic)
        assert process.terminate() == 0

    reasons = Counter(letter.reason for letter in await letters_of(hub_settings, topic))
    assert reasons == Counter(
        envelope=2, key=2, right=3, code=1, truncated=2, magic_byte=1, schema_id=1,
    )  # fmt: skip
    [taken] = await ingress_of(hub_settings, source)
    assert (taken.key, taken.value) == (key, value)


async def test_two_megabytes_are_refused_by_the_topics_limit(hub_settings: Settings, codec: Codec) -> None:
    org, _ = await organisation(hub_settings, kafka_topic=True)
    topic, source = agency_ingress(org.name), org.sources[0]
    with pytest.raises(MessageSizeTooLargeError):
        await produce(hub_settings, [record(codec, topic, source, "H11.12-261124-0001", note="x" * 2_097_152)])


async def test_an_event_just_under_the_limit_that_becomes_a_dead_letter(hub_settings: Settings, codec: Codec) -> None:
    org, _ = await organisation(hub_settings, kafka_topic=True)
    topic = agency_ingress(org.name)
    big = record(codec, topic, "urn:else", "H11.12-261124-0001", "big", note="x" * 1_047_000)
    await produce(hub_settings, [big])
    with role("intake", hub_settings):
        await settled(hub_settings, topic)
    [letter] = await letters_of(hub_settings, topic)
    assert (letter.event_id, letter.reason, letter.value) == ("big", "right", big[2])
