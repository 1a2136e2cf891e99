"""A3: rounds of the national catalogue: ids of events and refusals, digests in the cursor, calls to the portal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import httpx
import msgspec

from hub.avro.record import as_told
from hub.config import Settings
from hub.connect.source import Batch
from hub.control.records import Subscriber
from hub.sources.role import records
from hub_connectors.national_portal.catalogue.pull import connected
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.catalogue.watch import NationalCatalogue
from tests.frozen.inputs import fixed, wire
from tests.frozen.parts.delivery_national import ADAPTER

FILE = Path(__file__).parents[1] / "inputs" / "national_catalogue.json"
AT = 1_795_478_400
"""2026-11-24T00:00:00Z; a minute later at each round."""

Catalogue = dict[str, Any]


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return {
            "rounds": asyncio.run(_rounds("two-portals")),
            "single_window": asyncio.run(_rounds("single-window"))["3 changed"]["batches"][-1],
        }


async def _rounds(profile: str) -> dict[str, Any]:
    """The list as it is; the same again; then changed, gone and bad entries; then as it was at first."""
    first: Catalogue = json.loads(FILE.read_text("utf-8"))
    changed: Catalogue = json.loads(FILE.read_text("utf-8"))
    _change(changed)
    out: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        world = _World(Path(name), profile)
        for title, catalogue in {"1 first": first, "2 same": first, "3 changed": changed, "4 back": first}.items():
            world.catalogue = catalogue
            out[title] = await world.round()
    # As a whole once, since the shape of the file is what a running hub has; of the others what differs.
    for title in reversed(list(out)[1:]):
        before = list(out)[list(out).index(title) - 1]
        out[title]["cursor"] = fixed.changed(out[before]["cursor"], out[title]["cursor"])
    return out


def _change(catalogue: Catalogue) -> None:
    details, rows = catalogue["LayThuTuc"], catalogue["LayDanhSachTTHC"]
    details["1.004227"]["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]["THOIGIANGIAIQUYET"] = "7"
    details["1.005280"]["TRANGTHAI"] = "1"
    del details["1.000656"]
    rows[:] = [row for row in rows if row["MATTHC"] != "1.000656"]
    details["1.004194"]["MACOQUANCONGBO"] = "000.00.99.H99"
    details["1.009999"] = details["1.001193"] | {"MATTHC": "1.009999", "TENTTHC": "Thủ tục mới"}
    rows.append(rows[0] | {"MATTHC": "1.009999"})
    rows.append(rows[0] | {"MATTHC": "không phải mã"})
    rows.append({"TENTTHC": "Không có mã"})
    catalogue["LayDVC"].pop()
    catalogue["LayDVC"].append({"MADVC": "x", "TENDVC": "Mã lạ"})


class _World:
    """A portal that gives out a catalogue, and the source that reads it; its cursor stays between the rounds."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.catalogue: Catalogue = {}
        self.folder = folder
        self.settings = Settings.model_validate({"data_dir": folder, "profile": profile})
        self.rounds = 0

    async def round(self) -> dict[str, Any]:
        self.rounds += 1
        transport = wire.Recorder(self._answer)
        subscriber = Subscriber(
            name="dvcqg", kind="national-portal", settings=ADAPTER, secrets={"password": "frozen-password"}
        )
        own = CatalogueSettings(poll_s=0.01, retry_s=0.01, detail_every_s=0.0, batch=5)
        source = NationalCatalogue(
            self.settings, own, lambda: connected(subscriber, transport), lambda: float(AT + 60 * self.rounds)
        )
        batches: list[Batch] = []
        async with asyncio.timeout(30), contextlib.aclosing(source.batches(asyncio.Event())) as found:
            async for batch in found:
                batches.append(batch)
                await source.confirmed(batch)
                if batch.cursor["change"].round_at == 0:
                    break
        calls = [
            "login" if "service" not in one["body"] else _call(one["body"]) for one in wire.bodies(transport.requests)
        ]
        cursor = json.loads((self.settings.data_dir / "sources" / source.name / "cursor.json").read_text("utf-8"))
        return {"batches": [_told(batch) for batch in batches], "cursor": cursor, "calls": ", ".join(calls)}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        service = body.get("service")
        if service is None:
            return httpx.Response(200, json={"session": "frozen-session", "error_code": 0})
        if service == "LayThuTuc":
            found = self.catalogue["LayThuTuc"].get(body["maTTHC"])
            rows = [found] if found else []
        else:
            rows = self.catalogue.get(service) or [{"MA": "1", "TEN": "x"}]
        return httpx.Response(200, json={"error_code": 0, "message": "Thành công", "result": rows})


NEVER_TOLD = {"ProcedureChange": {"effective_at"}, "ServiceChange": {"agency_code", "url"}}


def _call(body: dict[str, Any]) -> str:
    return " ".join(str(body[name]) for name in ("service", "maTTHC") if name in body)


def _told(batch: Batch) -> dict[str, Any]:
    sent = records(batch, fixed.codec())
    return {
        "events": [
            f"{one.envelope.id} {one.envelope.subject} {one.data.change} {_sha(_mapped(one.data))}"
            for one in batch.events
        ],
        "refused": [f"{one.id} {one.where} {one.reason}: {one.detail}" for one in batch.refused],
        "first_record": _record(*sent[0]) if sent else None,
        "records_sha": fixed.sha(b"\n".join((key or b"") + b" " + (value or b"") for _, key, value, _ in sent)),
    }


def _mapped(data: Any) -> dict[str, Any]:
    """The facts that the catalogue was mapped to, of which the record was made: all of them, or of an entry that is
    gone its code."""
    gone = len(as_told(data)) == 3
    whole: dict[str, Any] = as_told(data) if gone else msgspec.to_builtins(data)
    return {name: value for name, value in whole.items() if name not in NEVER_TOLD[type(data).__name__]}


def _sha(data: Any) -> str:
    return fixed.sha(json.dumps(data, sort_keys=True, ensure_ascii=False))


def _record(topic: str, key: bytes | None, value: bytes | None, headers: Any) -> dict[str, Any]:
    told = fixed.texts(headers)
    told |= {name: "(now)" for name in ("ce_recordedtime",) if name in told}
    return {"topic": topic, "key": key.decode() if key else None, "value_sha": fixed.sha(value or b""), "headers": told}
