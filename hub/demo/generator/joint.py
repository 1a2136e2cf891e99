"""Joint handling (liên thông) of a generated dossier: an opinion of another agency, or a round over several that open
parts of their own, after the land case of docs/joint.md."""

from __future__ import annotations

from functools import cache

from hub.config import DeadlineSettings
from hub.demo.generator.draw import Clock, Datum, Dossier, Draw, by
from hub.demo.generator.offices import Registry
from hub.demo.generator.shape import plan
from hub.model.agencies import Office
from hub.model.deadline_rules import rules
from hub.model.deadlines import UNITS, Rules, due

_OPENED = (0.5, 4)
"""Hours from a transfer to the part that the other agency opens for it; less than it needs for the work."""
_IN_TIME = (0.4, 0.95)
"""When the other agency is ready, as a share of its time limit."""


@cache
def _rules() -> Rules:
    return rules(DeadlineSettings())


def terms(sent: int, draw: Draw) -> tuple[Datum, int]:
    """(what a transfer tells of its time limit: an amount, a date or nothing; when that limit ends)."""
    how = plan()["transfers"]
    amount, unit = draw.of(how["limits"])
    due_at = due(_rules(), sent, amount, UNITS[unit])
    if draw.chance(how["limit_told"]):
        return {"transfer_limit": float(amount), "transfer_limit_unit": unit}, due_at
    return ({"step_due_at": due_at} if draw.chance(how["date_told"]) else {}), due_at


def opinion(clock: Clock, office: Office, registry: Registry, draw: Draw) -> None:
    """To another department, received and worked on there, and back."""
    own = registry.now(office, clock.now).code
    others = [other for other in registry.departments(clock.now) if other.code != own]
    if not others:
        return
    other = draw.of(others)
    due_at = _pass_on(clock, other, f"Lấy ý kiến {other.name}", registry, draw)
    ready = _ready(clock.now, due_at, draw)
    clock.add(draw.hours(_OPENED), "RECEIVED", {"note": "Cơ quan phối hợp tiếp nhận", **by(other.name, draw)})
    clock.add(ready - clock.now, "IN_PROCESS", {"note": "Có ý kiến", **by(other.name, draw)})
    _give_back(clock, office, registry, draw)


def round_trip(dossier: Dossier, stops: list[Datum], clock: Clock, registry: Registry, draw: Draw) -> list[Dossier]:
    """To each agency in turn, back in between or straight on; returns the parts that they open, in order.

    stops: of the plan's procedure. An agency that the province does not have is left out.
    """
    parts: list[Dossier] = []
    away = False
    for stop in stops:
        office = registry.named(stop["office"], clock.now)
        if office is None:
            continue
        due_at = _pass_on(clock, office, stop["task"], registry, draw)
        sent, ready = clock.now, _ready(clock.now, due_at, draw)
        if "part" in stop:
            name = f"{dossier.name}.{len(parts) + 1}"
            parts.append(_part(dossier, name, office, stop["part"], sent, due_at, registry, draw))
            _conclude(parts[-1], ready, "asks" in stop, draw)
        clock.now = ready
        away = "asks" not in stop and draw.chance(plan()["transfers"]["handed_on"])
        if not away:
            _give_back(clock, dossier.office, registry, draw)
        if "asks" in stop:
            _pay(clock, parts[-1], ready, stop["asks"], draw)
    if away:
        _give_back(clock, dossier.office, registry, draw)
    return parts


def to_centre(clock: Clock, dossier: Dossier) -> None:
    """The result goes to where the dossier was handed in, if that is another office."""
    centre = dossier.common.get("receiving_agency_code")
    if centre is not None:
        clock.add(1_800_000, "TRANSFERRED", {"transferred_to": centre, "note": "Chuyển kết quả về nơi tiếp nhận"})


def _pass_on(clock: Clock, to: Office, task: str, registry: Registry, draw: Draw) -> int:
    """When the other agency's time limit ends."""
    gap = draw.hours((0.5, 8))
    sent = clock.now + gap
    told, due_at = terms(sent, draw)
    holder = registry.now(to, sent)
    clock.add(gap, "TRANSFERRED", {"transferred_to": holder.code, "step_started_at": sent, "note": task, **told})
    return due_at


def _ready(sent: int, due_at: int, draw: Draw) -> int:
    how = plan()["transfers"]
    if draw.chance(how["late"]):
        return due_at + draw.hours(how["late_by"])
    least, most = _IN_TIME
    return sent + draw.whole(least * (due_at - sent), most * (due_at - sent))


def _give_back(clock: Clock, office: Office, registry: Registry, draw: Draw) -> None:
    gap = draw.hours((0.1, 1))
    holder = registry.now(office, clock.now + gap)
    clock.add(gap, "TRANSFERRED", {"transferred_to": holder.code, "note": "Trả lại kết quả phối hợp"})


def _part(
    parent: Dossier,
    name: str,
    office: Office,
    procedure_code: str,
    sent: int,
    due_at: int,
    registry: Registry,
    draw: Draw,
) -> Dossier:
    """The other agency's own dossier, just opened."""
    opened = sent + draw.hours(_OPENED)
    office = registry.now(office, opened)
    procedure = next(p for p in plan()["procedure"] if p["code"] == procedure_code)
    common = {
        "procedure_code": procedure["code"],
        "procedure_name": procedure["name"],
        "field_code": procedure["field_code"],
        "field_name": procedure["field_name"],
        "agency_code": office.code,
        "agency_name": office.name,
        "channel": "DIRECT",
        "abstract": f"{procedure['name']}, thuộc hồ sơ {parent.code}",
        "applicant": parent.common["applicant"],
        "received_at": opened,
        "due_at": due_at,
        "parent_code": parent.code,
    }
    code = registry.code(office, opened, old_form=parent.code.startswith("000."))
    part = Dossier(name, code, office, common)
    part.moments.append((opened, "RECEIVED", by("Văn thư", draw)))
    return part


def _conclude(part: Dossier, ready: int, asks: bool, draw: Draw) -> None:
    """The other agency's work on its part; where it asks for money the part ends with the payment (`_pay`)."""
    clock = Clock(part)
    clock.add((ready - clock.now) // 2, "IN_PROCESS", {"note": "Thẩm tra", **by("Phòng chuyên môn", draw)})
    if not asks:
        clock.add(ready - clock.now, "FINISHED", {"finished_at": ready, **by("Lãnh đạo", draw)})


def _pay(parent: Clock, part: Dossier, ready: int, name: str, draw: Draw) -> None:
    """The financial obligation: asked for and paid in both dossiers, then the part is finished."""
    fee = {"code": "NVTC", "name": name, "amount_vnd": draw.whole(1_000, 900_000) * 1_000}
    clock = Clock(part)
    clock.add(ready - clock.now, "PAYMENT_REQUESTED", {"fees": [fee]})
    parent.add(draw.hours((0.05, 0.5)), "PAYMENT_REQUESTED", {"fees": [fee]})
    parent.add(draw.hours(plan()["times"]["payment_wait"]), "PAYMENT_MADE", {"fees": [fee | {"paid": True}]})
    clock.add(parent.now - 60_000 - clock.now, "PAYMENT_MADE", {"fees": [fee | {"paid": True}]})
    ended = parent.now + draw.hours((0.2, 8))
    clock.add(ended - clock.now, "FINISHED", {"finished_at": ended, **by("Lãnh đạo", draw)})
