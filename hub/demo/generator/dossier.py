"""One generated dossier, with the parts that other agencies open for it. It is lawful in whatever order it arrives."""

from __future__ import annotations

from bisect import bisect
from operator import itemgetter

from hub.demo.generator.draw import MIN_GAP_MS, Clock, Datum, Dossier, Draw, by, paper
from hub.demo.generator.joint import opinion, round_trip, to_centre
from hub.demo.generator.offices import Registry, procedures_of
from hub.demo.generator.shape import HOUR_MS, SampleCase, Shape, plan
from hub.demo.sample_input import NAME_PARTS
from hub.model.agencies import Office

_ASKS = ("SUPPLEMENT_REQUESTED", "PAYMENT_REQUESTED")
"""Nobody is told a new date while the applicant is waited for."""


def make(number: int, office: Office, received_at: int, shape: Shape, registry: Registry, draw: Draw) -> list[Dossier]:
    """The dossier, then its parts. number: its own among all that are handed in. received_at: ms UTC."""
    case = draw.of(shape.cases)
    procedure = draw.of(procedures_of(office))
    channel = case.channel if case.channel != "ONLINE" or procedure["online"] >= 3 else "DIRECT"
    common = _common(number, office, procedure, channel, draw)
    common |= {"received_at": received_at, "due_at": received_at + case.due_ms}
    if "stops" in procedure and (centre := registry.named(plan()["transfers"]["centre"], received_at)):
        common["receiving_agency_code"] = centre.code
    dossier = Dossier(str(number), registry.code(office, received_at, old_form=number % 2 == 1), office, common)
    if channel == "ONLINE":
        submitted = received_at - draw.whole(60_000, 3 * HOUR_MS)
        common |= {"submitted_at": submitted, "filed_at_portal": "provincial" if draw.chance(0.7) else "national"}
        # Received later than filed: the first step does not know it yet.
        received = {name: common.pop(name) for name in ("received_at", "due_at")}
        dossier.moments.append((submitted, "SUBMITTED", {}))
        dossier.moments.append((received_at, "RECEIVED", {**received, **by("Bộ phận một cửa", draw)}))
    else:
        dossier.moments.append((received_at, "RECEIVED", by("Bộ phận một cửa", draw)))
    parts = _work(dossier, case, procedure, registry, draw)
    _end(dossier, draw)
    _apologise(dossier, received_at + case.due_ms, draw)
    for part in parts:
        _apologise(part, part.common["due_at"], draw)
    return [dossier, *parts]


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
        "attachments": [
            paper(str(number), "giay-to", "Đơn đề nghị", False, draw.chance(plan()["shares"]["digitised"]))
        ],
    }


def _work(dossier: Dossier, case: SampleCase, procedure: Datum, registry: Registry, draw: Draw) -> list[Dossier]:
    """The parts of it that were opened."""
    shares = plan()["shares"]
    clock = Clock(dossier)
    _fee(dossier, clock, procedure, draw)
    supplements = 2 if draw.chance(shares["two_supplements"]) else int(draw.chance(shares["one_supplement"]))
    places = {draw.whole(0, len(case.works) + 1) for _ in range(supplements)}
    passed = draw.whole(0, len(case.works) + 1) if draw.chance(shares["opinion"]) else -1
    parts: list[Dossier] = []
    for place in range(len(case.works) + 1):
        if place in places:
            _supplement(clock, dossier, draw)
        if place == passed and "stops" not in procedure:
            opinion(clock, dossier.office, registry, draw)
        if place == len(case.works) // 2:
            parts = round_trip(dossier, procedure.get("stops", []), clock, registry, draw)
        if place == len(case.works):
            break
        work = case.works[place]
        gap = round(work.gap_ms * (0.8 + draw.whole(0, 401) / 1000))
        if work.step == "IN_PROCESS":
            clock.add(gap, "IN_PROCESS", {"note": work.word, **by(f"Phòng {draw.whole(1, 6)}", draw)})
        elif work.step == "TRANSFERRED":
            opinion(clock, dossier.office, registry, draw)
        else:
            _supplement(clock, dossier, draw)
    return parts


