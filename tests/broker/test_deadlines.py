"""Deadlines on a real broker: told once each, after a stop, around a kill -9, and anew when the date moves.

The core is the real process; working time is round the clock and the warning five seconds before, so that a test need
not wait for tomorrow.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from hub.avro.codec import Codec
from hub.config import CoreSettings, DeadlineSettings, Settings
from hub.events import families
from hub.events.envelope import Envelope, derived_id, read_headers
from hub.kafka import topics
from hub.kafka.topic_admin import ensure_topics
from hub.registry.client import open_codec, register_own
from tests.support.registry_fixture import running
from tests.support.roles import RoleProcess

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

WARN_S = 5
STEP_S = 6
"""A step comes through, and the core ends, in so many seconds, on a loaded machine too."""
DAY_MS = 86_400_000


def settings_of(base: Settings) -> Settings:
    """Every day of these months is worked, day and night: one working day is 24 hours."""
    own = base.data_dir / "days.json"
    own.parent.mkdir(parents=True, exist_ok=True)
    today = time.time()
    days = [time.strftime("%Y-%m-%d", time.gmtime(today + n * 86_400)) for n in range(-40, 10)]
    rows = ",".join(f'{{"day": "{day}", "working": true, "why": "test", "source": "test"}}' for day in days)
    own.write_text(f'{{"days": [{rows}]}}')
    deadlines = DeadlineSettings(
        hours=(("00:00", "24:00"),), warn_working_days=WARN_S / 86_400, tick_s=0.2, calendar_file=own
    )
    return base.model_copy(update={"deadlines": deadlines})


class Log:
    """hub.events since the test began."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, enable_auto_commit=False)
        self._parts = [TopicPartition(topics.EVENTS, n) for n in range(settings.kafka.partitions)]
        self._read: list[ConsumerRecord] = []

    async def __aenter__(self) -> Log:
        await self._consumer.start()
        self._consumer.assign(self._parts)
        await self._consumer.seek_to_end(*self._parts)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def records(self) -> list[ConsumerRecord]:
        """All up to the present end."""
        ends = await self._consumer.end_offsets(self._parts)
        while any([await self._consumer.position(part) < ends[part] for part in self._parts]):
            for records in (await self._consumer.getmany(timeout_ms=500)).values():
                self._read += records
        return self._read


@dataclass
class Hub:
    """What a test does to the core, and what hub.events shows of one dossier."""

    settings: Settings
    codec: Codec
    core: RoleProcess
    log: Log
    code: str = ""
    sent: int = 0

    def __post_init__(self) -> None:
        self.code = f"H11.12-261124-{uuid.uuid4().int % 10**12:012d}"

    async def step(self, kind: str, at_ms: int, due_ms: int | None = None, **facts: Any) -> None:
        datum = {"dossier_code": self.code, "step": kind, "occurred_at": at_ms, "due_at": due_ms, **facts}
        self.sent += 1
        head = Envelope(
            id=f"{self.code}/{self.sent}",
            source="urn:test:deadlines",
            type=families.DOSSIER.published,
            subject=self.code,
        )
        async with AIOKafkaProducer(bootstrap_servers=self.settings.bootstrap, acks="all") as producer:
            await producer.send_and_wait(
                topics.INGRESS,
                self.codec.encode("vn.hub.DossierStep", datum),
                self.code.encode(),
                headers=head.headers(),
            )

    async def events(self) -> list[tuple[str, str, int, int]]:
        """(kind or step, event id, hub_seq, due_at) of the dossier, in order of the log."""
        out = []
        for record in await self.log.records():
            if record.key == self.code.encode():
                head, (_, data) = read_headers(record.headers), self.codec.decode(record.value)
                told = head.type == families.DEADLINE.type
                word = data["deadline"]["kind"] if told else data["step"]["step"]
                out.append((word, head.id, head.hub_seq, data["dossier"]["due_at"]))
        return out

    async def until(self, condition: Callable[[list[str]], bool], what: str, within: float = 60) -> None:
        """Until the words of the dossier's events fulfil it."""
        end, words = time.monotonic() + within, list[str]()
        while not condition(words):
            assert time.monotonic() < end, f"not within {within} s: {what}; there is {words}\n{self.core.tail()}"
            await asyncio.sleep(0.2)
            words = [word for word, *_ in await self.events()]

    async def start(self) -> None:
        self.core = RoleProcess("core", self.settings)
        await asyncio.to_thread(self.core.ready)

    async def quiet(self, seconds: float = 2.5) -> None:
        """Nothing tells that a clock will not strike again: some ten ticks go by."""
        await asyncio.sleep(seconds)


