"""A guard that is no timer: how often things are done on a fixed workload, so that work per event where work per chunk
would do fails a test. Figures are the workload's, counted by hand; an upper bound says by how much they may grow.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from sqlalchemy import event

from hub.avro import bodies, codec
from hub.avro.record import Body
from hub.config import ReadModelSettings, Settings
from hub.kafka import clients, topics
from hub.model import deadlines
from hub.projector.projector import Projector
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub_connectors.national_portal import portal as national_portal
from hub_connectors.national_portal.tests.site import national_site
from hub_connectors.webhook import portal as provincial_portal
from hub_connectors.webhook.tests.site import provincial_site
from tests.support.codecs import fixed_codec
from tests.support.contract_events import dossier_items
from tests.support.core import CODE, Core, record, step
from tests.support.events import delivery, dossier_event
from tests.support.readmodel import Rec

DOSSIERS, EVENTS_EACH = 250, 4
LIFE = ("SUBMITTED", "RECEIVED", "IN_PROCESS", "IN_PROCESS")


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """`read <record>` and `write <record>`: Avro by the records' own codec; `fastavro …`: by the other way."""
    found: Counter[str] = Counter()

    def counted(name, function):
        def call(*args, **kwargs):
            found[name] += 1
            return function(*args, **kwargs)

        return call

    for place, body in [(name, made) for name, made in vars(bodies).items() if isinstance(made, Body)]:
        read, write = counted(f"read {body.name}", body.read), counted(f"write {body.name}", body.write)
        monkeypatch.setattr(bodies, place, Body(body.name, body.record, read, write))
    for name in ("decode_body", "encode_body"):
        monkeypatch.setattr(codec, name, counted(f"fastavro {name}", getattr(codec, name)))
    monkeypatch.setattr(deadlines, "paused", counted("pauses", deadlines.paused))
    return found


def chunk(first: int = 0):
    """One chunk: every dossier's next four steps, dossiers in turn."""
    return [
        record(
            step(kind, place, code=f"H11.12-260105-{number:04d}", remark=f"at {place}"),
            f"{number}-{place}",
            offset=first + offset,
        )
        for offset, (place, kind, number) in enumerate(
            (place, kind, number) for place, kind in enumerate(LIFE) for number in range(DOSSIERS)
        )
    ]


def test_the_core_reads_each_event_once_and_a_dossier_once_a_chunk(counts: Counter[str]) -> None:
    records = chunk()
    counts.clear()
    core = Core()
    core.run(*records)
    assert len(core.out) == len(records) == DOSSIERS * EVENTS_EACH
    assert len(core.state) == DOSSIERS  # changelog records: one a dossier, not one an event
    # Each event is read once. It was written as we would write it, so its bytes are passed on and only the dossier in
    # it is written: once, for the event and for the state.
    assert counts == {"read vn.hub.DossierStep": 1000, "write vn.hub.Dossier": 1000}


def test_stored_dossiers_are_read_once_a_chunk(counts: Counter[str]) -> None:
    core = Core()
    core.run(*chunk())
    later = [
        record(
            step("IN_PROCESS", 4 + place, code=f"H11.12-260105-{number:04d}", remark=f"then {place}"),
            f"{number}-b{place}",
        )
        for place in range(4)
        for number in range(DOSSIERS)
    ]
    counts.clear()
    core.run(*later)
    assert counts["read vn.hub.Dossier"] <= DOSSIERS
    assert counts["read vn.hub.DossierStep"] == counts["write vn.hub.Dossier"] == 1000
    assert counts["fastavro decode_body"] == counts["fastavro encode_body"] == 0


def test_a_copy_costs_no_write(counts: Counter[str]) -> None:
    core = Core()
    core.run(*chunk())
    again = chunk()
    counts.clear()
    assert core.run(*again) == []
    assert not any(name.startswith("write") for name in counts)


def test_a_dossier_that_waits_often_has_each_wait_counted_once(counts: Counter[str]) -> None:
    core, waits = Core(), 20
    kinds = ["SUBMITTED", "RECEIVED", *["SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN"] * waits, *["IN_PROCESS"] * 20]
    for place, kind in enumerate(kinds):
        facts: dict[str, Any] = {"due_at": 1_767_571_200_000 + 300 * 86_400_000} if place == 0 else {}
        core.run(record(step(kind, place, **facts), f"e{place}", offset=place))
    assert len(core.out) == len(kinds)
    assert waits <= counts["pauses"] <= 3 * waits  # a late look at all of them would be 400 and more


def test_murmur2_is_asked_once_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    clients.partition_of.cache_clear()
    for _ in range(4):
        for number in range(DOSSIERS):
            clients.partition_of(b"%d" % number, 12)
    assert clients.partition_of.cache_info().misses == DOSSIERS


def test_a_batch_of_the_read_model_is_a_fixed_number_of_statements(tmp_path: Path) -> None:
    engine = open_engine(Settings(data_dir=tmp_path, readmodel=ReadModelSettings(url=None)))
    own = fixed_codec()
    projector = Projector(Settings(), engine, own, tables.current(engine))
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    try:
        taken = []
        for count in (10, 1000):
            seen.clear()
            records = [Rec(topics.EVENTS, 0, n, *dossier_event(own, f"H11.12-{count}-{n % 50:04d}", n // 50 + 1))
                       for n in range(count)]  # fmt: skip
            receipts = [Rec(topics.DELIVERIES, 0, n, b"k", delivery(own, "k", "portal", [n + 1])) for n in range(count)]
            projector._write(
                records + receipts,
                {TopicPartition(topics.EVENTS, 0): count, TopicPartition(topics.DELIVERIES, 0): count},
            )
            taken.append(len(seen))
        assert taken[0] == taken[1] <= 5
    finally:
        engine.dispose()


async def test_ten_updates_of_a_dossier_are_one_call_for_it_and_one_for_its_lines(tmp_path: Path) -> None:
    async with national_site(tmp_path) as site:
        portal = national_portal(site.subscriber())
        await portal.open()
        try:
            await portal.deliver(dossier_items(CODE, 10))
            assert site.app.plan.calls <= 4  # log in, look up, the dossier, ten lines
            before = site.app.plan.calls
            await portal.deliver(dossier_items(CODE, 10, first=11))
            assert site.app.plan.calls - before <= 3
        finally:
            await portal.close()


async def test_a_webhook_gets_one_call_an_event(tmp_path: Path) -> None:
    async with provincial_site(tmp_path) as site:
        portal = provincial_portal(site.subscriber())
        await portal.open()
        try:
            for item in dossier_items(CODE, 5):
                await portal.deliver([item])
        finally:
            await portal.close()
        assert site.app.plan.calls == 5
