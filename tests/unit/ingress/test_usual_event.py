"""The gateway's quick way beside its long one: what the quick one takes, it makes the same record of; what the long one
refuses, it never takes; and the usual event is not left to the long one."""

from __future__ import annotations

import asyncio
import copy
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.avro.codec import encode_body, schema_json
from hub.avro.schema_types import full_name
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.gateway import ingest
from hub.gateway.ingest import Ingest
from hub.ingress import cloudevents
from hub.ingress import json_to_avro as straight_module
from hub.ingress.json_to_avro import Unusual, straight
from hub.ingress.usual_event import UsualEvents
from hub.ingress.validator import validator
from tests.support.codecs import fixed_codec
from tests.support.gateway import event, step
from tests.support.gateway_app import Broker

STEP = "vn.hub.DossierStep"
SOURCE = "urn:vn:gov:H11.12:motcua"
ORG = Organisation(name="motcua", sources=(SOURCE,), agencies=("H11.12",))
JOINT = Organisation(name="thue", sources=(SOURCE,), agencies=("G12", "H11.12.3"), joint=True)
RECORDED = "2026-11-24T01:30:00.000Z"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CODEC = fixed_codec()

TIMES = st.sampled_from(["2026-11-24T08:30:00+07:00", "2026-11-24t00:00:00.25z", 1_795_489_200_000])
ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2**31,
        2**63,
        1.5,
        math.inf,
        "",
        "UNKNOWN",
        "2026-02-31T08:00:00Z",
        1_795_489_200,
        [],
        [None],
        {},
        {"x": 1},
    ]
)


def fitting(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """JSON values of a schema, as an agency may write them."""
    if isinstance(schema, list):
        return st.none() | fitting(schema[1], named)
    if isinstance(schema, str) and schema in named:
        return fitting(named[schema], named)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in ("record", "enum"):
        named[full_name(schema)] = schema
    match kind:
        case "record":
            fields = {f["name"]: fitting(f["type"], named) for f in schema["fields"]}
            optional = {f["name"] for f in schema["fields"] if "default" in f}
            return st.fixed_dictionaries(
                {name: fields[name] for name in fields if name not in optional},
                optional={name: fields[name] for name in optional},
            )
        case "enum":
            return st.sampled_from([s for s in schema["symbols"] if s != "UNKNOWN"])
        case "array":
            return st.lists(fitting(schema["items"], named), max_size=2)
        case "long" if isinstance(schema, dict) and schema.get("logicalType"):
            return TIMES
        case "string":
            return st.text(max_size=30) | st.just("ấ" * 700)
        case "boolean":
            return st.booleans()
        case "int":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**63), 2**63 - 1)
        case "double":
            return st.floats(allow_nan=False, allow_infinity=False) | st.integers(-100, 100)
    raise AssertionError(kind)


STEPS = fitting(schema_json(STEP), {})


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) in a value."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found.append((value, key))
        places(value[key], found)
    return found


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_a_fitting_value_is_written_as_the_codec_would(value: Any) -> None:
    assert straight(STEP)(value) == encode_body(STEP, validator(STEP)(value))


@settings(max_examples=250, deadline=None)
@given(STEPS, ODD, st.integers(0, 10_000), st.sampled_from([None, "no_such_field"]))
def test_nothing_passes_that_the_long_way_refuses(value: Any, odd: Any, at: int, added: str | None) -> None:
    value = copy.deepcopy(value)
    found = places(value, [])
    holder, key = found[at % len(found)]
    holder[key] = odd
    if added:
        value[added] = odd
    try:
        quick = straight(STEP)(value)
    except Unusual:
        return
    assert quick == encode_body(STEP, validator(STEP)(value))


