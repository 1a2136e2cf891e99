"""What the core makes of values that were written with another version of a schema, and of arrays in blocks."""

from __future__ import annotations

import io
import json
from importlib import resources
from typing import Any

import fastavro

from hub.stream.stage import Outputs, Record, Stored
from tests.frozen import reading
from tests.frozen.inputs import Event, ms, with_times
from tests.frozen.inputs.avro_blocks import encoded
from tests.frozen.inputs.catalogue import FULL
from tests.frozen.inputs.versions import AFTER, BLOCKS, LISTS, OLD_STATES, RECEIVED, WRITTEN
from tests.frozen.parts._core import Bench, record_of
from tests.frozen.parts._shown import CODEC, FOREIGN, IDS, shown, state_shown

_AT = "2026-01-05 08:00"
_RELEASED = resources.files("hub_schemas") / "released"


def _schema(record: str, version: int) -> Any:
    return json.loads((_RELEASED / f"vn.hub.{record}" / f"{version}.avsc").read_text("utf-8"))


def _head(schema: Any) -> bytes:
    """Of a writer whose schema has an id of its own; `FOREIGN` learns it."""
    known = next((id for id, own in FOREIGN.items() if own == schema), 1_000 + len(FOREIGN))
    FOREIGN[known] = schema
    return b"\x00" + known.to_bytes(4, "big")


def _fastavro(schema: Any, event: Event) -> bytes:
    out = io.BytesIO()
    datum = with_times({name: own for name, own in event.items() if not name.startswith("_")})
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema, _force=True), datum)
    return out.getvalue()


def _shown(bench: Bench, outputs: Outputs) -> dict[str, Any]:
    return {"out": [shown(out) for out in outputs.records], "state": state_shown(outputs)}


def _written() -> dict[str, Any]:
    """Each event alone, of a writer with that schema."""
    found = {}
    for name, (record, version, event) in WRITTEN.items():
        schema, bench = _schema(record, version), Bench()
        value = _head(schema) + _fastavro(schema, event)
        found[name] = _shown(bench, bench.work([record_of(event, "e0", 0, value)]))
    return found


def _newer() -> dict[str, Any]:
    """A writer that is ahead of us: a field and a kind of step that we do not know."""
    found = {}
    schema = _schema("DossierStep", 3)
    schema["fields"].append({"name": "colour", "type": ["null", "string"], "default": None})
    kinds = next(field for field in schema["fields"] if field["name"] == "step")["type"]
    kinds["symbols"].append("ARCHIVED")
    for name, event in (("a field", RECEIVED | {"colour": "xanh"}), ("a kind", RECEIVED | {"step": "ARCHIVED"})):
        bench = Bench()
        value = _head(schema) + _fastavro(schema, event)
        found[name] = _shown(bench, bench.work([record_of(event, "e0", 0, value)]))
    return found


def _blocks() -> dict[str, Any]:
    """Own ids where the version is the present one, so that the hub's own reader is asked; else fastavro's."""
    found = {}
    for name, (record, version, block, event) in BLOCKS.items():
        schema, bench = _schema(record, version), Bench()
        body = encoded(schema, with_times(event), block)
        newest = not (_RELEASED / f"vn.hub.{record}" / f"{version + 1}.avsc").is_file()
        head = b"\x00" + IDS[f"vn.hub.{record}"].to_bytes(4, "big") if newest else _head(schema)
        found[name] = _shown(bench, bench.work([record_of(event, "e0", 0, head + body)]))
    return found


def _question() -> dict[str, Any]:
    """The clock's question in its first version."""
    bench = Bench()
    bench.chunk([RECEIVED])
    (asked,) = bench.ask("2026-01-12 17:00")
    schema = _schema("DossierDeadline", 1)
    due = {"dossier_code": RECEIVED["dossier_code"], "kind": "DUE"}
    due |= dict.fromkeys(("occurred_at", "due_at", "deadline_at"), ms("2026-01-12 17:00"))
    value = _head(schema) + _fastavro(schema, due)
    record = Record("hub.ingress", 0, 1, 1_795_478_400_000, asked.key, value, asked.headers)
    return _shown(bench, bench.work([record]))


def _states() -> dict[str, Any]:
    """An old state taken up by the clock, then by events."""
    found = {}
    for name, old in OLD_STATES.items():
        record, _, version = name.partition(" ")
        bench = Bench()
        value = _head(_schema(record, int(version))) + bytes.fromhex(old["value"])
        headers = [(own, bytes.fromhex(raw)) for own, raw in old["headers"]]
        bench.state[old["store"], old["key"].encode()] = Stored(value, headers)
        asked = bench.ask("2026-01-12 08:00")
        told = bench.answer(asked)
        found[name] = {
            "read": CODEC.decode(value)[1],
            "asked": [shown(one) for one in asked],
            "told": _shown(bench, told),
            "after": [_shown(bench, bench.chunk([event | {"_id": f"new{n}"}])) for n, event in enumerate(AFTER[name])],
        }
    return found


def _log() -> dict[str, Any]:
    """Events that earlier programs left in hub.events, as delivery, reconcile and the read model read them."""
    bench, found = Bench(), {}
    made = bench.chunk([LISTS, FULL, {"service_code": "1.004194.01", "change": "PUBLISHED", "occurred_at": ms(_AT)}])
    told = bench.answer(bench.ask("2026-01-12 17:00"))
    for out in [*made.records, *told.records]:
        record, datum = CODEC.decode(out.value)
        name, version = record.removeprefix("vn.hub."), 1
        while (_RELEASED / record / f"{version + 1}.avsc").is_file():
            schema = _schema(name, version)
            read = CODEC.decode(_head(schema) + _fastavro(schema, datum), record)[1]
            found[f"{name} {version}"] = reading.without_nulls(read)
            version += 1
    return found


def outputs() -> dict[str, Any]:
    return {"events": _written() | {"DossierDeadline 1": _question()}, "newer": _newer(), "blocks": _blocks(),
            "states": _states(), "log": _log()}  # fmt: skip
