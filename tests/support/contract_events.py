"""Canonical events for connector tests, filled up and checked by their Avro schema."""

from __future__ import annotations

import copy
import dataclasses
from datetime import datetime
from typing import Any

from msgspec import structs

from hub.avro.generic import encode_body, schema_json
from hub.avro.records import Dossier, DossierEvent
from hub.connect.portal import Item
from hub.events import families
from hub.events.canonical import EVENT_BODIES
from hub.events.envelope import Envelope, derived_id

START = "2026-03-02T01:15:00Z"
PATH = (
    ("RECEIVED", "ACCEPTED"),
    ("IN_PROCESS", "IN_PROCESS"),
    ("SUPPLEMENT_REQUESTED", "SUPPLEMENT"),
    ("SUPPLEMENT_GIVEN", "IN_PROCESS"),
    ("FINISHED", "FINISHED"),
    ("RETURNED", "RETURNED"),
)
"""A dossier's usual way: step, and the status it gives."""


def milliseconds(moment: str) -> int:
    """Of an RFC 3339 time."""
    return int(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1000)


def item(
    data: dict[str, Any], event_id: str, subject: str, type: str = families.DOSSIER.event.type, time: str = START
) -> Item:
    """data: the canonical record, times as RFC 3339 text, fields with a default may be left out."""
    kind = families.BY_TYPE[type]
    datum = _with_times(copy.deepcopy(data), schema_json(kind.record), {})
    body = encode_body(kind.record, datum)
    envelope = Envelope(event_id, "urn:vn:gov:H11.12:test", type, subject, time=time, hub_seq=datum["hub_seq"])
    return Item(envelope, kind.name, EVENT_BODIES[type].read(body, 0), b"\0\0\0\0\1" + body, 0, 0)


def dossier_event_of(item: Item) -> DossierEvent:
    assert isinstance(item.data, DossierEvent)
    return item.data


def dossier_of(item: Item) -> Dossier:
    """The state after the item's event."""
    return dossier_event_of(item).dossier


def changed(item: Item, **parts: dict[str, Any]) -> Item:
    """The item with other values in parts of its event, as `step={"note": "x"}`; its bytes stay."""
    made = {part: structs.replace(getattr(item.data, part), **values) for part, values in parts.items()}
    return dataclasses.replace(item, data=structs.replace(item.data, **made))


def _with_times(value: Any, schema: Any, named: dict[str, Any]) -> Any:
    """Times written as text become milliseconds, wherever the schema has a timestamp."""
    if isinstance(schema, str):
        schema = named.get(schema, schema)
    if isinstance(schema, list):
        return None if value is None else _with_times(value, next(s for s in schema if s != "null"), named)
    if not isinstance(schema, dict):
        return value
    if schema["type"] == "record":
        named[schema["name"] if "." in schema["name"] else f"{schema['namespace']}.{schema['name']}"] = schema
        for field in schema["fields"]:
            if field["name"] in value:
                value[field["name"]] = _with_times(value[field["name"]], field["type"], named)
            else:
                _with_times(copy.deepcopy(field.get("default")) or {}, _first(field["type"]), named)
        return value
    if schema["type"] == "array":
        _with_times({}, schema["items"], named)
        return [_with_times(one, schema["items"], named) for one in value]
    if schema.get("logicalType") == "timestamp-millis" and isinstance(value, str):
        return milliseconds(value)
    return value


def _first(schema: Any) -> Any:
    """The type itself, so that records defined in a field that is left out are known later."""
    return next((s for s in schema if isinstance(s, dict)), "null") if isinstance(schema, list) else schema


def dossier_items(code: str, count: int = len(PATH), first: int = 1) -> list[Item]:
    """Events first … first+count-1 of that dossier's usual way, an hour apart."""
    out = []
    for seq in range(first, first + count):
        step, status = PATH[(seq - 1) % len(PATH)]
        at = milliseconds(START) + (seq - 1) * 3_600_000
        known = {"procedure_code": "1.004194", "agency_code": "H11.12", "agency_name": "UBND TP Phan Thiết"}
        data = {
            "hub_seq": seq,
            "status": status,
            "step": {
                "dossier_code": code,
                "step": step,
                "occurred_at": at,
                "handler": {"name": "Nguyễn Thị Hoa", "department": "Một cửa"},
                **known,
            },
            "dossier": {
                "dossier_code": code,
                "hub_seq": seq,
                "status": status,
                "status_at": at,
                "abstract": f"Bước {seq}",
                **known,
            },
        }
        out.append(item(data, derived_id("test", code, str(seq)), code))
    return out
