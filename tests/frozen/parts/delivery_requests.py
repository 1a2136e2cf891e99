"""A2: orders to a delivery role (resend, replay, skip), what reconcile tells, and a new subscriber's snapshots."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from msgspec import to_builtins

from hub.admin.replay import NotReplayable, Returns
from hub.avro.bodies import DOSSIER_STEP
from hub.avro.records import DossierEvent
from hub.config import ReconcileSettings
from hub.control.records import Organisation, Subscriber
from hub.control.requests import Pointer, Request
from hub.deadletter.record import build, parse
from hub.delivery.snapshot import snapshot
from hub.errors import BadRecord
from hub.events import families
from hub.events.canonical import state_of
from hub.intake.agency_record import Judge
from hub.kafka.topics import DELIVERIES, EVENTS, INGRESS
from hub.reconcile.role import DueRule
from hub.reconcile.watch import Watch
from hub.stream.stage import Outputs, Record
from tests.frozen.inputs import canonical, fixed
from tests.frozen.inputs.state import State

STATES = ("plain", "two supplements", "filed on the national portal", "every field", "procedures 1.009994",
          "services 1.004194.01")  # fmt: skip


def outputs() -> dict[str, Any]:
    with fixed.moment():
        return {
            "requests": {"order": _order(), "replay": _returned("replay"), "skip": _returned("skip")},
            "reconcile": _reconciled(),
            "snapshots": {name: _snapshot(name) for name in STATES},
        }


def _order() -> dict[str, str]:
    """The JSON of an order, with all of its fields and with as few as may be."""
    pointer = Pointer(offset=7, hub_seq=2, event_id="e-2")
    at = "2026-03-02T01:15:30+00:00"
    whole = Request(
        id="r-1", action="resend", subscriber="tinh", key="K", pointers=(pointer,), who="lan", why="w", at=at
    )
    return {
        "whole": whole.model_dump_json(),
        "least": Request(id="r-2", action="skip", subscriber="tinh", key="K", at=at).model_dump_json(),
    }


def _returned(action: Any) -> dict[str, Any]:
    """What a dead letter of each stage becomes when an operator sends it back or gives it up."""
    item = canonical.every()["plain 2 RECEIVED"]
    assert isinstance(item.data, DossierEvent)
    value = fixed.codec().write(DOSSIER_STEP, item.data.step)
    head = [
        ("ce_id", b"e-1"),
        ("ce_source", b"urn:one"),
        ("ce_type", b"vn.hub.dossier.step"),
        ("ce_specversion", b"1.0"),
    ]
    code, agency_topic = item.key.encode(), f"{INGRESS}.one"
    letters = {
        "deliver": _letter("deliver", EVENTS, code, item.value, item.envelope.headers(), subscriber="tinh"),
        "deliver, a snapshot": _letter("deliver", "hub.dossiers", code, item.value, [], subscriber="tinh"),
        "deliver, no subscriber": _letter("deliver", EVENTS, code, item.value, item.envelope.headers()),
        "core": _letter("core", INGRESS, code, value, head),
        "intake": _letter("intake", agency_topic, code, value, head),
        "intake, wrong key": _letter("intake", agency_topic, b"other", value, head),
        "source": _letter("source", "", None, b"a;b", head[:2]),
        "crash": _letter("crash", EVENTS, code, value, head),
    }
    organisation = Organisation(name="one", sources=("urn:one",), agencies=("H56",), kafka_topic=True)
    copy: Any = SimpleNamespace(organisations={"one": organisation})
    returns = Returns(action, Judge(fixed.codec()), copy, "lan", "mended", "order-1")
    return {name: _sent(returns, letter) for name, letter in letters.items()}


def _letter(stage: str, topic: str, key: bytes | None, value: bytes, headers: Any, subscriber: str = "") -> Any:
    error = BadRecord("date", "occurred_at: no such day", "occurred_at")
    made = {"topic": topic, "partition": 2, "offset": 17, "key": key, "value": value, "headers": headers}
    _, key, value_, headers = build(stage=stage, error=error, subscriber=subscriber, at_ms=1, **made)
    return parse(key, value_, headers)


def _sent(returns: Returns, letter: Any) -> Any:
    try:
        topic, key, value, headers = returns.record(letter)
    except NotReplayable as error:
        return f"stays: {error}"
    head = fixed.texts(headers)
    head |= {name: "(now)" for name in ("ce_recordedtime", "ce_traceparent") if name in head}
    told = {"topic": topic, "key": key.decode() if key else None, "headers": head}
    if headers:
        return told | {"value_sha": fixed.sha(value or b"")}
    return told | {"value": json.loads(value or b"{}") | {"at": "(now)"}}


def _reconciled() -> dict[str, Any]:
    """Three events of a dossier; two subscribers, one of which acknowledges the first: what is written, by moment."""
    born = datetime(2020, 1, 1, tzinfo=UTC)
    subscribers = {
        "national": Subscriber(name="national", kind="kafka-topic", created_at=born),
        "tinh": Subscriber(name="tinh", kind="kafka-topic", created_at=born),
    }
    clock = [fixed.NOW]
    watch = Watch(fixed.codec(), ReconcileSettings(), lambda: subscribers, DueRule(), lambda: clock[0])
    state, out = State(), dict[str, Any]()
    events = [_event(item, number) for number, item in enumerate(canonical.groups()["joint handling"][:3])]
    out["0 s, started"] = _applied(watch.tick(3, state, clock[0]), state)
    out["0 s, events"] = _applied(watch.step(events, state), state)
    out["0 s, a receipt"] = _applied(watch.step([_receipt("tinh", [1])], state), state)
    for after in (59, 61, 180, 400):
        clock[0] = fixed.NOW + after
        out[f"{after} s"] = _applied(watch.tick(3, state, clock[0]), state)
    out["400 s, receipts"] = _applied(
        watch.step([_receipt("tinh", [2, 3]), _receipt("national", [1, 2, 3])], state), state
    )
    return out


def _event(item: Any, offset: int) -> Record:
    body = item.value[len(canonical.HEAD) :]
    value = fixed.codec().with_head(families.BY_TYPE[item.envelope.type].record, body)
    return Record(EVENTS, 3, offset, 0, item.key.encode(), value, item.envelope.headers())


def _receipt(subscriber: str, seqs: list[int]) -> Record:
    key = canonical.groups()["joint handling"][0].key
    datum = {"subscriber": subscriber, "key": key, "outcome": "DELIVERED", "event_ids": ["e"] * len(seqs),
             "hub_seqs": seqs, "attempt": 1, "at": 1}  # fmt: skip
    return Record(DELIVERIES, 3, 0, 0, key.encode(), fixed.codec().encode("vn.hub.Delivery", datum), ())


def _applied(outputs: Outputs, state: State) -> dict[str, Any]:
    """What went out, and what the state holds in full afterwards."""
    state.take(outputs)
    records = [
        {"topic": one.topic, "key": one.key.decode() if one.key else None, "value": _json(one.value)}
        for one in outputs.records
    ]
    kept = {
        f"{store} {key.decode()}": {"value": json.loads(stored.value), "headers": fixed.texts(stored.headers)}
        for (store, key), stored in outputs.state.items()
        if stored is not None
    }
    return {"records": records, "state": kept}


def _json(value: bytes | None) -> Any:
    told = json.loads(value or b"null")
    return told | {"at": "(now)"} if "at" in told else told


def _snapshot(name: str) -> dict[str, Any]:
    """What a new subscriber gets of the state after the last event of that history."""
    last = canonical.groups()[name][-1]
    family = families.BY_NAME[last.family]  # type: ignore[index]
    envelope, record, value = snapshot(fixed.codec(), family, state_of(last.envelope.type, last.data))
    part = family.event.change
    told = {field: inner for field, inner in to_builtins(getattr(record, part)).items() if inner not in (None, ())}
    return {"headers": fixed.texts(envelope.headers()), part: told, "value_sha": fixed.sha(value)}
