"""The text of the modules in `hub/avro/doors`: what of a record differs where it is posted as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.avro.generate.records import default, shaped
from hub.avro.generate.schema import Enum, Kind, Made
from hub.avro.generate.text import NOTE, docstring, imported, listed, quoted

OPTIONS = "frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True"
NEWER = "UNKNOWN"
"""The symbol that stands for a word of a newer schema: read, never posted."""


def fewer_words(enums: Mapping[str, Enum], records: Iterable[Made]) -> list[Enum]:
    """The enums in these records with a word that nobody may post."""
    used = {field.kind.name for made in records for field in made.fields}
    return [enum for name, enum in sorted(enums.items()) if name in used and enum.default == NEWER]


def enums_module(enums: Iterable[Enum]) -> list[str]:
    lines = [*docstring(f"Words of enums that may be posted. {NOTE}"), "", "from __future__ import annotations", ""]
    lines += ["from typing import Literal", ""]
    for enum in enums:
        words = (symbol for symbol in enum.symbols if symbol != NEWER)
        lines += listed(f"Posted{enum.name} = Literal[", map(quoted, words), "]")
        lines += docstring(f"{enum.name} without {NEWER}, which stands for a word of a newer schema.")
    return lines


def doors_module(family: str, records: list[Made], enums: Iterable[Enum]) -> list[str]:
    """records: those of the family that may be posted, and what stands in them. enums: those with fewer words."""
    fewer = {enum.name for enum in enums}
    own = {made.name: [(field, _posted(field.kind, fewer)) for field in made.fields] for made in records}
    own = {name: [(field, one) for field, one in found if one] for name, found in own.items()}
    used = {one for found in own.values() for _, one in found}
    lines = [*docstring(f"The family {family} as it is posted. {NOTE}"), "", "from __future__ import annotations", ""]
    lines += imported("hub.avro.doors.enums", used & {f"Posted{name}" for name in fewer})
    lines += imported("hub.avro.record", used & {"Finite", "Moment"})
    lines += imported(f"hub.avro.records.{family}", (made.name for made in records))
    for made in records:
        lines += ["", "", f"class Posted{made.name}({made.name}, {OPTIONS}):", *docstring(made.doc, "    ")]
        for number, (field, one) in enumerate(own[made.name]):
            lines += [] if number else [""]
            lines.append(f"    {field.name}: {shaped(one, field.kind)}{default(made, field)}")
    return lines


def package(posted: list[Made], homes: Mapping[str, str]) -> list[str]:
    """`__init__`: by the record's full name."""
    lines = [*docstring(f"Records as they are posted: the door form of each. {NOTE}"), ""]
    lines += ["from __future__ import annotations", "", "from typing import Final", ""]
    for made in posted:
        lines += imported(f"hub.avro.doors.{homes[made.name]}", [f"Posted{made.name}"])
    lines += imported("hub.avro.record", ["Record"])
    rows = (f"{quoted(made.full)}: Posted{made.name}" for made in posted)
    return [*lines, "", *listed("POSTED: Final[dict[str, type[Record]]] = {", rows, "}")]


def _posted(kind: Kind, fewer: set[str]) -> str:
    """What a single value of that kind is where it is posted; "" where it is the same."""
    if kind.base == "record" or kind.name in fewer:
        return f"Posted{kind.name}"
    return "Moment" if kind.time else "Finite" if kind.base == "double" else ""