@pytest.fixture
async def hub(hub_settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[Hub]:
    """The core at work; a test may ask for its state on disk."""
    core = CoreSettings(store=getattr(request, "param", "memory"))
    settings = settings_of(hub_settings).model_copy(update={"core": core})
    await ensure_topics(settings)
    async with running(settings):
        await register_own(settings)
        codec = await open_codec(settings)
    async with Log(settings) as log:
        hub = Hub(settings, codec, RoleProcess("core", settings), log)
        try:
            await asyncio.to_thread(hub.core.ready)
            yield hub
        finally:
            if hub.core.process.poll() is None:
                hub.core.kill()


def now() -> int:
    return int(time.time() * 1000)


def numbered(events: list[tuple[str, str, int, int]]) -> bool:
    return [seq for _, _, seq, _ in events] == list(range(1, len(events) + 1))


async def test_warning_and_due_once_each_and_anew_when_the_date_moves(hub: Hub):
    received, due = now(), now() + (WARN_S + STEP_S) * 1000
    await hub.step("RECEIVED", received, due)
    await hub.until(lambda words: "DUE" in words, "warning and due")
    moved = now() + (WARN_S + STEP_S) * 1000
    await hub.step("IN_PROCESS", now(), moved)
    await hub.until(lambda words: words.count("DUE") == 2, "anew for the new date")
    await hub.quiet()
    events = await hub.events()
    assert [word for word, *_ in events] == ["RECEIVED", "WARNING", "DUE", "IN_PROCESS", "WARNING", "DUE"]
    assert numbered(events)
    assert [due_at for *_, due_at in events] == [due] * 3 + [moved] * 3
    assert len({event_id for _, event_id, *_ in events}) == 6


@pytest.mark.parametrize("hub", ["memory", "disk"], indirect=True)
async def test_down_over_the_deadline_tells_it_once_when_it_is_back(hub: Hub):
    due = now() + 8_000
    await hub.step("RECEIVED", now() - DAY_MS, due)
    await hub.until(lambda words: "RECEIVED" in words, "the dossier is known")
    assert await asyncio.to_thread(hub.core.terminate) == 0, hub.core.tail()
    before = [word for word, *_ in await hub.events()]
    await asyncio.sleep(max(0.0, due / 1000 - time.time()) + 1)
    assert [word for word, *_ in await hub.events()] == before
    await hub.start()
    await hub.until(lambda words: "DUE" in words, "caught up")
    await hub.quiet()
    assert await asyncio.to_thread(hub.core.terminate) == 0, hub.core.tail()
    await hub.start()
    await hub.quiet()
    events = await hub.events()
    assert [word for word, *_ in events].count("DUE") == 1
    assert numbered(events)
    await hub.step("FINISHED", now())
    await hub.until(lambda words: words[-1:] == ["FINISHED"], "the dossier goes on")


@pytest.mark.parametrize("hub", ["memory", "disk"], indirect=True)
async def test_a_transfer_s_date_is_told_once_also_after_a_stop_and_not_once_it_was_passed_on(hub: Hub):
    due = now() + (WARN_S + STEP_S) * 1000
    await hub.step("RECEIVED", now() - DAY_MS)
    await hub.step("TRANSFERRED", now(), transferred_to="H11.05", step_due_at=due)
    await hub.until(lambda words: "TRANSFER_DUE" in words, "the first agency's date")
    second = now() + (WARN_S + 2 * STEP_S) * 1000  # its warning must not come before the stop
    await hub.step("TRANSFERRED", now(), transferred_to="H11.06", step_due_at=second)
    await hub.until(lambda words: words.count("TRANSFERRED") == 2, "passed on")
    assert await asyncio.to_thread(hub.core.terminate) == 0, hub.core.tail()
    await asyncio.sleep(max(0.0, second / 1000 - time.time()) + 0.5)
    await hub.start()
    await hub.until(lambda words: words.count("TRANSFER_DUE") == 2, "caught up")
    third = now() + (WARN_S + STEP_S) * 1000
    await hub.step("TRANSFERRED", now(), transferred_to="H11.19", step_due_at=third)
    await hub.step("TRANSFERRED", now(), transferred_to="H11.12")  # given back at once
    await hub.until(lambda words: words.count("TRANSFERRED") == 4, "given back")
    await asyncio.sleep(max(0.0, third / 1000 - time.time()))
    await hub.quiet()
    events = await hub.events()
    assert [word for word, *_ in events] == [
        "RECEIVED", "TRANSFERRED", "TRANSFER_WARNING", "TRANSFER_DUE", "TRANSFERRED", "TRANSFER_DUE",
        "TRANSFERRED", "TRANSFERRED",
    ]  # fmt: skip
    assert numbered(events)
    assert len({event_id for _, event_id, *_ in events}) == 8


async def test_a_dossier_that_was_finished_while_the_core_was_down_is_not_told(hub: Hub):
    due = now() + 20_000  # its warning, five seconds before, must not come before the kill
    await hub.step("RECEIVED", now() - 1_000, due)
    await hub.until(lambda words: "RECEIVED" in words, "the dossier is known")
    hub.core.kill()
    assert now() < due - 5_000, "the machine is too slow for this test"
    await hub.step("FINISHED", now())
    await asyncio.sleep(max(0.0, due / 1000 - time.time()) + 0.5)
    await hub.start()
    await hub.until(lambda words: "FINISHED" in words, "the dossier's end")
    await hub.quiet()
    once = dict.fromkeys(await hub.events())  # killed before its commit, the core may repeat the very same event
    assert [word for word, *_ in once] == ["RECEIVED", "FINISHED"]


@pytest.mark.slow
async def test_kill_9_around_the_moment_repeats_at_most_the_same_event(hub: Hub):
    """Killed again and again while deadlines of twenty dossiers pass; each is told, under the id that follows."""
    codes, due = [], now() + 3_000
    for number in range(20):
        hub.__post_init__()
        codes.append(hub.code)
        await hub.step("RECEIVED", now() - DAY_MS, due + number * 150)
    await hub.until(lambda words: "RECEIVED" in words, "the last dossier is known")
    await asyncio.sleep(max(0.0, due / 1000 - time.time()))
    for _ in range(3):
        await asyncio.sleep(0.5)
        hub.core.kill()
        await hub.start()
    await hub.until(lambda words: "DUE" in words, "the last dossier's deadline")
    for place, code in enumerate(codes):
        hub.code = code
        await hub.until(lambda words: "DUE" in words, f"the deadline of dossier {place}")
        told = {(word, event_id, seq) for word, event_id, seq, _ in await hub.events() if word == "DUE"}
        assert len(told) == 1, told
        question = derived_id("deadline", code, str(due + place * 150), "DUE")
        ((_, event_id, _),) = told
        assert event_id == derived_id("/hub/clock", question, families.DEADLINE.type, "")
