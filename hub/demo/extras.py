"""What the demo adds to the generated province, by province.toml: procedures amended and withdrawn, dossiers filed
online for what is not offered, and dossiers whose deadline is near."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources

from hub.demo.generator import events as generate
from hub.demo.generator import offices
from hub.demo.generator.event import Event
from hub.demo.generator.events import Wanted
from hub.demo.generator.shape import DAY_MS, HOUR_MS
from hub.events import families
from hub.model import agencies
from hub.model.agencies import Agencies, Office
from hub.model.calendar import date_of, day_of
from hub.untyped import JsonObject, SettingsTable

PLANTED = "planted-"


@cache
def plan() -> SettingsTable:
    """province.toml."""
    return tomllib.loads(resources.files("hub.demo").joinpath("province.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Calendar:
    """The days of the generated province: from the first of last month until yesterday. now: ms UTC."""

    now: int

    @property
    def today(self) -> date:
        return date_of(day_of(self.now))

    @property
    def start(self) -> date:
        return (self.today.replace(day=1) - timedelta(days=1)).replace(day=1)

    @property
    def month(self) -> str:
        """The one that is over, as 2026-10."""
        return f"{self.start:%Y-%m}"

    def wanted(self, events: int) -> Wanted:
        return Wanted(plan()["seed"], events, self.start, (self.today - self.start).days)


def province_events(calendar: Calendar, count: int) -> list[Event]:
    """`count` generated events and the demo's own, in order of arrival."""
    table = agencies.table(None)
    own = [*catalogue(calendar, table), *not_offered(calendar, table), *judged(calendar, table)]
    generated = generate.events(calendar.wanted(count), table)
    return sorted([*generated, *own], key=lambda event: event.arrived_at)


def soonest(calendar: Calendar) -> int:
    """The deadline of `near_deadlines` that comes while the demo runs; ms UTC."""
    seconds: list[int] = [entry["seconds"] for entry in plan()["deadlines"]["dossier"] if "seconds" in entry]
    return calendar.now + 1000 * min(seconds)


def department(calendar: Calendar, table: Agencies) -> Office:
    """The office that the demo's own dossiers belong to."""
    return next(office for office in offices.offices_on(table, calendar.start) if office.kind == "department")


def catalogue(calendar: Calendar, table: Agencies) -> Iterator[Event]:
    """Procedures and services beside the generated ones, what was amended, what was withdrawn."""
    office = offices.province(table, calendar.start)
    published = calendar.now - 100 * DAY_MS
    for entry in plan()["procedure"]:
        yield from _published(office, entry, published)
        if days := entry.get("withdrawn_days_ago"):
            at = calendar.now - days * DAY_MS
            withdrawn = {"change": "WITHDRAWN", "occurred_at": at}
            yield _entry(
                office, families.PROCEDURE.published, entry["code"], {"procedure_code": entry["code"]} | withdrawn
            )
            service = f"{entry['code']}.01"
            yield _entry(office, families.SERVICE.published, service, {"service_code": service} | withdrawn)
    for entry in plan()["amended"]:
        datum = {"procedure_code": entry["code"], "change": "AMENDED", "occurred_at": calendar.now - 30 * DAY_MS}
        yield _entry(
            office, families.PROCEDURE.published, entry["code"], datum | {"time_limit": float(entry["time_limit"])}
        )


def _published(office: Office, entry: JsonObject, at: int) -> Iterator[Event]:
    told = {name: entry[name] for name in ("name", "field_code", "field_name", "authority_level")}
    common = {"change": "PUBLISHED", "occurred_at": at, "agency_code": office.code}
    limit = {"time_limit": float(entry["days"]), "time_limit_unit": "Ngày làm việc", "fee_vnd": entry["fee"]}
    yield _entry(
        office, families.PROCEDURE.published, entry["code"], {"procedure_code": entry["code"]} | common | told | limit
    )
    service = {
        "service_code": f"{entry['code']}.01", "name": entry["name"], "procedure_code": entry["code"],
        "level": entry["level"], "whole_process": True if entry["level"] == 4 else None, "channels": ["provincial"],
    }  # fmt: skip
    yield _entry(office, families.SERVICE.published, f"{entry['code']}.01", service | common)


def _entry(office: Office, type: str, code: str, datum: JsonObject) -> Event:
    at = datum["occurred_at"]
    return Event(f"demo-{datum['change'].lower()}-{code}", generate.source_of(office.code), type, code, at, at, datum)


