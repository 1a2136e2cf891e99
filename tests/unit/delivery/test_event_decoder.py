"""From bytes to what a portal gets: our own version of a schema, another one, a state, and what is damaged."""

from __future__ import annotations

import copy
import io
from dataclasses import replace
from typing import Any

import fastavro
import pytest
from msgspec import structs

from hub.avro.bodies import DOSSIER, DOSSIER_EVENT, ONLINE_SERVICE, PROCEDURE
from hub.avro.codec import Codec, head
from hub.avro.generic import parse, schema_json
from hub.avro.record import Body
from hub.avro.records import (
    Dossier,
    DossierEvent,
    DossierStep,
    OnlineService,
    Procedure,
    ProcedureChange,
    ProcedureEvent,
    ProcedureFee,
    ServiceChange,
    ServiceEvent,
)
from hub.control.records import Filter
from hub.delivery.entries import Raw
from hub.delivery.event_decoder import Decoder
from hub.errors import BadRecord
from hub.events.canonical import CanonicalRecord
from hub.kafka.topics import DOSSIERS, EVENTS, PROCEDURES, SERVICES
from tests.support.codecs import IDS, fixed_codec
from tests.support.events import T0, dossier_event

CODEC = fixed_codec()
DECODER = Decoder(CODEC)
CODE = "000.00.12.H11-231114-0001"


def event(**facts: Any) -> Raw:
    key, value, headers = dossier_event(CODEC, CODE, 3, **facts)
    return Raw(EVENTS, 0, 7, T0, key, value, headers)


def state(topic: str, body: Body[Any], record: Any) -> Raw:
    return Raw(topic, 0, 7, T0, b"key", CODEC.write(body, record), ())


def test_an_event_is_a_record_and_its_bytes_are_those_of_the_log() -> None:
    raw = event(agency_code="H11.12")
    item = DECODER.item(raw)
    assert isinstance(item.data, DossierEvent)
    assert (item.family, item.hub_seq, item.data.dossier.agency_code) == ("dossier", 3, "H11.12")
    assert item.value == raw.value


def test_a_newer_state_takes_the_place_of_the_event_s_own_in_the_bytes_too() -> None:
    newest = Dossier(dossier_code=CODE, hub_seq=9, status="FINISHED", status_at=T0, remark="mới")
    item = DECODER.item(event(remark="cũ"), newest)
    assert isinstance(item.data, DossierEvent)
    assert (item.data.hub_seq, item.data.dossier, item.data.step.remark) == (3, newest, "cũ")
    assert CODEC.read(DOSSIER_EVENT, item.value) == item.data


