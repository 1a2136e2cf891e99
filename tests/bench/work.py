"""The work of benchmark `transform`, in Python: what every contender does to an event between reading and writing."""

from __future__ import annotations

import io
from typing import Any

import fastavro
from msgspec.structs import replace

from hub.avro.codec import head
from hub.avro.generic import parsed
from hub.avro.records.dossier import DossierStep

NAME = "vn.hub.DossierStep"


def change(datum: dict[str, Any]) -> None:
    """Two fields: a text made of two others, and a number."""
    datum["remark"] = f"{datum['step']} {datum['dossier_code']}"
    datum["step_started_at"] = datum["occurred_at"]


def changed(step: DossierStep) -> DossierStep:
    """The same of the hub's record."""
    return replace(step, remark=f"{step.step} {step.dossier_code}", step_started_at=step.occurred_at)


class FastAvro:
    """Value in, value out, with fastavro as its users use it: schema parsed once."""

    def __init__(self, schema_id: int) -> None:
        self._schema = parsed(NAME)
        self._head = head(schema_id)

    def __call__(self, value: bytes) -> bytes:
        datum = fastavro.schemaless_reader(io.BytesIO(value[5:]), self._schema, None)
        change(datum)  # type: ignore[arg-type]
        out = io.BytesIO()
        out.write(self._head)
        fastavro.schemaless_writer(out, self._schema, datum)
        return out.getvalue()
