"""The family delivery as Avro. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from librt.strings import BytesWriter

from hub.avro.body.enums import DELIVERY_OUTCOME, DELIVERY_OUTCOME_NUMBER
from hub.avro.reader import Reader
from hub.avro.records.delivery import Delivery
from hub.avro.writer import (
    put_int,
    put_long,
    put_longs,
    put_optional_int,
    put_optional_long,
    put_optional_string,
    put_string,
    put_strings,
)


def get_delivery(r: Reader) -> Delivery:
    return Delivery(
        r.string(),  # subscriber
        r.string(),  # key
        DELIVERY_OUTCOME[r.symbol(6)],  # outcome
        r.strings(),  # event_ids
        r.longs(),  # hub_seqs
        r.int32(),  # attempt
        r.long(),  # at
        r.int32(),  # latency_ms
        r.int32() if r.present() else None,  # http_status
        r.optional_string(),  # error_kind
        r.optional_string(),  # answer
        r.optional_long(),  # not_before
    )


def put_delivery(out: BytesWriter, record: Delivery) -> None:
    put_string(out, record.subscriber)
    put_string(out, record.key)
    put_long(out, DELIVERY_OUTCOME_NUMBER[record.outcome])
    put_strings(out, record.event_ids)
    put_longs(out, record.hub_seqs)
    put_int(out, record.attempt)
    put_long(out, record.at)
    put_int(out, record.latency_ms)
    put_optional_int(out, record.http_status)
    put_optional_string(out, record.error_kind)
    put_optional_string(out, record.answer)
    put_optional_long(out, record.not_before)


def read_delivery(value: bytes, at: int) -> Delivery:
    r = Reader(value, at, "vn.hub.Delivery")
    record = get_delivery(r)
    r.end()
    return record


def write_delivery(record: Delivery) -> bytes:
    out = BytesWriter()
    put_delivery(out, record)
    return out.getvalue()
