"""The codec of the parts, and how a record of the hub is shown: its headers, what it says, the hash of its bytes."""

from __future__ import annotations

from typing import Any

from hub.avro.codec import Codec
from hub.errors import DecodeError
from hub.stream.stage import Out, Outputs
from tests.frozen import reading

_NAMES = ["DossierStep", "Dossier", "DossierEvent", "ProcedureChange", "Procedure", "ProcedureEvent", "ServiceChange",
          "OnlineService", "ServiceEvent", "Delivery", "DossierDeadline", "DossierDeadlineEvent"]  # fmt: skip
IDS = {f"vn.hub.{name}": number for number, name in enumerate(_NAMES, start=1)}
FOREIGN: dict[int, Any] = {}
"""Schemas of other writers by id; a part adds its own."""


def _lookup(schema_id: int) -> Any:
    if schema_id not in FOREIGN:
        raise DecodeError("schema_id", f"schema id {schema_id} is not in the registry; register the schema first")
    return FOREIGN[schema_id]


CODEC = Codec(IDS, _lookup)


def shown(out: Out, brief: bool = False) -> dict[str, Any]:
    """A record that the core writes. brief: without what it says."""
    found: dict[str, Any] = {"topic": out.topic, "key": _key_text(out.key), "sha256": reading.sha256(out.value)}
    if out.partition is not None:
        found["partition"] = out.partition
    if brief:
        return found | {
            "word": word(out),
            "headers_sha256": reading.sha256(repr([(n, v) for n, v in out.headers]).encode()),
        }
    found["headers"] = reading.text_headers(out.headers)
    if out.topic == "hub.dead-letters":
        return found | value_as_it_came(out.value)
    record, datum = CODEC.decode(out.value)
    return found | {"record": record, "value": reading.without_nulls(datum)}


def word(out: Out) -> str:
    """What a record says, in a word: status given (~ late), change, deadline, or reason of a dead letter."""
    if out.topic == "hub.dead-letters":
        return "!" + dict(out.headers)["dl_reason"].decode()
    datum = CODEC.decode(out.value)[1]
    if "status" in datum:
        return "~" * datum["late"] + str(datum["status"])
    return str(datum["deadline"]["kind"] if "deadline" in datum else datum["change"]["change"])


def _key_text(key: bytes | None) -> str | None:
    return None if key is None else key.decode(errors="backslashreplace")


def value_as_it_came(value: bytes | None) -> dict[str, Any]:
    if value is None:
        return {"value": None}
    return {"bytes": len(value), **({"value": value.hex()} if len(value) <= 40 else {})}


def state_shown(outputs: Outputs) -> dict[str, Any]:
    """The state records of a chunk; their values stand in the events or at the end of the file."""
    return {
        f"{store} {key.decode()}": {"sha256": reading.sha256(stored.value), **reading.state_headers(stored.headers)}
        for (store, key), stored in outputs.state.items()
        if stored is not None
    }
