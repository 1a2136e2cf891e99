"""The inputs of part `core` are what they claim: of the doors' shape, worked the whole way, and of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from hub.avro.bodies import DOSSIER_STEP
from hub.avro.generic import schema_json
from hub.connect.source import Incoming
from hub.control.records import Organisation
from hub.events.envelope import Envelope
from hub.ingress.record import Builder
from hub.model.transitions import STATUSES
from hub.sources.role import event_record
from tests.frozen import book
from tests.frozen.inputs import CODE, ms, step, with_times
from tests.frozen.parts import core
from tests.frozen.parts._core import RECORDED, SOURCE, record_of, worked
from tests.frozen.parts._shown import CODEC

OF_FILES = {name for name, case in core.CASES.items() if "'_door': 'file'" in repr(case)}


@pytest.mark.parametrize("name", sorted(core.CASES.keys() - OF_FILES))
def test_a_process_that_goes_on_makes_the_same_as_one_that_begins_anew(name: str) -> None:
    assert worked(core.CASES[name], kept=True) == worked(core.CASES[name])


@pytest.mark.parametrize("name", ["correction_to_received", "correction_to_received_of_a_file"])
def test_the_corrected_receipt_counts_once_the_other_one_is_no_longer_kept(name: str) -> None:
    """By hand: with three steps kept, the joint agency's receipt of 5 January 09:00 goes with the second step of work.
    What is left begins with the corrected receipt of 6 January 08:00."""
    recorded = book.recorded()[f"core/dossier/{name}"]
    told = [out["value"]["dossier"].get("received_at") for chunk in recorded["chunks"] for out in chunk["out"]]
    assert told == [None] * 4 + [ms("2026-01-06 08:00")] * 3
    assert recorded["state"][f"hub.dossiers {CODE}"]["received_at"] == ms("2026-01-06 08:00")


def test_the_headers_are_those_that_the_gateway_and_a_file_write() -> None:
    event = step("RECEIVED", "2026-01-05 08:00", _time="2026-01-05T01:00:00.000Z")
    record = record_of(event, "e0", 0)
    made = dict(record.headers)
    sender = Organisation(name="so-xay-dung", sources=(SOURCE,), agencies=("H11.12",))
    envelope = Envelope("e0", SOURCE, "vn.hub.dossier.step", CODE, time=event["_time"])
    told = CODEC.read(DOSSIER_STEP, record.value)
    assert record.value is not None
    sent = Builder(CODEC, sender, RECORDED).of_avro(envelope, told, record.value, made["ce_traceparent"].decode())
    assert record.headers == sent.line[2]
    _, key, value, headers = event_record(Incoming(envelope, told), Builder(CODEC, None, RECORDED))
    of_a_file = record_of(event | {"_door": "file"}, "e0", 0)
    assert (key, value) == (of_a_file.key, of_a_file.value)
    assert [pair for pair in headers if pair[0] != "ce_traceparent"] == of_a_file.headers[:-1]
    assert headers[-1][0] == of_a_file.headers[-1][0] == "ce_traceparent"


def _words(value: Any, field: str) -> set[str]:
    if isinstance(value, dict):
        own = {value[field]} if isinstance(value.get(field), str) else set()
        return own.union(*(_words(one, field) for one in value.values()))
    return set().union(*(_words(one, field) for one in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize(
    ("record", "field"), [("DossierStep", "step"), ("ProcedureChange", "change"), ("DossierDeadline", "kind")]
)
def test_every_kind_stands_in_an_event(record: str, field: str) -> None:
    type = next(own["type"] for own in schema_json(f"vn.hub.{record}")["fields"] if own["name"] == field)
    recorded = [value for name, value in book.recorded().items() if name.startswith("core/")]
    assert set(type["symbols"]) - {"UNKNOWN"} <= _words(recorded, field)


def test_every_field_of_a_step_is_told_somewhere() -> None:
    told = set().union(*(datum for case in core.CASES.values() for chunk in case["chunks"] for datum in chunk
                         if isinstance(chunk, list)))  # fmt: skip
    assert {own["name"] for own in schema_json("vn.hub.DossierStep")["fields"]} <= told


def test_times_are_those_of_vietnam() -> None:
    assert with_times({"a": ["2026-01-05 08:00", "2026-01-05"]}) == {"a": [1_767_574_800_000, "2026-01-05"]}


def test_the_corpus_comes_to_every_outcome() -> None:
    """Else its many histories would hold little."""
    rows = [row for own in book.recorded()["corpus/histories"].values() for row in own["chunks"]]
    words = {word for row in rows for word in row.rpartition("->")[2].split()}
    told = {"WARNING", "DUE", "TRANSFER_WARNING", "TRANSFER_DUE", "!transition", "!conflict"}
    assert {*STATUSES, "~IN_PROCESS", "~SUPPLEMENT", "~PAYMENT", "~ACCEPTED", *told} <= words
