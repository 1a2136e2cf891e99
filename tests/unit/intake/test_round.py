"""The intake's one order: confirmed by the broker, then committed; nothing is committed that could not be sent."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaTimeoutError

from hub.avro.codec import Codec
from hub.control.records import Organisation
from hub.errors import RegistryError
from hub.events.envelope import Envelope
from hub.intake import role as agency_topics
from hub.intake.agency_record import Judge
from hub.intake.role import Intake
from hub.observe.health import HEALTH
from tests.support.codecs import IDS, fixed_codec

ORG = Organisation(name="one", sources=("urn:one",), agencies=("H11.12",), kafka_topic=True)
PART = TopicPartition("hub.ingress.one", 0)
CODE = "H11.12-261124-0001"


@pytest.fixture(autouse=True)
def own_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process is one role, but not in tests."""
    monkeypatch.setattr(HEALTH, "ready", {})


class Kafka:
    """Consumer and producer in one; remembers what was called in which order. `confirm`: what the broker answers."""

    def __init__(self, *rounds: list[Any]) -> None:
        self.rounds = list(rounds)
        self.calls: list[Any] = []
        self.confirm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stop = asyncio.Event()
        self.commit_error: Exception | None = None

    def subscribe(self, topics: list[str], listener: Any = None) -> None:
        self.calls.append(("subscribe", *topics))

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        if self.rounds:
            return {PART: self.rounds.pop(0)}
        self.stop.set()
        return {}

    async def send(self, topic: str, value: Any, key: Any, headers: Any) -> asyncio.Future[None]:
        self.calls.append(("send", topic))
        return self.confirm

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.calls.append(("commit", offsets[PART]))
        if self.commit_error:
            raise self.commit_error

    def assignment(self) -> set[TopicPartition]:
        return set()


def record(offset: int, value: bytes | None = None, source: str = "urn:one") -> Any:
    facts = {"dossier_code": CODE, "step": "RECEIVED", "occurred_at": 1_795_483_800_000}
    return SimpleNamespace(
        topic=PART.topic, partition=0, offset=offset, key=CODE.encode(),
        value=fixed_codec().encode("vn.hub.DossierStep", facts) if value is None else value,
        headers=Envelope(f"e{offset}", source, "vn.hub.dossier.step", CODE).headers(),
    )  # fmt: skip


def intake(kafka: Kafka, judge: Judge | None = None) -> Intake:
    copy: Any = SimpleNamespace(organisations={"one": ORG})
    following: Any = asyncio.get_running_loop().create_future()
    double: Any = kafka
    return Intake(copy, judge or Judge(fixed_codec()), double, double, following)


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_committed_only_after_the_confirmation() -> None:
    kafka = Kafka([record(7), record(8, source="urn:else")])
    work = asyncio.create_task(intake(kafka).work(kafka.stop))
    await turns()
    assert kafka.calls == [("subscribe", PART.topic), ("send", "hub.ingress"), ("send", "hub.dead-letters")]
    kafka.confirm.set_result(None)
    await work
    assert kafka.calls[3:] == [("commit", 9)]


async def test_what_is_not_confirmed_ends_the_role_without_a_commit() -> None:
    kafka = Kafka([record(7)])
    kafka.confirm.set_exception(KafkaTimeoutError())
    with pytest.raises(KafkaTimeoutError):
        await intake(kafka).work(kafka.stop)
    assert ("commit", 8) not in kafka.calls


async def test_a_commit_that_comes_too_late_is_no_fault() -> None:
    kafka = Kafka([record(7)], [record(8)])
    kafka.confirm.set_result(None)
    kafka.commit_error = CommitFailedError()
    await intake(kafka).work(kafka.stop)
    assert [call for call in kafka.calls if call[0] == "commit"] == [("commit", 8), ("commit", 9)]


async def test_while_the_registry_is_away_nothing_is_refused_or_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_topics, "REGISTRY_RETRY_S", 0.01)
    asked: list[int] = []

    def lookup(schema_id: int) -> Any:
        asked.append(schema_id)
        raise RegistryError("away")

    kafka = Kafka([record(7, value=b"\x00\x00\x00\x00\x63\x00")])
    kafka.confirm.set_result(None)
    work = asyncio.create_task(intake(kafka, Judge(Codec(IDS, lookup))).work(kafka.stop))
    async with asyncio.timeout(60):
        while len(asked) < 3:
            await asyncio.sleep(0.01)
    kafka.stop.set()
    await work
    assert kafka.calls == [("subscribe", PART.topic)]


async def test_a_record_that_crashes_the_check_is_a_dead_letter() -> None:
    class Broken(Judge):
        def ingress(self, *_: Any) -> Any:
            raise ZeroDivisionError

    outcome = Broken(fixed_codec()).outcome(ORG, record(7))
    assert outcome.refused is not None
    assert (outcome.record[0], outcome.refused.reason) == ("hub.dead-letters", "crash")
