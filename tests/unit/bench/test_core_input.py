"""The benchmark's input is what the gateway writes: its headers, its bytes; and the core takes all of it."""

from __future__ import annotations

import pytest

from hub.avro.codec import HEAD_BYTES
from hub.events.envelope import Envelope
from hub.kafka.topics import INGRESS
from hub.stream.stage import Record
from tests.bench import dossiers
from tests.support.codecs import fixed_codec
from tests.support.core import RECORDED, Core

CODEC = fixed_codec()
COUNT = 2_000
RECORDS = list(dossiers.records(CODEC, COUNT))


def test_every_record_has_the_headers_that_the_gateway_writes() -> None:
    """Who spoke (`authid`) and the trace are on every event of real traffic, whatever the agency sent."""
    wanted = ["content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time",
              "ce_recordedtime", "ce_traceparent", "ce_authid"]  # fmt: skip
    assert {tuple(name for name, _ in headers) for _, _, headers in RECORDS} == {tuple(wanted)}
    assert all(len(value) >= HEAD_BYTES + dossiers.MIN_AVRO_BYTES for _, value, _ in RECORDS)


@pytest.mark.parametrize("at", [0, 1, COUNT - 1])
def test_another_encoder_makes_the_same_record(at: int) -> None:
    """fastavro and `Envelope.headers`, which the gateway's builder does not use."""
    number, datum, event_id = list(dossiers.steps(COUNT))[at]
    sent = dossiers.event(number, datum, event_id)
    envelope = Envelope(
        event_id, sent["source"], sent["type"], datum["dossier_code"], sent["time"], dossiers.RECORDED,
        sent["traceparent"], extensions={"authid": dossiers.organisation(number).name},
    )  # fmt: skip
    value = CODEC.encode("vn.hub.DossierStep", datum)
    assert RECORDS[at] == (datum["dossier_code"].encode(), value, envelope.headers())


def test_the_same_bytes_each_time() -> None:
    """All contenders read one topic, but runs and `core_step --digest` are compared too."""
    assert list(dossiers.records(CODEC, COUNT)) == RECORDS


def test_the_core_takes_all_of_it_and_drops_the_copies() -> None:
    core = Core()
    core.run(*(Record(INGRESS, 0, n, RECORDED, *wire) for n, wire in enumerate(RECORDS)))
    ids = [event_id for _, _, event_id in dossiers.steps(COUNT)]
    assert not core.dead
    assert len(core.events) == len(set(ids)) < COUNT
