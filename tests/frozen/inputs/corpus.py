"""A hundred and twenty histories of one dossier, put together by a fixed row of numbers: more turns than one would
write by hand. The row is made here (a linear congruential generator), so no library's chance comes into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from tests.frozen.inputs import Event, ms

COUNT = 120
DAY, HOUR = 86_400_000, 3_600_000
BEGIN = ms("2026-01-05 07:00")
KINDS = (*["IN_PROCESS"] * 5, *["SUPPLEMENT_REQUESTED", "SUPPLEMENT_GIVEN", "PAYMENT_REQUESTED", "PAYMENT_MADE"] * 2,
         "RECEIVED", "RECEIVED", "TRANSFERRED", "TRANSFERRED", "RESCHEDULED", "RATED")  # fmt: skip
ENDS = ("FINISHED", "RETURNED", "NOT_ACCEPTED", "WITHDRAWN", "STOPPED", "SUBMITTED")
APPLICANTS = ({"name": "Nguyễn Văn An"}, {"name": "Trần Thị Bình", "phone": "0912000001"}, {"email": "a@example.vn"})
T = TypeVar("T")


class Numbers:
    """Knuth's MMIX row."""

    def __init__(self, seed: int) -> None:
        self._last = seed
        for _ in range(8):
            self.below(2)

    def below(self, limit: int) -> int:
        self._last = (self._last * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (self._last >> 33) % limit

    def one(self, of: Sequence[T]) -> T:
        return of[self.below(len(of))]


def _event(numbers: Numbers, number: int, at: int) -> Event:
    kind = numbers.one(KINDS if numbers.below(18) else ENDS)
    if number == 0:
        kind = numbers.one(("RECEIVED", "RECEIVED", "SUBMITTED", kind))
    event: Event = {"dossier_code": "H11.12-260105-0001", "step": kind, "occurred_at": at, "_id": f"c{number}"}
    if kind == "RESCHEDULED" or numbers.below(6) == 0 or (kind == "RECEIVED" and numbers.below(3)):
        event["due_at"] = BEGIN + (5 + numbers.below(12)) * DAY + 10 * HOUR
    if kind == "TRANSFERRED":
        event["transferred_to"] = numbers.one(("H11.05", "H11.06", "H11.12"))
        limits: tuple[Event, ...] = ({}, {"step_due_at": at + (1 + numbers.below(5)) * DAY},
                                     {"transfer_limit": 1.5, "transfer_limit_unit": "Ngày làm việc"})  # fmt: skip
        event |= numbers.one(limits)
    if kind == "RATED":
        event["rating"] = 1 + numbers.below(5)
    if numbers.below(9) == 0:
        event["correction"] = True
    facts: tuple[Event, ...] = (
        {}, {}, {"remark": f"Ghi chú {number}"}, {"applicant": numbers.one(APPLICANTS)},
        {"received_at": BEGIN + numbers.below(3) * HOUR}, {"agency_code": numbers.one(("000.00.12.H11", "H11.05"))},
        {"attachments": [{"id": f"f{numbers.below(3)}", "name": f"{number}.pdf", "result": numbers.below(4) == 0}]},
        {"fees": [{"code": "LP01", "name": "Lệ phí", "amount_vnd": 1_000 * number, "paid": numbers.below(2) == 0}]},
    )  # fmt: skip
    return event | numbers.one(facts)


def history(seed: int) -> dict[str, Any]:
    """A case, as those of the other inputs; moments of the clock as epoch ms."""
    numbers, at, row = Numbers(seed), BEGIN, []
    for number in range(5 + numbers.below(10)):
        at += numbers.one((0, HOUR, 5 * HOUR, 9 * HOUR, DAY, DAY, 2 * DAY, 3 * DAY))
        row.append(_event(numbers, number, at))
    for _ in range(numbers.below(4)):  # late arrivals
        row.insert(numbers.below(len(row)), row.pop(numbers.below(len(row))))
    for _ in range(numbers.below(3)):  # copies, now and then with other content
        again = row[numbers.below(len(row))]
        row.append(again | ({"note": "khác"} if numbers.below(4) == 0 else {}))
    chunks: list[list[Event] | int] = []
    seen = BEGIN
    while row:
        size = 1 + numbers.below(3)
        part, row = row[:size], row[size:]
        chunks.append(part)
        seen = max(seen, *(event["occurred_at"] for event in part))
        if numbers.below(3) == 0:
            chunks.append(seen + numbers.one((0, HOUR, DAY)))
    chunks.append(BEGIN + 14 * DAY)
    settings: dict[str, Any] = {"core": {"keep_steps": numbers.one((2, 3, 16, 16))}}
    if numbers.below(4) == 0:
        settings["deadlines"] = {"pause": "calendar-days"}
    if numbers.below(4) == 0:
        settings.setdefault("deadlines", {})["derive_due_at"] = True
    return {"settings": settings, "chunks": chunks}
