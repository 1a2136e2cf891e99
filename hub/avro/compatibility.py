"""Can one Avro schema read what another wrote? Every difference is named with the path of the field.

Source of the rules: Apache Avro specification 1.12, "Schema Resolution" and "Aliases"; names of the kinds as in Avro's
`SchemaCompatibility`, which Confluent's registry shows. Stricter than Java in one point: a reader's field without
default is missing also where its enum type has one, because the specification knows no such exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.avro.schema_text import Field, Node

LEVELS = (
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE",
)  # fmt: skip

# writer -> readers that may take it, beside itself
_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """kind: Avro's word. path: names, as `DossierStep.applicant.kind`. location: JSON pointer into the reader."""

    kind: str
    path: str
    location: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.detail} ({self.kind} at {self.location or '/'})"


def check(level: str, new: Node, old: Sequence[Node]) -> list[Difference]:
    """Differences that forbid `new` after `old` (oldest first) at this level; the newest version is compared first."""
    if level == "NONE" or not old:
        return []
    previous = list(reversed(old)) if level.endswith("_TRANSITIVE") else [old[-1]]
    found: list[Difference] = []
    for version in previous:
        if not level.startswith("FORWARD"):
            found += differences(new, version)
        if level.startswith(("FORWARD", "FULL")):
            found += differences(version, new)
        if found:
            break
    return found


def differences(reader: Node, writer: Node, logical: bool = False) -> list[Difference]:
    """Why `reader` cannot read what `writer` wrote; empty if it can.

    logical: a changed logicalType is a difference, too (milliseconds read as microseconds); Avro itself allows it.
    """
    walk = _Walk(logical)
    walk.compare(reader, writer, reader.short or reader.kind, "")
    return walk.found


class _Walk:
    def __init__(self, logical: bool) -> None:
        self.logical = logical
        self.found: list[Difference] = []
        self._seen: set[tuple[int, int]] = set()

    def compare(self, reader: Node, writer: Node, path: str, at: str) -> None:
        if (id(reader), id(writer)) in self._seen:  # recursive types, and types used twice
            return
        if reader.kind == "record":
            self._seen.add((id(reader), id(writer)))
        if writer.kind == "union":
            self._each_branch(reader, writer, path, at)
        elif reader.kind == "union":
            self._some_branch(reader, writer, path, at)
        elif reader.kind == writer.kind:
            self._same_kind(reader, writer, path, at)
        elif reader.kind not in _PROMOTIONS.get(writer.kind, ()):
            self._add("TYPE_MISMATCH", path, at, f"was {_label(writer)}, is {_label(reader)}; this is no promotion")

    def _add(self, kind: str, path: str, at: str, detail: str) -> None:
        self.found.append(Difference(kind, path, at, detail))

    def _each_branch(self, reader: Node, writer: Node, path: str, at: str) -> None:
        for branch in writer.branches:
            if reader.kind == "union":
                self._some_branch(reader, branch, path, at)
            else:
                self.compare(reader, branch, path, at)

    def _some_branch(self, reader: Node, writer: Node, path: str, at: str) -> None:
        like: list[_Walk] = []
        for i, branch in enumerate(reader.branches):
            walk = _Walk(self.logical)
            walk._seen = set(self._seen)
            walk.compare(branch, writer, path, f"{at}/{i}")
            if not walk.found:
                self._seen |= walk._seen
                return
            if branch.kind == writer.kind and branch.short == writer.short:
                like.append(walk)
        if like:
            self.found += like[0].found
        else:
            self._add("MISSING_UNION_BRANCH", path, at, f"{_label(writer)} was possible and no branch takes it now")

    def _same_kind(self, reader: Node, writer: Node, path: str, at: str) -> None:
        if self.logical and reader.logical != writer.logical:
            was, now = writer.logical or "none", reader.logical or "none"
            self._add("LOGICAL_TYPE_MISMATCH", path, at, f"logicalType was {was}, is {now}")
        if reader.items is not None and writer.items is not None:
            inner = "items" if reader.kind == "array" else "values"
            self.compare(reader.items, writer.items, f"{path}[]", f"{at}/{inner}")
        if reader.name:
            if not (reader.short == writer.short or writer.name in reader.aliases):
                self._add("NAME_MISMATCH", path, f"{at}/name", f"was named {writer.name}, is {reader.name}")
            elif reader.kind == "record":
                self._record(reader, writer, path, at)
            elif reader.kind == "enum":
                self._enum(reader, writer, path, at)
            elif reader.size != writer.size:
                self._add("FIXED_SIZE_MISMATCH", path, f"{at}/size", f"size was {writer.size}, is {reader.size}")

    def _enum(self, reader: Node, writer: Node, path: str, at: str) -> None:
        missing = [s for s in writer.symbols if s not in reader.symbols]
        if missing and reader.default is None:
            detail = f"symbols {', '.join(missing)} are gone and the enum has no default"
            self._add("MISSING_ENUM_SYMBOLS", path, f"{at}/symbols", detail)

    def _record(self, reader: Node, writer: Node, path: str, at: str) -> None:
        by_name = {f.name: f for f in writer.fields}
        for i, wanted in enumerate(reader.fields):
            inner, place = f"{path}.{wanted.name}", f"{at}/fields/{i}"
            written = _written(wanted, by_name)
            if written is not None:
                self.compare(wanted.node, written.node, inner, f"{place}/type")
            elif not wanted.has_default:
                detail = "has no default and old data does not hold it"
                self._add("READER_FIELD_MISSING_DEFAULT_VALUE", inner, place, detail)


def _written(wanted: Field, by_name: dict[str, Field]) -> Field | None:
    """The writer's field of that name, or of one of the reader's aliases."""
    for name in (wanted.name, *sorted(wanted.aliases)):
        if name in by_name:
            return by_name[name]
    return None


def _label(node: Node) -> str:
    if node.kind == "union":
        return "[" + ", ".join(_label(b) for b in node.branches) + "]"
    return node.name or node.kind
