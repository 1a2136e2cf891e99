"""One generated dossier: its steps with their facts. It is lawful in whatever order it arrives.

Chance comes from `Draw`, one a dossier, so that a dossier depends on the seed and its number only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hub.model.agencies import Office
from hub.runtime.demo_input import NAME_PARTS
from hub.runtime.generate_shape import DAY_MS, HOUR_MS, SampleCase, Shape, plan

T = TypeVar("T")
Datum = dict[str, Any]
MIN_GAP_MS = 1_000
"""Between two steps of one dossier: no two happen at once."""


class Draw:
    """Chance, by `random()` alone, whose numbers are the same in every version of Python."""

    def __init__(self, seed: str) -> None:
        self._next = random.Random(seed).random

    def chance(self, share: float) -> bool:
        return self._next() < share

    def of(self, items: Sequence[T]) -> T:
        return items[int(self._next() * len(items))]

    def whole(self, least: float, most: float) -> int:
        """A whole number from `least` up to, not with, `most`."""
        return int(least + self._next() * (most - least))

    def hours(self, span: Sequence[float]) -> int:
        """Milliseconds of a span in hours."""
        return self.whole(span[0] * HOUR_MS, span[1] * HOUR_MS)


@dataclass(slots=True)
class Dossier:
    """code: MaHoSo. moments: (when, StepKind, what it says besides), in order of time. common: facts of the first."""

    number: int
    code: str
    office: Office
    common: Datum
    moments: list[tuple[int, str, Datum]] = field(default_factory=list)

    def datum(self, index: int) -> Datum:
        """The DossierStep; times in ms UTC."""
        at, step, own = self.moments[index]
        base = self.common if index == 0 else {"agency_code": self.common["agency_code"]}
        return {"dossier_code": self.code, "step": step, "occurred_at": at, **base, **own}


def make(
    number: int, code: str, office: Office, joint: Sequence[Office], received_at: int, shape: Shape, draw: Draw
) -> Dossier:
    """joint: offices that it may be passed to. received_at: ms UTC."""
    case = draw.of(shape.cases)
    procedure = draw.of([p for p in plan()["procedure"] if office.kind in p["kinds"]])
    channel = case.channel if case.channel != "ONLINE" or procedure["online"] >= 3 else "DIRECT"
    common = _common(number, office, procedure, channel, draw)
    common |= {"received_at": received_at, "due_at": received_at + case.due_ms}
    dossier = Dossier(number, code, office, common)
    if channel == "ONLINE":
        submitted = received_at - draw.whole(60_000, 3 * HOUR_MS)
        common |= {"submitted_at": submitted, "filed_at_portal": "provincial" if draw.chance(0.7) else "national"}
        # Received later than filed: the first step does not know it yet.
        received = {name: common.pop(name) for name in ("received_at", "due_at")}
        dossier.moments.append((submitted, "SUBMITTED", {}))
        dossier.moments.append((received_at, "RECEIVED", {**received, **_by("Bộ phận một cửa", draw)}))
    else:
        dossier.moments.append((received_at, "RECEIVED", _by("Bộ phận một cửa", draw)))
    _work(dossier, case, procedure, joint, draw)
    _end(dossier, draw)
    return dossier


def _common(number: int, office: Office, procedure: Datum, channel: str, draw: Draw) -> Datum:
    business = number % 10 == 7
    name = " ".join(draw.of(part) for part in NAME_PARTS)
    return {
        "procedure_code": procedure["code"],
        "procedure_name": procedure["name"],
        "field_code": procedure["field_code"],
        "field_name": procedure["field_name"],
        "agency_code": office.code,
        "agency_name": office.name,
        "channel": channel,
        "abstract": f"{procedure['name']}, hồ sơ số {number + 1}",
        "applicant": {
            "name": f"Công ty TNHH {name}" if business else name,
            "kind": "BUSINESS" if business else "CITIZEN",
            "phone": f"0000{draw.whole(0, 1_000_000):06d}",
            "email": f"nguoi-nop-{number + 1}@example.com",
            "vneid_verified": draw.chance(plan()["shares"]["vneid"]),
        },
        "attachments": [_paper(number, "giay-to", "Đơn đề nghị", False, draw.chance(plan()["shares"]["digitised"]))],
    }


def _paper(number: int, kind: str, name: str, result: bool, digitised: bool) -> Datum:
    url = f"https://tep.example.com/{kind}/{number}"
    return {"id": f"{kind}-{number}", "name": name, "url": url, "result": result, "digitised": digitised}


def _by(department: str, draw: Draw) -> Datum:
    return {"handler": {"name": f"Cán bộ {draw.whole(1, 60)}", "department": department}}


class _Clock:
    """Adds steps one after the other."""

    def __init__(self, dossier: Dossier) -> None:
        self._moments = dossier.moments
        self.now = dossier.moments[-1][0]

    def add(self, gap_ms: int, step: str, own: Datum) -> None:
        self.now += max(MIN_GAP_MS, gap_ms)
        self._moments.append((self.now, step, own))


def _work(dossier: Dossier, case: SampleCase, procedure: Datum, joint: Sequence[Office], draw: Draw) -> None:
    shares, times = plan()["shares"], plan()["times"]
    clock = _Clock(dossier)
    fee = {"code": "LP01", "name": "Lệ phí", "amount_vnd": procedure["fee"]}
    if procedure["fee"] and draw.chance(shares["fee_before_work"]):
        clock.add(draw.hours((0.1, 2)), "PAYMENT_REQUESTED", {"fees": [fee]})
        paid = {"fees": [fee | {"paid": True}], "online_payment": draw.of((1, 2, 2, 3))}
        clock.add(draw.hours(times["payment_wait"]), "PAYMENT_MADE", paid)
    elif procedure["fee"]:
        dossier.common |= {"fees": [fee | {"paid": True}], "online_payment": draw.of((1, 2, 3, 3))}
    supplements = 2 if draw.chance(shares["two_supplements"]) else int(draw.chance(shares["one_supplement"]))
    places = {draw.whole(0, len(case.works) + 1) for _ in range(supplements)}
    passed = draw.whole(0, len(case.works) + 1) if joint and draw.chance(shares["joint"]) else -1
    for place in range(len(case.works) + 1):
        if place in places:
            _supplement(clock, dossier, draw)
        if place == passed:
            _joint(clock, dossier.office, joint, draw)
        if place == len(case.works):
            break
        work = case.works[place]
        gap = round(work.gap_ms * (0.8 + draw.whole(0, 401) / 1000))
        if work.step == "IN_PROCESS" or (work.step == "TRANSFERRED" and not joint):
            clock.add(gap, "IN_PROCESS", {"note": work.word, **_by(f"Phòng {draw.whole(1, 6)}", draw)})
        elif work.step == "TRANSFERRED":
            _joint(clock, dossier.office, joint, draw)
        else:
            _supplement(clock, dossier, draw)


def _supplement(clock: _Clock, dossier: Dossier, draw: Draw) -> None:
    note = {"note": "Bổ sung bản sao giấy chứng nhận quyền sử dụng đất", **_by("Phòng 1", draw)}
    clock.add(draw.hours((0.5, 8)), "SUPPLEMENT_REQUESTED", note)
    paper = _paper(dossier.number, f"bo-sung-{len(dossier.moments)}", "Bản sao bổ sung", False, True)
    waited = draw.hours(plan()["times"]["supplement_wait"])
    clock.add(waited, "SUPPLEMENT_GIVEN", {"attachments": [paper]})


def _joint(clock: _Clock, office: Office, joint: Sequence[Office], draw: Draw) -> None:
    """To another agency, received and worked on there, and back (liên thông)."""
    other = draw.of(joint)
    sent = clock.now + max(MIN_GAP_MS, draw.hours((0.5, 8)))
    own = {"transferred_to": other.code, "step_started_at": sent, "step_due_at": sent + 5 * DAY_MS}
    clock.add(sent - clock.now, "TRANSFERRED", own | {"note": f"Lấy ý kiến {other.name}"})
    clock.add(draw.hours((0.1, 20)), "RECEIVED", {"note": "Cơ quan phối hợp tiếp nhận", **_by(other.name, draw)})
    clock.add(draw.hours((4, 120)), "IN_PROCESS", {"note": "Có ý kiến", **_by(other.name, draw)})
    clock.add(draw.hours((0.1, 4)), "TRANSFERRED", {"transferred_to": office.code, "note": "Trả lại ý kiến"})


def _end(dossier: Dossier, draw: Draw) -> None:
    shares, times = plan()["shares"], plan()["times"]
    clock, fate = _Clock(dossier), draw.whole(0, 1_000_000) / 1_000_000
    for share, step, note in (
        (shares["never_ends"], "", ""),
        (shares["refused"], "NOT_ACCEPTED", "Không đủ điều kiện"),
        (shares["withdrawn"], "WITHDRAWN", "Công dân xin rút"),
        (shares["stopped"], "STOPPED", "Dừng theo văn bản"),
    ):
        if fate < share:
            if step:
                clock.add(draw.hours((1, 40)), step, {"note": note})
            return
        fate -= share
    result = _paper(dossier.number, "ket-qua", "Giấy phép", True, draw.chance(shares["digitised"]))
    own = {"attachments": [result], **_by("Lãnh đạo", draw)}

    def finish(gap_ms: int) -> None:
        clock.add(gap_ms, "FINISHED", own | {"finished_at": clock.now + max(MIN_GAP_MS, gap_ms)})

    finish(draw.hours((1, 40)))
    if draw.chance(shares["corrected"]):
        clock.add(draw.hours((1, 40)), "IN_PROCESS", {"correction": True, "note": "Đính chính: xử lý lại"})
        finish(draw.hours((4, 80)))
    elif draw.chance(shares["newer_facts"]):
        clock.add(draw.hours((0.1, 2)), "FINISHED", own | {"remark": "Đã đính kèm bản điện tử"})
    gap_ms = draw.hours(times["return_wait"])
    clock.add(gap_ms, "RETURNED", {"returned_at": clock.now + max(MIN_GAP_MS, gap_ms)})
    if draw.chance(shares["rated"]):
        clock.add(draw.hours((0.1, 48)), "RATED", {"rating": draw.of((1, 2, 3, 4, 4, 5, 5, 5, 5, 5))})
