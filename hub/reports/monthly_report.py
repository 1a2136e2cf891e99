"""The monthly report as one JSON document; `monthly_report_xlsx` and the console show the same document."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from hub.config import Settings
from hub.errors import BadRecord, ConfigError
from hub.model import agencies, codes
from hub.model.agencies import Agencies
from hub.model.calendar import date_of, day_of, midnight_of, number_of
from hub.model.deadline_rules import rules as deadline_rules
from hub.model.deadlines import limit_end
from hub.readmodel import tables
from hub.reports import figures_query
from hub.reports.dossier_case import Period
from hub.reports.figures import PROVINCE, Catalogue, Tally, tallies
from hub.reports.score import GroupScore, Scored, score
from hub.reports.score_rules import Scheme, scheme
from hub.untyped import JsonObject

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


def month_of(text: str, now_ms: int) -> Period:
    """`2026-10` -> the month in local time, of a running month what is over. ConfigError (`month`)."""
    found = _MONTH.fullmatch(text)
    if found is None or found[1] == "0000":
        raise ConfigError("month", f"must be a month as 2026-10; got {text[:20]!r}")
    first = date(int(found[1]), int(found[2]), 1)
    start = midnight_of(number_of(first))
    if start > now_ms:
        raise ConfigError("month", f"{text} has not begun")
    return Period(start, min(midnight_of(number_of((first + timedelta(days=31)).replace(day=1))), now_ms))


def monthly(engine: Engine, settings: Settings, month: str, agency: str = "", now_ms: int | None = None) -> JsonObject:
    """The report of one month. agency: in either form; it and its parts only. ConfigError (`month`, `agency`)."""
    now = int(time.time() * 1000) if now_ms is None else now_ms
    period, own = month_of(month, now), _agency(agency)
    rules, plan = deadline_rules(settings.deadlines), scheme(settings.figures.rules_file)

    def working_days(start: int, end: int) -> int:
        return sum(rules.calendar.is_working(day) for day in range(day_of(start) + 1, day_of(end) + 1))

    g = tables.current(engine)
    with engine.connect() as connection:
        known = Catalogue(
            figures_query.procedures(connection, g, plan.complete, own),
            figures_query.services(connection, g),
            partial(limit_end, rules),
            working_days,
        )
        rated = figures_query.ratings(connection, g, period, own)
    with engine.connect() as connection:
        every = figures_query.cases(connection, g, period, settings.figures.national, own)
        found = tallies(every, rated, known, period, plan)
    offices = agencies.table(settings.figures.agencies_file)
    return {
        "month": month,
        "from": _iso(period.start),
        "until": _iso(period.end),
        "complete": period.end < now,
        "made_at": _iso(now),
        **document(found, plan, offices, period, f"Tổng {own}" if own else "Toàn tỉnh"),
    }


def _agency(text: str) -> str:
    try:
        return codes.agency(text).normal if text else ""
    except BadRecord as error:
        raise ConfigError("agency", error.detail) from None


def document(found: Mapping[str, Tally], plan: Scheme, offices: Agencies, period: Period, sum_name: str) -> JsonObject:
    """{province, agencies}; each number is {count, dossiers}. province: the sum over all of them."""
    at = date_of(day_of(period.end - 1))
    active = {code: tally for code, tally in found.items() if code != PROVINCE and _says_something(tally)}
    return {
        "province": _agency_document(found[PROVINCE], sum_name, plan, None),
        "agencies": [
            _agency_document(active[code], _name(code, offices), plan, _present(code, offices, at))
            for code in sorted(active)
        ],
    }


def _says_something(tally: Tally) -> bool:
    return bool(tally.received or tally.procedures or tally.rated or any(tally.outcomes.values()))


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _agency_document(tally: Tally, name: str, plan: Scheme, present: JsonObject | None) -> JsonObject:
    scored = score(tally, plan)
    return {
        "agency": tally.agency,
        "name": name,
        "present_office": present,
        "figures": {
            "received": _number(tally.received),
            **{name: _number(codes) for name, codes in tally.outcomes.items()},
            "pending_overdue": _number(tally.overdue),
            "online": _number(tally.online),
        },
        "mean_processing_hours": _rounded(tally.mean_hours),
        "online": {
            "share": _rounded(_share(tally.online, tally.received)),
            "by_level": _split(tally.by_level),
            "by_kind": _split(tally.by_kind),
        },
        "publication": {
            "procedures": _number(tally.procedures),
            "complete": _number(tally.complete),
            "completeness": _rounded(_share(tally.complete, tally.procedures)),
        },
        "score": {
            "total": _rounded(scored.total),
            "covered_points": scored.covered,
            "band": scored.band,
            "groups": [_group(group) for group in scored.groups],
        },
    }


def _name(code: str, offices: Agencies) -> str:
    office = offices.get(code) if code != figures_query.NO_AGENCY else None
    return office.name if office else ""


def _present(code: str, offices: Agencies, at: date) -> JsonObject | None:
    """Who answers for it at the end of the month, if that is another office."""
    try:
        office = offices.office(code, at)
    except BadRecord:
        return None
    return None if office.code == code else {"agency": office.code, "name": office.name}


def _group(group: GroupScore) -> JsonObject:
    return {
        "group": group.group.number,
        "name": group.group.name,
        "points": _rounded(group.points),
        "of": group.group.points,
        "items": [_item(scored) for scored in group.items],
    }


def _item(scored: Scored) -> JsonObject:
    return {
        "item": scored.item.id,
        "name": scored.item.name,
        "formula": scored.item.formula,
        "written": scored.written,
        "value": _rounded(scored.value),
        "worth": _rounded(scored.worth),
        "full_at": scored.item.full_at,
        "evidence": scored.item.evidence,
        "why_not": scored.why,
        "counted": _number(scored.counted),
        "total": _number(scored.total),
    }


def _split(parts: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> JsonObject:
    return {
        name: {"received": _number(every), "online": _number(online), "share": _rounded(_share(online, every))}
        for name, (every, online) in sorted(parts.items())
    }


def _number(found: Iterable[str]) -> JsonObject:
    listed = list(found)
    return {"count": len(listed), "dossiers": listed}


def _share(part: Sequence[str], whole: Sequence[str]) -> float | None:
    return len(part) / len(whole) if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
