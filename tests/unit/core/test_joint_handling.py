"""A land case over four agencies, drawn by hand (docs/joint.md): core, filters, read model, page."""

from __future__ import annotations

import io
import json
import random
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import fastavro
import httpx
import pytest
from pydantic import SecretStr

from hub.avro.codec import Codec, head
from hub.avro.document import document
from hub.avro.generic import parse
from hub.config import GatewaySettings, Settings
from hub.console.app import make_app
from hub.control.directory import Directory
from hub.control.records import Filter
from hub.control.subscriber_filter import due
from hub.core.step import make_step
from hub.deadletter.book import Book
from hub.events import families
from hub.kafka import topics
from hub.model import facts
from hub.readmodel.database import open_engine
from hub.readmodel.joint_handling import transfers
from hub.readmodel.queries import ReadModel
from tests.support.codecs import IDS
from tests.support.core import CODE, Core, record, step
from tests.support.events import stands
from tests.support.readmodel import Rec, project

CASE = json.loads((Path(__file__).parents[2] / "data" / "joint_land_case.json").read_text("utf-8"))
PARENT, PARTS = CASE["parent"], CASE["parts"]
TIMES = {"due_at", "step_due_at"}


def ms(local):
    return None if local is None else int(datetime.fromisoformat(local + "+07:00").timestamp() * 1000)


def made(row):
    told = {name: ms(value) if name in TIMES else value for name, value in row.get("facts", {}).items()}
    datum = step(row["step"], ms(row["at"]), row["dossier"], **told)
    return record(datum, f"e{row['no']}", offset=row["no"])


@pytest.fixture(scope="module")
def core():
    core = Core()
    for row in CASE["steps"]:
        core.run(made(row))
    assert not core.dead
    return core


def test_every_step_gives_the_status_and_the_holder_drawn(core):
    for row, event in zip(CASE["steps"], core.events, strict=True):
        state = event.dossier
        assert event.status == row["status"], row
        holder = row.get("holder", {"agency": None, "since": None, "due_at": None})
        found = (state.holder_agency_code, state.holder_since, state.holder_due_at)
        assert found == (holder["agency"], ms(holder["since"]), ms(holder["due_at"])), row
        assert state.parent_code == (None if row["dossier"] == PARENT else PARENT), row


def test_each_dossier_counts_its_own_events(core):
    for code in (PARENT, *PARTS):
        own = [e.hub_seq for e in core.events if e.dossier.dossier_code == code]
        assert own == list(range(1, len(own) + 1))


def test_a_limit_becomes_a_date_that_every_reader_sees(core):
    told = {row["no"]: event.step.step_due_at for row, event in zip(CASE["steps"], core.events, strict=True)}
    assert {no: at for no, at in told.items() if at} == {
        2: ms("2026-03-09 17:00"),
        6: ms("2026-03-17 17:00"),
        8: ms("2026-03-20 10:00"),
    }


def test_a_date_that_was_told_wins_over_a_limit():
    core = Core().steps(
        step("TRANSFERRED", 0, transferred_to="H11.19", transfer_limit=1, transfer_limit_unit="Giờ", step_due_at=10**12)
    )
    assert core.dossier().holder_due_at == 10**12


def test_any_order_of_arrival_ends_the_same(core):
    for seed in range(20):
        rows = CASE["steps"][:]
        random.Random(seed).shuffle(rows)
        other = Core()
        other.run(*map(made, rows))
        assert not other.dead
        for code in (PARENT, *PARTS):
            assert other.dossier(code) == core.dossier(code), (seed, code)


@pytest.mark.parametrize("agency", CASE["due"])
def test_each_agency_and_each_portal_is_due_what_was_drawn(core, agency):
    wanted = Filter(agencies=(agency,) if agency else ())
    numbered = zip(CASE["steps"], core.events, strict=True)
    assert [row["no"] for row, event in numbered if due(wanted, families.DOSSIER.event.type, event)] == CASE["due"][
        agency
    ]


def test_the_parent_s_agency_is_found_in_either_form_of_its_code():
    data = stands("RECEIVED", parent_code="000.00.07.H11-260302-0021")
    assert due(Filter(agencies=("H11.07",)), families.DOSSIER.event.type, data)
    assert not due(Filter(agencies=("H11.08",)), families.DOSSIER.event.type, data)


