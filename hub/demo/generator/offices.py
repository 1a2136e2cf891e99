"""Who takes part in a made-up province on which day, and the codes that dossiers get there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from hub.demo.generator.draw import Datum
from hub.demo.generator.shape import plan
from hub.errors import BadRecord, ConfigError
from hub.model import codes
from hub.model.agencies import Agencies, Office
from hub.model.calendar import date_of, day_of

NUMBERS_A_DAY = 10_000


def province(table: Agencies, day: date) -> Office:
    """The first province of the table, or what it had become by that day; it publishes the procedures.

    ConfigError (`agencies`) if the table has none.
    """
    first = next((office for office in table if office.kind == "province"), None)
    if first is None:
        raise ConfigError("agencies", "the table has no province")
    return table.office(first.code, day)


def procedures_of(office: Office) -> list[Datum]:
    """What is handed in there, each as often as its weight says."""
    own = office.code.rpartition(".")[2]
    return [
        procedure
        for procedure in plan()["procedure"]
        if office.kind in procedure["kinds"] and own in procedure.get("offices", (own,))
        for _ in range(procedure.get("weight", 1))
    ]


def offices_on(table: Agencies, day: date) -> list[Office]:
    """Those that take dossiers on that day, in the table's order."""
    return [office for office in _in_force(table, day) if procedures_of(office)]


def partners_on(table: Agencies, day: date) -> list[Office]:
    """Those that others pass dossiers to, and that may open parts of their own."""
    named = {stop["office"] for procedure in plan()["procedure"] for stop in procedure.get("stops", ())}
    return [office for office in _in_force(table, day) if office.code.rpartition(".")[2] in named]


def _in_force(table: Agencies, day: date) -> Iterator[Office]:
    home = province(table, day).code
    return (office for office in table if office.parent == home and office.in_force(day))


class Registry:
    """Offices by day, and running numbers by day and code prefix. Each seed has its own range of numbers: two of them
    may meet in one hub."""

    def __init__(self, seed: int, table: Agencies) -> None:
        self._table = table
        self._first = (seed - 1) * NUMBERS_A_DAY
        self._given: dict[date, Counter[str]] = {}
        self._offices: dict[date, list[Office]] = {}

    def offices(self, at: int) -> list[Office]:
        """Returns the offices of a moment (ms UTC); remembers each day."""
        day = _day(at)
        if day not in self._offices:
            self._offices[day] = offices_on(self._table, day)
        return self._offices[day]

    def departments(self, at: int) -> list[Office]:
        return [office for office in self.offices(at) if office.kind == "department"]

    def named(self, last: str, at: int) -> Office | None:
        """The province's office whose code ends so; None if it has none then."""
        day = _day(at)
        office = self._table.get(f"{province(self._table, day).code}.{last}")
        return office if office is not None and office.in_force(day) else None

    def now(self, office: Office, at: int) -> Office:
        """The office, or who had taken over by then."""
        return self._table.office(office.code, _day(at))

    def code(self, office: Office, at: int, old_form: bool) -> str:
        """MaHoSo of a dossier that the office opens at that moment. Both forms of an agency code are in use."""
        day = _day(at)
        prefix = _old(office) if old_form else office.code
        given = self._given.setdefault(day, Counter())
        given[prefix] += 1
        return f"{prefix}-{day:%y%m%d}-{self._first + given[prefix]:04d}"

    def forget(self, before: int) -> None:
        """No dossier will be opened on a day before that moment any more."""
        for known in (self._given, self._offices):
            for day in [day for day in known if day < _day(before)]:
                del known[day]


def _day(at: int) -> date:
    return date_of(day_of(at))


def _old(office: Office) -> str:
    try:
        return codes.old_form(office.code)
    except BadRecord:
        return office.code
