"""Many histories in short: what each step came to, how it ended, and a hash of all that was written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from hub.stream.stage import Outputs, Stored
from tests.frozen import reading
from tests.frozen.inputs import Event, corpus, procedure
from tests.frozen.parts._core import Bench
from tests.frozen.parts._shown import CODEC, word

_LOCAL = timezone(timedelta(hours=7))
_PROCEDURE = procedure("PUBLISHED", "2026-01-02 08:00", time_limit=6.0, time_limit_unit="Ngày làm việc")
_IDENT = ("hub.dossiers", b"H11.12-260105-0001")


def _local(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, _LOCAL).strftime("%Y-%m-%d %H:%M")


def _told(event: Event) -> str:
    more = "".join(f" {name}" for name in event if name in ("correction", "due_at", "received_at", "transferred_to"))
    return f"{_local(event['occurred_at'])} {event['step']}{more}"


def _end(stored: Stored | None) -> dict[str, Any]:
    if stored is None:
        return {}
    datum = CODEC.decode(stored.value)[1]
    fields = ("status_at", "received_at", "due_at", "holder_due_at")
    found = {name: _local(datum[name]) for name in fields if datum[name] is not None}
    found |= {"status": datum["status"], "holder": datum["holder_agency_code"]}
    headers = reading.state_headers(stored.headers)
    for name in ("deadline", "transfer"):
        if isinstance(watch := headers.get(name), dict):
            waits = ", ".join(f"{_local(a)} to {_local(b)}" for a, b in watch["waits"])
            found[name] = f"{_local(watch['deadline_at'])} flags {watch['flags']} {waits}".strip()
    return reading.without_nulls(found)


def _bytes(outputs: Outputs) -> bytes:
    outs = [(out.topic, out.key, out.value, _pairs(out.headers)) for out in outputs.records]
    return repr((outs, [(k, s.value, _pairs(s.headers)) for k, s in outputs.state.items() if s is not None])).encode()


def _pairs(headers: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(name, value) for name, value in headers]


def worked(seed: int) -> dict[str, Any]:
    case = corpus.history(seed)
    bench, rows, all_of_it = Bench(case["settings"]), [], hashlib.sha256()
    limited = "derive_due_at" in case["settings"].get("deadlines", {})
    if limited:
        bench.chunk([_PROCEDURE])
    for chunk in case["chunks"]:
        if isinstance(chunk, int):
            asked = bench.clock.tick(0, bench, chunk / 1000)
            outputs = bench.answer(list(asked.records))
            all_of_it.update(_bytes(asked))
            came = [f"clock {_local(chunk)}"]
        else:
            outputs = bench.chunk([event | ({"procedure_code": "1.004194"} if limited else {}) for event in chunk])
            came = [_told(event) for event in chunk]
        all_of_it.update(_bytes(outputs))
        rows.append(f"{'; '.join(came)} -> {' '.join(map(word, outputs.records))}".rstrip())
    return {"settings": case["settings"], "chunks": rows, "end": _end(bench.state.get(_IDENT)),
            "sha256": all_of_it.hexdigest()}  # fmt: skip


def outputs() -> dict[str, Any]:
    return {"histories": {f"{seed:03}": worked(seed) for seed in range(corpus.COUNT)}}
