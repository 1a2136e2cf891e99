"""Changes of control records by compare-and-set, on a real broker: none is lost, and the slower one is told."""

from __future__ import annotations

import asyncio
import random
import sys
import uuid
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, ProducerFenced

from hub.admin.audit_list import Wanted, entries
from hub.broker.broker import EmbeddedBroker
from hub.config import Settings
from hub.control import claim
from hub.control.audit import Actor, Target
from hub.control.changes import Change, ChangedMeanwhile, change, write
from hub.control.directory import directory
from hub.control.records import Subscriber
from hub.kafka import clients
from hub.kafka.closing_clients import Producer
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import CONTROL
from hub.machine.ports import free_port
from hub.supervisor.environment import variables
from tests.conftest import settings_for
from tests.support import quick_broker

pytestmark = pytest.mark.broker


@pytest.fixture
async def settings(hub_settings: Settings) -> Settings:
    await ensure_topics(hub_settings)
    return hub_settings


async def made(settings: Settings) -> Subscriber:
    new = Subscriber(name=f"s-{uuid.uuid4().hex[:8]}", kind="webhook", secrets={"signing": "env:HUB_SECRET_A"})
    await change(settings, Change(Subscriber, new.name, None, new))
    return new


async def now(settings: Settings, name: str) -> Subscriber | None:
    async with directory(settings) as copy:
        return copy.subscribers.get(name)


async def test_the_slower_of_two_is_told_what_changed(settings: Settings) -> None:
    old = await made(settings)
    paused = old.model_copy(update={"paused": True})
    rotated = old.model_copy(update={"secrets": {"signing": "env:HUB_SECRET_B"}})
    await change(settings, Change(Subscriber, old.name, old, paused))
    with pytest.raises(ChangedMeanwhile, match=r"paused: false -> true") as told:
        await change(settings, Change(Subscriber, old.name, old, rotated))
    assert told.value.fields == {"paused": ("false", "true")}
    assert await now(settings, old.name) == paused
    both = paused.model_copy(update={"secrets": rotated.secrets})
    await change(settings, Change(Subscriber, old.name, paused, both))
    assert await now(settings, old.name) == both
    with pytest.raises(ChangedMeanwhile) as hidden:
        await change(settings, Change(Subscriber, old.name, paused, None))
    assert list(hidden.value.fields) == ["secrets"]
    assert "HUB_SECRET" not in str(hidden.value)
    await change(settings, Change(Subscriber, old.name, both, None))
    assert await now(settings, old.name) is None
    with pytest.raises(ChangedMeanwhile, match="it was removed"):
        await change(settings, Change(Subscriber, old.name, both, old))
    await write(settings, old)
    with pytest.raises(ChangedMeanwhile, match="it is there now"):
        await change(settings, Change(Subscriber, old.name, None, old))


async def test_all_or_none(settings: Settings) -> None:
    one, two = await made(settings), await made(settings)
    with pytest.raises(ChangedMeanwhile):
        await change(
            settings,
            Change(Subscriber, one.name, one, one.model_copy(update={"paused": True})),
            Change(Subscriber, two.name, None, two),
        )
    assert await now(settings, one.name) == one


async def test_many_at_once_lose_nothing(settings: Settings) -> None:
    """Each adds one to a number as often as it must until it lands."""
    name = (await made(settings)).name

    async def add() -> None:
        while True:
            old = await now(settings, name)
            assert old is not None
            new = old.model_copy(update={"settings": {"n": old.settings.get("n", 0) + 1}})
            try:
                return await change(settings, Change(Subscriber, name, old, new))
            except ChangedMeanwhile:
                continue

    await asyncio.gather(*(add() for _ in range(8)))
    found = await now(settings, name)
    assert found is not None
    assert found.settings == {"n": 8}


# --- two processes, a kill, a broker that goes away -----------------------------------------------------------------

