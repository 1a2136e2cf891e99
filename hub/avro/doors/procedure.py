"""The family procedure as it is posted. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from hub.avro.doors.enums import PostedChangeKind
from hub.avro.record import Finite, Moment
from hub.avro.records.procedure import (
    LegalBasis,
    ProcedureChange,
    ProcedureComponent,
    ProcedureFee,
    ProcedureForm,
    ProcedureResult,
    ProcedureTimeLimit,
)


class PostedProcedureTimeLimit(ProcedureTimeLimit, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A time limit of a procedure by the way it is handed in (CACHTHUCTHUCHIEN.THOIGIAN)."""

    time_limit: Finite | None = None


class PostedProcedureFee(ProcedureFee, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A fee or charge of a procedure (PHILEPHI)."""


class PostedProcedureComponent(ProcedureComponent, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A paper that must be handed in (THANHPHANHOSO.GIAYTO)."""


class PostedProcedureForm(ProcedureForm, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A form to be filled in (biểu mẫu) of a component."""


class PostedProcedureResult(ProcedureResult, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What the procedure ends with (KETQUATHUCHIEN)."""


class PostedLegalBasis(LegalBasis, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A document that the procedure rests on (CANCUPHAPLY)."""

    issued_on: Moment | None = None
    effective_on: Moment | None = None


class PostedProcedureChange(ProcedureChange, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What an agency publishes about an administrative procedure (TTHC)."""

    change: PostedChangeKind
    occurred_at: Moment
    time_limit: Finite | None = None
    effective_at: Moment | None = None
    time_limits: tuple[PostedProcedureTimeLimit, ...] | None = None
    fees: tuple[PostedProcedureFee, ...] | None = None
    components: tuple[PostedProcedureComponent, ...] | None = None
    forms: tuple[PostedProcedureForm, ...] | None = None
    results: tuple[PostedProcedureResult, ...] | None = None
    legal_bases: tuple[PostedLegalBasis, ...] | None = None
