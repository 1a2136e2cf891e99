"""Two catalogues compared: the reference (the national list) and what the province's own sources publish. Pure.

Only what both sides tell is compared: a fact that the province leaves out is no difference, an empty list is one.
Spelling (NFC or NFD, blanks, upper and lower case, order of lists) never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.model.text import nfc

Entry = Mapping[str, Any]

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
    """code -> entry, shaped as vn.hub.Procedure and vn.hub.OnlineService."""

    procedures: dict[str, Entry] = field(default_factory=dict)
    services: dict[str, Entry] = field(default_factory=dict)


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
        procedure = str(service.get("procedure_code") or code.rpartition(".")[0])
        known = reference.procedures.get(procedure)
        if service["active"] and known is not None and not known["active"]:
            out.append(Difference(code, "WITHDRAWN_STILL_OFFERED", f"procedure {procedure} withdrawn", "offered"))
    return sorted(out, key=lambda one: (one.code, one.kind))


def _procedure(code: str, reference: Entry | None, own: Entry | None) -> Iterable[Difference]:
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


def _standing(entry: Entry | None) -> str:
    return "not known" if entry is None else "published" if entry["active"] else "withdrawn"


def _facts(code: str, reference: Entry, own: Entry) -> Iterable[Difference]:
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


def _one(name: str) -> Callable[[Entry, Entry], tuple[Told, Told]]:
    def tell(*sides: Entry) -> tuple[Told, Told]:
        first, second = ([str(side[name])] if side.get(name) is not None else None for side in sides)
        return first, second

    return tell


def _list(name: str, item: str | None) -> Callable[[Entry, Entry], tuple[Told, Told]]:
    def tell(*sides: Entry) -> tuple[Told, Told]:
        lists = (side.get(name) for side in sides)
        first, second = (None if one is None else [str(i[item] if item else i) for i in one] for one in lists)
        return first, second

    return tell


def _limits(reference: Entry, own: Entry) -> tuple[Told, Told]:
    """The whole lists where both have them, else the one limit that stands for all."""
    sides = (reference, own)
    if all(side.get("time_limits") is not None for side in sides):
        return _ways(reference["time_limits"], _limit), _ways(own["time_limits"], _limit)
    first, second = ([_limit(side)] if side.get("time_limit") is not None else None for side in sides)
    return first, second


def _limit(entry: Entry) -> str:
    if entry.get("time_limit") is None:
        return str(entry.get("note") or "")
    return f"{entry['time_limit']:g} {entry.get('time_limit_unit') or ''}".strip()


def _fees(reference: Entry, own: Entry) -> tuple[Told, Told]:
    sides = (reference, own)
    if all(side.get("fees") is not None for side in sides):
        return _ways(reference["fees"], _fee), _ways(own["fees"], _fee)
    first, second = ([str(side["fee_vnd"])] if side.get("fee_vnd") is not None else None for side in sides)
    return first, second


def _fee(entry: Entry) -> str:
    return f"{entry['code']} {entry['amount_vnd'] if entry['amount_vnd'] is not None else entry['note'] or ''}".strip()


def _ways(entries: Iterable[Entry], tell: Callable[[Entry], str]) -> list[str]:
    return [_way(one, tell(one)) for one in entries]


def _way(entry: Entry, words: str) -> str:
    """The way it is handed in is named unless it is the counter (KENH 1)."""
    channel = entry.get("channel")
    return words if channel in (None, "1") else f"{words} (kênh {channel})"


def _forms(reference: Entry, own: Entry) -> tuple[Told, Told]:
    """By the version where both name one, by the file's hash where both have it, else by the form's name. An address
    is no difference: each portal has its own."""
    theirs, ours = reference.get("forms"), own.get("forms")
    if theirs is None or ours is None:
        return None, None
    for name in ("version", "sha256"):
        if theirs and ours and all(form.get(name) for form in (*theirs, *ours)):
            return [_form(form, name) for form in theirs], [_form(form, name) for form in ours]
    return [_form(form, "") for form in theirs], [_form(form, "") for form in ours]


def _form(form: Entry, mark: str) -> str:
    words = str(form.get("name") or form.get("component_code") or "")
    return f"{words} {mark} {form[mark]}" if mark else words


_TELL: dict[str, Callable[[Entry, Entry], tuple[Told, Told]]] = {
    "OTHER_NAME": _one("name"),
    "OTHER_AUTHORITY_LEVEL": _one("authority_level"),
    "OTHER_FIELD": _one("field_code"),
    "OTHER_TIME_LIMIT": _limits,
    "OTHER_FEE": _fees,
    "OTHER_COMPONENTS": _list("components", "code"),
    "OTHER_FORM": _forms,
    "OTHER_RESULT": _list("results", "code"),
    "OTHER_LEGAL_BASIS": _list("legal_bases", "number"),
    "OTHER_LINKED": _list("linked_procedures", None),
}
