"""Dead letters of the stages on the engine: core, crash, reconcile."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hub.config import Settings
from hub.core.role import crash_letter
from hub.reconcile.role import crashed
from hub.reconcile.watch import Watch
from hub.stream.stage import Out, Record
from tests.frozen.inputs import letters
from tests.frozen.parts._core import RECORDED_MS, Bench, record_of
from tests.frozen.parts._shown import CODEC, IDS, shown

GOOD = record_of(letters.GOOD, "e0", 7)


def only(outs: list[Out]) -> dict[str, Any]:
    (out,) = outs
    return shown(out)


def of_the_core() -> dict[str, Any]:
    bench = Bench({"core": {"online_services": "strict"}})
    for event in letters.BEFORE:
        bench.chunk([event])
    records = {name: record_of(event, "e0", 7) for name, event in letters.EVENTS.items()}
    assert GOOD.value is not None
    records |= {n: GOOD._replace(value=raw) for n, raw in letters.bytes_of(GOOD.value, IDS).items()}
    records |= {n: GOOD._replace(headers=own) for n, own in letters.headers_of(list(GOOD.headers)).items()}
    records |= {name: GOOD._replace(key=key) for name, key in letters.KEYS.items()}
    return {name: only(bench.work([record]).records) for name, record in records.items()}


def of_crashes() -> dict[str, Any]:
    """Errors without a place: the file and the line of a fault are not what is held here."""
    with patch("time.time", lambda: RECORDED_MS / 1000):
        return {
            "core": shown(crash_letter(GOOD, ZeroDivisionError("x"))),
            "reconcile": shown(crashed(GOOD, KeyError("x"))),
        }


def of_reconcile() -> dict[str, Any]:
    """What stands in hub.events or hub.deliveries and cannot be read."""
    watch = Watch(CODEC, Settings().reconcile, dict, lambda *_: True, lambda: RECORDED_MS / 1000)
    event = GOOD._replace(topic="hub.events")
    receipt = Record("hub.deliveries", 0, 3, RECORDED_MS, GOOD.key, b"\x07", ())
    broken = [(n, b"vn.hub.dossier.event" if n == "ce_type" else v) for n, v in GOOD.headers]
    records = {"envelope": event, "schema_mismatch": event._replace(headers=broken), "truncated": receipt,
               "magic_byte": receipt._replace(value=b"{}{}{}")}  # fmt: skip
    with patch("time.time", lambda: RECORDED_MS / 1000):
        return {name: only(watch.step([record], Bench()).records) for name, record in records.items()}
