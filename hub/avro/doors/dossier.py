"""The family dossier as it is posted. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from hub.avro.doors.enums import PostedStepKind
from hub.avro.record import Finite, Moment
from hub.avro.records.dossier import Applicant, Attachment, DossierStep, Fee, Handler


class PostedHandler(Handler, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Who did the step."""


class PostedApplicant(Applicant, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """The dossier's owner (chủ hồ sơ)."""


class PostedAttachment(Attachment, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A file or result paper; files travel as links."""


class PostedFee(Fee, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A fee or charge (phí, lệ phí)."""


class PostedDossierStep(DossierStep, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What an agency publishes: one step of one dossier, with the facts it knows. Facts left null keep what is
    known.
    """

    step: PostedStepKind
    occurred_at: Moment
    handler: PostedHandler | None = None
    applicant: PostedApplicant | None = None
    received_at: Moment | None = None
    due_at: Moment | None = None
    finished_at: Moment | None = None
    returned_at: Moment | None = None
    attachments: tuple[PostedAttachment, ...] = ()
    fees: tuple[PostedFee, ...] = ()
    submitted_at: Moment | None = None
    step_started_at: Moment | None = None
    step_due_at: Moment | None = None
    transfer_limit: Finite | None = None
