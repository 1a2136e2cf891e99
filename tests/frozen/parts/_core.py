"""The core's step and clock on lists, for the parts that show what they make.

Every record comes as one of the doors writes it, and every chunk begins from stored state: so the whole way of the core
is taken, never its short way for repeated facts (README.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hub.config import Settings
from hub.core.catalogue_copy import CatalogueCopy
from hub.core.deadline_clock import Clock, runs
from hub.core.step import make_step
from hub.model.deadline_rules import rules as deadline_rules
from hub.stream.stage import Out, Outputs, Record, Stored
from tests.frozen import reading
from tests.frozen.inputs import Event, ms, with_times
from tests.frozen.parts._shown import CODEC, shown, state_shown

RECORDED, RECORDED_MS = "2026-11-24T00:00:00.000Z", 1_795_478_400_000
SOURCE = "urn:vn:gov:H11.12:onestop"
_TYPES = {"step": ("vn.hub.dossier.step", "vn.hub.DossierStep", "dossier_code"),
          "procedure_code": ("vn.hub.procedure.change", "vn.hub.ProcedureChange", "procedure_code"),
          "service_code": ("vn.hub.service.change", "vn.hub.ServiceChange", "service_code")}  # fmt: skip


def kind_of(event: Event) -> tuple[str, str, str]:
    """(CloudEvents type, record, field with the code)."""
    return next(_TYPES[name] for name in ("step", "service_code", "procedure_code") if name in event)


def headers_of(event: Event, id: str, type: str, code: str) -> list[tuple[str, bytes]]:
    """As the doors write them: gateway (and an agency's topic), replay of a dead letter, file drop, a portal."""
    digest = reading.sha256(id.encode()) or ""
    trace = f"00-{digest[:32]}-{digest[32:48]}-01"
    door = event.get("_door", "gateway")
    found = {"content-type": "application/avro", "ce_specversion": "1.0", "ce_id": id,
             "ce_source": event.get("_source", SOURCE), "ce_type": type, "ce_subject": code}  # fmt: skip
    if "_time" in event:
        found["ce_time"] = event["_time"]
    if door == "portal":
        found["ce_origin"] = "national-portal"
    found |= {"ce_recordedtime": RECORDED, "ce_traceparent": trace}
    if door in ("gateway", "replay"):
        found["ce_authid"] = "so-xay-dung"
    if "_agencies" in event:
        found["ce_authagencies"] = event["_agencies"]
    if door == "replay":
        found["ce_replayof"] = "5f0f3c0a-0000-5000-8000-000000000001"
    return [(name, value.encode()) for name, value in found.items()]


def record_of(event: Event, id: str, offset: int, value: bytes | None = None) -> Record:
    """The record in hub.ingress. value: instead of the event in the present schema."""
    type, name, field = kind_of(event)
    datum = with_times({own: given for own, given in event.items() if not own.startswith("_")})
    code = datum[field]
    made = CODEC.encode(name, datum) if value is None else value
    id = event.get("_id", id)
    return Record("hub.ingress", 0, offset, RECORDED_MS, code.encode(), made, headers_of(event, id, type, code))


class Bench:
    """Works chunks and keeps the state. kept: a process that goes on, as against one that begins anew each time."""

    def __init__(self, settings: dict[str, Any] | None = None, kept: bool = False) -> None:
        self.settings = Settings(**(settings or {}))
        self.kept = kept
        self.state: dict[tuple[str, bytes], Stored] = {}
        self.offset = 0
        strict = self.settings.core.online_services == "strict"
        self.copy = CatalogueCopy(CODEC, strict, deadline_rules(self.settings.deadlines))
        self.restart()

    def restart(self) -> None:
        limit = self.copy.due_at if self.settings.deadlines.derive_due_at else None
        self.clock = Clock(CODEC, self.settings.deadlines)
        self.step = self.clock.watching(make_step(CODEC, self.settings, self.copy.admit, limit))

    # --- what the step sees of the engine ---

    def get(self, store: str, key: bytes) -> Stored | None:
        found = self.state.get((store, key))
        return found if self.kept or found is None else Stored(found.value, list(found.headers))

    def keys(self, store: str) -> Iterable[bytes]:
        return [key for own, key in self.state if own == store]

    def waiting(self, store: str) -> Iterable[bytes]:
        return [key for key in self.keys(store) if runs(self.state[store, key])]

    # --- work ---

    def chunk(self, events: Sequence[Event]) -> Outputs:
        records = [record_of(event, f"e{self.offset + n}", self.offset + n) for n, event in enumerate(events)]
        return self.work(records)

    def work(self, records: Sequence[Record]) -> Outputs:
        assert all(count == 1 for count in Counter(filter(None, map(_plain, records))).values()), (
            "the short way is open"
        )
        self.offset += len(records)
        outputs = self.step(records, self)
        for (store, key), stored in outputs.state.items():
            assert stored is not None
            self.state[store, key] = stored
            if store != "hub.dossiers":
                self.copy.apply(store, key, stored.value)
        return outputs

    def ask(self, at: str) -> list[Out]:
        """The clock's questions at that local time."""
        outputs = self.clock.tick(0, self, ms(at) / 1000)
        assert not outputs.state
        return list(outputs.records)

    def answer(self, questions: Sequence[Out]) -> Outputs:
        records = [Record(q.topic, 0, self.offset + n, RECORDED_MS, q.key, q.value, q.headers)
                   for n, q in enumerate(questions)]  # fmt: skip
        return self.work(records) if records else Outputs()


def _plain(record: Record) -> bytes | None:
    """The key of a step that could take the short way after another one of its dossier in the same chunk."""
    headers = dict(record.headers)
    plain = headers.get("ce_type") == b"vn.hub.dossier.step" and not {"ce_authid", "ce_origin"} & headers.keys()
    return record.key if plain else None


def worked(case: dict[str, Any], kept: bool = False) -> dict[str, Any]:
    """What comes out of a case: its chunks one after another, then the state as it stands."""
    bench, chunks, brief = Bench(case.get("settings"), kept), [], case.get("brief", False)
    asked: list[Out] = []
    for chunk in case["chunks"]:
        found: dict[str, Any] = {}
        if chunk == "restart":
            bench.restart()
            continue
        if isinstance(chunk, list):
            outputs = bench.chunk(chunk)
        elif chunk == "answer":
            outputs = bench.answer(asked)
        else:  # a moment of the clock; "ask": its questions stand in hub.ingress and are not answered yet
            asked = bench.ask(chunk.removeprefix("ask "))
            found = {"clock": chunk, "asked": [shown(one, brief) for one in asked]}
            outputs = Outputs() if chunk.startswith("ask ") else bench.answer(asked)
        found["out"] = [shown(out, brief) for out in outputs.records]
        chunks.append(found | {"state": state_shown(outputs)})
    final = {f"{store} {key.decode()}": reading.without_nulls(CODEC.decode(stored.value)[1])
             for (store, key), stored in sorted(bench.state.items())}  # fmt: skip
    return {"about": case["about"], "chunks": chunks, "state": final}