def test_a_state_of_the_released_version_before_is_read_and_goes_on():
    """One that version 1 of vn.hub.Dossier wrote, with keys of its fewer fields."""
    text = resources.files("hub_schemas").joinpath("released/vn.hub.Dossier/1.avsc").read_text("utf-8")
    core = Core().steps(step("TRANSFERRED", 0, transferred_to="H11.03", remark="cũ"))
    where = topics.DOSSIERS, CODE.encode()
    stored, state = core.state[where], core.dossier()
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse(json.loads(text)), document(state))
    fewer = facts.unpack_all(dict(stored.headers)["facts"])[: facts.FIELDS.index("parent_code")]
    headers = [(n, facts.pack_keys(fewer) if n == "facts" else v) for n, v in stored.headers]
    core.state[where] = stored._replace(value=head(900) + out.getvalue(), headers=headers)
    core._step = make_step(Codec(IDS, lambda _: json.loads(text)), Settings())
    core.run(record(step("IN_PROCESS", 1, parent_code=PARENT), "later", offset=1))
    after = core.dossier()
    assert (after.holder_agency_code, after.remark, after.parent_code) == ("H11.03", "cũ", PARENT)
    assert (after.holder_since, after.holder_due_at) == (None, None)


@pytest.fixture
def engine(core, tmp_path):
    engine = open_engine(Settings(data_dir=tmp_path))
    out = [o for o in core.out if o.topic == topics.EVENTS]
    project(engine, [Rec(o.topic, 0, n, o.key, o.value, o.headers) for n, o in enumerate(out)])
    yield engine
    engine.dispose()


def drawn_transfers():
    names = ("since", "due_at", "until")
    return [
        {name: ms(v) if name in names else v for name, v in row.items() if name != "late"} for row in CASE["transfers"]
    ]


def test_the_parent_s_view_has_its_parts_and_who_held_it(engine):
    found: Any = ReadModel(engine).subject(PARENT)
    assert found["parent"] is None
    assert [(p["key"], p["status"], p["agency_code"]) for p in found["parts"]] == [
        ("H11.05-260303-0007", "FINISHED", "H11.05"),
        ("H11.45-260318-0003", "FINISHED", "H11.45"),
    ]
    assert found["transfers"] == drawn_transfers()


def test_a_part_s_view_has_its_parent(engine):
    found: Any = ReadModel(engine).subject(PARTS[0])
    assert (found["parent"]["key"], found["parent"]["status"]) == (PARENT, "RETURNED")
    assert (found["parts"], found["transfers"]) == ([], [])


def test_a_parent_that_never_came_is_shown_by_its_code(tmp_path):
    core = Core().steps(step("RECEIVED", 0, parent_code=PARENT))
    engine = open_engine(Settings(data_dir=tmp_path))
    project(engine, [Rec(topics.EVENTS, 0, 0, core.out[0].key, core.out[0].value, core.out[0].headers)])
    found: Any = ReadModel(engine).subject(CODE)
    parent = found["parent"]
    assert parent["key"] == PARENT
    assert {value for name, value in parent.items() if name != "key"} == {None}
    engine.dispose()


def test_transfers_stand_in_event_time_and_the_last_agency_still_holds_it():
    def event(seq, at, to):
        return {"hub_seq": seq, "occurred_at": at, "transferred_to": to, "step_due_at": None}

    events = [event(1, 50, "H11.19"), event(2, 60, None), event(3, 20, "H11.05")]
    found = [(t["from_agency"], t["to_agency"], t["since"], t["until"]) for t in transfers(PARENT, events, None)]
    assert found == [("H11.07", "H11.05", 20, 50), ("H11.05", "H11.19", 50, None)]
    assert [t["until"] for t in transfers(PARENT, events, 40)] == [50, None]  # finished, then passed to the counter
    assert [t["until"] for t in transfers(PARENT, events, 90)] == [50, 90]
    assert transfers(PARENT, [], None) == []


async def test_api_and_page_show_the_whole_case(engine, tmp_path):
    settings = Settings(data_dir=tmp_path, gateway=GatewaySettings(admin_token=SecretStr("t")))
    transport = httpx.ASGITransport(make_app(settings, ReadModel(engine), Directory(settings), Book()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        found = (await client.get(f"/v1/dossiers/{PARENT}")).json()
        assert found["transfers"] == drawn_transfers()
        assert [p["key"] for p in found["parts"]] == PARTS
        page = (await client.get(f"/ho-so/{PARENT}")).text
        part = (await client.get(f"/ho-so/{PARTS[1]}")).text
    assert "Hồ sơ liên thông" in page
    for code in PARTS:
        assert f'href="/ho-so/{code}"' in page
    lines = [line for line in page.split("<tr>") if line.startswith("<td>H11.")]
    assert ["overdue" in line for line in lines] == [row["late"] for row in CASE["transfers"]]
    assert f'href="/ho-so/{PARENT}"' in part
