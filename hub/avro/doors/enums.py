"""Words of enums that may be posted. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from typing import Literal

PostedChangeKind = Literal[
    "PUBLISHED",
    "AMENDED",
    "WITHDRAWN",
]
"""ChangeKind without UNKNOWN, which stands for a word of a newer schema."""
PostedStepKind = Literal[
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
    "RESCHEDULED",
]
"""StepKind without UNKNOWN, which stands for a word of a newer schema."""
