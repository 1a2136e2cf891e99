"""Symbols of the enums, by number and back. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from typing import Final

from hub.avro.records.enums import (
    ApplicantKind,
    ChangeKind,
    Channel,
    DeadlineKind,
    DeliveryOutcome,
    DossierStatus,
    StepKind,
)

APPLICANT_KIND: Final[tuple[ApplicantKind, ...]] = (
    "CITIZEN",
    "BUSINESS",
    "STATE_AGENCY",
    "ORGANISATION",
)
APPLICANT_KIND_NUMBER: Final[dict[ApplicantKind, int]] = {s: number for number, s in enumerate(APPLICANT_KIND)}
CHANGE_KIND: Final[tuple[ChangeKind, ...]] = (
    "PUBLISHED",
    "AMENDED",
    "WITHDRAWN",
    "UNKNOWN",
)
CHANGE_KIND_NUMBER: Final[dict[ChangeKind, int]] = {s: number for number, s in enumerate(CHANGE_KIND)}
CHANNEL: Final[tuple[Channel, ...]] = (
    "DIRECT",
    "ONLINE",
    "POST",
)
CHANNEL_NUMBER: Final[dict[Channel, int]] = {s: number for number, s in enumerate(CHANNEL)}
DEADLINE_KIND: Final[tuple[DeadlineKind, ...]] = (
    "WARNING",
    "DUE",
    "UNKNOWN",
    "TRANSFER_WARNING",
    "TRANSFER_DUE",
)
DEADLINE_KIND_NUMBER: Final[dict[DeadlineKind, int]] = {s: number for number, s in enumerate(DEADLINE_KIND)}
DELIVERY_OUTCOME: Final[tuple[DeliveryOutcome, ...]] = (
    "DELIVERED",
    "RETRY_SCHEDULED",
    "DEAD_LETTERED",
    "SKIPPED",
    "HELD",
    "UNKNOWN",
)
DELIVERY_OUTCOME_NUMBER: Final[dict[DeliveryOutcome, int]] = {s: number for number, s in enumerate(DELIVERY_OUTCOME)}
DOSSIER_STATUS: Final[tuple[DossierStatus, ...]] = (
    "NEW",
    "ACCEPTED",
    "NOT_ACCEPTED",
    "IN_PROCESS",
    "SUPPLEMENT",
    "PAYMENT",
    "WITHDRAWN",
    "STOPPED",
    "FINISHED",
    "RETURNED",
    "UNKNOWN",
)
DOSSIER_STATUS_NUMBER: Final[dict[DossierStatus, int]] = {s: number for number, s in enumerate(DOSSIER_STATUS)}
STEP_KIND: Final[tuple[StepKind, ...]] = (
    "SUBMITTED",
    "RECEIVED",
    "NOT_ACCEPTED",
    "IN_PROCESS",
    "SUPPLEMENT_REQUESTED",
    "SUPPLEMENT_GIVEN",
    "PAYMENT_REQUESTED",
    "PAYMENT_MADE",
    "TRANSFERRED",
    "STOPPED",
    "FINISHED",
    "RETURNED",
    "WITHDRAWN",
    "RATED",
    "UNKNOWN",
    "RESCHEDULED",
)
STEP_KIND_NUMBER: Final[dict[StepKind, int]] = {s: number for number, s in enumerate(STEP_KIND)}
