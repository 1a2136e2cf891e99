"""Changes of control records by compare-and-set, on a real broker: none is lost, and the slower one is told."""

from __future__ import annotations

import asyncio
import uuid
from itertools import count
from typing import Any

import pytest
from aiokafka.errors import ProducerFenced

from hub.config import Settings
from hub.control.changes import Change, ChangedMeanwhile, change, write
from hub.control.directory import directory
from hub.control.records import Subscriber
from hub.kafka.closing_clients import Producer
from hub.kafka.topic_admin import ensure_topics

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
