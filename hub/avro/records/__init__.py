"""The hub's records and their enums. Made by `make records` from schemas/; not edited by hand."""

from hub.avro.records.delivery import Delivery
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
from hub.avro.records.enums import (
    ApplicantKind,
    ChangeKind,
    Channel,
    DeadlineKind,
    DeliveryOutcome,
    DossierStatus,
    StepKind,
)
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
from hub.avro.records.service import OnlineService, ServiceChange, ServiceEvent

__all__ = [
    "Applicant",
    "ApplicantKind",
    "Attachment",
    "ChangeKind",
    "Channel",
    "DeadlineKind",
    "Delivery",
    "DeliveryOutcome",
    "Dossier",
    "DossierDeadline",
    "DossierDeadlineEvent",
    "DossierEvent",
    "DossierStatus",
    "DossierStep",
    "Fee",
    "Handler",
    "LegalBasis",
    "OnlineService",
    "Procedure",
    "ProcedureChange",
    "ProcedureComponent",
    "ProcedureEvent",
    "ProcedureFee",
    "ProcedureForm",
    "ProcedureResult",
    "ProcedureTimeLimit",
    "ServiceChange",
    "ServiceEvent",
    "StepKind",
]
