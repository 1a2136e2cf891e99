"""The lifecycle of a dossier (vòng đời hồ sơ) as data: every transition with its name and its source.

A dossier *rests* in one of eight statuses and from there may *wait*: for a supplement (SUPPLEMENT) or a payment
(PAYMENT). A wait ends where it began, or in IN_PROCESS once the dossier was accepted. That a source leaves steps out,
or that the hub meets a dossier in the middle of its life, is no fault: `lifecycle` derives what may follow what, with
any number of unknown steps between.

`source` is a note of docs/field, as page#note, or "ours" where no public source tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.avro.records.enums import DossierStatus

STATUSES: Final[tuple[DossierStatus, ...]] = (
    "NEW", "ACCEPTED", "NOT_ACCEPTED", "IN_PROCESS", "SUPPLEMENT", "PAYMENT",
    "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED", "UNKNOWN",
)  # fmt: skip
"""DossierStatus; position + 1 is the national portal's code (docs/field/statuses.md). The order is on the wire and in
stored histories: append only."""

STEPS = (
    "SUBMITTED", "RECEIVED", "IN_PROCESS", "TRANSFERRED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN",
    "PAYMENT_REQUESTED", "PAYMENT_MADE", "RESCHEDULED", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED",
    "RATED",
)  # fmt: skip
"""StepKind in the order in which steps of one and the same millisecond are taken to have happened (ours: many sources
know the day only). The order is in stored histories: append only (else as decision 13), at most 16."""

STATUS_OF_STEP = {
    "SUBMITTED": "NEW",
    "RECEIVED": "ACCEPTED",
    "IN_PROCESS": "IN_PROCESS",
    "TRANSFERRED": "IN_PROCESS",
    "SUPPLEMENT_REQUESTED": "SUPPLEMENT",
    "SUPPLEMENT_GIVEN": "IN_PROCESS",
    "PAYMENT_REQUESTED": "PAYMENT",
    "PAYMENT_MADE": "IN_PROCESS",
    "RESCHEDULED": "IN_PROCESS",
    "NOT_ACCEPTED": "NOT_ACCEPTED",
    "WITHDRAWN": "WITHDRAWN",
    "STOPPED": "STOPPED",
    "FINISHED": "FINISHED",
    "RETURNED": "RETURNED",
}
"""What a step gives where the table below says nothing else: at first contact and after steps left out. RATED gives
none."""

WAITS = frozenset({"SUPPLEMENT", "PAYMENT"})

NEUTRAL = frozenset({"RATED"})
"""Steps that change no status and may come at any time (đánh giá: docs/field/portal.md#services, DongBoDanhGia)."""

KEEPING = frozenset({"RESCHEDULED"})
"""Steps that leave the status as it is, a wait too, where one is known (decision 13)."""


PASSING = frozenset({"TRANSFERRED"})
"""Steps that say who works on the dossier: they move where it rests, but a wait goes on and ends there."""


@dataclass(frozen=True, slots=True)
class Transition:
    """While the dossier rests `at`, `step` gives status `to`."""

    at: str
    step: str
    to: str
    name: str
    source: str


def _rows(at: str, *rows: tuple[str, str, str, str]) -> tuple[Transition, ...]:
    return tuple(Transition(at, step, to, name, source) for step, to, name, source in rows)


_AGAIN = "sent again with newer facts"
_PUT_OFF = "apology and new date for the result"

TRANSITIONS: tuple[Transition, ...] = (
    *_rows(
        "NEW",
        ("SUBMITTED", "NEW", _AGAIN, "portal#clients: updates re-send the whole dossier"),
        ("RECEIVED", "ACCEPTED", "received at the one-stop shop", "statuses#codes 1, 2"),
        ("IN_PROCESS", "IN_PROCESS", "taken into work without a separate receipt", "ours"),
        ("NOT_ACCEPTED", "NOT_ACCEPTED", "refused at the counter", "statuses#codes 3, codes#forms"),
        ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "papers asked for before acceptance", "statuses#codes 5"),
        ("SUPPLEMENT_GIVEN", "NEW", "papers given before acceptance", "packets#inbound nhanhsdvcqg; status ours"),
        ("PAYMENT_REQUESTED", "PAYMENT", "payment asked for at filing", "statuses#codes 6; services#levels"),
        ("PAYMENT_MADE", "NEW", "paid at filing", "services#levels; status ours"),
        ("TRANSFERRED", "NEW", "passed on to the competent agency unopened", "services#one-stop; status ours"),
        ("WITHDRAWN", "WITHDRAWN", "withdrawn before acceptance", "statuses#codes 7"),
        ("STOPPED", "STOPPED", "stopped before acceptance", "statuses#codes 8"),
    ),
    *_rows(
        "ACCEPTED",
        ("RECEIVED", "ACCEPTED", _AGAIN, "portal#clients"),
        ("IN_PROCESS", "IN_PROCESS", "work begins", "statuses#codes 2, 4"),
        ("TRANSFERRED", "IN_PROCESS", "passed on to a joint agency", "services#one-stop"),
        ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "supplement asked for", "statuses#codes 5; packets#dossier"),
        ("SUPPLEMENT_GIVEN", "IN_PROCESS", "supplement given, work begins", "packets#dossier; status ours"),
        ("PAYMENT_REQUESTED", "PAYMENT", "financial obligation", "statuses#codes 6"),
        ("PAYMENT_MADE", "IN_PROCESS", "paid, work begins", "packets#inbound payment; status ours"),
        ("RESCHEDULED", "ACCEPTED", _PUT_OFF, "packets#dossier; status ours"),
        ("NOT_ACCEPTED", "NOT_ACCEPTED", "refused after receipt", "statuses#products: TD sends denied as 3"),
        ("WITHDRAWN", "WITHDRAWN", "citizen withdraws", "statuses#codes 7"),
        ("STOPPED", "STOPPED", "stopped", "statuses#codes 8"),
        ("FINISHED", "FINISHED", "done at the counter", "statuses#codes 2, 9"),
    ),
    *_rows(
        "IN_PROCESS",
        ("RECEIVED", "IN_PROCESS", "received by a joint agency, already in work", "services#one-stop; status ours"),
        ("IN_PROCESS", "IN_PROCESS", "next step of the work", "packets#lines TrangThai 4"),
        ("TRANSFERRED", "IN_PROCESS", "passed on to a joint agency", "services#one-stop"),
        ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "supplement asked for, perhaps again", "statuses#codes 5"),
        ("SUPPLEMENT_GIVEN", "IN_PROCESS", "supplement given, work goes on", "packets#dossier; status ours"),
        ("PAYMENT_REQUESTED", "PAYMENT", "financial obligation", "statuses#codes 6"),
        ("PAYMENT_MADE", "IN_PROCESS", "paid, work goes on", "packets#inbound payment; status ours"),
        ("RESCHEDULED", "IN_PROCESS", _PUT_OFF, "packets#dossier; status ours"),
        ("NOT_ACCEPTED", "NOT_ACCEPTED", "refused after examination", "statuses#products: TD sends denied as 3"),
        ("WITHDRAWN", "WITHDRAWN", "citizen withdraws", "statuses#codes 7"),
        ("STOPPED", "STOPPED", "stopped", "statuses#codes 8"),
        ("FINISHED", "FINISHED", "processing finished", "statuses#codes 4, 9"),
    ),
    *_rows(
        "FINISHED",
        ("FINISHED", "FINISHED", _AGAIN, "portal#clients"),
        ("PAYMENT_REQUESTED", "PAYMENT", "fee due when the result is collected", "systems#igate"),
        ("PAYMENT_MADE", "FINISHED", "fee paid when the result is collected", "systems#igate; status ours"),
        ("RESCHEDULED", "FINISHED", _PUT_OFF, "packets#dossier; status ours"),
        ("TRANSFERRED", "FINISHED", "result passed on to the one-stop shop", "services#one-stop; status ours"),
        ("RETURNED", "RETURNED", "result handed over", "statuses#codes 9, 10"),
    ),
    *_rows(
        "NOT_ACCEPTED",
        ("NOT_ACCEPTED", "NOT_ACCEPTED", _AGAIN, "portal#clients"),
        ("RETURNED", "RETURNED", "papers handed back after refusal", "ours"),
    ),
    *_rows(
        "WITHDRAWN",
        ("WITHDRAWN", "WITHDRAWN", _AGAIN, "portal#clients"),
        ("STOPPED", "STOPPED", "stopped on the citizen's request", "statuses#codes 7, 8; order ours"),
        ("RETURNED", "RETURNED", "papers handed back after withdrawal", "ours"),
    ),
    *_rows(
        "STOPPED",
        ("STOPPED", "STOPPED", _AGAIN, "portal#clients"),
        ("RETURNED", "RETURNED", "papers handed back after the stop", "ours"),
    ),
    *_rows("RETURNED", ("RETURNED", "RETURNED", _AGAIN, "portal#clients")),
)  # fmt: skip
