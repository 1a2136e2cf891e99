"""Enums of the hub's records. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from typing import Literal

ApplicantKind = Literal[
    "CITIZEN",
    "BUSINESS",
    "STATE_AGENCY",
    "ORGANISATION",
]
"""LoaiDoiTuong: 1 citizen, 2 business, 3 state agency, 4 organisation or other."""
ChangeKind = Literal[
    "PUBLISHED",
    "AMENDED",
    "WITHDRAWN",
    "UNKNOWN",
]
"""What happened to a catalogue entry."""
Channel = Literal[
    "DIRECT",
    "ONLINE",
    "POST",
]
"""How the dossier was filed (KenhThucHien): 1 direct, 2 online, 3 post."""
DeadlineKind = Literal[
    "WARNING",
    "DUE",
    "UNKNOWN",
    "TRANSFER_WARNING",
    "TRANSFER_DUE",
]
"""What is told of a deadline."""
DeliveryOutcome = Literal[
    "DELIVERED",
    "RETRY_SCHEDULED",
    "DEAD_LETTERED",
    "SKIPPED",
    "HELD",
    "UNKNOWN",
]
"""How one delivery attempt ended, or what was decided about it."""
DossierStatus = Literal[
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
]
"""Where a dossier stands (TrangThaiHoSo); wire codes 1 to 10 in this order, see reference/dossier_status.json."""
StepKind = Literal[
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
]
"""What happened to a dossier (bước xử lý hồ sơ)."""
