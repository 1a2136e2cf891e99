"""Personal data: the schemas mark it (`"personal": true` on a field), and only these marks decide what is hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_args

from msgspec import structs

from hub.avro.generic import schema_json
from hub.avro.record import R, Record
from hub.untyped import Arguments

Hide = Callable[[Any], Any]
# field name -> ("hide", None) for a marked field, ("into", tree) for a record with marked fields inside
Tree = dict[str, "Tree | None"]


def initials(value: Any) -> Any:
    """What a person sees instead: first character of each word, `Nguyễn Văn A` -> `N** V** A**`."""
    return " ".join(word[0] + "**" for word in value.split()) if isinstance(value, str) else None


def nothing(_: Any) -> None:
    """What a receiver without the right gets."""


def minimised(record: R, hide: Hide = nothing) -> R:
    """The record with each marked field that is set replaced by `hide(value)`, in the records inside it too."""
    own, inside = _marked_fields(type(record))
    changes: Arguments = {}
    for name in own:
        value = getattr(record, name)
        if value is not None:
            changes[name] = hide(value)
    for name in inside:
        value = getattr(record, name)
        if isinstance(value, tuple):
            changes[name] = tuple(minimised(one, hide) for one in value)
        elif value is not None:
            changes[name] = minimised(value, hide)
    return structs.replace(record, **changes)


def personal_values(record: Record) -> Iterator[str]:
    """The strings in marked fields of the record and of the records inside it."""
    own, inside = _marked_fields(type(record))
    for name in own:
        value = getattr(record, name)
        if isinstance(value, str):
            yield value
    for name in inside:
        value = getattr(record, name)
        if value is not None:
            for one in value if isinstance(value, tuple) else (value,):
                yield from personal_values(one)


@cache
def _marked_fields(record: type[Record]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(its marked fields, its fields with records that have such), in the schema's order."""
    fields = structs.fields(record)
    own = tuple(field.name for field in fields if field.name in record.PERSONAL)
    inside = tuple(
        field.name
        for field in fields
        if field.name not in record.PERSONAL and any(any(_marked_fields(one)) for one in _records_in(field.type))
    )
    return own, inside


def _records_in(kind: Any) -> Iterator[type[Record]]:
    """The records in a field's type, as `Fee` in `tuple[Fee, ...]`."""
    if isinstance(kind, type) and issubclass(kind, Record):
        yield kind
    for part in get_args(kind):
        yield from _records_in(part)


@cache
def tree(name: str) -> Tree:
    """Marked fields of the named record, nested as the records are."""
    return _record(schema_json(name), {})


def _record(schema: Any, seen: dict[str, Tree]) -> Tree:
    """`seen`: records met before, since a schema writes a named type out once and then only names it."""
    marks: Tree = {}
    seen[_full(schema)] = marks
    for field in schema["fields"]:
        if field.get("personal"):
            marks[field["name"]] = None
            continue
        inner = _inner(field["type"], seen)
        if inner:
            marks[field["name"]] = inner
    return marks


def _inner(schema: Any, seen: dict[str, Tree]) -> Tree | None:
    if isinstance(schema, list):
        return next((found for branch in schema if (found := _inner(branch, seen))), None)
    if isinstance(schema, str):
        return seen.get(schema)
    if schema.get("type") == "record":
        return _record(schema, seen)
    if schema.get("type") == "array":
        return _inner(schema["items"], seen)
    return None


def _full(schema: Any) -> str:
    name = str(schema["name"])
    return name if "." in name else f"{schema.get('namespace', '')}.{name}".lstrip(".")
