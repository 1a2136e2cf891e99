"""Walks over values by a schema that is not ours, before fastavro reads them: with bounds on both.

fastavro trusts what it reads: a symbol's number of -1 is the last symbol to it, an array of nulls may have any number
of items, and a record in itself may be as deep as the stack bears. Nor has a schema any bound: 28 records, each with
two fields of the one before, are 28 lines and 2^28 values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.avro.reader import Reader, truncated
from hub.avro.schema_text import Node
from hub.avro.schema_text import parse as parse_tree
from hub.errors import DecodeError

DEPTH = 32
"""How deep records, arrays, maps and unions may stand in each other; ours need fewer than 10."""
TEXT_DEPTH = 4 * DEPTH
"""How deep the schema's JSON may be: a record in a record takes three levels."""
TEXT_NODES = 20_000
"""How many values the schema's JSON may hold."""
VALUES = 10_000
"""How many types a schema may have, names written out at every use."""
STEPS_A_BYTE = 16
"""How many steps a byte may take: a field takes two or three, nulls none of the bytes."""
_PRIMITIVES: dict[str, Callable[[Reader], object]] = {
    "boolean": Reader.boolean,
    "int": Reader.int32,
    "long": Reader.long,
    "double": Reader.double,
    "string": Reader.string,
}


class Walk:
    """The bounds of one schema. DecodeError (schema_mismatch): it has none; SchemaError: it is no schema."""

    def __init__(self, name: str, schema: Any) -> None:
        self._name = name
        self._text(schema)
        self._node = parse_tree(schema)
        self._leasts: dict[int, int | None] = {}
        self._values: dict[int, int] = {}
        self._expanded(self._node, 0)
        self.steps = 0

    def over(self, value: bytes, at: int) -> None:
        """Walk over the one value that begins at `at`. DecodeError: truncated, utf8, avro."""
        r = Reader(value, at, self._name)
        self.steps = 0
        self._limit = VALUES + STEPS_A_BYTE * (len(value) - at)
        self._walk(r, self._node, 0)
        r.end()

    def _walk(self, r: Reader, node: Node, depth: int) -> None:
        self.steps += 1
        if depth > DEPTH:
            raise r.wrong(f"it is more than {DEPTH} deep")
        if self.steps > self._limit:
            raise r.wrong(f"it has more than {STEPS_A_BYTE} values a byte")
        if node.kind in _PRIMITIVES:
            _PRIMITIVES[node.kind](r)
        elif node.kind == "record":
            for field in node.fields:
                self._walk(r, field.node, depth + 1)
        elif node.kind == "union":
            self._walk(r, node.branches[_branch(r, len(node.branches))], depth + 1)
        elif node.kind == "enum":
            r.symbol(len(node.symbols))
        elif node.items is not None:
            least = self._least_item(node, node.items)
            while count := r.count(least):
                for _ in range(count):
                    if node.kind == "map":
                        r.string()
                    self._walk(r, node.items, depth + 1)
        elif node.kind != "null":
            _skip(r, {"float": 4, "fixed": node.size}.get(node.kind, -1))

    def _text(self, schema: Any) -> None:
        """Refuse JSON that is too deep or too long, before anything goes down into it."""
        level, nodes = [schema], 0
        for _ in range(TEXT_DEPTH):
            nodes += len(level)
            if nodes > TEXT_NODES:
                raise self._refused(f"has more than {TEXT_NODES} parts")
            level = [inner for outer in level for inner in _inside(outer)]
            if not level:
                return
        raise self._refused(f"is more than {TEXT_DEPTH} levels deep")

    def _expanded(self, node: Node, depth: int) -> int:
        """How many types stand in this one, names written out; a record in itself counts once."""
        if (found := self._values.get(id(node))) is not None:
            return found
        if depth > DEPTH:
            raise self._refused(f"is more than {DEPTH} types deep")
        self._values[id(node)] = 1
        self._least(node)
        if node.items is not None and self._least_item(node, node.items) == 0:
            raise self._refused("has an array whose items take no bytes")
        inside = [*(field.node for field in node.fields), *node.branches, *([node.items] if node.items else [])]
        found = 1 + sum(self._expanded(inner, depth + 1) for inner in inside)
        if found > VALUES:
            raise self._refused(f"has more than {VALUES} types, names written out")
        self._values[id(node)] = found
        return found

    def _least_item(self, node: Node, item: Node) -> int:
        return self._least(item) + (1 if node.kind == "map" else 0)

    def _least(self, node: Node, depth: int = 0) -> int:
        """The fewest bytes of a value."""
        if node.kind != "record":
            return {"null": 0, "float": 4, "double": 8, "fixed": node.size}.get(node.kind, 1)
        if id(node) not in self._leasts:
            if depth > DEPTH:
                raise self._refused(f"is more than {DEPTH} types deep")
            self._leasts[id(node)] = None
            self._leasts[id(node)] = sum(self._least(field.node, depth + 1) for field in node.fields)
        if (found := self._leasts[id(node)]) is None:
            raise self._refused(f"has a record that always holds itself: {node.name}")
        return found

    def _refused(self, why: str) -> DecodeError:
        return DecodeError("schema_mismatch", f"the writer's schema of {self._name} {why}")


def _inside(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    return part if isinstance(part, list) else []


def _branch(r: Reader, branches: int) -> int:
    """The number of a union's branch: one byte, as our own reader wants it."""
    if r.at >= r.size:
        raise truncated()
    byte = r.value[r.at]
    r.at += 1
    if byte & 1 or byte > 0x7F or byte >> 1 >= branches:
        raise r.wrong(f"a union has no branch {byte}")
    return byte >> 1


def _skip(r: Reader, length: int) -> None:
    """Skips that many bytes; a negative length: as many as the number before them says."""
    if length < 0:
        length = r.long()
        if length < 0:
            raise r.wrong("bytes have a negative length")
    if length > r.size - r.at:
        raise truncated()
    r.at += length
