"""The text of the modules in `hub/avro/body`, one function to read and one to write a record, and of `bodies.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.avro.generate.records import keywords_only
from hub.avro.generate.schema import Enum, Field, Kind, Made, Schemas
from hub.avro.generate.text import NOTE, called, docstring, imported, listed, quoted, snake

METHOD = {"string": "string", "long": "long", "int": "int32", "double": "double", "boolean": "boolean"}
PUT = {"string": "put_string", "long": "put_long", "int": "put_int", "double": "put_double", "boolean": "put_boolean"}
SHORT = ("string", "long")
"""Types so often null that the reader has a method for it."""
BEGIN = ("put_", "put_optional_")
FUTURE = ["", "from __future__ import annotations", ""]


def constant(name: str) -> str:
    """`DossierStep` -> `DOSSIER_STEP`."""
    return snake(name).upper()


def enums_module(enums: Iterable[Enum]) -> list[str]:
    enums = list(enums)
    lines = [*docstring(f"Symbols of the enums, by number and back. {NOTE}"), *FUTURE, "from typing import Final", ""]
    lines += imported("hub.avro.records.enums", (enum.name for enum in enums))
    lines.append("")
    for enum in enums:
        name = constant(enum.name)
        lines += listed(f"{name}: Final[tuple[{enum.name}, ...]] = (", map(quoted, enum.symbols), ")")
        lines.append(f"{name}_NUMBER: Final[dict[{enum.name}, int]] = {{s: number for number, s in enumerate({name})}}")
    return lines


def body_module(
    family: str, records: list[Made], roots: set[str], schemas: Schemas, homes: Mapping[str, str]
) -> list[str]:
    """roots: records that are sent by themselves; only these have `read_…` and `write_…`."""
    code: list[str] = []
    arrays = {field.kind.name for made in records for field in made.fields if field.kind.array and field.kind.name}
    for made in records:
        code += ["", "", *_getter(made, schemas), "", "", *_putter(made)]
        if made.name in arrays:
            code += ["", "", *_array(made.name, schemas)]
        if made.name in roots:
            code += ["", "", *_whole(made)]
    text = "\n".join(code)
    lines = [*docstring(f"The family {family} as Avro. {NOTE}"), *FUTURE, "from librt.strings import BytesWriter", ""]
    names = {field.kind.name for made in records for field in made.fields if field.kind.base == "enum"}
    lines += imported("hub.avro.body.enums", (constant(name) + end for name in names for end in ("", "_NUMBER")))
    lines += imported("hub.avro.reader", ["Reader"])
    lines += imported(f"hub.avro.records.{family}", (made.name for made in records))
    puts = {begin + base.removeprefix("put_") + end for base in PUT.values() for begin in BEGIN for end in ("", "s")}
    lines += imported("hub.avro.writer", (name for name in puts if f"{name}(out" in text))
    return lines + code


def bodies_module(families: Mapping[str, list[Made]]) -> list[str]:
    """families: the records that are sent, by family."""
    sent = [made for records in families.values() for made in records]
    lines = [*docstring(f"The records that are sent, by their full names. {NOTE}"), *FUTURE]
    lines += ["from typing import Any, Final", ""]
    for family, records in sorted(families.items()):
        lines += imported(
            f"hub.avro.body.{family}", (f"{verb}_{snake(m.name)}" for m in records for verb in ("read", "write"))
        )
    lines += imported("hub.avro.record", ["Body"])
    for family, records in sorted(families.items()):
        lines += imported(f"hub.avro.records.{family}", (made.name for made in records))
    lines.append("")
    for made in sent:
        parts = f"{quoted(made.full)}, {made.name}, read_{snake(made.name)}, write_{snake(made.name)}"
        lines += called(f"{constant(made.name)}: Final = Body", parts)
    lines.append("")
    lines += listed(
        "BODIES: Final[dict[str, Body[Any]]] = {", (f"{constant(m.name)}.name: {constant(m.name)}" for m in sent), "}"
    )
    return lines


def _getter(made: Made, schemas: Schemas) -> list[str]:
    lines = [f"def get_{snake(made.name)}(r: Reader) -> {made.name}:", f"    return {made.name}("]
    by_keyword = keywords_only(made)
    for field in made.fields:
        value = _get(field.kind, schemas)
        lines.append(f"        {field.name}={value}," if by_keyword else f"        {value},  # {field.name}")
    return [*lines, "    )"]


def _get(kind: Kind, schemas: Schemas) -> str:
    if kind.array:
        value = f"get_{snake(kind.name)}_array(r)" if kind.name else f"r.{METHOD[kind.base]}s()"
    elif kind.base == "record":
        value = f"get_{snake(kind.name)}(r)"
    elif kind.base == "enum":
        value = f"{constant(kind.name)}[r.symbol({len(schemas.enums[kind.name].symbols)})]"
    elif kind.nullable and kind.base in SHORT:
        return f"r.optional_{METHOD[kind.base]}()"
    else:
        value = f"r.{METHOD[kind.base]}()"
    return f"{value} if r.present() else None" if kind.nullable else value


def _putter(made: Made) -> list[str]:
    lines = [f"def put_{snake(made.name)}(out: BytesWriter, record: {made.name}) -> None:"]
    for field in made.fields:
        lines += [f"    {line}" for line in _put(field)]
    return lines


def _put(field: Field) -> list[str]:
    kind, name = field.kind, field.name
    if not kind.nullable:
        return [_put_one(kind, f"record.{name}")]
    if not kind.name:
        return [_put_one(kind, f"record.{name}").replace("put_", "put_optional_", 1)]
    return [
        f"{name} = record.{name}",
        f"if {name} is None:",
        "    out.append(0)",
        "else:",
        "    out.append(2)",
        f"    {_put_one(kind, name)}",
    ]


def _put_one(kind: Kind, value: str) -> str:
    if kind.array:
        return f"put_{snake(kind.name)}_array(out, {value})" if kind.name else f"{PUT[kind.base]}s(out, {value})"
    if kind.base == "record":
        return f"put_{snake(kind.name)}(out, {value})"
    if kind.base == "enum":
        return f"put_long(out, {constant(kind.name)}_NUMBER[{value}])"
    return f"{PUT[kind.base]}(out, {value})"


def _array(name: str, schemas: Schemas) -> list[str]:
    one, least = snake(name), schemas.least(Kind("record", name))
    return [
        f"def get_{one}_array(r: Reader) -> tuple[{name}, ...]:",
        f"    count = r.count({least})",
        "    if count == 0:",
        "        return ()",
        f"    found: list[{name}] = []",
        "    while count != 0:",
        "        for _ in range(count):",
        f"            found.append(get_{one}(r))",
        f"        count = r.count({least})",
        "    return tuple(found)",
        "",
        "",
        f"def put_{one}_array(out: BytesWriter, records: tuple[{name}, ...]) -> None:",
        "    if records:",
        "        put_long(out, len(records))",
        "        for record in records:",
        f"            put_{one}(out, record)",
        "    out.append(0)",
    ]


def _whole(made: Made) -> list[str]:
    name = snake(made.name)
    return [
        f"def read_{name}(value: bytes, at: int) -> {made.name}:",
        f"    r = Reader(value, at, {quoted(made.full)})",
        f"    record = get_{name}(r)",
        "    r.end()",
        "    return record",
        "",
        "",
        f"def write_{name}(record: {made.name}) -> bytes:",
        "    out = BytesWriter()",
        f"    put_{name}(out, record)",
        "    return out.getvalue()",
    ]
