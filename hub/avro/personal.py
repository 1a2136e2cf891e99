"""Personal data: the schemas mark it (`"personal": true` on a field), and only these marks decide what is hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from hub.avro.codec import schema_json

Hide = Callable[[Any], Any]
# field name -> ("hide", None) for a marked field, ("into", tree) for a record with marked fields inside
Tree = dict[str, "Tree | None"]


def initials(value: Any) -> Any:
    """What a person sees instead: first character of each word, `Nguyễn Văn A` -> `N** V** A**`."""
    return " ".join(word[0] + "**" for word in value.split()) if isinstance(value, str) else None


def nothing(_: Any) -> None:
    """What a receiver without the right gets."""


@cache
def tree(name: str) -> Tree:
    """Marked fields of the named record, nested as the records are."""
    return _record(schema_json(name), {})


def without_personal(name: str, datum: Mapping[str, Any], hide: Hide = nothing) -> dict[str, Any]:
    """A copy of the datum in which each marked field that is set is replaced by `hide(value)`."""
    return _apply(tree(name), datum, hide)


def _apply(marks: Tree, datum: Mapping[str, Any], hide: Hide) -> dict[str, Any]:
    out = dict(datum)
    for field, inner in marks.items():
        value = out.get(field)
        if value is None:
            continue
        if inner is None:
            out[field] = hide(value)
        elif isinstance(value, list):
            out[field] = [_apply(inner, item, hide) for item in value]
        else:
            out[field] = _apply(inner, value, hide)
    return out


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