def not_offered(calendar: Calendar, table: Agencies) -> Iterator[Event]:
    """Dossiers filed online where nobody can; each must become a dead letter with that reason."""
    office, number = department(calendar, table), plan()["first_number"]
    for entry in plan()["procedure"]:
        for _ in range(plan()["not_offered"]["each"]):
            at = calendar.now - 5 * DAY_MS + (number - plan()["first_number"]) * HOUR_MS
            facts = {"procedure_code": entry["code"], "procedure_name": entry["name"], "channel": "ONLINE",
                     "submitted_at": at, "filed_at_portal": "provincial"}  # fmt: skip
            step = dossier_step(calendar, office, number, at, "SUBMITTED", facts)
            yield replace(step, id=f"{PLANTED}not_offered-{number}")
            number += 1


def near_deadlines(calendar: Calendar, table: Agencies) -> Iterator[Event]:
    """Dossiers in work, passed on, waiting or finished, with a date near now."""
    office, own = department(calendar, table), plan()["deadlines"]
    other = next(o for o in offices.offices_on(table, calendar.start) if o.kind == office.kind and o != office)
    number = own["first_number"]
    for entry in own["dossier"]:
        for _ in range(entry["count"]):
            at = calendar.now - own["received_days_ago"] * DAY_MS
            due = entry.get("days", 0) * DAY_MS + entry.get("hours", 0) * HOUR_MS + entry.get("seconds", 0) * 1000
            facts = {"procedure_code": "1.009995", "procedure_name": "Hồ sơ sắp đến hạn", "channel": "DIRECT",
                     "received_at": at}  # fmt: skip
            if entry.get("transfer"):
                yield dossier_step(calendar, office, number, at, "RECEIVED", facts)
                passed = {"transferred_to": other.code, "step_due_at": calendar.now + due}
                yield dossier_step(calendar, office, number, at + DAY_MS, "TRANSFERRED", passed)
            else:
                # Told with the step that it stands at, so that no moment in between shows it in work.
                facts["due_at"] = calendar.now + due
                yield dossier_step(calendar, office, number, at, entry.get("step", "RECEIVED"), facts)
            number += 1


def judged(calendar: Calendar, table: Agencies) -> Iterator[Event]:
    """Dossiers of last month whose outcome in the figures was worked out by hand."""
    office, own = department(calendar, table), plan()["judged"]
    for number, entry in enumerate(own["dossier"], own["first_number"]):
        for place, words in enumerate(entry["steps"]):
            kind, _, when = words.partition(" ")
            facts: JsonObject = {}
            if not place:
                dates = {"received_at": _moment(calendar, when), "due_at": _moment(calendar, own["due"])}
                facts = {"procedure_code": "1.009995", "channel": "DIRECT", **dates}
            facts |= {"correction": True} if kind.endswith("!") else {}
            kind, _, stars = kind.rstrip("!").partition(":")
            facts |= {"rating": int(stars)} if stars else {}
            yield dossier_step(calendar, office, number, _moment(calendar, when), kind, facts, str(place))


def outcomes(calendar: Calendar, table: Agencies) -> dict[str, str]:
    """Dossier code -> outcome, of those of `judged`."""
    office, own = department(calendar, table), plan()["judged"]
    entries = enumerate(own["dossier"], own["first_number"])
    return {code_of(calendar, office, number): entry["outcome"] for number, entry in entries}


def _moment(calendar: Calendar, text: str) -> int:
    """Day of last month and local time; ms UTC."""
    day, time = text.split()
    return int(datetime.fromisoformat(f"{calendar.month}-{int(day):02d}T{time}:00+07:00").timestamp() * 1000)


def code_of(calendar: Calendar, office: Office, number: int) -> str:
    return f"{office.code}-{calendar.today:%y%m%d}-{number:04d}"


def dossier_step(
    calendar: Calendar, office: Office, number: int, at: int, step: str, facts: JsonObject, task: str = ""
) -> Event:
    """A step of the demo's own dossier of that number."""
    code = code_of(calendar, office, number)
    datum = {"dossier_code": code, "step": step, "occurred_at": at, "agency_code": office.code,
             "agency_name": office.name, **facts}  # fmt: skip
    id = f"demo-{number}-{task or step.lower()}"
    return Event(id, generate.source_of(office.code), families.DOSSIER.published, code, at, at, datum)
