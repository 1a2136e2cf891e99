"""`/docs`: the OpenAPI document as one plain page. No script and nothing from elsewhere: FastAPI's own page loads its
program from a public network that a province's servers do not reach.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

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
<p class="quiet">For programs: <a href="/openapi.json">openapi.json</a>. Keys go into <code>X-Api-Key</code> or
<code>Authorization: Bearer …</code>.</p>{body}</body></html>"""


def page(document: Json) -> str:
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
        title=escape(info["title"]), about=escape(info.get("description", "")), style=_STYLE, body="\n".join(parts)
    )


def _operation(method: str, path: str, operation: Json, schemas: Mapping[str, Json]) -> Iterator[str]:
    yield f'<h2><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h2>'
    yield f"<p>{escape(operation.get('summary', ''))}</p>"
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
