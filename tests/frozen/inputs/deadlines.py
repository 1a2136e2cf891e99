"""Deadlines: the clock's questions and their answers, waits, the holder's date, due dates that are derived.

January 2026: Monday 5 to Friday 9; Saturday 10 is worked. A chunk that is a text is a moment of the clock, whose
questions are answered at once; "ask" before it: by "answer" only. "restart": a process that has nothing but the state.
"""

from __future__ import annotations

from typing import Any

from tests.frozen.inputs import procedure, singles, step

_RECEIVED = step("RECEIVED", "2026-01-05 08:00", due_at="2026-01-09 08:00", received_at="2026-01-05 08:00")
_LIMITED = step("RECEIVED", "2026-01-05 08:00", procedure_code="1.004194")
_DERIVED = {"deadlines": {"derive_due_at": True}}


def _limit(limit: float, at: str = "2026-01-02 08:00", unit: str = "Ngày làm việc") -> list[dict[str, Any]]:
    return [procedure("PUBLISHED", at, time_limit=limit, time_limit_unit=unit)]


CASES: dict[str, dict[str, Any]] = {
    "told": {
        "about": "a warning one working day before, the deadline at it, each once, also after a restart; a question "
        "answered twice; asked again by a process that does not know of it",
        "chunks": [[_RECEIVED], "2026-01-08 07:59", "2026-01-08 08:00", "answer", "2026-01-08 08:01", "restart",
                   "ask 2026-01-09 08:00", "restart", "2026-01-09 08:05", "answer", "2026-01-10 08:00"],
    },
    "promised_at_the_warning": {
        "about": "a date promised at the very moment of its warning is not warned of",
        "chunks": [
            [step("RECEIVED", "2026-01-08 08:00", due_at="2026-01-09 08:00")], "2026-01-08 08:00", "2026-01-09 08:00",
        ],
    },
    "down_over_both": {"about": "the clock stood still over both moments", "chunks": [[_RECEIVED], "2026-01-12 08:00"]},
    "over_for_long": {
        "about": "over for longer than is caught up",
        "settings": {"deadlines": {"catch_up_days": 2}},
        "chunks": [[_RECEIVED], "2026-01-11 08:01"],
    },
    "moved": {
        "about": "an apology with a new date; the date only repeated; a date moved nearer",
        "chunks": [
            [_RECEIVED], "2026-01-08 08:00", [step("IN_PROCESS", "2026-01-08 09:00", due_at="2026-01-09 08:00")],
            "2026-01-08 10:00", [step("RESCHEDULED", "2026-01-08 11:00", due_at="2026-01-16 08:00")],
            "2026-01-09 08:00", [step("IN_PROCESS", "2026-01-09 09:00", due_at="2026-01-14 08:00")],
            "2026-01-13 08:00", "2026-01-14 08:00",
        ],
    },
    "ended": {
        "about": "stopped after the question was written and before its answer; finished before the moment",
        "chunks": [
            [_RECEIVED], "ask 2026-01-08 08:00", [step("STOPPED", "2026-01-08 07:00")], "answer", "2026-01-09 08:00",
            [step("RECEIVED", "2026-01-05 08:00", "H11.12-260105-0002", due_at="2026-01-09 08:00")],
            [step("FINISHED", "2026-01-08 07:00", "H11.12-260105-0002")], "2026-01-09 09:00",
        ],
    },
    "waits": {
        "about": "a supplement of one day and a payment of one day move the date; what is told of it is told anew",
        "chunks": [
            [_RECEIVED], "2026-01-08 08:00", [step("SUPPLEMENT_REQUESTED", "2026-01-08 09:00")], "2026-01-09 08:00",
            [step("SUPPLEMENT_GIVEN", "2026-01-09 09:00")], "2026-01-09 09:30",
            [step("PAYMENT_REQUESTED", "2026-01-09 10:00"), step("PAYMENT_MADE", "2026-01-10 10:00")],
            "2026-01-12 08:00", "2026-01-13 17:00",
        ],
    },
    "waits_in_calendar_days": {
        "about": "the same waits, where waiting moves the date by days",
        "settings": {"deadlines": {"pause": "calendar-days"}},
        "chunks": [[_RECEIVED], [step("SUPPLEMENT_REQUESTED", "2026-01-06 08:00"),
                                 step("SUPPLEMENT_GIVEN", "2026-01-07 08:00")], "2026-01-10 08:00"],
    },
    "waits_beyond_history": {
        "about": "a wait counts on when its steps are kept no longer",
        "settings": {"core": {"keep_steps": 2}},
        "chunks": [[_RECEIVED], [step("SUPPLEMENT_REQUESTED", "2026-01-06 08:00")],
                   [step("SUPPLEMENT_GIVEN", "2026-01-07 08:00")],
                   [step("IN_PROCESS", "2026-01-07 09:00"), step("IN_PROCESS", "2026-01-07 10:00")],
                   [step("IN_PROCESS", "2026-01-07 11:00")], "2026-01-10 08:00"],
    },
    "a_wait_learned_of_late": {
        "about": "the answer to a supplement comes late while a payment is awaited",
        "chunks": singles(
            step("RECEIVED", "2026-03-09 07:00", due_at="2026-03-27 17:00"),
            step("SUPPLEMENT_REQUESTED", "2026-03-16 07:00"), step("PAYMENT_REQUESTED", "2026-03-19 07:00"),
            step("SUPPLEMENT_GIVEN", "2026-03-17 07:00"), step("PAYMENT_MADE", "2026-03-20 07:00"),
        ),
    },
    "a_transfer_in_a_wait": {
        "about": "passed on while a payment is awaited",
        "chunks": singles(_RECEIVED, step("PAYMENT_REQUESTED", "2026-01-06 08:00"),
                          step("TRANSFERRED", "2026-01-07 08:00", transferred_to="H11.05"),
                          step("PAYMENT_MADE", "2026-01-08 08:00")),
    },
    "a_late_receipt": {
        "about": "the receipt with the date arrives after a step that repeats the date",
        "chunks": singles(step("IN_PROCESS", "2026-01-07 08:00", due_at="2026-01-14 08:00"),
                          step("SUPPLEMENT_REQUESTED", "2026-01-06 08:00"),
                          step("RECEIVED", "2026-01-05 08:00", due_at="2026-01-14 08:00")),
    },
    "transfer": {
        "about": "the holder's date beside the dossier's: told to each holder, not moved by waits, gone with the next",
        "chunks": [
            [_RECEIVED], [step("TRANSFERRED", "2026-01-05 09:00", transferred_to="H11.05",
                               step_due_at="2026-01-09 08:00")],
            "2026-01-08 08:00", [step("SUPPLEMENT_REQUESTED", "2026-01-08 09:00")], "2026-01-09 08:00",
            [step("SUPPLEMENT_GIVEN", "2026-01-09 09:00")], "2026-01-09 09:01", "restart", "2026-01-09 09:02",
            [step("TRANSFERRED", "2026-01-09 10:00", transferred_to="H11.06", step_due_at="2026-01-14 08:00")],
            "2026-01-13 08:00", [step("TRANSFERRED", "2026-01-13 09:00", transferred_to="H11.12")], "2026-01-15 08:00",
        ],
    },
    "derived": {
        "about": "the end of the procedure's limit is the due date; an amended limit does not move it, another receipt "
        "does; what is told wins; a receipt that proves to be another agency's takes it away",
        "settings": _DERIVED,
        "chunks": [
            _limit(4.0), [_LIMITED], "2026-01-08 08:00", _limit(1.0, "2026-01-03 08:00"),
            [step("IN_PROCESS", "2026-01-06 08:00")],
            [step("IN_PROCESS", "2026-01-06 09:00", received_at="2025-12-31 08:00")],
            [step("RESCHEDULED", "2026-01-07 09:00", due_at="2026-01-12 08:00")], "2026-01-12 08:00",
            [step("RECEIVED", "2026-01-05 08:00", "H11.12-260105-0002", procedure_code="1.004194")],
            [step("IN_PROCESS", "2026-01-05 07:00", "H11.12-260105-0002")],
        ],
    },
    "derived_later": {
        "about": "its procedure becomes known after the receipt; a wait moves the derived date",
        "settings": _DERIVED,
        "chunks": [[_LIMITED], _limit(3.0, unit="Ngày"), [step("IN_PROCESS", "2026-01-06 08:00")],
                   [step("SUPPLEMENT_REQUESTED", "2026-01-06 09:00")], [step("SUPPLEMENT_GIVEN", "2026-01-07 09:00")],
                   "2026-01-09 17:00"],
    },
}  # fmt: skip
