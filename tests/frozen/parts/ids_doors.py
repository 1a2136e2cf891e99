"""A3: records for hub.ingress and dead letters of each door: gateway, an agency's own topic, a portal's calls."""

from __future__ import annotations

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any

from hub.control.records import Organisation
from hub.events import families
from hub.events.envelope import Envelope
from hub.intake.agency_record import Judge
from hub.kafka.topics import INGRESS
from tests.frozen.inputs import fixed, gateway
from tests.frozen.inputs.gateway import AVRO, BATCH, JSON, SOURCE, TRACE, Broker, application, client, event, step

CODE = "H11.12-260302-0001"
DATUM = {"dossier_code": CODE, "step": "RECEIVED", "occurred_at": 1_772_414_100_000}
FULL = step(
    note="Đã tiếp nhận",
    due_at="2026-03-13T17:00:00+07:00",
    applicant={"name": "Nguyễn Văn An", "kind": "CITIZEN", "identity_number": "060090001234"},
    fees=[{"code": "LP01", "name": "Lệ phí", "amount_vnd": 15000, "paid": False}],
    attachments=[{"id": "F-1", "name": "to-khai.pdf", "url": "https://files.example.vn/F-1"}],
)
POSTED: dict[str, Any] = {
    "the usual": event(traceparent=TRACE),
    "with everything": event(FULL, subject=CODE, time="2026-03-02T08:15:00+07:00", traceparent=TRACE),
    "an attribute of its own": event(traceparent=TRACE, ordernumber="7"),
    "time in milliseconds": event(DATUM, traceparent=TRACE),
    "old form of the code": event(step(dossier_code="000.00.12.H11-260302-0001"), traceparent=TRACE),
    "without a trace": event(),
}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "filed, with refId": (
        "addtthcKhuyenMai",
        {"refId": "R-1", "data": [{"MaHoSo": "G22.99-260302-000123", "NgayNopHoSo": "20260302081500",
                                   "ChuHoSo": "Công ty A", "LoaiDoiTuong": "2"}]},
    ),
    "filed, without refId": (
        "addtthcKhuyenMai", {"data": {"MaHoSo": "G22.99-260302-000124", "NgayNopHoSo": "20260302081500"}}
    ),
    "supplement": ("nhanhsdvcqg", {"data": {"MaHoSo": "G22.99-260302-000123", "NgayBoSung": "20260304101500"}}),
    "not taken": ("nhanhsdvcqg", {"data": {"MaHoSo": "x"}}),
    "no data": ("nhanhsdvcqg", {}),
    "search": ("search/call", {"masohoso": "G22.99-260302-000123"}),
}  # fmt: skip
_XML = "<TBAO><MA_HSO>000.00.12.H11-260302-0001</MA_HSO><NGAY_TB>20260310090000</NGAY_TB></TBAO>"
CALLS["tax notice"] = ("nhantbthuedvcqg", {"FileThongBaoThue": base64.b64encode(_XML.encode()).decode()})

TOPIC: dict[str, dict[str, Any]] = {
    "taken": {},
    "another's source": {"source": "urn:other"},
    "another's dossier": {"data": {**DATUM, "dossier_code": "H11.13-260302-0001"}, "key": b"H11.13-260302-0001"},
    "wrong key": {"key": b"other"},
    "no key": {"key": None},
    "no value": {"value": None},
    "no id": {"drop": "ce_id"},
    "unknown type": {"type": "vn.hub.dossier.event"},
    "wrong magic byte": {"value": b"\x01\0\0\0\1abc"},
    "unknown schema": {"value": b"\0\0\0\x0f\xffabc"},
    "another record's schema": {"value": b"\0\0\0\0\4abc"},
    "cut short": {"cut": 7},
    "topic of nobody": {"organisation": None},
}


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return {
            "gateway": asyncio.run(_posted()),
            "inbound_national_portal": asyncio.run(_called()),
            "agency_topic": {name: _topic(offset, **case) for offset, (name, case) in enumerate(TOPIC.items(), 10)},
        }


async def _posted() -> dict[str, Any]:
    """Each alone, all as one batch, and one as Avro; what stands in hub.ingress is the same."""
    out: dict[str, Any] = {}
    for name, one in POSTED.items():
        out[name] = await _post(json.dumps(one).encode(), {"content-type": JSON})
    three = [POSTED[name] | {"id": f"e-{n}"} for n, name in enumerate(("the usual", "with everything"))]
    out["a batch"] = await _post(json.dumps(three).encode(), {"content-type": BATCH})
    head = {"ce-id": "e-1", "ce-source": SOURCE, "ce-type": families.DOSSIER.published, "ce-specversion": "1.0"}
    value = fixed.codec().encode("vn.hub.DossierStep", DATUM)
    out["binary"] = await _post(value, head | {"content-type": AVRO, "ce-traceparent": TRACE})
    out["twice in one batch"] = await _post(json.dumps([event(), event()]).encode(), {"content-type": BATCH})
    return out


async def _post(content: bytes, headers: dict[str, str]) -> dict[str, Any]:
    broker = Broker()
    async with client(application(broker)) as http:
        answer = await http.post("/v1/events", content=content, headers=headers)
    return {"status": answer.status_code, "answer": answer.json(), "lines": [gateway.line(one) for one in broker.lines]}


async def _called() -> dict[str, Any]:
    broker = Broker()
    app = application(broker, {"national-portal": {"clients": ["127.0.0.1"]}})
    out = {}
    async with client(app, "") as http:
        for name, (door, body) in CALLS.items():
            answer = await http.post(f"/inbound/national-portal/{door}", json=body)
            out[name] = {"answer": answer.json(), "lines": [gateway.line(one, traced=True) for one in broker.lines]}
            broker.lines = []
    return out


def _topic(offset: int, **case: Any) -> dict[str, Any]:
    """A record of hub.ingress.motcua: into hub.ingress, or a dead letter."""
    organisation: Organisation | None = case.get("organisation", gateway.ORGANISATION)
    envelope = Envelope(
        "e-1", case.get("source", SOURCE), case.get("type", families.DOSSIER.published), CODE, traceparent=TRACE
    )
    value = case.get("value", fixed.codec().encode("vn.hub.DossierStep", case.get("data", DATUM)))
    headers = [(name, raw) for name, raw in envelope.headers() if name != case.get("drop")]
    if "data" in case:
        headers = [(name, raw) for name, raw in headers if name != "ce_subject"]
    record: Any = SimpleNamespace(
        topic=f"{INGRESS}.motcua",
        partition=1,
        offset=offset,
        key=case.get("key", CODE.encode()),
        value=value[: case["cut"]] if "cut" in case else value,
        headers=headers,
    )
    outcome = Judge(fixed.codec()).outcome(organisation, record)
    topic, key, sent, head = outcome.record
    told = fixed.texts(head) | ({"ce_recordedtime": "(now)"} if outcome.refused is None else {})
    return {
        "topic": topic,
        "key": key.decode() if key is not None else None,
        "headers": told,
        "value_sha": fixed.sha(sent) if sent is not None else None,
    }