def long_way(organisation: Organisation, given: Any) -> Any:
    """(key, value, headers) that the long way makes of an event, or None if it refuses it."""

    async def made() -> Any:
        judge = Ingest(CODEC, Broker())
        try:
            return (await judge._check(organisation, cloudevents.structured(given), RECORDED, TRACE)).line
        except BadRecord:
            return None

    return asyncio.run(made())


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["", "a" * 1025, "a\nb", "á", 7, None]),
        "source": st.sampled_from(["urn:other", "", 3, [], None]),
        "type": st.sampled_from(["vn.hub.service.change", "x", None, []]),
        "subject": st.sampled_from([None, "", "H11.12-261124-0001", "H11.12-261124-0002", 5]),
        "time": st.sampled_from([None, "", "2026-11-24T08:30:00+07:00", "yesterday", 1_795_489_200_000]),
        "specversion": st.sampled_from(["1.0", "0.3", 1.0, None]),
        "datacontenttype": st.sampled_from(
            [None, "", "application/json", "application/json; charset=utf-8", "text/xml", 1]
        ),
        "traceparent": st.sampled_from([None, "", TRACE.replace("b7", "c8"), "00-0-0-00", 5]),
        "recordedtime": st.just("2020-01-01T00:00:00Z"),
        "causationid": st.just("other"),
        "data": st.sampled_from(
            [
                None,
                [],
                {},
                step(code="H11.12.3-261124-0001"),
                step(code="H99-261124-0001"),
                step(code="x"),
                step(code=""),
            ]
        ),
    },
)


@settings(max_examples=300, deadline=None)
@given(CHANGES, st.sampled_from([ORG, JOINT]))
def test_what_it_takes_is_the_long_ways_record(changes: dict[str, Any], organisation: Organisation) -> None:
    given = event(SOURCE) | changes
    quick = UsualEvents(organisation, CODEC, RECORDED, TRACE).checked(given)
    assert quick is None or quick.line == long_way(organisation, given)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"subject": "H11.12-261124-0001", "time": "2026-11-24T08:30:00+07:00", "datacontenttype": "application/json"},
        {"traceparent": TRACE},
        {"data": step(applicant={"name": "Trần Văn Hùng", "kind": "CITIZEN"}, note=None, fees=[])},
    ],
)
def test_the_usual_event_takes_the_quick_way(more: dict[str, Any]) -> None:
    found = UsualEvents(ORG, CODEC, RECORDED, "").checked(event(SOURCE, id="1") | more)
    assert found is not None
    assert (found.source, found.id) == (SOURCE, "1")


def test_events_without_a_trace_get_one_each() -> None:
    express = UsualEvents(ORG, CODEC, RECORDED, "")
    found = [dict(express.checked(event(SOURCE)).line[2])["ce_traceparent"].decode() for _ in range(2)]  # type: ignore[union-attr]
    assert found[0] != found[1]
    assert all(cloudevents.TRACEPARENT.fullmatch(trace) for trace in found)


def test_a_batch_of_usual_events_asks_once_who_may_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer: work per event where work per request would do fails here."""
    asked: list[str] = []
    from hub.ingress import usual_event as quick

    for module, name in ((quick, "family_of"), (quick, "dossier_proof"), (ingest, "structured"), (ingest, "validator")):
        monkeypatch.setattr(module, name, _noted(asked, name, getattr(module, name)))
    events = [event(SOURCE, step(f"H11.12-261124-{number:04d}")) for number in range(100)]
    results = asyncio.run(Ingest(CODEC, Broker()).take_json(ORG, events))
    assert [r.status for r in results] == ["accepted"] * 100
    assert asked == ["family_of", "dossier_proof"]


def _noted(asked: list[str], name: str, function: Any) -> Any:
    def call(*args: Any) -> Any:
        asked.append(name)
        return function(*args)

    return call


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=6))
def test_more_sets_of_fields_than_are_kept_are_written_all_the_same(values: list[Any]) -> None:
    made = straight_module._Record(schema_json(STEP), {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(straight_module, "_SHAPES", 2)
        for value in values:
            out = bytearray()
            made(out, value)
            assert bytes(out) == encode_body(STEP, validator(STEP)(value))
    assert len(made._of) <= 2