def _fee(dossier: Dossier, clock: Clock, procedure: Datum, draw: Draw) -> None:
    shares, times = plan()["shares"], plan()["times"]
    fee = {"code": "LP01", "name": "Lệ phí", "amount_vnd": procedure["fee"]}
    if procedure["fee"] and draw.chance(shares["fee_before_work"]):
        clock.add(draw.hours((0.1, 2)), "PAYMENT_REQUESTED", {"fees": [fee]})
        paid = {"fees": [fee | {"paid": True}], "online_payment": draw.of((1, 2, 2, 3))}
        clock.add(draw.hours(times["payment_wait"]), "PAYMENT_MADE", paid)
    elif procedure["fee"]:
        dossier.common |= {"fees": [fee | {"paid": True}], "online_payment": draw.of((1, 2, 3, 3))}


def _supplement(clock: Clock, dossier: Dossier, draw: Draw) -> None:
    note = {"note": "Bổ sung bản sao giấy chứng nhận quyền sử dụng đất", **by("Phòng 1", draw)}
    clock.add(draw.hours((0.5, 8)), "SUPPLEMENT_REQUESTED", note)
    added = paper(dossier.name, f"bo-sung-{len(dossier.moments)}", "Bản sao bổ sung", False, True)
    waited = draw.hours(plan()["times"]["supplement_wait"])
    clock.add(waited, "SUPPLEMENT_GIVEN", {"attachments": [added]})


def _end(dossier: Dossier, draw: Draw) -> None:
    shares, times = plan()["shares"], plan()["times"]
    clock, fate = Clock(dossier), draw.whole(0, 1_000_000) / 1_000_000
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
    result = paper(dossier.name, "ket-qua", "Giấy phép", True, draw.chance(shares["digitised"]))
    own = {"attachments": [result], **by("Lãnh đạo", draw)}

    def finish(gap_ms: int) -> None:
        clock.add(gap_ms, "FINISHED", own | {"finished_at": clock.now + max(MIN_GAP_MS, gap_ms)})

    finish(draw.hours((1, 40)))
    if draw.chance(shares["corrected"]):
        clock.add(draw.hours((1, 40)), "IN_PROCESS", {"correction": True, "note": "Đính chính: xử lý lại"})
        finish(draw.hours((4, 80)))
    elif draw.chance(shares["newer_facts"]):
        clock.add(draw.hours((0.1, 2)), "FINISHED", own | {"remark": "Đã đính kèm bản điện tử"})
    to_centre(clock, dossier)
    gap_ms = draw.hours(times["return_wait"])
    clock.add(gap_ms, "RETURNED", {"returned_at": clock.now + max(MIN_GAP_MS, gap_ms)})
    if draw.chance(shares["rated"]):
        clock.add(draw.hours((0.1, 48)), "RATED", {"rating": draw.of((1, 2, 3, 4, 4, 5, 5, 5, 5, 5))})


def _apologise(dossier: Dossier, due_at: int, draw: Draw) -> None:
    """In some dossiers that are not done in time: a new date, told before or after the old one, kept or not."""
    shares, times = plan()["shares"], plan()["times"]
    ended = next((at for at, step, _ in dossier.moments if step == "FINISHED"), None)
    if ended is None or ended <= due_at or not draw.chance(shares["apology"]):
        return
    if draw.chance(shares["apology_in_time"]):
        told = due_at - draw.hours(times["apology_before"])
    else:
        told = due_at + draw.whole(0.1 * (ended - due_at), 0.9 * (ended - due_at))
    place = bisect(dossier.moments, told, key=itemgetter(0))
    before, after = dossier.moments[place - 1], dossier.moments[place]
    received = any(step == "RECEIVED" for _, step, _ in dossier.moments[:place])
    if not received or before[1] in _ASKS or min(told - before[0], after[0] - told) < MIN_GAP_MS:
        return
    kept = draw.chance(shares["apology_kept"])
    new = ended + draw.hours(times["apology_spare"]) if kept else (max(told, due_at) + ended) // 2
    own = {"due_at": new, "note": "Xin lỗi và hẹn lại ngày trả kết quả", **by("Bộ phận một cửa", draw)}
    step = "RESCHEDULED" if draw.chance(shares["apology_step"]) else "IN_PROCESS"
    dossier.moments.insert(place, (told, step, own))
