"""The family service as Avro. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from librt.strings import BytesWriter

from hub.avro.body.enums import CHANGE_KIND, CHANGE_KIND_NUMBER
from hub.avro.reader import Reader
from hub.avro.records.service import OnlineService, ServiceChange, ServiceEvent
from hub.avro.writer import (
    put_boolean,
    put_long,
    put_optional_boolean,
    put_optional_int,
    put_optional_long,
    put_optional_string,
    put_string,
    put_strings,
)


def get_service_change(r: Reader) -> ServiceChange:
    return ServiceChange(
        r.string(),  # service_code
        CHANGE_KIND[r.symbol(4)],  # change
        r.long(),  # occurred_at
        r.optional_string(),  # name
        r.optional_string(),  # procedure_code
        r.optional_string(),  # agency_code
        r.int32() if r.present() else None,  # level
        r.boolean() if r.present() else None,  # whole_process
        r.strings(),  # channels
        r.optional_string(),  # url
    )


def put_service_change(out: BytesWriter, record: ServiceChange) -> None:
    put_string(out, record.service_code)
    put_long(out, CHANGE_KIND_NUMBER[record.change])
    put_long(out, record.occurred_at)
    put_optional_string(out, record.name)
    put_optional_string(out, record.procedure_code)
    put_optional_string(out, record.agency_code)
    put_optional_int(out, record.level)
    put_optional_boolean(out, record.whole_process)
    put_strings(out, record.channels)
    put_optional_string(out, record.url)


def read_service_change(value: bytes, at: int) -> ServiceChange:
    r = Reader(value, at, "vn.hub.ServiceChange")
    record = get_service_change(r)
    r.end()
    return record


def write_service_change(record: ServiceChange) -> bytes:
    out = BytesWriter()
    put_service_change(out, record)
    return out.getvalue()


def get_online_service(r: Reader) -> OnlineService:
    return OnlineService(
        r.string(),  # service_code
        r.long(),  # hub_seq
        r.boolean(),  # active
        r.long(),  # changed_at
        r.optional_string(),  # name
        r.optional_string(),  # procedure_code
        r.optional_string(),  # agency_code
        r.int32() if r.present() else None,  # level
        r.boolean() if r.present() else None,  # whole_process
        r.strings(),  # channels
        r.optional_string(),  # url
        r.optional_long(),  # active_since
    )


def put_online_service(out: BytesWriter, record: OnlineService) -> None:
    put_string(out, record.service_code)
    put_long(out, record.hub_seq)
    put_boolean(out, record.active)
    put_long(out, record.changed_at)
    put_optional_string(out, record.name)
    put_optional_string(out, record.procedure_code)
    put_optional_string(out, record.agency_code)
    put_optional_int(out, record.level)
    put_optional_boolean(out, record.whole_process)
    put_strings(out, record.channels)
    put_optional_string(out, record.url)
    put_optional_long(out, record.active_since)


def read_online_service(value: bytes, at: int) -> OnlineService:
    r = Reader(value, at, "vn.hub.OnlineService")
    record = get_online_service(r)
    r.end()
    return record


def write_online_service(record: OnlineService) -> bytes:
    out = BytesWriter()
    put_online_service(out, record)
    return out.getvalue()


def get_service_event(r: Reader) -> ServiceEvent:
    return ServiceEvent(
        hub_seq=r.long(),
        late=r.boolean(),
        change=get_service_change(r),
        service=get_online_service(r),
    )


def put_service_event(out: BytesWriter, record: ServiceEvent) -> None:
    put_long(out, record.hub_seq)
    put_boolean(out, record.late)
    put_service_change(out, record.change)
    put_online_service(out, record.service)


def read_service_event(value: bytes, at: int) -> ServiceEvent:
    r = Reader(value, at, "vn.hub.ServiceEvent")
    record = get_service_event(r)
    r.end()
    return record


def write_service_event(record: ServiceEvent) -> bytes:
    out = BytesWriter()
    put_service_event(out, record)
    return out.getvalue()