DOSSIER_STATE = Dossier(
    dossier_code=CODE, hub_seq=5, status="PAYMENT", status_at=T0, agency_code="H11.12", agency_name="UBND",
    procedure_code="1.004194", remark="r",
)  # fmt: skip
PROCEDURE_STATE = Procedure(
    procedure_code="1.004194", hub_seq=2, active=True, changed_at=T0, name="Tên", time_limit=5.0,
    fees=(ProcedureFee(code="LP1", amount_vnd=20_000),), active_since=T0 - 1,
)  # fmt: skip
SERVICE_STATE = OnlineService(
    service_code="1.004194.01", hub_seq=2, active=False, changed_at=T0, channels=("national",), active_since=T0 - 1
)
SNAPSHOTS: list[tuple[str, Body[Any], Any, CanonicalRecord]] = [
    (DOSSIERS, DOSSIER, DOSSIER_STATE, DossierEvent(
        hub_seq=5, status="PAYMENT", dossier=DOSSIER_STATE,
        step=DossierStep(dossier_code=CODE, step="PAYMENT_REQUESTED", occurred_at=T0, agency_code="H11.12",
                         agency_name="UBND", procedure_code="1.004194"),
    )),
    (PROCEDURES, PROCEDURE, PROCEDURE_STATE, ProcedureEvent(
        hub_seq=2, procedure=PROCEDURE_STATE,
        change=ProcedureChange(procedure_code="1.004194", change="PUBLISHED", occurred_at=T0, name="Tên",
                               time_limit=5.0, fees=(ProcedureFee(code="LP1", amount_vnd=20_000),)),
    )),
    (SERVICES, ONLINE_SERVICE, SERVICE_STATE, ServiceEvent(
        hub_seq=2, service=SERVICE_STATE,
        change=ServiceChange(service_code="1.004194.01", change="WITHDRAWN", occurred_at=T0, channels=("national",)),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "body", "record", "wanted"), SNAPSHOTS, ids=[DOSSIERS, PROCEDURES, SERVICES])
def test_a_state_becomes_an_event_that_tells_all_of_it(
    topic: str, body: Body[Any], record: Any, wanted: CanonicalRecord
) -> None:
    item = DECODER.item(state(topic, body, record))
    assert item.data == wanted
    assert item.envelope.time == "2023-11-14T22:13:20.000Z"
    assert CODEC.read_any(item.value)[1] == wanted


def _older_version() -> tuple[Codec, Any]:
    """A codec that knows, as id 500, a version of DossierEvent without `late`, with a field that ours has not."""
    schema = copy.deepcopy(schema_json("vn.hub.DossierEvent"))
    schema["fields"] = [field for field in schema["fields"] if field["name"] != "late"]
    schema["fields"].append({"name": "colour", "type": "string"})
    return Codec(IDS, lambda _: schema), schema


def test_an_event_of_another_version_is_filled_up_and_passed_on_as_it_is() -> None:
    codec, schema = _older_version()
    out, raw = io.BytesIO(), event(agency_code="H11.12")
    ours = CODEC.decode(raw.value)[1]
    fastavro.schemaless_writer(out, parse(schema), ours | {"colour": "red"})
    old = replace(raw, value=head(500) + out.getvalue())
    decoder = Decoder(codec)
    item = decoder.item(old)
    assert item.data == CODEC.read(DOSSIER_EVENT, raw.value)
    assert item.value == old.value
    wanted = Filter(agencies=("H11.12",))
    assert decoder.due_entry(old, wanted, ("dossier",)) is not None
    assert decoder.due_entry(old, Filter(agencies=("H11.13",)), ("dossier",)) is None


def damaged_receipt(number: bytes) -> bytes:
    """A vn.hub.Delivery by hand whose outcome has that number; no events, attempt 1, at 0."""
    return head(IDS["vn.hub.Delivery"]) + b"\x02s\x02k" + number + b"\x00\x00\x02\x00\x00\x00\x00\x00\x00"


def test_a_receipt() -> None:
    found = DECODER.receipt(damaged_receipt(b"\x00"))
    assert (found.subscriber, found.key, found.outcome, found.event_ids, found.attempt) == (
        "s",
        "k",
        "DELIVERED",
        (),
        1,
    )


@pytest.mark.parametrize("number", [b"\x01", b"\x0c"], ids=["-1", "6"])
def test_an_outcome_that_is_none_is_no_receipt(number: bytes) -> None:
    """-1 would be the last word of the list to a reader that trusts it."""
    with pytest.raises(BadRecord) as caught:
        DECODER.receipt(damaged_receipt(number))
    assert caught.value.reason == "avro"


def test_what_ends_early_is_a_bad_record() -> None:
    raw = event()
    assert raw.value is not None
    for value in (None, b"", raw.value[:-1]):
        with pytest.raises(BadRecord) as caught:
            DECODER.item(replace(raw, value=value))
        assert caught.value.reason == "truncated"


def test_a_portal_can_change_nothing_of_what_another_gets() -> None:
    item = DECODER.item(event())
    with pytest.raises(AttributeError):
        item.data.hub_seq = 9  # type: ignore[misc]
    assert structs.replace(item.data, hub_seq=9) != item.data
