"""A4: the JSON that `--json` and the operators' API print, as far as it asks nobody; and the schemas on the wire."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from hub.admin import organisations, subscribers
from hub.admin.checks import Finding
from hub.admin.subscribers import Tested
from hub.admin.trace import Hop
from hub.avro.bodies import DOSSIER_STEP
from hub.avro.generic import schema_json
from hub.avro.personal import tree
from hub.avro.records import DossierEvent
from hub.connect.questions import Question
from hub.connect.satisfaction import Satisfaction
from hub.control.records import BackfillProgress, Filter, Organisation, Subscriber
from hub.deadletter import masked_view
from hub.deadletter.record import build, parse
from hub.errors import BadRecord
from hub.kafka.acls import Acl
from hub.kafka.topic_admin import Change
from hub.reconcile.catalogue import KINDS, Difference
from hub.reports.online_coverage import Coverage
from tests.frozen.inputs import canonical, fixed

BORN = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
SHAPES: dict[str, type] = {
    "hub trace --json": Hop,
    "hub doctor --json": Finding,
    "hub topics ensure --json": Change,
    "hub topics acls --json": Acl,
    "hub subscribers test --json": Tested,
    "hub catalogue compare --json, differences": Difference,
    "hub catalogue coverage --json": Coverage,
    "hub questions list --json": Question,
    "hub satisfaction --json": Satisfaction,
}


def outputs() -> dict[str, Any]:
    return {
        "shapes": {name: [field.name for field in fields(kind)] for name, kind in SHAPES.items()},
        "organisation": organisations.public(_organisation()),
        "subscriber": subscribers.public(_subscriber(), BackfillProgress(subscriber="tinh", ends={0: 7}, done=True)),
        "dead_letter": _letters(),
        "kinds_of_differences": list(KINDS),
        "schemas": {name: _schema(name) for name in fixed.IDS},
    }


def _organisation() -> Organisation:
    return Organisation(
        name="motcua",
        title="Một cửa",
        sources=("urn:vn:gov:H11.12:motcua",),
        agencies=("H11.12",),
        key_hashes=("a" * 64, "b" * 64),
        key_until={"a" * 64: BORN},
    )


def _subscriber() -> Subscriber:
    return Subscriber(
        name="tinh",
        kind="webhook",
        filter=Filter(agencies=("H11",)),
        settings={"url": "https://portal.example.vn", "delivery": {"workers": 2}},
        secrets={"signing": "whsec_x", "signing-old": "env:OLD", "file": "file:/etc/hub/secret"},
        created_at=BORN,
    )


def _letters() -> dict[str, Any]:
    """As listed, shown with personal data hidden, in clear, and where the bytes cannot be read."""
    event = canonical.every()["plain 1 SUBMITTED"].data
    assert isinstance(event, DossierEvent)
    value = fixed.codec().write(DOSSIER_STEP, event.step)
    good, bad = _letter(value), _letter("Nguyễn Văn A;0912345678".encode())
    return {
        "listed": masked_view.summary(good),
        "hidden": masked_view.document(good, fixed.codec(), reveal=False),
        "in clear": masked_view.document(good, fixed.codec(), reveal=True)["content"],
        "no record": masked_view.content(bad.value, fixed.codec(), reveal=False),
        "no record, in clear": masked_view.content(bad.value, fixed.codec(), reveal=True),
        "no value": masked_view.content(None, fixed.codec(), reveal=False),
    }


def _letter(value: bytes) -> Any:
    _, key, original, headers = build(
        stage="core",
        error=BadRecord("date", "occurred_at: no such day", "occurred_at"),
        topic="hub.ingress",
        partition=2,
        offset=17,
        key=b"H11.12-260302-0001",
        value=value,
        headers=[("ce_id", b"e-1"), ("ce_source", b"urn:one"), ("ce_type", b"vn.hub.dossier.step")],
        at_ms=1_772_414_100_000,
    )
    return parse(key, original, headers)


def _schema(name: str) -> dict[str, Any]:
    """The hash of the whole, the fields, and which are personal."""
    schema = schema_json(name)
    return {
        "sha": fixed.sha(json.dumps(schema, sort_keys=True, ensure_ascii=False)),
        "fields": " ".join(field["name"] for field in schema["fields"]),
        "personal": " ".join(fixed.paths(tree(name))),
    }
