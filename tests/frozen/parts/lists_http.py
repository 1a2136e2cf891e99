"""A4: what is served over HTTP: OpenAPI of gateway and console, and the answers to requests that cannot be taken."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
from fastapi import FastAPI

from hub.config import Settings
from hub.console.app import make_app
from hub.control.directory import Directory
from hub.deadletter.book import Book
from hub.errors import BrokerAway, Overloaded, RegistryError
from hub.readmodel.database import open_engine
from hub.readmodel.queries import ReadModel
from hub.web.problem import STATUS
from tests.frozen.inputs import fixed
from tests.frozen.inputs.gateway import AVRO, BATCH, JSON, KEY, SOURCE, TOKEN, Broker, application, client, event, step

BINARY = {"ce-specversion": "1.0", "ce-id": "e-1", "ce-source": SOURCE, "ce-type": "vn.hub.dossier.step"}
OPERATOR = {"authorization": f"Bearer {TOKEN}"}
INBOUND = {"national-portal": {"clients": ["127.0.0.1"]}}

Request = tuple[str, str, dict[str, str], bytes]
"""method, path, headers, body."""


def _posted(document: Any, **headers: str) -> Request:
    return "POST", "/v1/events", {"content-type": JSON, **headers}, json.dumps(document).encode()


def _batch(*documents: Any) -> Request:
    return "POST", "/v1/events", {"content-type": BATCH}, json.dumps(list(documents)).encode()


def _binary(body: bytes, **headers: str) -> Request:
    return "POST", "/v1/events", {"content-type": AVRO, **BINARY, **headers}, body


def _asked(method: str, path: str, document: Any = None, **headers: str) -> Request:
    return (
        method,
        path,
        {**OPERATOR, "content-type": "application/json", **headers},
        json.dumps(document).encode() if document is not None else b"",
    )


REQUESTS: dict[str, Request] = {
    "no key": _posted(event(), **{"x-api-key": ""}),
    "unknown key": _posted(event(), **{"x-api-key": "hub_other"}),
    "other content type": _posted(event(), **{"content-type": "text/csv"}),
    "no JSON": ("POST", "/v1/events", {"content-type": JSON}, b"{"),
    "JSON, but no event": _posted([1]),
    "a batch that is no list": ("POST", "/v1/events", {"content-type": BATCH}, b"{}"),
    "an empty batch": _batch(),
    "too long a batch": _batch(*[event(id=f"e-{n}") for n in range(4)]),
    "too large a body": _posted(event(step(note="a" * 5_000))),
    "no id": _posted(event(id=None)),
    "no source": _posted(event(source=None)),
    "other version": _posted(event(specversion="0.3")),
    "unknown type": _posted(event(type="vn.hub.dossier.event")),
    "another's source": _posted(event(source="urn:other")),
    "another family": _posted(event({"procedure_code": "1.004194"}, type="vn.hub.procedure.change")),
    "another's dossier": _posted(event(step(dossier_code="H11.13-260302-0001"))),
    "no code": _posted(event(step(dossier_code=None))),
    "no dossier code": _posted(event(step(dossier_code="HS-1/2026"))),
    "other subject": _posted(event(subject="H11.12-260302-0002")),
    "unknown step": _posted(event(step(step="DONE"))),
    "unknown field": _posted(event(step(dosier="x"))),
    "no such day": _posted(event(step(occurred_at="2026-02-31T08:00:00+07:00"))),
    "a day without offset": _posted(event(step(due_at="2026-03-13"))),
    "a number for a name": _posted(event(step(applicant={"name": 912345678}))),
    "text for a number": _posted(event(step(rating="năm"))),
    "no data": _posted(event(data=None) | {"data": None}),
    "some of a batch": _batch(event(), event(step(step="DONE"), id="e-2")),
    "all of a batch": _batch(event(id=None), event(step(step="DONE"), id="e-2")),
    "all of a batch for want of right": _batch(event(source="urn:other"), event(source="urn:b")),
    "binary, no type": _binary(b"", **{"ce-type": ""}),
    "binary, not in wire format": _binary(b"\x01\0\0\0\1abc"),
    "binary, unknown schema": _binary(b"\0\0\0\x0f\xffabc"),
    "binary, cut short": _binary(b"\0\0\0\0\1"),
    "no such address": _asked("GET", "/v2/events"),
    "no such method": _asked("GET", "/v1/events"),
    "operators only": ("GET", "/v1/organisations", {"authorization": "Bearer x"}, b""),
    "an organisation without a name": _asked("POST", "/v1/organisations", {}),
    "an organisation with an unknown field": _asked("POST", "/v1/organisations", {"name": "a", "rights": []}),
    "an organisation with a bad name": _asked("POST", "/v1/organisations", {"name": "A b"}),
    "an organisation with a bad agency": _asked("POST", "/v1/organisations", {"name": "a", "agencies": ["x y"]}),
    "an overlap below nothing": _asked("POST", "/v1/organisations/a/rotate-key", {"overlap_hours": -1}),
    "a subscriber without a kind": _asked("POST", "/v1/subscribers", {"name": "a"}),
    "a subscriber of an unknown kind": _asked("POST", "/v1/subscribers", {"name": "a", "kind": "fax"}),
    "a subscriber with a bad setting": _asked(
        "POST", "/v1/subscribers", {"name": "a", "kind": "kafka-topic", "settings": {"timeout_s": -1}}
    ),
    "a subscriber with a bad filter": _asked(
        "POST", "/v1/subscribers", {"name": "a", "kind": "kafka-topic", "filter": {"agency": ["H11"]}}
    ),
    "a subscriber without its secret": _asked(
        "POST", "/v1/subscribers", {"name": "a", "kind": "webhook", "settings": {"url": "https://a.vn"}}
    ),
    "inbound, no JSON": ("POST", "/inbound/national-portal/nhanhsdvcqg", {}, b"{"),
}
BEHIND: dict[str, Exception] = {
    "the broker is away": BrokerAway("the broker did not acknowledge"),
    "too much under way": Overloaded("too much is under way"),
    "the registry is away": RegistryError("the registry is away"),
    "a fault": RuntimeError("a fault that nobody is told"),
}


def outputs() -> dict[str, Any]:
    with fixed.moment(), fixed.environment():
        return {
            **_openapi("openapi_gateway", application(Broker(), INBOUND).openapi()),
            **_openapi("openapi_console", _console().openapi()),
            "problems": {"status": dict(STATUS), **asyncio.run(_problems())},
            "no_operators_token": asyncio.run(_without_token()),
            "docs_page_sha": asyncio.run(_docs()),
        }


def _console() -> FastAPI:
    settings = Settings()
    return make_app(settings, ReadModel(open_engine(settings)), Directory(settings), Book())


def _openapi(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """Paths and the rest, each in a file of its own; a batch is a list of what one event is, so it is not repeated."""
    content = document["paths"].get("/v1/events", {}).get("post", {}).get("requestBody", {}).get("content", {})
    if BATCH in content and content[BATCH]["schema"]["items"] == content[JSON]["schema"]:
        content[BATCH]["schema"]["items"] = f"(the schema of {JSON})"
    rest = {key: value for key, value in document.items() if key != "paths"}
    return {f"{name}/paths": document["paths"], f"{name}/rest": rest}


async def _problems() -> dict[str, Any]:
    out: dict[str, Any] = {}
    async with client(application(Broker(), INBOUND)) as http:
        for name, request in REQUESTS.items():
            out[name] = await _answer(http, request)
    for name, error in BEHIND.items():
        async with client(application(Broker(error))) as http:
            out[name] = await _answer(http, _posted(event()))
    return out


async def _answer(http: httpx.AsyncClient, request: Request) -> dict[str, Any]:
    method, path, headers, body = request
    answer = await http.request(method, path, headers=headers, content=body)
    told = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
    return {"status": answer.status_code, "headers": told, "body": answer.json() if answer.content else None}


_TOLD = ("content-type", "retry-after", "www-authenticate", "accept", "allow")


async def _without_token() -> Any:
    """No operators' token is set: nobody is an operator."""
    async with client(application(Broker(), admin_token=None), KEY) as http:
        return await _answer(http, _asked("GET", "/v1/subscribers"))


async def _docs() -> str:
    """Of the gateway's own page about itself."""
    async with client(application(Broker(), INBOUND)) as http:
        return fixed.sha((await http.get("/docs")).text)
