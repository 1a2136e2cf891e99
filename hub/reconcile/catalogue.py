"""Two catalogues compared: the reference (the national list) and what the province's own sources publish. Pure.

Only what both sides tell is compared: a fact that the province leaves out is no difference, an empty list is one.
Spelling (NFC or NFD, blanks, upper and lower case, order of lists) never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from hub.avro.records import OnlineService, Procedure, ProcedureFee, ProcedureForm, ProcedureTimeLimit
from hub.model.text import nfc

Item = TypeVar("Item")
W = TypeVar("W", ProcedureTimeLimit, ProcedureFee)

KINDS = {
    "NOT_PUBLISHED": "in the reference, but not published here (QĐ 766, items 1.1 and 1.2)",
    "NOT_IN_REFERENCE": "published here, but the reference does not have it",
    "WITHDRAWN_STILL_PUBLISHED": "withdrawn in the reference, still published here",
    "WITHDRAWN_STILL_OFFERED": "an online service is offered for a procedure that the reference has withdrawn",
    "OTHER_NAME": "another name",
    "OTHER_AUTHORITY_LEVEL": "another level of authority (cấp thực hiện)",
    "OTHER_FIELD": "another field (lĩnh vực)",
    "OTHER_TIME_LIMIT": "another time limit, or another unit of it",
    "OTHER_FEE": "another fee",
    "OTHER_COMPONENTS": "other papers to hand in (thành phần hồ sơ)",
    "OTHER_FORM": "another form, or another version or file of it (biểu mẫu)",
    "OTHER_RESULT": "another result",
    "OTHER_LEGAL_BASIS": "another legal basis",
    "OTHER_LINKED": "other procedures handled jointly (liên thông)",
}


@dataclass(slots=True)
class Side:
    """code -> what that side says of it. It has no numbers of its own: hub_seq is 0."""

    procedures: dict[str, Procedure] = field(default_factory=dict)
    services: dict[str, OnlineService] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """code: of the procedure or service. kind: one of KINDS. reference, own: what each side has, for people."""

    code: str
    kind: str
    reference: str
    own: str


def compare(reference: Side, own: Side) -> list[Difference]:
    """Every difference, by code and kind."""
    out: list[Difference] = []
    for code in reference.procedures.keys() | own.procedures.keys():
        out += _procedure(code, reference.procedures.get(code), own.procedures.get(code))
    for code, service in own.services.items():
        procedure = service.procedure_code or code.rpartition(".")[0]
        known = reference.procedures.get(procedure)
        if service.active and known is not None and not known.active:
            out.append(Difference(code, "WITHDRAWN_STILL_OFFERED", f"procedure {procedure} withdrawn", "offered"))
    return sorted(out, key=lambda one: (one.code, one.kind))


def _procedure(code: str, reference: Procedure | None, own: Procedure | None) -> Iterable[Difference]:
    here, there = _standing(own), _standing(reference)
    if here == "published" and there == "published":
        assert reference is not None
        assert own is not None
        return _facts(code, reference, own)
    if there == "published":
        return [Difference(code, "NOT_PUBLISHED", there, here)]
    if here == "published":
        kind = "NOT_IN_REFERENCE" if reference is None else "WITHDRAWN_STILL_PUBLISHED"
        return [Difference(code, kind, there, here)]
    return []


def _standing(entry: Procedure | None) -> str:
    return "not known" if entry is None else "published" if entry.active else "withdrawn"


def _facts(code: str, reference: Procedure, own: Procedure) -> Iterable[Difference]:
    for kind, tell in _TELL.items():
        theirs, ours = tell(reference, own)
        if theirs is not None and ours is not None and {*map(_plain, theirs)} != {*map(_plain, ours)}:
            yield Difference(code, kind, _shown(theirs), _shown(ours))


Told = list[str] | None
"""One side's fact as words; None: not told."""