WRITER = """
import asyncio, json, random, sys
from hub import config
from hub.control.changes import Change, ChangedMeanwhile, change
from hub.control.directory import directory
from hub.control.records import Subscriber
from hub.kafka.log_faults import NoAnswer

name, field, count, start = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

async def main():
    settings, told = config.load(), 0
    for number in range(start, start + count):
        while True:
            try:
                async with directory(settings) as copy:
                    old = copy.subscribers[name]
            except NoAnswer:
                continue
            new = old.model_copy(update={"settings": old.settings | {field: [*old.settings.get(field, ()), number]}})
            try:
                await change(settings, Change(Subscriber, name, old, new))
                break
            except ChangedMeanwhile:
                told += 1
            except NoAnswer:
                pass  # nothing was written
        print(number, flush=True)
    print(json.dumps({"told": told}), flush=True)

asyncio.run(main())
"""


async def writer(settings: Settings, name: str, field: str, count: int, start: int = 0) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, name, field, str(count), str(start), env=variables(settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def ended(process: asyncio.subprocess.Process) -> list[int]:
    """The numbers that it was told are written, in order."""
    out, err = await asyncio.wait_for(process.communicate(), 500)
    assert process.returncode == 0, err.decode()[-2000:]
    return [int(line) for line in out.decode().splitlines() if line.isdigit()]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("each", [15, pytest.param(100, marks=pytest.mark.slow)])
async def test_two_processes_change_one_record_by_turns(settings: Settings, each: int) -> None:
    """Each adds its numbers to a field of its own; every write carries the other's field along, too."""
    name = (await made(settings)).name
    both = [await writer(settings, name, field, each) for field in ("a", "b")]
    assert [await ended(one) for one in both] == [list(range(each))] * 2
    found = await now(settings, name)
    assert found is not None
    assert found.settings == {"a": list(range(each)), "b": list(range(each))}


async def test_a_writer_killed_in_the_middle_loses_and_doubles_nothing(settings: Settings) -> None:
    name = (await made(settings)).name
    other = await writer(settings, name, "b", 12)
    confirmed, written = 0, 0
    for _ in range(4):
        victim = await writer(settings, name, "a", 1_000, start=written)
        assert victim.stdout is not None
        await asyncio.wait_for(victim.stdout.readline(), 120)
        confirmed = max(confirmed, written + 1)
        await asyncio.sleep(random.uniform(0, 0.6))  # anywhere in the next change
        victim.kill()
        rest, _ = await victim.communicate()
        confirmed += len(rest.split())
        found = await now(settings, name)
        assert found is not None
        written = len(found.settings["a"])
        assert found.settings["a"] == list(range(written))
        assert confirmed <= written <= confirmed + 1, "at most the one that was under way"
    assert await ended(other) == list(range(12))
    found = await now(settings, name)
    assert found is not None
    assert found.settings["b"] == list(range(12))


async def test_a_broker_that_is_killed_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    with EmbeddedBroker(quick_broker.prepare(tmp_path / "kafka"), port=port, heap_mb=384) as broker:
        settings = settings_for(broker.bootstrap, tmp_path / "hub")
        await ensure_topics(settings)
        name = (await made(settings)).name
        both = [await writer(settings, name, field, 8) for field in ("a", "b")]
        for one in both:
            assert one.stdout is not None
            await asyncio.wait_for(one.stdout.readline(), 120)
        await asyncio.to_thread(broker.stop, 0)
        await asyncio.to_thread(broker.start)
        assert [await ended(one) for one in both] == [list(range(1, 8))] * 2
        found = await now(settings, name)
        assert found is not None
        assert found.settings == {"a": list(range(8)), "b": list(range(8))}


# --- the passages that a chance meets rarely --------------------------------------------------------------------------


def renamed(old: Subscriber, title: str) -> Change[Subscriber]:
    return Change(Subscriber, old.name, old, old.model_copy(update={"title": title}))


def before_writing(monkeypatch: pytest.MonkeyPatch, once: Callable[[], Awaitable[object]]) -> None:
    """The next writer has read and compared, and sleeps: meanwhile `once` happens."""
    plain, waiting = claim._Attempt._write, [once]

    async def write(self: Any, *given: Any) -> bool:
        if waiting:
            await waiting.pop()()
        return await plain(self, *given)

    monkeypatch.setattr(claim._Attempt, "_write", write)


async def test_a_claim_that_came_after_the_reading_fences_the_reader(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await made(settings)
    value = old.model_copy(update={"paused": True}).model_dump_json().encode()

    async def other() -> None:
        line = claim.Line(CONTROL, f"subscriber/{old.name}".encode(), value)
        assert await claim._Attempt(settings, "other", lambda _: [line]).once()

    before_writing(monkeypatch, other)
    with pytest.raises(ChangedMeanwhile, match="paused: false -> true"):
        await change(settings, renamed(old, "late"))


async def test_an_older_program_that_writes_without_a_claim_is_seen(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await made(settings)
    value = old.model_copy(update={"paused": True}).model_dump_json().encode()

    async def other() -> None:
        producer = clients.producer(settings)
        await producer.start()
        await clients.send_all(producer, [(CONTROL, f"subscriber/{old.name}".encode(), value, ())])
        await producer.stop()

    before_writing(monkeypatch, other)
    with pytest.raises(ChangedMeanwhile, match="paused: false -> true"):
        await change(settings, renamed(old, "late"))
    found = await now(settings, old.name)
    assert found is not None
    assert (found.paused, found.title) == (True, "")


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_whose_answer_was_lost_lands_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    old, asked = await made(settings), []
    plain = AIOKafkaProducer.commit_transaction

    async def commit(self: Any) -> None:
        asked.append(1)
        if committed or len(asked) > 1:
            await plain(self)
        if len(asked) == 1:
            raise KafkaConnectionError("the answer was lost")

    monkeypatch.setattr(AIOKafkaProducer, "commit_transaction", commit)
    told = Actor("lan").entry("subscriber.change", Target(kind="subscriber", name=old.name))
    await change(settings, renamed(old, "new"), entry=told)
    assert len(asked) == (1 if committed else 2)
    found = await now(settings, old.name)
    assert found is not None
    assert found.title == "new"
    assert [e.result for e in await entries(settings, Wanted(target=old.name))] == ["done"]


async def test_a_commit_that_the_broker_confirmed_and_lost_is_made_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after `kill -9` of the only broker just behind its answer; it undoes the transaction after 10 s."""
    old, asked = await made(settings), []
    plain = AIOKafkaProducer.commit_transaction

    async def commit(self: Any) -> None:
        asked.append(1)
        if len(asked) > 1:
            await plain(self)

    monkeypatch.setattr(AIOKafkaProducer, "commit_transaction", commit)
    await change(settings, renamed(old, "new"))
    found = await now(settings, old.name)
    assert found is not None
    assert (found.title, len(asked)) == ("new", 2)


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_fenced_within_the_transaction_it_tries_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Another claim ends ours before the first line, before the second, and before the commit: aiokafka says so with
    an error that is none of Kafka's."""
    old, calls, plain = await made(settings), count(1), Producer.send

    def fence(producer: Producer) -> None:
        producer._txn_manager.fatal_error(ProducerFenced())
        producer._txn_manager._transaction_waiter.exception()

    async def send(self: Producer, *args: Any, **more: Any) -> Any:
        number = next(calls)
        if number == at:
            fence(self)
        future = await plain(self, *args, **more)
        if number == at - 1 == 2:
            fence(self)
        return future

    monkeypatch.setattr(Producer, "send", send)
    new = old.model_copy(update={"paused": True})
    other = Subscriber(name=f"s-{uuid.uuid4().hex[:8]}", kind="webhook")
    await change(settings, Change(Subscriber, old.name, old, new), Change(Subscriber, other.name, None, other))
    assert (await now(settings, old.name), await now(settings, other.name)) == (new, other)
