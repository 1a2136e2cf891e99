"""The dossiers of data/dossiers.json up to the national portal: what it must get, by hand (data/dossiers_wire.json)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.avro.bodies import DOSSIER_EVENT
from hub.avro.record import as_told
from hub.connect.portal import Item
from hub.connect.source import Incoming
from hub.events.envelope import read_headers
from hub.kafka import topics
from hub.stream.stage import Record
from hub_connectors.filedrop.mapping import Mapping
from hub_connectors.filedrop.open_table import open_table
from hub_connectors.filedrop.rows import Converter
from hub_connectors.national_portal.portal import NationalPortal
from hub_connectors.national_portal.settings import NationalPortalSettings
from hub_connectors.national_portal.simulator.contract import dossier_fault, line_fault
from tests.support.core import CODEC, Core, record
from tests.support.dossiers_by_hand import DOSSIERS, datum, ms

DATA = Path(__file__).parents[2] / "data" / "dossiers_wire.json"
WIRE = json.loads(DATA.read_text(encoding="utf-8"))["dossiers"]
STEPS = {dossier["name"]: dossier for dossier in DOSSIERS}
Wire = dict[str, Any]


class Recorder(httpx.AsyncBaseTransport):
    """A portal that takes everything and keeps the calls. known: it has the dossier before the first one."""

    def __init__(self, known: bool) -> None:
        self.known = known
        self.calls: list[Wire] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(await request.aread())
        if "service" not in call:
            return httpx.Response(200, json={"session": "s", "error_code": 0})
        self.calls.append(call)
        result: list[Wire] = []
        if call["service"] == "TraCuuHoSo" and self.known:
            result = [{"MaHoSo": call["mahoso"]}]
        self.known |= call["service"] == "DongBoHoSoMC"
        return httpx.Response(200, json={"error_code": 0, "message": "Thành công", "result": result})

    def sent(self, service: str) -> list[Any]:
        return [call["data"] for call in self.calls if call["service"] == service]


def given(value: Any) -> Any:
    """Local times (names ending in _at) become milliseconds."""
    return {k: ms(v) if k.endswith("_at") else v for k, v in value.items()}


def records(wire: Wire, folder: Path) -> list[Record]:
    if "file" in wire:
        return [record(as_told(event.data), f"e{n}", offset=n) for n, event in enumerate(rows(wire["file"], folder))]
    dossier = STEPS[wire["name"]]
    made = [datum(dossier, row) | given(wire["given"].get(str(n), {})) for n, row in enumerate(dossier["steps"])]
    for one, row in zip(made, dossier["steps"], strict=True):
        told = given(row.get("facts", {}))
        assert {k: one[k] for k in told} == told, "given contradicts dossiers.json"
    return [record(one, f"e{n}", offset=n) for n, one in enumerate(made)]


def rows(file: Wire, folder: Path) -> list[Incoming]:
    """The events of a file in an old encoding, by the file drop's own reading."""
    mapping, path = Mapping.model_validate(file["mapping"]), folder / "x.csv"
    path.write_bytes("".join(line + "\n" for line in file["latin1"]).encode("latin-1"))
    table = open_table(path, mapping.file)
    try:
        converter = Converter(mapping, table.columns, "x/x.csv")
        found = [converter.convert(row) for row in table.rows(table.first)]
    finally:
        table.close()
    assert all(isinstance(one, Incoming) for one in found), found
    return [one for one in found if isinstance(one, Incoming)]


def items(wire: Wire, folder: Path) -> list[Item]:
    core = Core()
    for one in records(wire, folder):
        core.run(one)
    out = [o for o in core.out if o.topic == topics.EVENTS]
    return [
        Item(read_headers(o.headers), "dossier", CODEC.read(DOSSIER_EVENT, o.value), o.value or b"", 0, n)
        for n, o in enumerate(out)
    ]


def delivered(wire: Wire, folder: Path, folded: bool) -> Recorder:
    transport = Recorder(wire.get("known", False))
    settings = NationalPortalSettings(adapter_url="http://portal", madonvi="000.00.00.H11", username="u")

    async def run() -> None:
        portal = NationalPortal(settings, "secret", transport)
        await portal.open()
        try:
            due = items(wire, folder)
            for batch in [due] if folded else [[one] for one in due]:
                await portal.deliver(batch)
        finally:
            await portal.close()

    asyncio.run(run())
    return transport


def one(wire: Wire) -> Any:
    return pytest.param(wire, id=wire["name"])


@pytest.mark.parametrize("wire", [one(w) for w in WIRE])
def test_each_event_alone(wire: Wire, tmp_path: Path) -> None:
    portal = delivered(wire, tmp_path, folded=False)
    assert portal.sent("DongBoHoSoMC")[-1] == [wire["last"]]
    assert [line for lines in portal.sent("CapNhatTienDoHoSoMC") for line in lines] == wire["lines"]
    assert portal.sent("DongBoTrangThaiHoSo") == wire.get("answers", [])
    updating = [call["isUpdating"] for call in portal.calls if call["service"] == "DongBoHoSoMC"]
    assert updating == ["True" if wire.get("known") else "False"] + ["True"] * (len(wire["lines"]) - 1)


@pytest.mark.parametrize("wire", [one(w) for w in WIRE])
def test_all_events_in_one(wire: Wire, tmp_path: Path) -> None:
    portal = delivered(wire, tmp_path, folded=True)
    ((dossier,),) = portal.sent("DongBoHoSoMC")
    assert dossier.pop("DanhSachHoSoBoSung", []) == wire.get("supplements", [])
    assert dossier == wire["last"]
    assert [line for lines in portal.sent("CapNhatTienDoHoSoMC") for line in lines] == wire["lines"]
    assert portal.sent("DongBoTrangThaiHoSo") == wire.get("answers", [])


@pytest.mark.parametrize("wire", [one(w) for w in WIRE])
def test_the_simulator_takes_what_was_written(wire: Wire) -> None:
    """Its reading of the same notes must agree."""
    assert dossier_fault(wire["last"]) == ""
    assert [line_fault(line) for line in wire["lines"]] == [""] * len(wire["lines"])


def test_every_dossier_has_its_wire_json_and_nothing_else_has() -> None:
    assert [w["name"] for w in WIRE if "file" not in w] == [d["name"] for d in DOSSIERS]
    assert all(w["review"] for w in WIRE)
