"""The audit on a real broker: every end is told, `hub audit list`, and the move of what older versions wrote."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.admin import letter_list
from hub.admin.audit_list import Wanted, entries
from hub.config import Settings
from hub.control.audit import Actor, Target, acting, record
from hub.control.directory import directory
from hub.deadletter.filters import Filter
from hub.deadletter.record import build
from hub.errors import BadRecord, ConfigError
from hub.kafka import clients
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import AUDIT, CONTROL
from hub.supervisor.audit_go_back import go_back
from hub.supervisor.audit_migration import migrate
from hub.supervisor.environment import variables
from tests.support.command import hub
from tests.support.topics import read_all

pytestmark = pytest.mark.broker


@pytest.fixture
async def settings(hub_settings: Settings) -> Settings:
    await ensure_topics(hub_settings)
    return hub_settings


def some() -> str:
    return uuid.uuid4().hex[:10]


async def test_every_end_is_told(settings: Settings) -> None:
    name = f"t{some()}"
    by, on = Actor("lan@desk", where="10.1.2.3", why="gọi 0912345678"), Target(kind="thing", name=name)
    async with acting(settings, by, "thing.do", on):
        pass
    with pytest.raises(ConfigError):
        async with acting(settings, by, "thing.do", on):
            raise ConfigError("name", "there is no thing of an@example.com")
    with pytest.raises(RuntimeError):
        async with acting(settings, by, "thing.do", on):
            raise RuntimeError("Nguyễn Văn A")
    found = list(reversed(await entries(settings, Wanted(target=name))))
    assert [(e.result, e.reason) for e in found] == [
        ("done", ""), ("refused", "name: there is no thing of ***@***"), ("failed", "RuntimeError"),
    ]  # fmt: skip
    assert {(e.who, e.role, e.where, e.why) for e in found} == {("lan@desk", "operator", "10.1.2.3", "gọi [phone]")}


async def test_an_act_that_began_and_ended_is_listed_once(settings: Settings) -> None:
    name = f"t{some()}"
    entry = Actor("lan").entry("thing.long", Target(kind="thing", name=name), result="begun")
    await record(settings, entry)
    assert [e.result for e in await entries(settings, Wanted(target=name))] == ["begun"]
    await record(settings, entry.ended("done", detail="sent=3"))
    assert [(e.result, e.detail) for e in await entries(settings, Wanted(target=name))] == [("done", "sent=3")]


async def test_the_list_by_filter(settings: Settings) -> None:
    mark, moment = some(), datetime.now(UTC)
    for number, (who, action) in enumerate([("lan", "a.one"), ("minh", "a.two"), ("lan", "b.one")]):
        entry = Actor(f"{who}-{mark}", why="x" * 200).entry(action, Target(kind="thing", name=mark))
        at = moment - timedelta(hours=number)
        await record(settings, entry.model_copy(update={"at": at, "result": "refused" if number == 2 else "done"}))

    async def listed(*words: str) -> list[str]:
        code, out, err = await hub(settings, "audit", "list", "--target", mark, *words, "--json")
        assert code == 0, err
        return [f"{e['who'].partition('-')[0]} {e['action']}" for e in json.loads(out)]

    assert await listed() == ["lan a.one", "minh a.two", "lan b.one"]
    assert await listed("--who", f"lan-{mark}") == ["lan a.one", "lan b.one"]
    assert await listed("--action", "a.") == ["lan a.one", "minh a.two"]
    assert await listed("--action", "a.two") == ["minh a.two"]
    assert await listed("--result", "refused") == ["lan b.one"]
    assert await listed("--since", "90m") == ["lan a.one", "minh a.two"]
    assert await listed("--until", "30m") == ["minh a.two", "lan b.one"]
    assert await listed("--limit", "1") == ["lan a.one"]
    code, out, _ = await hub(settings, "audit", "list", "--target", mark)
    assert code == 0
    assert "3 entries" in out
    assert max(map(len, out.splitlines())) <= 80
    code, _, err = await hub(settings, "audit", "list", "--result", "maybe")
    assert (code, "begun, done" in err) == (2, True)
    assert (await hub(settings, "audit", "list", "--until", "soon"))[0] == 2


# --- what older versions wrote -------------------------------------------------------------------------------------


class Before:
    """Records of hub.control and dead letters as the version before `hub.audit` wrote them."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.mark = settings, some()
        self.code = f"H11.12-261124-{uuid.uuid4().int % 10**12:012}"
        self.ids: list[str] = []

    async def write(self, entries: int) -> None:
        letters = [self._letter(n) for n in range(4)] + [self._letter(9, stage="intake", topic="hub.ingress.one")]
        self.ids = [dict(one[3])["dl_id"].decode() for one in letters]
        producer = clients.producer(self.settings)
        await producer.start()
        try:
            await clients.send_all(producer, letters)
            ends = {part.partition: end for part, end in (await self._ends()).items()}
            upto = ",".join(f"{part}:{end}" for part, end in sorted(ends.items()))
            acted = f"dossier={self.code} upto={upto}"
            await clients.send_all(producer, [
                self._entry("r", "dead-letters.replay", f"{acted} sent=4"),
                self._entry("b", "dead-letters.replay", f"stage=deliver {acted}"),
                self._entry("s", "satisfaction.send", f"p-{self.mark} 2026-11 2026-11-24", why="sent, 3 ratings"),
                self._entry("q", "question.answer", f"p-{self.mark}: 7001: busy"),
                *(self._entry(f"{n}", "subscriber.change", f"p-{self.mark}: title", why="gọi 0912345678")
                  for n in range(entries)),
                (CONTROL, f"audit/{self.mark}-broken".encode(), b"{}", ()),
            ])  # fmt: skip
            await clients.send_all(producer, [self._letter(7)])  # after the act
        finally:
            await producer.stop()

    async def _ends(self) -> dict[Any, int]:
        from hub.kafka.tail import opened
        from hub.kafka.topics import DEAD_LETTERS

        async with opened(self.settings) as tail:
            return await tail.ends(await tail.partitions(DEAD_LETTERS))

    def _letter(self, number: int, stage: str = "core", topic: str = "hub.ingress") -> Any:
        headers = [("ce_id", f"e{number}".encode()), ("ce_source", b"urn:x"), ("ce_type", b"t")]
        return build(
            stage=stage, error=BadRecord("date", "no such day"), topic=topic, partition=int(self.mark, 16) % 10**9,
            offset=number, key=self.code.encode(), value=b"x", headers=headers,
        )  # fmt: skip

    def _entry(self, id: str, action: str, target: str, why: str = "mended") -> Any:
        told = {"id": f"{self.mark}-{id}", "at": "2026-11-24T08:30:00Z", "who": "lan@desk"}
        told |= {"action": action, "target": target, "why": why}
        return CONTROL, f"audit/{told['id']}".encode(), json.dumps(told).encode(), ()

    async def left(self) -> list[bytes]:
        """Keys of entries that stand in hub.control."""
        last: dict[bytes, bytes | None] = {}
        async for one in read_all(self.settings.bootstrap, CONTROL):
            last[one.key or b""] = one.value
        return [key for key, value in last.items() if value and key.startswith(f"audit/{self.mark}".encode())]

    async def check_moved(self, count: int) -> None:
        assert await self.left() == []
        found = {e.id.removeprefix(f"{self.mark}-"): e for e in await entries(self.settings, Wanted())
                 if e.id.startswith(f"{self.mark}-")}  # fmt: skip
        assert found.keys() == {"r", "b", "s", "q", *map(str, range(count))}
        assert {str(e.at) for e in found.values()} == {"2026-11-24 08:30:00+00:00"}
        assert (found["r"].result, str(found["r"].target)) == ("done", f"dead-letters/dossier={self.code}")
        assert found["b"].result == "begun"
        assert (found["q"].result, found["q"].reason) == ("failed", "busy")
        told = found["0"]
        assert (str(told.target), told.detail, told.why) == (f"subscriber/p-{self.mark}", "title", "gọi [phone]")
        async with directory(self.settings) as copy:
            assert str(copy.satisfaction[f"p-{self.mark}"].slot) == "2026-11-24"
        rows = await letter_list.newest(self.settings, Filter(dossier=self.code), 50, closed=True)
        closed = {one.found.letter.id for one in rows if one.state is not None}
        assert closed == set(self.ids[:4]), "not the one of intake, nor the one that came later"
        assert {one.state.act for one in rows if one.state} == {f"{self.mark}-r"}


