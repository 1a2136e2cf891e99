"""The events of a made-up province, in the order in which they arrive: the same seed gives the same events.

A stream: only dossiers that are open at the moment are held. The number of events is exact, and none happens after the
last day, so the end is a province in the middle of its work.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from hub.demo.generator.bad import Planter
from hub.demo.generator.dossier import make
from hub.demo.generator.draw import Dossier, Draw
from hub.demo.generator.event import Event
from hub.demo.generator.offices import Registry, offices_on, partners_on, province
from hub.demo.generator.shape import DAY_MS, Shape, plan, shape
from hub.events import families
from hub.model.agencies import Agencies, Office
from hub.model.calendar import midnight_of, number_of
from hub.untyped import JsonObject

SAMPLED = 400
"""Dossiers made before the first one, to learn how many events one gives within so many days."""
CATALOGUE_AHEAD_DAYS = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """seed: 1, 2 …. count: good events. bad: unusable ones on top of them, evenly spread. start, days: local days."""

    seed: int
    count: int
    start: date
    days: int
    bad: int = 0


def source_of(code: str) -> str:
    """CloudEvents source of an office's system."""
    return f"urn:vn:gov:{code}:mot-cua"


def sources(wanted: Wanted, table: Agencies) -> list[tuple[str, str]]:
    """(CloudEvents source, agency) of every office that may speak."""
    found = {province(table, wanted.start).code}
    for day in range(wanted.days):
        today = wanted.start + timedelta(days=day)
        found.update(office.code for office in (*offices_on(table, today), *partners_on(table, today)))
    return [(source_of(code), code) for code in sorted(found)]


def events(wanted: Wanted, table: Agencies) -> Iterator[Event]:
    """Exactly `count` good events and `bad` others, in order of arrival."""
    planter = Planter(wanted.count, wanted.bad)
    for number, event in enumerate(_good(wanted, table), 1):
        yield event
        yield from planter.after(number, event)
        if number == wanted.count:
            return


def _good(wanted: Wanted, table: Agencies) -> Iterator[Event]:
    entries = list(_catalogue(wanted, table))[: wanted.count]
    yield from entries
    stream = _Stream(wanted, table, len(entries))
    for day in range(wanted.days):
        stream.begin(day)
        yield from stream.until(midnight_of(stream.first_day + day + 1))


class _Stream:
    """Dossiers begun day by day, and their events waiting for the moment of their arrival."""

    def __init__(self, wanted: Wanted, table: Agencies, made: int) -> None:
        self.first_day = number_of(wanted.start)
        self._wanted, self._table, self._made = wanted, table, made
        self._shape = shape()
        self._registry = Registry(wanted.seed, table)
        self._last = midnight_of(self.first_day + wanted.days)
        self._waiting: list[tuple[int, int, int, Dossier]] = []
        self._serial = 0
        self._number = 0
        self._share = 0.0
        self._weights = [self._shape.weekdays[self._date(day).weekday()] for day in range(wanted.days)]
        self._yield = _events_within(wanted, table, self._shape)

    def begin(self, day: int) -> None:
        """Begin as many dossiers as keep the whole at `count` events when the days are over."""
        left = self._wanted.count - self._made
        if left <= 0:
            return
        days = range(day, self._wanted.days)
        expected = sum(self._weights[d] * self._yield[self._wanted.days - d - 1] for d in days)
        self._share += left * self._weights[day] / expected if expected else 0.0
        todo, self._share = int(self._share), self._share % 1
        self._registry.forget(midnight_of(self.first_day + day))
        for _ in range(todo):
            self._dossier(day)
        while day == self._wanted.days - 1 and self._made < self._wanted.count:
            self._dossier(day)

    def until(self, moment: int) -> Iterator[Event]:
        """The events that arrive before it."""
        while self._waiting and self._waiting[0][0] < moment:
            arrived_at, _, index, dossier = heapq.heappop(self._waiting)
            yield _event(self._wanted.seed, dossier, index, arrived_at)

    def _date(self, day: int) -> date:
        return self._wanted.start + timedelta(days=day)

    def _dossier(self, day: int) -> None:
        draw = Draw(f"{self._wanted.seed}/{self._number}")
        received = midnight_of(self.first_day + day) + draw.of(self._shape.times_of_day)
        made = _made(self._number, received, self._shape, self._registry, draw)
        self._number += 1
        for dossier in made:
            for arrived_at, index in arrivals(dossier, draw):
                if arrived_at < self._last:
                    heapq.heappush(self._waiting, (arrived_at, self._serial, index, dossier))
                    self._serial += 1
                    self._made += 1


