"""The source role as a real process on a real broker: killed in the middle of a file, it loses nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hub.avro.records import DossierStep
from hub.config import Settings
from hub.connect.source import Batch, Incoming
from hub.deadletter.record import parse
from hub.events import families
from hub.events.envelope import Envelope, read_headers
from hub.kafka.topic_admin import ensure_topics
from hub.kafka.topics import DEAD_LETTERS, INGRESS
from hub.registry.client import register_own
from hub.sources.role import records
from hub_connectors.filedrop.settings import places
from tests.support.codecs import fixed_codec
from tests.support.file_drop import role
from tests.support.gateway import ingress_of, records_of
from tests.support.registry_fixture import running

pytestmark = pytest.mark.broker

ROWS, BAD = 12_000, 7
MAPPING = """
source = "{source}"
[dates]
forms = ["%d/%m/%Y %H:%M:%S"]
[columns]
"Mã" = "dossier_code"
"Bước" = "step"
"Lúc" = "occurred_at"
"""


def drop(settings: Settings, source: str) -> Path:
    """A folder with one file of ROWS good rows and BAD rows with a day that is none."""
    at = places(settings)
    folder = at.drop / "phan-thiet"
    folder.mkdir(parents=True)
    at.mappings.mkdir(parents=True)
    (at.mappings / "phan-thiet.toml").write_text(MAPPING.format(source=source), "utf-8")
    rows = [f"000.00.12.H11-111011-{n:05d},RECEIVED,11/10/2011 08:00:00" for n in range(ROWS)]
    for n in range(BAD):
        rows.insert(n * ROWS // BAD, f"000.00.12.H11-111011-{n:05d},RECEIVED,31/02/2011 08:00:00")
    (folder / "tháng-10.csv").write_text("\n".join(["Mã,Bước,Lúc", *rows, ""]), "utf-8")
    return folder


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_killed_in_the_middle_of_a_file_it_loses_nothing(hub_settings: Settings) -> None:
    source = f"urn:test:{uuid.uuid4()}"
    await ensure_topics(hub_settings)
    folder = drop(hub_settings, source)
    state, done_dir = places(hub_settings).state / "phan-thiet", places(hub_settings).results / "phan-thiet" / "done"
    async with running(hub_settings):
        await register_own(hub_settings)
        async with role(hub_settings) as process:

            async def begun() -> bool:
                return (state / "cursor.json").exists() and bool(
                    json.loads((state / "cursor.json").read_text())["line"]
                )

            await until(begun)
            process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL
        at_kill = len(await ingress_of(hub_settings, source))
        assert 0 < at_kill < ROWS, "the kill must catch it at work"
        assert (folder / "tháng-10.csv").exists()
        async with role(hub_settings) as process:

            async def done() -> bool:
                return (done_dir / "tháng-10.csv").exists()

            await until(done)
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 60) == 0
    events = await ingress_of(hub_settings, source)
    envelopes = [read_headers(r.headers) for r in events]
    assert len({e.id for e in envelopes}) == len({e.subject for e in envelopes}) == ROWS
    assert all(r.key.decode() == e.subject and e.recordedtime for r, e in zip(events, envelopes, strict=True))
    letters = [parse(r.key, r.value, r.headers) for r in await records_of(hub_settings, DEAD_LETTERS)]
    dead = [letter for letter in letters if letter.source == source]
    assert len({d.id for d in dead}) == BAD
    assert {(d.stage, d.reason) for d in dead} == {("source", "date")}
    assert all(b"31/02/2011" in (d.value or b"") for d in dead)
    rejected = (done_dir / "tháng-10.csv.rejected.csv").read_text("utf-8-sig").splitlines()
    assert len(rejected) == 1 + BAD


def incoming(**data: Any) -> Incoming:
    return Incoming(Envelope("1", "urn:test", families.DOSSIER.published, "H11.12-111011-0001"), DossierStep(**data))


@pytest.mark.parametrize(
    ("note", "reason"),
    [("x" * 2_000_000, "limit"), ("\ud800", "avro"), (7, "avro")],
    ids=["large", "surrogate", "type"],
)
def test_an_event_that_cannot_be_written_becomes_a_dead_letter(note: object, reason: str) -> None:
    good: dict[str, Any] = {"dossier_code": "H11.12-111011-0001", "step": "RECEIVED", "occurred_at": 1}
    sent = records(Batch([incoming(**good), incoming(**good, note=note), incoming(**good)]), fixed_codec())
    assert [topic for topic, *_ in sent] == [INGRESS, DEAD_LETTERS, INGRESS]
    dead = parse(sent[1][1], sent[1][2], sent[1][3])
    assert (dead.stage, dead.reason, dead.event_id) == ("source", reason, "1")
