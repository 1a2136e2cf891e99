"""The canonical events of canonical.json, as the delivery role hands them to a connector."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from hub.avro.generic import encode_body
from hub.connect.portal import Item
from hub.events import families
from hub.events.canonical import EVENT_BODIES, word_of
from hub.events.envelope import Envelope

FILE = Path(__file__).parent / "canonical.json"
FAMILIES = ("dossiers", "deadlines", "procedures", "services")
HEAD = b"\0\0\0\0\1"
"""Of Confluent wire format: schema id 1, since no registry is asked."""


@cache
def groups() -> dict[str, list[Item]]:
    """Name of a history, as `plain` or `procedures 1.009994`, -> its events in the order of their numbers."""
    told = json.loads(FILE.read_text("utf-8"))
    return {
        name if family == "dossiers" else f"{family} {name}": [_item(one, number) for number, one in enumerate(events)]
        for family in FAMILIES
        for name, events in told[family].items()
    }


def every() -> dict[str, Item]:
    """`plain 3 IN_PROCESS` -> that event."""
    return {f"{name} {item.hub_seq} {word(item)}": item for name, items in groups().items() for item in items}


def word(item: Item) -> str:
    """What happened: the step, the change, or the kind of the deadline."""
    return word_of(item.envelope.type, item.data)


def _item(event: dict[str, Any], offset: int) -> Item:
    """Through Avro, so that fields that are left out have their default."""
    kind, data = families.BY_TYPE[event["type"]], event["data"]
    body = encode_body(kind.record, data)
    head = {name: value for name, value in event.items() if name != "data"}
    envelope = Envelope(**head, hub_seq=data["hub_seq"])
    return Item(envelope, kind.name, EVENT_BODIES[kind.type].read(body, 0), HEAD + body, 0, offset)
