"""What an event has under `data` in JSON: into the door form of its record, or why not.

msgspec reads it: unknown fields are refused, a time may be RFC 3339 or epoch milliseconds, a field that may be null may
be left out, nothing else is converted. msgspec's own words are never shown, since they hold values: where they point
to is looked up in what came, and the rule of that place says what is wrong. A value of a field marked `personal`, or
one that should hold such fields, is not shown.
"""

from __future__ import annotations

import json
import re
import types
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from hub.avro.doors import POSTED
from hub.avro.record import Moment, Record
from hub.errors import BadRecord
from hub.ingress.times import json_time

_SHOWN = 60
_AT = " - at `$"
_STEPS = re.compile(r"\.([A-Za-z_0-9]+)|\[(\d+)\]")


def read_data(record: str, given: Any) -> Record:
    """given: as parsed from JSON. BadRecord names field, rule and value, for a person at an agency."""
    try:
        return msgspec.convert(given, POSTED[record], dec_hook=_moment)
    except msgspec.ValidationError as error:
        raise refusal(record, given, error) from None


def _moment(_: type, value: Any) -> Moment:
    return Moment(json_time(value))


def shown(value: Any) -> str:
    """Short, whatever came: a container by its kind only, since it may be deep or hold what is personal elsewhere."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str) and len(value) > _SHOWN:
        value = value[:_SHOWN] + "…"
    return json.dumps(value, ensure_ascii=False)


def refusal(record: str, given: Any, error: msgspec.ValidationError) -> BadRecord:
    """msgspec's exception in the hub's words. The one place that knows how msgspec puts things."""
    message = str(error)
    about_fields = message.startswith("Object ")
    found = _found(record, given, message)
    if about_fields and (found is None or found.broken() is None):
        # A name of the sender's own may look like a place; then it stood in the outermost object.
        found = _Place(POSTED[record], given, False, "data")
    if found is None:
        return BadRecord("type", "data: is not as its schema says", "data")
    if about_fields and (broken := found.broken()):
        return broken
    reason, rule = _rule(found.kind)
    if found.kind is Moment and error.__cause__ is not None:
        rule = str(error.__cause__)
    got = "*** (personal)" if found.masked() else shown(found.value)
    return BadRecord(reason, f"{found.path}: {rule}; got {got}", found.path)


@dataclass(frozen=True, slots=True)
class _Place:
    """kind: the annotation that holds there, without null. personal: it, or what it stands in, is marked so."""

    kind: Any
    value: Any
    personal: bool
    path: str

    def broken(self) -> BadRecord | None:
        """Which field of this object is unknown, or missing. In the order in which msgspec looks."""
        if not _is_record(self.kind) or not isinstance(self.value, dict):
            return None
        known = _fields(self.kind)
        for name in self.value:
            if name not in known:
                detail = f"{self.path}.{name[:_SHOWN]}: no such field; known: {', '.join(known)}"
                return BadRecord("unknown_field", detail, self.path)
        for name, field in known.items():
            if field.required and name not in self.value:
                return BadRecord("missing_field", f"{self.path}.{name}: is required", f"{self.path}.{name}")
        return None

    def masked(self) -> bool:
        """Text where the whole applicant is expected is personal, too."""
        return self.personal or (_is_record(self.kind) and _holds_personal(self.kind))


def _found(record: str, given: Any, message: str) -> _Place | None:
    """Where the message points to; None if there is no such place."""
    kind, value, personal, path = POSTED[record], given, False, "data"
    for name, number in _STEPS.findall(message.rpartition(_AT)[2]) if _AT in message else ():
        if name and _is_record(kind) and isinstance(value, dict) and name in value and name in _fields(kind):
            personal = personal or name in kind.PERSONAL
            kind, value, path = _alone(_fields(kind)[name].type), value[name], f"{path}.{name}"
        elif number and get_origin(kind) is tuple and isinstance(value, list) and int(number) < len(value):
            kind, value, path = get_args(kind)[0], value[int(number)], f"{path}[{number}]"
        else:
            return None
    return _Place(kind, value, personal, path)


def _rule(kind: Any) -> tuple[str, str]:
    """(reason, what must be) of a value."""
    if get_origin(kind) is Literal:
        return "status", f"must be one of {', '.join(get_args(kind))}"
    if kind is Moment:
        return "date", "must be an RFC 3339 time or epoch milliseconds"
    if _is_record(kind):
        return "type", "must be an object"
    if get_origin(kind) is tuple:
        return "type", "must be a list"
    base, *bounds = get_args(kind) or (kind,)
    if base is int:
        return "type", f"must be a whole number of {bounds[0].le.bit_length() + 1} bits"
    return "type", {str: "must be a string", bool: "must be true or false", float: "must be a number"}[base]


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


@cache
def _fields(kind: Any) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of a door form in the order of the schema."""
    found = {field.name: field for field in msgspec.structs.fields(kind)}
    return {name: found[name] for name in kind.__base__.__struct_fields__}


@cache
def _holds_personal(kind: Any) -> bool:
    inner = (_single(_alone(field.type)) for field in _fields(kind).values())
    return bool(kind.PERSONAL) or any(_is_record(one) and _holds_personal(one) for one in inner)


def _alone(kind: Any) -> Any:
    """Without null."""
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    return kind


def _single(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is tuple else kind