async def test_the_old_audit_is_moved_once(settings: Settings) -> None:
    before = Before(settings)
    await before.write(3)
    assert (await migrate(settings)).letters == 4
    await before.check_moved(3)
    stood = len([one async for one in read_all(settings.bootstrap, AUDIT)])
    assert (await migrate(settings)).entries == 0
    assert len([one async for one in read_all(settings.bootstrap, AUDIT)]) == stood


async def test_killed_at_any_write_it_is_moved_once_all_the_same(settings: Settings, tmp_path: Path) -> None:
    """A process that migrates in chunks of three is killed after its first write, the next one after its second …"""
    before = Before(settings)
    await before.write(9)
    kills = 0
    for after in range(1, 40):
        script = KILLED.format(after=after)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, env=variables(settings), cwd=Path(__file__).parents[2]
        )
        code = await asyncio.wait_for(process.wait(), 120)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        kills += 1
    assert kills >= 5
    await before.check_moved(9)


KILLED = """
import asyncio, os, signal
from aiokafka import AIOKafkaProducer
from hub import config
from hub.supervisor import audit_migration

audit_migration.CHUNK, left = 3, {after}
send, commit = AIOKafkaProducer.send, AIOKafkaProducer.commit_transaction

def count():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

async def counted_send(self, *given, **more):
    future = await send(self, *given, **more)
    await self.flush()
    count()
    return future

async def counted_commit(self):
    await commit(self)
    count()

AIOKafkaProducer.send, AIOKafkaProducer.commit_transaction = counted_send, counted_commit
asyncio.run(audit_migration.migrate(config.load()))
"""


async def test_back_to_an_older_version_and_up_again(settings: Settings) -> None:
    before = Before(settings)
    await before.write(1)
    await migrate(settings)
    assert await go_back(settings) > 0
    told = [json.loads(one.value) async for one in read_all(settings.bootstrap, CONTROL)
            if one.value and (one.key or b"").startswith(b"audit/go-back-")]  # fmt: skip
    [act] = [one for one in told if before.ids[0] in one["target"]]
    assert (act["action"], act["who"]) == ("dead-letters.replay", "lan@desk")
    assert all(id in act["target"] for id in before.ids[:4])
    assert f"p-{before.mark} 2026-11 2026-11-24" in [one["target"] for one in told]
    await migrate(settings)
    await before.check_moved(1)
    assert not [e for e in await entries(settings, Wanted()) if e.id.startswith("go-back")]
