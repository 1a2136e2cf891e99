"""The family dossier as Avro. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from librt.strings import BytesWriter

from hub.avro.body.enums import (
    APPLICANT_KIND,
    APPLICANT_KIND_NUMBER,
    CHANNEL,
    CHANNEL_NUMBER,
    DEADLINE_KIND,
    DEADLINE_KIND_NUMBER,
    DOSSIER_STATUS,
    DOSSIER_STATUS_NUMBER,
    STEP_KIND,
    STEP_KIND_NUMBER,
)
from hub.avro.reader import Reader
from hub.avro.records.dossier import (
    Applicant,
    Attachment,
    Dossier,
    DossierDeadline,
    DossierDeadlineEvent,
    DossierEvent,
    DossierStep,
    Fee,
    Handler,
)
from hub.avro.writer import (
    put_boolean,
    put_long,
    put_optional_boolean,
    put_optional_double,
    put_optional_int,
    put_optional_long,
    put_optional_string,
    put_string,
)


def get_handler(r: Reader) -> Handler:
    return Handler(
        r.optional_string(),  # name
        r.optional_string(),  # title
        r.optional_string(),  # department
    )


def put_handler(out: BytesWriter, record: Handler) -> None:
    put_optional_string(out, record.name)
    put_optional_string(out, record.title)
    put_optional_string(out, record.department)


def get_applicant(r: Reader) -> Applicant:
    return Applicant(
        r.optional_string(),  # name
        APPLICANT_KIND[r.symbol(4)],  # kind
        r.optional_string(),  # identity_number
        r.optional_string(),  # national_account
        r.optional_string(),  # address
        r.optional_string(),  # email
        r.optional_string(),  # phone
        r.optional_string(),  # fax
        r.optional_string(),  # other
        r.boolean() if r.present() else None,  # vneid_verified
    )


def put_applicant(out: BytesWriter, record: Applicant) -> None:
    put_optional_string(out, record.name)
    put_long(out, APPLICANT_KIND_NUMBER[record.kind])
    put_optional_string(out, record.identity_number)
    put_optional_string(out, record.national_account)
    put_optional_string(out, record.address)
    put_optional_string(out, record.email)
    put_optional_string(out, record.phone)
    put_optional_string(out, record.fax)
    put_optional_string(out, record.other)
    put_optional_boolean(out, record.vneid_verified)


def get_attachment(r: Reader) -> Attachment:
    return Attachment(
        r.string(),  # id
        r.optional_string(),  # name
        r.optional_string(),  # component_code
        r.optional_string(),  # url
        r.boolean(),  # result
        r.boolean() if r.present() else None,  # digitised
    )


def put_attachment(out: BytesWriter, record: Attachment) -> None:
    put_string(out, record.id)
    put_optional_string(out, record.name)
    put_optional_string(out, record.component_code)
    put_optional_string(out, record.url)
    put_boolean(out, record.result)
    put_optional_boolean(out, record.digitised)


def get_attachment_array(r: Reader) -> tuple[Attachment, ...]:
    count = r.count(6)
    if count == 0:
        return ()
    found: list[Attachment] = []
    while count != 0:
        for _ in range(count):
            found.append(get_attachment(r))
        count = r.count(6)
    return tuple(found)


def put_attachment_array(out: BytesWriter, records: tuple[Attachment, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_attachment(out, record)
    out.append(0)


def get_fee(r: Reader) -> Fee:
    return Fee(
        r.string(),  # code
        r.string(),  # name
        r.long(),  # amount_vnd
        r.boolean(),  # paid
        r.optional_string(),  # kind
        r.optional_string(),  # collection
    )


def put_fee(out: BytesWriter, record: Fee) -> None:
    put_string(out, record.code)
    put_string(out, record.name)
    put_long(out, record.amount_vnd)
    put_boolean(out, record.paid)
    put_optional_string(out, record.kind)
    put_optional_string(out, record.collection)


def get_fee_array(r: Reader) -> tuple[Fee, ...]:
    count = r.count(6)
    if count == 0:
        return ()
    found: list[Fee] = []
    while count != 0:
        for _ in range(count):
            found.append(get_fee(r))
        count = r.count(6)
    return tuple(found)


def put_fee_array(out: BytesWriter, records: tuple[Fee, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_fee(out, record)
    out.append(0)


def get_dossier_step(r: Reader) -> DossierStep:
    return DossierStep(
        r.string(),  # dossier_code
        STEP_KIND[r.symbol(16)],  # step
        r.long(),  # occurred_at
        r.boolean(),  # correction
        get_handler(r) if r.present() else None,  # handler
        r.optional_string(),  # note
        r.optional_string(),  # transferred_to
        r.int32() if r.present() else None,  # rating
        r.optional_string(),  # procedure_code
        r.optional_string(),  # procedure_name
        r.optional_string(),  # field_code
        r.optional_string(),  # field_name
        r.optional_string(),  # agency_code
        r.optional_string(),  # receiving_agency_code
        r.optional_string(),  # agency_name
        get_applicant(r) if r.present() else None,  # applicant
        r.optional_string(),  # abstract
        CHANNEL[r.symbol(3)] if r.present() else None,  # channel
        r.optional_long(),  # received_at
        r.optional_long(),  # due_at
        r.optional_long(),  # finished_at
        r.optional_long(),  # returned_at
        get_attachment_array(r),  # attachments
        get_fee_array(r),  # fees
        r.optional_long(),  # submitted_at
        r.optional_string(),  # receipt_number
        r.optional_string(),  # filed_at_portal
        r.boolean() if r.present() else None,  # return_by_post
        r.optional_string(),  # return_note
        r.optional_string(),  # remark
        r.int32() if r.present() else None,  # online_payment
        r.optional_long(),  # step_started_at
        r.optional_long(),  # step_due_at
        r.double() if r.present() else None,  # transfer_limit
        r.optional_string(),  # transfer_limit_unit
        r.optional_string(),  # parent_code
    )


def put_dossier_step(out: BytesWriter, record: DossierStep) -> None:
    put_string(out, record.dossier_code)
    put_long(out, STEP_KIND_NUMBER[record.step])
    put_long(out, record.occurred_at)
    put_boolean(out, record.correction)
    handler = record.handler
    if handler is None:
        out.append(0)
    else:
        out.append(2)
        put_handler(out, handler)
    put_optional_string(out, record.note)
    put_optional_string(out, record.transferred_to)
    put_optional_int(out, record.rating)
    put_optional_string(out, record.procedure_code)
    put_optional_string(out, record.procedure_name)
    put_optional_string(out, record.field_code)
    put_optional_string(out, record.field_name)
    put_optional_string(out, record.agency_code)
    put_optional_string(out, record.receiving_agency_code)
    put_optional_string(out, record.agency_name)
    applicant = record.applicant
    if applicant is None:
        out.append(0)
    else:
        out.append(2)
        put_applicant(out, applicant)
    put_optional_string(out, record.abstract)
    channel = record.channel
    if channel is None:
        out.append(0)
    else:
        out.append(2)
        put_long(out, CHANNEL_NUMBER[channel])
    put_optional_long(out, record.received_at)
    put_optional_long(out, record.due_at)
    put_optional_long(out, record.finished_at)
    put_optional_long(out, record.returned_at)
    put_attachment_array(out, record.attachments)
    put_fee_array(out, record.fees)
    put_optional_long(out, record.submitted_at)
    put_optional_string(out, record.receipt_number)
    put_optional_string(out, record.filed_at_portal)
    put_optional_boolean(out, record.return_by_post)
    put_optional_string(out, record.return_note)
    put_optional_string(out, record.remark)
    put_optional_int(out, record.online_payment)
    put_optional_long(out, record.step_started_at)
    put_optional_long(out, record.step_due_at)
    put_optional_double(out, record.transfer_limit)
    put_optional_string(out, record.transfer_limit_unit)
    put_optional_string(out, record.parent_code)


def read_dossier_step(value: bytes, at: int) -> DossierStep:
    r = Reader(value, at, "vn.hub.DossierStep")
    record = get_dossier_step(r)
    r.end()
    return record


def write_dossier_step(record: DossierStep) -> bytes:
    out = BytesWriter()
    put_dossier_step(out, record)
    return out.getvalue()


def get_dossier(r: Reader) -> Dossier:
    return Dossier(
        r.string(),  # dossier_code
        r.long(),  # hub_seq
        DOSSIER_STATUS[r.symbol(11)],  # status
        r.long(),  # status_at
        r.optional_string(),  # procedure_code
        r.optional_string(),  # procedure_name
        r.optional_string(),  # field_code
        r.optional_string(),  # field_name
        r.optional_string(),  # agency_code
        r.optional_string(),  # receiving_agency_code
        r.optional_string(),  # agency_name
        get_applicant(r) if r.present() else None,  # applicant
        r.optional_string(),  # abstract
        CHANNEL[r.symbol(3)] if r.present() else None,  # channel
        r.optional_long(),  # received_at
        r.optional_long(),  # due_at
        r.optional_long(),  # finished_at
        r.optional_long(),  # returned_at
        get_attachment_array(r),  # attachments
        get_fee_array(r),  # fees
        r.optional_string(),  # holder_agency_code
        r.optional_long(),  # submitted_at
        r.optional_string(),  # receipt_number
        r.optional_string(),  # filed_at_portal
        r.boolean() if r.present() else None,  # return_by_post
        r.optional_string(),  # return_note
        r.optional_string(),  # remark
        r.int32() if r.present() else None,  # online_payment
        r.optional_string(),  # parent_code
        r.optional_long(),  # holder_since
        r.optional_long(),  # holder_due_at
        r.boolean() if r.present() else None,  # received_at_derived
        r.boolean() if r.present() else None,  # due_at_derived
    )


def put_dossier(out: BytesWriter, record: Dossier) -> None:
    put_string(out, record.dossier_code)
    put_long(out, record.hub_seq)
    put_long(out, DOSSIER_STATUS_NUMBER[record.status])
    put_long(out, record.status_at)
    put_optional_string(out, record.procedure_code)
    put_optional_string(out, record.procedure_name)
    put_optional_string(out, record.field_code)
    put_optional_string(out, record.field_name)
    put_optional_string(out, record.agency_code)
    put_optional_string(out, record.receiving_agency_code)
    put_optional_string(out, record.agency_name)
    applicant = record.applicant
    if applicant is None:
        out.append(0)
    else:
        out.append(2)
        put_applicant(out, applicant)
    put_optional_string(out, record.abstract)
    channel = record.channel
    if channel is None:
        out.append(0)
    else:
        out.append(2)
        put_long(out, CHANNEL_NUMBER[channel])
    put_optional_long(out, record.received_at)
    put_optional_long(out, record.due_at)
    put_optional_long(out, record.finished_at)
    put_optional_long(out, record.returned_at)
    put_attachment_array(out, record.attachments)
    put_fee_array(out, record.fees)
    put_optional_string(out, record.holder_agency_code)
    put_optional_long(out, record.submitted_at)
    put_optional_string(out, record.receipt_number)
    put_optional_string(out, record.filed_at_portal)
    put_optional_boolean(out, record.return_by_post)
    put_optional_string(out, record.return_note)
    put_optional_string(out, record.remark)
    put_optional_int(out, record.online_payment)
    put_optional_string(out, record.parent_code)
    put_optional_long(out, record.holder_since)
    put_optional_long(out, record.holder_due_at)
    put_optional_boolean(out, record.received_at_derived)
    put_optional_boolean(out, record.due_at_derived)


def read_dossier(value: bytes, at: int) -> Dossier:
    r = Reader(value, at, "vn.hub.Dossier")
    record = get_dossier(r)
    r.end()
    return record


def write_dossier(record: Dossier) -> bytes:
    out = BytesWriter()
    put_dossier(out, record)
    return out.getvalue()


def get_dossier_event(r: Reader) -> DossierEvent:
    return DossierEvent(
        hub_seq=r.long(),
        late=r.boolean(),
        status=DOSSIER_STATUS[r.symbol(11)],
        step=get_dossier_step(r),
        dossier=get_dossier(r),
    )


def put_dossier_event(out: BytesWriter, record: DossierEvent) -> None:
    put_long(out, record.hub_seq)
    put_boolean(out, record.late)
    put_long(out, DOSSIER_STATUS_NUMBER[record.status])
    put_dossier_step(out, record.step)
    put_dossier(out, record.dossier)


def read_dossier_event(value: bytes, at: int) -> DossierEvent:
    r = Reader(value, at, "vn.hub.DossierEvent")
    record = get_dossier_event(r)
    r.end()
    return record


def write_dossier_event(record: DossierEvent) -> bytes:
    out = BytesWriter()
    put_dossier_event(out, record)
    return out.getvalue()


def get_dossier_deadline(r: Reader) -> DossierDeadline:
    return DossierDeadline(
        r.string(),  # dossier_code
        DEADLINE_KIND[r.symbol(5)],  # kind
        r.long(),  # occurred_at
        r.long(),  # due_at
        r.long(),  # deadline_at
    )


def put_dossier_deadline(out: BytesWriter, record: DossierDeadline) -> None:
    put_string(out, record.dossier_code)
    put_long(out, DEADLINE_KIND_NUMBER[record.kind])
    put_long(out, record.occurred_at)
    put_long(out, record.due_at)
    put_long(out, record.deadline_at)


def read_dossier_deadline(value: bytes, at: int) -> DossierDeadline:
    r = Reader(value, at, "vn.hub.DossierDeadline")
    record = get_dossier_deadline(r)
    r.end()
    return record


def write_dossier_deadline(record: DossierDeadline) -> bytes:
    out = BytesWriter()
    put_dossier_deadline(out, record)
    return out.getvalue()


def get_dossier_deadline_event(r: Reader) -> DossierDeadlineEvent:
    return DossierDeadlineEvent(
        r.long(),  # hub_seq
        get_dossier_deadline(r),  # deadline
        get_dossier(r),  # dossier
    )


def put_dossier_deadline_event(out: BytesWriter, record: DossierDeadlineEvent) -> None:
    put_long(out, record.hub_seq)
    put_dossier_deadline(out, record.deadline)
    put_dossier(out, record.dossier)


def read_dossier_deadline_event(value: bytes, at: int) -> DossierDeadlineEvent:
    r = Reader(value, at, "vn.hub.DossierDeadlineEvent")
    record = get_dossier_deadline_event(r)
    r.end()
    return record


def write_dossier_deadline_event(record: DossierDeadlineEvent) -> bytes:
    out = BytesWriter()
    put_dossier_deadline_event(out, record)
    return out.getvalue()
