"""The text of the modules in `hub/avro/records`: one Struct a record, one Literal an enum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.avro.generate.schema import Enum, Field, Kind, Made, Unfit
from hub.avro.generate.text import NOTE, called, comment, docstring, imported, listed, quoted

PYTHON = {"string": "str", "long": "Long", "int": "Int", "double": "float", "boolean": "bool"}


def enums_module(enums: Iterable[Enum]) -> list[str]:
    lines = [*docstring(f"Enums of the hub's records. {NOTE}"), "", "from __future__ import annotations", ""]
    lines += ["from typing import Literal", ""]
    for enum in enums:
        lines += listed(f"{enum.name} = Literal[", map(quoted, enum.symbols), "]")
        lines += docstring(enum.doc)
    return lines


def records_module(family: str, records: list[Made], homes: Mapping[str, str]) -> list[str]:
    """homes: record or enum -> the module of this folder in which it stands."""
    fields = [field for made in records for field in made.fields]
    lines = [*docstring(f"Records of the family {family}. {NOTE}"), "", "from __future__ import annotations", ""]
    if any(field.personal for field in fields):
        lines += ["from typing import ClassVar", ""]
    bounded = {PYTHON[field.kind.base] for field in fields if field.kind.base in ("int", "long")}
    lines += imported("hub.avro.record", {"Record"} | bounded)
    used = {field.kind.name for field in fields if field.kind.name}
    for home in sorted({homes[name] for name in used} - {family}):
        lines += imported(f"hub.avro.records.{home}", (name for name in used if homes[name] == home))
    for made in records:
        lines += ["", "", *_struct(made)]
    return lines


def package(homes: Mapping[str, str]) -> list[str]:
    """`__init__`: every record and enum by its name."""
    lines = [*docstring(f"The hub's records and their enums. {NOTE}"), ""]
    for home in sorted(set(homes.values())):
        lines += imported(f"hub.avro.records.{home}", (name for name in homes if homes[name] == home))
    return [*lines, "", *listed("__all__ = [", map(quoted, sorted(homes)), "]")]


def keywords_only(made: Made) -> bool:
    """Whether a field without default follows one with: such a record cannot be made by position."""
    given = [bool(field.default) for field in made.fields]
    return given != sorted(given)


def _struct(made: Made) -> list[str]:
    options = "frozen=True, gc=False" + (", kw_only=True" if keywords_only(made) else "")
    lines = [f"class {made.name}(Record, {options}):", *docstring(made.doc, "    "), ""]
    personal = sorted(quoted(field.name) for field in made.fields if field.personal)
    if personal:
        begin = "PERSONAL: ClassVar[frozenset[str]] = frozenset"
        lines += [*called(begin, f"{{{', '.join(personal)}}}", "    "), ""]
    for field in made.fields:
        lines += comment(field.doc, "    ")
        one = field.kind.name or PYTHON[field.kind.base]
        lines.append(f"    {field.name}: {shaped(one, field.kind)}{default(made, field)}")
    return lines


def shaped(one: str, kind: Kind) -> str:
    """The annotation of a field: one: that of a single value."""
    whole = f"tuple[{one}, ...]" if kind.array else one
    return f"{whole} | None" if kind.nullable else whole


def default(made: Made, field: Field) -> str:
    if not field.default:
        return ""
    (value,) = field.default
    if value == [] and field.kind.array and not field.kind.nullable:
        return " = ()"
    if value is None and field.kind.nullable:
        return " = None"
    if isinstance(value, str) and field.kind.base in ("enum", "string"):
        return f" = {quoted(value)}"
    if isinstance(value, bool | int | float) and not field.kind.array and not field.kind.name:
        return f" = {value!r}"
    raise Unfit(f"{made.name}.{field.name}: a default of {value!r} is not understood")
