"""What a column may fill: the scalar fields of an ingress record, from its Avro schema; and text -> their values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Literal

from hub.avro.generic import schema_json
from hub.errors import BadRecord
from hub.model.deadlines import day_end
from hub.untyped import JsonObject

Value = str | int | float | bool
"""What one cell can become."""
Kind = Literal["string", "enum", "time", "int", "long", "double", "boolean"]
_SCALARS: dict[str, Kind] = {"string": "string", "int": "int", "long": "long", "double": "double", "boolean": "boolean"}
_TRUE, _FALSE = {"true", "1", "x", "có", "co", "yes"}, {"false", "0", "không", "khong", "no"}
_FIRST_YEAR, _LAST_YEAR = 2, 9998
"""What has a neighbour on both sides in every time zone."""
_HAS_TIME = re.compile("%[HIMSfcXT]")
"""Whether a form of strptime tells more than the day."""
NO_TIME = timedelta()
END_OF_DAY = day_end("24:00")
# long and double: what every language's JSON keeps exactly.
_LARGEST = {"int": 2**31 - 1, "long": 2**53, "double": 2**53}


@dataclass(frozen=True, slots=True)
class Target:
    """One field that text can become. needed: the schema allows no null and has no default."""

    kind: Kind
    needed: bool
    symbols: tuple[str, ...] = ()


def record_fields(record: str) -> dict[str, Target]:
    """Dotted name -> target, of every scalar in the record and in the records it holds (arrays are left out)."""
    out: dict[str, Target] = {}
    _collect(schema_json(record), "", {}, out)
    return out


def _collect(schema: Any, prefix: str, named: JsonObject, out: dict[str, Target]) -> None:
    for field in schema["fields"]:
        kind = _resolve(field["type"], named)
        name = prefix + field["name"]
        if isinstance(kind, dict) and kind["type"] == "record":
            _collect(kind, name + ".", named, out)
            continue
        needed = "default" not in field
        if isinstance(kind, dict) and kind["type"] == "enum":
            out[name] = Target("enum", needed, tuple(s for s in kind["symbols"] if s != "UNKNOWN"))
        elif isinstance(kind, dict) and kind.get("logicalType") == "timestamp-millis":
            out[name] = Target("time", needed)
        elif isinstance(kind, str) and kind in _SCALARS:
            out[name] = Target(_SCALARS[kind], needed)


def _resolve(kind: Any, named: JsonObject) -> Any:
    """The type without null; a name is looked up among the types written out before it."""
    if isinstance(kind, list):
        kind = next(k for k in kind if k != "null")
    if isinstance(kind, str):
        return named.get(kind, kind)
    if isinstance(kind, dict) and kind["type"] in ("record", "enum"):
        name = kind["name"]
        full = name if "." in name else f"{kind.get('namespace', 'vn.hub')}.{name}"
        named[full] = named[full.rpartition(".")[2]] = kind
    return kind


def to_time(value: object, forms: tuple[str, ...], zone: tzinfo, day_end: timedelta = NO_TIME) -> int:
    """Milliseconds UTC of a cell; BadRecord (`date`) when it is no date in any of the forms, or no such day.

    day_end: from midnight to the moment that is meant where the cell names a day without a time. A sheet has no cells
    for days: there, midnight to the second is one.
    """
    if isinstance(value, datetime):
        moment, by_day = value, value.time() == time()
    elif isinstance(value, date):
        moment, by_day = datetime(value.year, value.month, value.day), True
    else:
        moment, by_day = _parse(str(value), forms)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise BadRecord("date", f"the year {moment.year} is none of {_FIRST_YEAR} to {_LAST_YEAR}")
    if by_day:
        moment += day_end
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return round(moment.timestamp() * 1000)


def _parse(text: str, forms: tuple[str, ...]) -> tuple[datetime, bool]:
    """(the moment, whether its form has no time)."""
    for form in forms:
        try:
            return datetime.strptime(text, form), not _HAS_TIME.search(form.replace("%%", ""))
        except ValueError:
            continue
    raise BadRecord("date", f"{text!r} is no such day, or in none of the forms {', '.join(forms)}; write it in one")


def to_value(text: str, target: Target) -> Value:
    """Text as the field's type, times apart; BadRecord names the rule and the value."""
    if target.kind == "string":
        return text
    if target.kind == "enum":
        if text in target.symbols:
            return text
        raise BadRecord("status", f"the word {text!r} is not known; add it to the mapping's words or write a known one")
    if target.kind == "boolean":
        if (low := text.lower()) in _TRUE | _FALSE:
            return low in _TRUE
        raise BadRecord("avro", f"{text!r} is neither yes nor no (1/0, có/không, true/false)")
    try:
        number = float(text) if target.kind == "double" else int(text)
    except ValueError:
        raise BadRecord("avro", f"{text!r} is no number; write digits only") from None
    if not abs(number) <= _LARGEST[target.kind]:
        raise BadRecord("limit", f"{text!r} is too large a number")
    return number