def _plain(value: str) -> str:
    return " ".join(nfc(value).casefold().split())


def _shown(told: list[str]) -> str:
    return ", ".join(sorted(set(told))) or "none"


Two = Callable[[Procedure, Procedure], tuple[Told, Told]]


def _fact(tell: Callable[[Procedure], object]) -> Two:
    """Compares one fact of two sides."""

    def told(side: Procedure) -> Told:
        return None if (fact := tell(side)) is None else [str(fact)]

    return lambda reference, own: (told(reference), told(own))


def _list(items: Callable[[Procedure], Iterable[Item] | None], word: Callable[[Item], str]) -> Two:
    """Compares a list of two sides, each item by one word."""

    def told(side: Procedure) -> Told:
        return None if (every := items(side)) is None else [word(one) for one in every]

    return lambda reference, own: (told(reference), told(own))


def _limits(reference: Procedure, own: Procedure) -> tuple[Told, Told]:
    """The whole lists where both have them, else the one limit that stands for all."""
    if reference.time_limits is not None and own.time_limits is not None:
        return _ways(reference.time_limits, _limit), _ways(own.time_limits, _limit)
    first, second = (None if side.time_limit is None else [_limit(side)] for side in (reference, own))
    return first, second


def _limit(told: Procedure | ProcedureTimeLimit) -> str:
    if told.time_limit is None:
        return (told.note or "") if isinstance(told, ProcedureTimeLimit) else ""
    return f"{told.time_limit:g} {told.time_limit_unit or ''}".strip()


def _fees(reference: Procedure, own: Procedure) -> tuple[Told, Told]:
    if reference.fees is not None and own.fees is not None:
        return _ways(reference.fees, _fee), _ways(own.fees, _fee)
    return _fact(lambda side: side.fee_vnd)(reference, own)


def _fee(fee: ProcedureFee) -> str:
    return f"{fee.code} {fee.amount_vnd if fee.amount_vnd is not None else fee.note or ''}".strip()


def _ways(ways: Iterable[W], tell: Callable[[W], str]) -> list[str]:
    return [_way(one, tell(one)) for one in ways]


def _way(way: ProcedureTimeLimit | ProcedureFee, words: str) -> str:
    """The way it is handed in is named unless it is the counter (KENH 1)."""
    return words if way.channel in (None, "1") else f"{words} (kênh {way.channel})"


def _forms(reference: Procedure, own: Procedure) -> tuple[Told, Told]:
    """By the version where both name one, by the file's hash where both have it, else by the form's name. An address
    is no difference: each portal has its own."""
    theirs, ours = reference.forms, own.forms
    if theirs is None or ours is None:
        return None, None
    for name in ("version", "sha256"):
        if theirs and ours and all(getattr(form, name) for form in (*theirs, *ours)):
            return [_form(form, name) for form in theirs], [_form(form, name) for form in ours]
    return [_form(form, "") for form in theirs], [_form(form, "") for form in ours]


def _form(form: ProcedureForm, mark: str) -> str:
    words = form.name or form.component_code or ""
    return f"{words} {mark} {getattr(form, mark)}" if mark else words


_TELL: dict[str, Two] = {
    "OTHER_NAME": _fact(lambda side: side.name),
    "OTHER_AUTHORITY_LEVEL": _fact(lambda side: side.authority_level),
    "OTHER_FIELD": _fact(lambda side: side.field_code),
    "OTHER_TIME_LIMIT": _limits,
    "OTHER_FEE": _fees,
    "OTHER_COMPONENTS": _list(lambda side: side.components, lambda one: one.code),
    "OTHER_FORM": _forms,
    "OTHER_RESULT": _list(lambda side: side.results, lambda one: one.code),
    "OTHER_LEGAL_BASIS": _list(lambda side: side.legal_bases, lambda one: one.number),
    "OTHER_LINKED": _list(lambda side: side.linked_procedures, str),
}
