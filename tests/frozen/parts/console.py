"""A4: what people and programs read: the read API, the console's pages and the month in figures, of fixed events."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from aiokafka import TopicPartition
from pydantic import SecretStr

from hub.config import GatewaySettings, Settings
from hub.console.app import make_app
from hub.control.directory import Directory
from hub.control.records import Subscriber
from hub.deadletter.book import Book
from hub.deadletter.record import build
from hub.errors import BadRecord
from hub.events import families
from hub.kafka.topics import DEAD_LETTERS, DELIVERIES, DISCREPANCIES, EVENTS, INGRESS
from hub.projector.projector import Projector
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from tests.frozen.inputs import canonical, fixed
from tests.frozen.inputs.gateway import TOKEN

NOW = 1_776_214_800.0
"""2026-04-15T08:00+07:00."""

JOINT, FULL = "H11.07-260302-0011", "H11.12-260302-0029"
ASKED = {
    "a joint dossier": f"/v1/dossiers/{JOINT}",
    "a procedure": "/v1/dossiers/1.009994",
    "one that is not known": "/v1/dossiers/H11.12-260302-9999",
    "overview": "/v1/overview",
    "no such month": "/v1/figures/2026-13",
}
PAGES = {
    "overview": "/",
    "a joint dossier": f"/ho-so/{JOINT}",
    "a dossier with every field": f"/ho-so/{FULL}",
    "a procedure": "/ho-so/1.009994",
    "search": "/tim?q=260302",
    "search without a hit": "/tim?q=khong-co",
    "dead letters": "/thu-loi",
    "figures of one agency, a number opened": "/so-lieu?thang=2026-03&co-quan=H11.07&so=received",
}
MONTHS = ("2026-03",)


def outputs() -> dict[str, Any]:
    with fixed.environment() as folder, fixed.moment(NOW):
        return asyncio.run(_outputs(folder))


async def _outputs(folder: Path) -> dict[str, Any]:
    settings = Settings(data_dir=folder, gateway=GatewaySettings(admin_token=SecretStr(TOKEN)))
    engine = open_engine(settings)
    try:
        letters = _fill(settings, engine)
        app = make_app(settings, ReadModel(engine), _directory(settings), letters)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as http:
            return {
                "api": {name: await _json(http, path) for name, path in ASKED.items()},
                "api_for_an_operator": await _json(http, f"/v1/dossiers/{FULL}", TOKEN),
                "pages": {name: await _page(http, path) for name, path in PAGES.items()},
                "headers": dict((await http.get("/")).headers) | {"content-length": "(of the page)"},
                "figures": {month: await _figures(http, month) for month in MONTHS},
            }
    finally:
        engine.dispose()


def _fill(settings: Settings, engine: Any) -> Book:
    """All canonical events, two receipts, a retry, a dead letter and a discrepancy."""
    codec = fixed.codec()
    records = [
        _record(EVENTS, n, item.key.encode(),
                codec.with_head(families.BY_TYPE[item.envelope.type].record, item.value[5:]), item.envelope.headers())
        for n, item in enumerate(canonical.every().values())
    ]  # fmt: skip
    for n, (subscriber, outcome, seqs) in enumerate(
        (("national", "RETRY_SCHEDULED", [1]), ("national", "DELIVERED", [1, 2]), ("tinh", "DELIVERED", [1]))
    ):
        datum = {"subscriber": subscriber, "key": JOINT, "outcome": outcome, "event_ids": ["e"] * len(seqs),
                 "hub_seqs": seqs, "attempt": n + 1, "at": int(NOW * 1000) - 60_000 + n, "latency_ms": 12,
                 "error_kind": "timeout" if outcome == "RETRY_SCHEDULED" else None, "answer": "<b>ok</b>"}  # fmt: skip
        records.append(_record(DELIVERIES, n, JOINT.encode(), codec.encode("vn.hub.Delivery", datum), ()))
    _, key, value, headers = build(
        stage="core", error=BadRecord("transition", "IN_PROCESS after RETURNED"), topic=INGRESS, partition=0, offset=7,
        key=FULL.encode(), value=b"x", headers=[("ce_id", b"e-1"), ("ce_source", b"urn:one")], at_ms=int(NOW * 1000),
    )  # fmt: skip
    records.append(_record(DEAD_LETTERS, 0, key, value, headers))
    body = (f'{{"key":"{JOINT}","subscriber":"tinh","kind":"MISSING","opened_at":1776214000000,"healed_at":null,'
            '"detail":"no receipt for hub_seq 2"}')  # fmt: skip
    records.append(_record(DISCREPANCIES, 0, f"{JOINT}/tinh/MISSING".encode(), body.encode(), ()))
    ends = {TopicPartition(one.topic, 0): one.offset + 1 for one in records}
    # What `poll` does with a batch; its consumer would ask a broker.
    Projector(settings, engine, codec, tables.current(engine))._write(records, ends)
    letters = Book()
    for record in records:
        if record.topic == DEAD_LETTERS:
            letters.take(record)
    return letters


def _record(topic: str, offset: int, key: bytes | None, value: bytes | None, headers: Any) -> Any:
    return SimpleNamespace(topic=topic, partition=0, offset=offset, key=key, value=value, headers=headers, timestamp=0)


def _directory(settings: Settings) -> Directory:
    found = Directory(settings)
    for name, kind, title in (("national", "national-portal", "Cổng DVCQG"), ("tinh", "webhook", "")):
        one = Subscriber(name=name, kind=kind, title=title)
        found._apply("subscriber", name, one.model_dump_json().encode())
    return found


async def _json(http: httpx.AsyncClient, path: str, token: str = "") -> Any:
    answer = await http.get(path, headers={"authorization": f"Bearer {token}"} if token else {})
    return answer.json() if answer.is_success else {"status": answer.status_code, "body": answer.json()}


async def _figures(http: httpx.AsyncClient, month: str) -> Any:
    """The report, its numbers written shortly, and what an item is called once."""
    whole = await _json(http, f"/v1/figures/{month}")
    told, names = _short(whole), dict[str, Any]()
    for agency in [told["province"], *told["agencies"]]:
        for group in agency["score"]["groups"]:
            names |= {item["item"]: {n: v for n, v in item.items() if n not in _MEASURED} for item in group["items"]}
            group["items"] = {item["item"]: ", ".join(f"{n} {item[n]}" for n in _MEASURED) for item in group["items"]}
    return told | {"items": names, "sha": fixed.sha(json.dumps(whole, sort_keys=True))}


_MEASURED = ("value", "worth", "counted", "total", "why_not")


def _short(value: Any) -> Any:
    """A number with its dossiers as one line of text."""
    if isinstance(value, dict):
        if value.keys() == {"count", "dossiers"}:
            return " ".join([f"{value['count']}:", *value["dossiers"]])
        return {name: _short(inner) for name, inner in value.items()}
    return [_short(inner) for inner in value] if isinstance(value, list) else value


async def _page(http: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """Its visible text line by line, where its links lead, and the hash of the whole."""
    answer = await http.get(path)
    text = re.sub(r"<(style|script).*?</\1>", "", answer.text, flags=re.DOTALL)
    lines = (" ".join(unescape(re.sub(r"<[^>]*>", " ", line)).split()) for line in text.splitlines())
    return {
        "status": answer.status_code,
        "location": answer.headers.get("location"),
        "text": [line for line in lines if line],
        "links": sorted({unescape(link) for link in re.findall(r'(?:href|action)="([^"]*)"', answer.text)}),
        "html_sha": fixed.sha(answer.text),
    }
