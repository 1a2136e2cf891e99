"""`/docs` of gateway and console: the OpenAPI document as one plain page.

No script and nothing from elsewhere: FastAPI's own page loads its program from a public network that a province's
servers do not reach. Whoever uses this page makes its application with `docs_url=None, redoc_url=None`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from fastapi import FastAPI
from starlette.responses import HTMLResponse

Json = Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h2 { margin-top: 2.5rem; border-top: 1px solid #d5d9de; padding-top: 1rem; font-size: 1.15rem }
h2 code { background: none; font-size: 1.1rem } h3 { font-size: 1rem; margin-bottom: .3rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .75rem .25rem 0;
vertical-align: top; border-bottom: 1px solid #eceff2 } code, pre { font: 14px/1.45 ui-monospace, monospace }
pre { background: #f5f7f9; padding: .75rem 1rem; overflow-x: auto } code { background: #f5f7f9; padding: 0 .2rem }
summary { cursor: pointer } .method { color: #0b5c8a; font-weight: 600 } .quiet { color: #5b6570 }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body><h1>{title}</h1><p>{about}</p>
<p class="quiet">For programs: <a href="/openapi.json">openapi.json</a>. {keys}</p>{body}</body></html>"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


PAGES = ("/docs", "/openapi.json")


def add_docs(app: FastAPI, keys: str) -> None:
    """Serves the page at `/docs`. keys: HTML, how a caller shows who it is.

    On which address it answers is for the role to say (`hub.observe.server.show`).
    """
    app.add_route("/docs", lambda _: HTMLResponse(page(app.openapi(), keys), headers=_HEADERS))


def page(document: Json, keys: str) -> str:
    """HTML of an OpenAPI document."""
    schemas = document.get("components", {}).get("schemas", {})
    parts = [
        part
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for part in _operation(method, path, operation, schemas)
    ]
    info = document["info"]
    return _PAGE.format(
        title=escape(info["title"]), about=escape(info.get("description", "")), style=_STYLE, keys=keys,
        body="\n".join(parts),
    )  # fmt: skip


def _operation(method: str, path: str, operation: Json, schemas: Mapping[str, Json]) -> Iterator[str]:
    yield f'<h2><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h2>'
    yield f"<p>{escape(operation.get('summary', ''))}</p>"
    if "description" in operation:
        yield f"<p>{escape(operation['description'])}</p>"
    yield from _parameters(operation.get("parameters", []), schemas)
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        yield "<h3>Body</h3><p>" + ", ".join(f"<code>{escape(kind)}</code>" for kind in content) + "</p>"
    for kind, body in content.items():
        if "example" in body and not isinstance(body["example"], list):
            text = json.dumps(body["example"], ensure_ascii=False, indent=2)
            yield f'<p class="quiet">Example, {escape(kind)}</p><pre>{escape(text)}</pre>'
    first: Json = next(iter(content.values()))["schema"] if content else {}
    yield from _fields(_resolved(first, schemas), schemas)
    yield "<h3>Answers</h3><table>"
    for status, answer in sorted(operation.get("responses", {}).items()):
        yield f"<tr><th>{escape(status)}</th><td>{escape(answer.get('description', ''))}</td></tr>"
    yield "</table>"


def _parameters(parameters: Sequence[Json], schemas: Mapping[str, Json]) -> Iterator[str]:
    """What stands in the address."""
    if not parameters:
        return
    yield "<h3>Address</h3><table>"
    for one in parameters:
        must = " <b>required</b>" if one.get("required") else ""
        words = [escape(w) for w in (one.get("description", ""), one["in"], _type(one["schema"], schemas)) if w]
        yield f"<tr><th><code>{escape(one['name'])}</code></th><td>{' — '.join(words)}{must}</td></tr>"
    yield "</table>"


def _fields(schema: Json, schemas: Mapping[str, Json]) -> Iterator[str]:
    """A table of an object's fields; alternatives (the records of the event types) fold out below it."""
    fields = schema.get("properties", {})
    if not fields:
        return
    required = schema.get("required", [])
    yield "<table>"
    for name, found in fields.items():
        field = _resolved(found, schemas)
        must = " <b>required</b>" if name in required else ""
        words = [escape(str(w)) for w in (field.get("description", ""), _type(field, schemas)) if w]
        yield f"<tr><th><code>{escape(name)}</code></th><td>{' — '.join(words)}{must}</td></tr>"
    yield "</table>"
    for found in fields.values():
        for choice in found.get("oneOf", []):
            yield f"<details><summary><code>{escape(choice.get('title', ''))}</code>: "
            yield f"{escape(choice.get('description', ''))}</summary>"
            yield from _fields(choice, schemas)
            yield "</details>"


def _type(field: Json, schemas: Mapping[str, Json]) -> str:
    if "enum" in field:
        return "one of " + ", ".join(map(str, field["enum"]))
    if "oneOf" in field:
        return "as below, by type"
    if "anyOf" in field:
        kinds = [_type(_resolved(branch, schemas), schemas) for branch in field["anyOf"]]
        return " or ".join(kind for kind in kinds if kind)
    if field.get("type") == "array":
        return "list of " + _type(_resolved(field.get("items", {}), schemas), schemas)
    if field.get("type") == "object" and "properties" in field:
        return "object with " + ", ".join(field["properties"])
    return str(field.get("format") or field.get("type") or "")


def _resolved(schema: Json, schemas: Mapping[str, Json]) -> Json:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return schemas.get(name, schema) if name else schema
