"""The schemas as the generator needs them, with everything refused that the made functions would not bound."""

from __future__ import annotations

import json
import keyword
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.untyped import JsonObject

LEAST = {"string": 1, "long": 1, "int": 1, "boolean": 1, "double": 8}
"""The primitives that are understood, with the fewest bytes that one has."""
ITEMS = ("string", "long")
"""The primitives that an array may hold."""
TAKEN = {"out", "r", "record"}
"""Names in the made functions; no field may have one."""


class Unfit(ValueError):
    """A schema from which nothing is made; the message names the part and says why."""


@dataclass(frozen=True)
class Kind:
    """base: a primitive, `enum` or `record`. name: short name of an enum or record. time: a long that is a moment."""

    base: str
    name: str = ""
    array: bool = False
    nullable: bool = False
    time: bool = False


@dataclass(frozen=True)
class Field:
    name: str
    kind: Kind
    doc: str
    personal: bool
    default: tuple[Any, ...]
    """Empty where the schema gives none."""


@dataclass(frozen=True)
class Enum:
    """default: what a reader takes for a word of a newer schema; "" where there is none."""

    name: str
    doc: str
    symbols: tuple[str, ...]
    default: str = ""


@dataclass(frozen=True)
class Made:
    """A record. full: with its namespace."""

    name: str
    full: str
    doc: str
    fields: tuple[Field, ...]


@dataclass
class Schemas:
    """A folder of *.avsc, one named type a file. `records` and `enums` fill as `add` is called, inner ones first."""

    folder: Path
    records: dict[str, Made] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def add(self, full: str) -> str:
        """The short name of that record or enum, which is read with all that stands in it."""
        name = full.rpartition(".")[2]
        if name in self._open:
            raise Unfit(f"{name} contains itself, by {' > '.join([*self._open, name])}: its depth would have no bound")
        if name in self.records or name in self.enums:
            return name
        path = self.folder / f"{full}.avsc"
        if not path.is_file():
            raise Unfit(f"{full} is no type that is understood here, and no file is named after it")
        raw = json.loads(path.read_text("utf-8"))
        if raw["type"] == "enum":
            self.enums[name] = Enum(name, raw.get("doc", ""), tuple(raw["symbols"]), raw.get("default", ""))
        elif raw["type"] == "record":
            self._open.append(name)
            fields = tuple(self._field(name, one) for one in raw["fields"])
            self._open.pop()
            if not fields:
                raise Unfit(f"{name} has no fields: it takes no bytes, so an array of it would have no bound")
            self.records[name] = Made(name, full, raw.get("doc", ""), fields)
        else:
            raise Unfit(f"{full}: {raw['type']} is neither a record nor an enum")
        return name

    def least(self, kind: Kind) -> int:
        """The fewest bytes that a value has."""
        if kind.nullable or kind.array or kind.base == "enum":
            return 1
        if kind.base == "record":
            return sum(self.least(one.kind) for one in self.records[kind.name].fields)
        return LEAST[kind.base]

    def _field(self, record: str, raw: JsonObject) -> Field:
        name, where = raw["name"], f"{record}.{raw['name']}"
        if keyword.iskeyword(name) or name in TAKEN or name.startswith("_") or name == "PERSONAL":
            raise Unfit(f"{where}: the name has a meaning in the made code")
        kind, nullable = raw["type"], False
        if isinstance(kind, list):
            if len(kind) != 2 or kind[0] != "null":
                raise Unfit(f"{where}: only unions of null and one other type are understood")
            kind, nullable = kind[1], True
        array = isinstance(kind, dict) and kind["type"] == "array"
        base, inner = self._single(where, kind["items"] if array else kind)
        if array and base != "record" and base not in ITEMS:
            raise Unfit(f"{where}: arrays of {base} are not understood")
        default = (raw["default"],) if "default" in raw else ()
        time = isinstance(kind, dict) and kind.get("logicalType") == "timestamp-millis"
        made = Kind(base, inner, array, nullable, time)
        return Field(name, made, raw.get("doc", ""), bool(raw.get("personal")), default)

    def _single(self, where: str, kind: Any) -> tuple[str, str]:
        if isinstance(kind, dict) and kind["type"] in LEAST:  # with a logical type, which the hub leaves aside
            kind = kind["type"]
        if not isinstance(kind, str):
            raise Unfit(f"{where}: {json.dumps(kind)[:80]} is not understood; a named type stands in a file of its own")
        if kind in LEAST:
            return kind, ""
        name = self.add(kind)
        return ("enum" if name in self.enums else "record"), name
