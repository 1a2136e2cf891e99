"""The lifecycle of a dossier (vòng đời hồ sơ) as data: every transition with its name and its source.

A dossier *rests* in one of eight statuses and from there may *wait*: for a supplement (SUPPLEMENT) or a payment
(PAYMENT). A wait ends where it began, or in IN_PROCESS once the dossier was accepted. That a source leaves steps out,
or that the hub meets a dossier in the middle of its life, is no fault: `lifecycle` derives what may follow what, with
any number of unknown steps between.

`source` is a section of the domain notes, or "ours" where no public source tells.
"""

from __future__ import annotations

from dataclasses import dataclass

STATUSES = (
    "NEW", "ACCEPTED", "NOT_ACCEPTED", "IN_PROCESS", "SUPPLEMENT", "PAYMENT",
    "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED", "UNKNOWN",
)  # fmt: skip
"""DossierStatus; position + 1 is the national portal's code (domain notes 1.9). The order is on the wire and in stored
histories: append only."""

STEPS = (
    "SUBMITTED", "RECEIVED", "IN_PROCESS", "TRANSFERRED", "SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN",
    "PAYMENT_REQUESTED", "PAYMENT_MADE", "RESCHEDULED", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "FINISHED", "RETURNED",
    "RATED",
)  # fmt: skip
"""StepKind in the order in which steps of one and the same millisecond are taken to have happened (ours: many sources
know the day only). The order is in stored histories: append only (else as decision 21), at most 16."""

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
"""Steps that change no status and may come at any time (đánh giá: domain notes 1.6, DongBoDanhGia)."""

KEEPING = frozenset({"RESCHEDULED"})
"""Steps that leave the status as it is, a wait too, where one is known (decision 21)."""


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
        ("SUBMITTED", "NEW", _AGAIN, "1.13: updates re-send the whole dossier"),
        ("RECEIVED", "ACCEPTED", "received at the one-stop shop", "1.9 codes 1, 2"),
        ("IN_PROCESS", "IN_PROCESS", "taken into work without a separate receipt", "ours"),
        ("NOT_ACCEPTED", "NOT_ACCEPTED", "refused at the counter", "1.9 code 3; 2.3 form of refusal"),
        ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "papers asked for before acceptance", "1.9 code 5; 1.11 TrangThai 5"),
        ("SUPPLEMENT_GIVEN", "NEW", "papers given before acceptance", "1.11 nhanhsdvcqg; status ours"),
        ("PAYMENT_REQUESTED", "PAYMENT", "payment asked for at filing", "1.9 code 6; 2.5 level 4"),
        ("PAYMENT_MADE", "NEW", "paid at filing", "2.5 level 4; status ours"),
        ("TRANSFERRED", "NEW", "passed on to the competent agency unopened", "2.6; status ours"),
        ("WITHDRAWN", "WITHDRAWN", "withdrawn before acceptance", "1.9 code 7"),
        ("STOPPED", "STOPPED", "stopped before acceptance", "1.9 code 8"),
    ),
    *_rows(
        "ACCEPTED",
        ("RECEIVED", "ACCEPTED", _AGAIN, "1.13"),
        ("IN_PROCESS", "IN_PROCESS", "work begins", "1.9 codes 2, 4"),
        ("TRANSFERRED", "IN_PROCESS", "passed on to a joint agency", "2.6 một cửa liên thông"),
        ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "supplement asked for", "1.9 code 5; 1.7 DanhSachHoSoBoSung"),
        ("SUPPLEMENT_GIVEN", "IN_PROCESS", "supplement given, work begins", "1.7 NgayTiepNhanBoSung; status ours"),
        ("PAYMENT_REQUESTED", "PAYMENT", "financial obligation", "1.9 code 6"),
        ("PAYMENT_MADE", "IN_PROCESS", "paid, work begins", "1.11 payment; status ours"),
        ("RESCHEDULED", "ACCEPTED", _PUT_OFF, "1.7 NgayHenTra; status ours"),
        ("NOT_ACCEPTED", "NOT_ACCEPTED", "refused after receipt", "1.9: TD sends denied as 3"),
        ("WITHDRAWN", "WITHDRAWN", "citizen withdraws", "1.9 code 7"),
        ("STOPPED", "STOPPED", "stopped", "1.9 code 8"),
        ("FINISHED", "FINISHED", "done at the counter", "1.9 codes 2, 9"),
    ),
    *_rows(
        "IN_PROCESS",
        ("RECEIVED", "IN_PROCESS", "received by a joint agency, already in work", "2.6; status ours"),
        ("IN_PROCESS", "IN_PROCESS", "next step of the work", "1.8 progress lines with TrangThai 4"),
        ("TRANSFERRED", "IN_PROCESS", "passed on to a joint agency", "2.6 một cửa liên thông"),
        ("SUPPLEMENT_REQUESTED", "SUPPLEMENT", "supplement asked for, perhaps again", "1.9 code 5; 2.8 item 2.1"),
        ("SUPPLEMENT_GIVEN", "IN_PROCESS", "supplement given, work goes on", "1.7 NgayTiepNhanBoSung; status ours"),
        ("PAYMENT_REQUESTED", "PAYMENT", "financial obligation", "1.9 code 6"),
        ("PAYMENT_MADE", "IN_PROCESS", "paid, work goes on", "1.11 payment; status ours"),
        ("RESCHEDULED", "IN_PROCESS", _PUT_OFF, "1.7 NgayHenTra; status ours"),
        ("NOT_ACCEPTED", "NOT_ACCEPTED", "refused after examination", "1.9: TD sends denied as 3"),
        ("WITHDRAWN", "WITHDRAWN", "citizen withdraws", "1.9 code 7"),
        ("STOPPED", "STOPPED", "stopped", "1.9 code 8"),
        ("FINISHED", "FINISHED", "processing finished", "1.9 codes 4, 9"),
    ),
    *_rows(
        "FINISHED",
        ("FINISHED", "FINISHED", _AGAIN, "1.13"),
        ("PAYMENT_REQUESTED", "PAYMENT", "fee due when the result is collected", "1.12 HinhThucThu 4"),
        ("PAYMENT_MADE", "FINISHED", "fee paid when the result is collected", "1.12 HinhThucThu 4; status ours"),
        ("RESCHEDULED", "FINISHED", _PUT_OFF, "1.7 NgayHenTra; status ours"),
        ("TRANSFERRED", "FINISHED", "result passed on to the one-stop shop", "2.6; status ours"),
        ("RETURNED", "RETURNED", "result handed over", "1.9 codes 9, 10"),
    ),
    *_rows(
        "NOT_ACCEPTED",
        ("NOT_ACCEPTED", "NOT_ACCEPTED", _AGAIN, "1.13"),
        ("RETURNED", "RETURNED", "papers handed back after refusal", "ours"),
    ),
    *_rows(
        "WITHDRAWN",
        ("WITHDRAWN", "WITHDRAWN", _AGAIN, "1.13"),
        ("STOPPED", "STOPPED", "stopped on the citizen's request", "1.9 codes 7, 8; order ours"),
        ("RETURNED", "RETURNED", "papers handed back after withdrawal", "ours"),
    ),
    *_rows(
        "STOPPED",
        ("STOPPED", "STOPPED", _AGAIN, "1.13"),
        ("RETURNED", "RETURNED", "papers handed back after the stop", "ours"),
    ),
    *_rows("RETURNED", ("RETURNED", "RETURNED", _AGAIN, "1.13")),
)  # fmt: skip
