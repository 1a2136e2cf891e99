"""The family procedure as Avro. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from librt.strings import BytesWriter

from hub.avro.body.enums import CHANGE_KIND, CHANGE_KIND_NUMBER
from hub.avro.reader import Reader
from hub.avro.records.procedure import (
    LegalBasis,
    Procedure,
    ProcedureChange,
    ProcedureComponent,
    ProcedureEvent,
    ProcedureFee,
    ProcedureForm,
    ProcedureResult,
    ProcedureTimeLimit,
)
from hub.avro.writer import (
    put_boolean,
    put_long,
    put_optional_double,
    put_optional_int,
    put_optional_long,
    put_optional_string,
    put_optional_strings,
    put_string,
)


def get_procedure_time_limit(r: Reader) -> ProcedureTimeLimit:
    return ProcedureTimeLimit(
        r.optional_string(),  # channel
        r.double() if r.present() else None,  # time_limit
        r.optional_string(),  # time_limit_unit
        r.optional_string(),  # note
    )


def put_procedure_time_limit(out: BytesWriter, record: ProcedureTimeLimit) -> None:
    put_optional_string(out, record.channel)
    put_optional_double(out, record.time_limit)
    put_optional_string(out, record.time_limit_unit)
    put_optional_string(out, record.note)


def get_procedure_time_limit_array(r: Reader) -> tuple[ProcedureTimeLimit, ...]:
    count = r.count(4)
    if count == 0:
        return ()
    found: list[ProcedureTimeLimit] = []
    while count != 0:
        for _ in range(count):
            found.append(get_procedure_time_limit(r))
        count = r.count(4)
    return tuple(found)


def put_procedure_time_limit_array(out: BytesWriter, records: tuple[ProcedureTimeLimit, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_procedure_time_limit(out, record)
    out.append(0)


def get_procedure_fee(r: Reader) -> ProcedureFee:
    return ProcedureFee(
        r.string(),  # code
        r.optional_string(),  # channel
        r.optional_long(),  # amount_vnd
        r.optional_string(),  # unit
        r.optional_string(),  # note
    )


def put_procedure_fee(out: BytesWriter, record: ProcedureFee) -> None:
    put_string(out, record.code)
    put_optional_string(out, record.channel)
    put_optional_long(out, record.amount_vnd)
    put_optional_string(out, record.unit)
    put_optional_string(out, record.note)


def get_procedure_fee_array(r: Reader) -> tuple[ProcedureFee, ...]:
    count = r.count(5)
    if count == 0:
        return ()
    found: list[ProcedureFee] = []
    while count != 0:
        for _ in range(count):
            found.append(get_procedure_fee(r))
        count = r.count(5)
    return tuple(found)


def put_procedure_fee_array(out: BytesWriter, records: tuple[ProcedureFee, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_procedure_fee(out, record)
    out.append(0)


def get_procedure_component(r: Reader) -> ProcedureComponent:
    return ProcedureComponent(
        r.string(),  # code
        r.optional_string(),  # name
        r.optional_string(),  # case
        r.int32() if r.present() else None,  # originals
        r.int32() if r.present() else None,  # copies
        r.optional_string(),  # replaced_by
    )


def put_procedure_component(out: BytesWriter, record: ProcedureComponent) -> None:
    put_string(out, record.code)
    put_optional_string(out, record.name)
    put_optional_string(out, record.case)
    put_optional_int(out, record.originals)
    put_optional_int(out, record.copies)
    put_optional_string(out, record.replaced_by)


def get_procedure_component_array(r: Reader) -> tuple[ProcedureComponent, ...]:
    count = r.count(6)
    if count == 0:
        return ()
    found: list[ProcedureComponent] = []
    while count != 0:
        for _ in range(count):
            found.append(get_procedure_component(r))
        count = r.count(6)
    return tuple(found)


def put_procedure_component_array(out: BytesWriter, records: tuple[ProcedureComponent, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_procedure_component(out, record)
    out.append(0)


def get_procedure_form(r: Reader) -> ProcedureForm:
    return ProcedureForm(
        r.optional_string(),  # name
        r.optional_string(),  # component_code
        r.optional_string(),  # url
        r.optional_string(),  # version
        r.optional_string(),  # sha256
    )


def put_procedure_form(out: BytesWriter, record: ProcedureForm) -> None:
    put_optional_string(out, record.name)
    put_optional_string(out, record.component_code)
    put_optional_string(out, record.url)
    put_optional_string(out, record.version)
    put_optional_string(out, record.sha256)


def get_procedure_form_array(r: Reader) -> tuple[ProcedureForm, ...]:
    count = r.count(5)
    if count == 0:
        return ()
    found: list[ProcedureForm] = []
    while count != 0:
        for _ in range(count):
            found.append(get_procedure_form(r))
        count = r.count(5)
    return tuple(found)


def put_procedure_form_array(out: BytesWriter, records: tuple[ProcedureForm, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_procedure_form(out, record)
    out.append(0)


def get_procedure_result(r: Reader) -> ProcedureResult:
    return ProcedureResult(
        r.string(),  # code
        r.optional_string(),  # name
    )


def put_procedure_result(out: BytesWriter, record: ProcedureResult) -> None:
    put_string(out, record.code)
    put_optional_string(out, record.name)


def get_procedure_result_array(r: Reader) -> tuple[ProcedureResult, ...]:
    count = r.count(2)
    if count == 0:
        return ()
    found: list[ProcedureResult] = []
    while count != 0:
        for _ in range(count):
            found.append(get_procedure_result(r))
        count = r.count(2)
    return tuple(found)


def put_procedure_result_array(out: BytesWriter, records: tuple[ProcedureResult, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_procedure_result(out, record)
    out.append(0)


def get_legal_basis(r: Reader) -> LegalBasis:
    return LegalBasis(
        r.string(),  # number
        r.optional_string(),  # title
        r.optional_string(),  # issuer
        r.optional_long(),  # issued_on
        r.optional_long(),  # effective_on
        r.optional_string(),  # url
    )


def put_legal_basis(out: BytesWriter, record: LegalBasis) -> None:
    put_string(out, record.number)
    put_optional_string(out, record.title)
    put_optional_string(out, record.issuer)
    put_optional_long(out, record.issued_on)
    put_optional_long(out, record.effective_on)
    put_optional_string(out, record.url)


def get_legal_basis_array(r: Reader) -> tuple[LegalBasis, ...]:
    count = r.count(6)
    if count == 0:
        return ()
    found: list[LegalBasis] = []
    while count != 0:
        for _ in range(count):
            found.append(get_legal_basis(r))
        count = r.count(6)
    return tuple(found)


def put_legal_basis_array(out: BytesWriter, records: tuple[LegalBasis, ...]) -> None:
    if records:
        put_long(out, len(records))
        for record in records:
            put_legal_basis(out, record)
    out.append(0)


def get_procedure_change(r: Reader) -> ProcedureChange:
    return ProcedureChange(
        r.string(),  # procedure_code
        CHANGE_KIND[r.symbol(4)],  # change
        r.long(),  # occurred_at
        r.optional_string(),  # name
        r.optional_string(),  # agency_code
        r.optional_string(),  # authority_level
        r.optional_string(),  # field_code
        r.optional_string(),  # field_name
        r.double() if r.present() else None,  # time_limit
        r.optional_string(),  # time_limit_unit
        r.optional_long(),  # fee_vnd
        r.optional_string(),  # decision
        r.optional_long(),  # effective_at
        get_procedure_time_limit_array(r) if r.present() else None,  # time_limits
        get_procedure_fee_array(r) if r.present() else None,  # fees
        get_procedure_component_array(r) if r.present() else None,  # components
        get_procedure_form_array(r) if r.present() else None,  # forms
        get_procedure_result_array(r) if r.present() else None,  # results
        get_legal_basis_array(r) if r.present() else None,  # legal_bases
        r.strings() if r.present() else None,  # linked_procedures
        r.strings() if r.present() else None,  # related_procedures
    )


def put_procedure_change(out: BytesWriter, record: ProcedureChange) -> None:
    put_string(out, record.procedure_code)
    put_long(out, CHANGE_KIND_NUMBER[record.change])
    put_long(out, record.occurred_at)
    put_optional_string(out, record.name)
    put_optional_string(out, record.agency_code)
    put_optional_string(out, record.authority_level)
    put_optional_string(out, record.field_code)
    put_optional_string(out, record.field_name)
    put_optional_double(out, record.time_limit)
    put_optional_string(out, record.time_limit_unit)
    put_optional_long(out, record.fee_vnd)
    put_optional_string(out, record.decision)
    put_optional_long(out, record.effective_at)
    time_limits = record.time_limits
    if time_limits is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_time_limit_array(out, time_limits)
    fees = record.fees
    if fees is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_fee_array(out, fees)
    components = record.components
    if components is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_component_array(out, components)
    forms = record.forms
    if forms is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_form_array(out, forms)
    results = record.results
    if results is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_result_array(out, results)
    legal_bases = record.legal_bases
    if legal_bases is None:
        out.append(0)
    else:
        out.append(2)
        put_legal_basis_array(out, legal_bases)
    put_optional_strings(out, record.linked_procedures)
    put_optional_strings(out, record.related_procedures)


def read_procedure_change(value: bytes, at: int) -> ProcedureChange:
    r = Reader(value, at, "vn.hub.ProcedureChange")
    record = get_procedure_change(r)
    r.end()
    return record


def write_procedure_change(record: ProcedureChange) -> bytes:
    out = BytesWriter()
    put_procedure_change(out, record)
    return out.getvalue()


def get_procedure(r: Reader) -> Procedure:
    return Procedure(
        r.string(),  # procedure_code
        r.long(),  # hub_seq
        r.boolean(),  # active
        r.long(),  # changed_at
        r.optional_string(),  # name
        r.optional_string(),  # agency_code
        r.optional_string(),  # authority_level
        r.optional_string(),  # field_code
        r.optional_string(),  # field_name
        r.double() if r.present() else None,  # time_limit
        r.optional_string(),  # time_limit_unit
        r.optional_long(),  # fee_vnd
        r.optional_string(),  # decision
        r.optional_long(),  # effective_at
        get_procedure_time_limit_array(r) if r.present() else None,  # time_limits
        get_procedure_fee_array(r) if r.present() else None,  # fees
        get_procedure_component_array(r) if r.present() else None,  # components
        get_procedure_form_array(r) if r.present() else None,  # forms
        get_procedure_result_array(r) if r.present() else None,  # results
        get_legal_basis_array(r) if r.present() else None,  # legal_bases
        r.strings() if r.present() else None,  # linked_procedures
        r.strings() if r.present() else None,  # related_procedures
        r.optional_long(),  # active_since
    )


def put_procedure(out: BytesWriter, record: Procedure) -> None:
    put_string(out, record.procedure_code)
    put_long(out, record.hub_seq)
    put_boolean(out, record.active)
    put_long(out, record.changed_at)
    put_optional_string(out, record.name)
    put_optional_string(out, record.agency_code)
    put_optional_string(out, record.authority_level)
    put_optional_string(out, record.field_code)
    put_optional_string(out, record.field_name)
    put_optional_double(out, record.time_limit)
    put_optional_string(out, record.time_limit_unit)
    put_optional_long(out, record.fee_vnd)
    put_optional_string(out, record.decision)
    put_optional_long(out, record.effective_at)
    time_limits = record.time_limits
    if time_limits is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_time_limit_array(out, time_limits)
    fees = record.fees
    if fees is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_fee_array(out, fees)
    components = record.components
    if components is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_component_array(out, components)
    forms = record.forms
    if forms is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_form_array(out, forms)
    results = record.results
    if results is None:
        out.append(0)
    else:
        out.append(2)
        put_procedure_result_array(out, results)
    legal_bases = record.legal_bases
    if legal_bases is None:
        out.append(0)
    else:
        out.append(2)
        put_legal_basis_array(out, legal_bases)
    put_optional_strings(out, record.linked_procedures)
    put_optional_strings(out, record.related_procedures)
    put_optional_long(out, record.active_since)


def read_procedure(value: bytes, at: int) -> Procedure:
    r = Reader(value, at, "vn.hub.Procedure")
    record = get_procedure(r)
    r.end()
    return record


def write_procedure(record: Procedure) -> bytes:
    out = BytesWriter()
    put_procedure(out, record)
    return out.getvalue()


def get_procedure_event(r: Reader) -> ProcedureEvent:
    return ProcedureEvent(
        hub_seq=r.long(),
        late=r.boolean(),
        change=get_procedure_change(r),
        procedure=get_procedure(r),
    )


def put_procedure_event(out: BytesWriter, record: ProcedureEvent) -> None:
    put_long(out, record.hub_seq)
    put_boolean(out, record.late)
    put_procedure_change(out, record.change)
    put_procedure(out, record.procedure)


def read_procedure_event(value: bytes, at: int) -> ProcedureEvent:
    r = Reader(value, at, "vn.hub.ProcedureEvent")
    record = get_procedure_event(r)
    r.end()
    return record


def write_procedure_event(record: ProcedureEvent) -> bytes:
    out = BytesWriter()
    put_procedure_event(out, record)
    return out.getvalue()
