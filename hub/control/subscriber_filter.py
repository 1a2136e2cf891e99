"""Which canonical event is due to which subscriber. Pure; delivery and reconcile ask the same question here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache

from hub.avro.generic import schema_json
from hub.avro.records import Dossier, DossierEvent
from hub.control.records import Filter
from hub.errors import BadRecord, ConfigError
from hub.events.canonical import CanonicalRecord, State, state_of, word_of
from hub.events.families import BY_TYPE, CANONICAL
from hub.model import codes

_UNKNOWN = "UNKNOWN"
"""What a reader with an older schema makes of a new word. The core publishes no event with it."""


def check(wanted: Filter, families: Collection[str]) -> None:
    """ConfigError for the first entry that can admit nothing. families: what the subscriber's connector takes."""
    for problem in problems(wanted, families):
        raise problem


def problems(wanted: Filter, families: Collection[str]) -> Iterator[ConfigError]:
    """An error for each entry that can admit nothing: it names field, rule and value, and says what to do."""
    yield from _no_codes("filter.agencies", wanted.agencies, codes.agency, "agency")
    yield from _no_codes("filter.procedures", wanted.procedures, codes.procedure, "procedure")
    for one in wanted.types:
        known = _families_with(one)
        if not known:
            every = ", ".join((*BY_TYPE, *sorted({word for event in CANONICAL for word in _words(event.words)})))
            yield ConfigError("filter.types", f"must be one of {every}; got {one!r}; give no type to admit all")
        elif not known & set(families):
            of, taken = ", ".join(sorted(known)), ", ".join(families)
            only = f"this connector takes only {taken} events; leave it out"
            yield ConfigError("filter.types", f"{one!r} is of {of} events, and {only}")


def _no_codes(
    field: str, given: tuple[str, ...], read: Callable[[str, str], object], what: str
) -> Iterator[ConfigError]:
    for one in given:
        try:
            read(one, field)
        except BadRecord as error:
            rule = error.detail.removeprefix(f"{field}: ")
            yield ConfigError(field, f"{rule}; give no {what} to admit all")


@cache
def _words(enum: str) -> frozenset[str]:
    return frozenset(schema_json(enum)["symbols"]) - {_UNKNOWN}


def _families_with(type_or_word: str) -> set[str]:
    return {event.name for event in CANONICAL if type_or_word == event.type or type_or_word in _words(event.words)}


def due(wanted: Filter, event_type: str, data: CanonicalRecord) -> bool:
    """Whether the canonical event passes the filter; an empty part of the filter admits all.

    agencies:   the competent, receiving or holding agency, the one transferred to, or the one in the code of the
                dossier that this is a part of (liên thông), is one of these or part of it (`codes.covers`).
    procedures: the procedure code is one of these, or one of these with the province's suffix (`1.004194` admits
                `1.004194.000.00.00.H11`).
    types:      the event's type, or the word of its step or change (of a deadline: its kind).
    """
    if wanted.types and event_type not in wanted.types and word_of(event_type, data) not in wanted.types:
        return False
    state = state_of(event_type, data)
    if wanted.procedures and not _procedure(wanted.procedures, state.procedure_code):
        return False
    if not wanted.agencies:
        return True
    return any(codes.covers(wanted.agencies, code) for code in _concerned(state, data) if code)


def _procedure(wanted: tuple[str, ...], code: str | None) -> bool:
    return code is not None and any(code == one or code.startswith(f"{one}.") for one in wanted)


def _concerned(state: State, data: CanonicalRecord) -> Iterable[str | None]:
    """The agencies that have to do with it."""
    yield state.agency_code
    if isinstance(state, Dossier):
        yield state.receiving_agency_code
        yield state.holder_agency_code
        yield state.parent_code and state.parent_code.partition("-")[0]
    if isinstance(data, DossierEvent):
        yield data.step.transferred_to