def _made(number: int, received: int, own: Shape, registry: Registry, draw: Draw) -> list[Dossier]:
    """Offices early in the table get more than the later ones."""
    offices = registry.offices(received)
    office = offices[int(len(offices) * (draw.whole(0, 1_000_000) / 1_000_000) ** 1.5)]
    return make(number, office, received, own, registry, draw)


def arrivals(dossier: Dossier, draw: Draw) -> Iterator[tuple[int, int]]:
    """(when, index of the step) of everything that is sent of a dossier, duplicates included."""
    shares, times = plan()["shares"], plan()["times"]
    before = 0
    for index, (at, _, _) in enumerate(dossier.moments):
        if draw.chance(shares["late_arrival"]):
            arrived_at = at + draw.hours(times["late_by"])
        else:
            soon = at + draw.whole(times["arrival_seconds"][0] * 1000, times["arrival_seconds"][1] * 1000)
            arrived_at = before = max(soon, before + 1)
        yield arrived_at, index
        if draw.chance(shares["duplicate"]):
            yield arrived_at + draw.hours(times["duplicate_after"]), index


def _event(seed: int, dossier: Dossier, index: int, arrived_at: int) -> Event:
    datum = dossier.datum(index)
    return Event(
        id=f"{seed}-{dossier.name}-{index}",
        source=source_of(dossier.office.code),
        type=families.DOSSIER.published,
        subject=dossier.code,
        at=datum["occurred_at"],
        arrived_at=arrived_at,
        data=datum,
    )


def _events_within(wanted: Wanted, table: Agencies, own: Shape) -> list[float]:
    """By number of whole days after the day of receipt: events of a dossier and its parts that arrive
    in them, on the average."""
    found = [0] * wanted.days
    midnight = midnight_of(number_of(wanted.start))
    registry = Registry(wanted.seed, table)
    for number in range(SAMPLED):
        draw = Draw(f"{wanted.seed}/sample/{number}")
        made = _made(number, midnight + draw.of(own.times_of_day), own, registry, draw)
        for arrived_at in (at for dossier in made for at, _ in arrivals(dossier, draw)):
            day = (arrived_at - midnight) // DAY_MS
            if day < wanted.days:
                found[day] += 1
    out, total = [], 0
    for count in found:
        total += count
        out.append(total / SAMPLED)
    return out


def _catalogue(wanted: Wanted, table: Agencies) -> Iterator[Event]:
    """Every procedure and its online service, published CATALOGUE_AHEAD_DAYS before the first day."""
    office = province(table, wanted.start)
    at = midnight_of(number_of(wanted.start) - CATALOGUE_AHEAD_DAYS) + DAY_MS // 3
    for number, procedure in enumerate(plan()["procedure"]):
        facts = {name: procedure[name] for name in ("name", "field_code", "field_name")}
        facts["authority_level"] = "Cấp tỉnh" if "department" in procedure["kinds"] else "Cấp xã"
        datum = {
            "procedure_code": procedure["code"], "change": "PUBLISHED", "occurred_at": at + number * 60_000, **facts,
            "agency_code": office.code, "time_limit": float(procedure["days"]), "time_limit_unit": "Ngày làm việc",
            "fee_vnd": procedure["fee"], "decision": f"{100 + number}/QĐ-UBND", "effective_at": at + 14 * DAY_MS,
        }  # fmt: skip
        yield _entry(wanted.seed, office, families.PROCEDURE.published, procedure["code"], datum)
        if procedure["online"]:
            service = f"{procedure['code']}.01"
            datum = {
                "service_code": service, "change": "PUBLISHED", "occurred_at": at + number * 60_000 + 30_000,
                "name": procedure["name"], "procedure_code": procedure["code"], "agency_code": office.code,
                "level": procedure["online"], "whole_process": procedure["online"] == 4,
                "channels": ["provincial", "national"],
            }  # fmt: skip
            yield _entry(wanted.seed, office, families.SERVICE.published, service, datum)


def _entry(seed: int, office: Office, type: str, code: str, datum: JsonObject) -> Event:
    at = datum["occurred_at"]
    return Event(f"{seed}-{code}", source_of(office.code), type, code, at, at, datum)
