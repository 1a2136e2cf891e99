"""Values of our records that were written with another version of the schema: fastavro resolves them into the record.

fastavro trusts what it reads: a symbol's number of -1 is the last symbol to it, an array of nulls may have any number
of items, and a record in itself may be as deep as the stack bears. So the bytes are first walked by the writer's
schema, with the same bounds and reasons as our own values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from hub.avro.document import from_document
from hub.avro.generic import decode_body, parse, parsed
from hub.avro.reader import Reader, truncated
from hub.avro.record import Body, R
from hub.avro.schema_text import Node
from hub.avro.schema_text import parse as parse_tree
from hub.errors import DecodeError

DEPTH = 32
"""How deep records, arrays, maps and unions may stand in each other; ours need fewer than 10."""
_PRIMITIVES: dict[str, Callable[[Reader], object]] = {
    "boolean": Reader.boolean,
    "int": Reader.int32,
    "long": Reader.long,
    "double": Reader.double,
    "string": Reader.string,
}


class Foreign(Generic[R]):
    """Reads the values of one other version. DecodeError (schema_mismatch): its arrays have no bound."""

    def __init__(self, body: Body[R], schema: Any) -> None:
        self._body = body
        self._node = parse_tree(schema)
        self._writer, self._reader = parse(schema), parsed(body.name)
        self._least: dict[int, int] = {}
        self._items(self._node, set())

    def read(self, value: bytes, at: int) -> R:
        """The record whose body begins at `at`. DecodeError: truncated, utf8, avro, schema_mismatch."""
        r = Reader(value, at, self._body.name)
        self._walk(r, self._node, 0)
        r.end()
        return from_document(self._body.record, decode_body(value[at:], self._writer, self._reader))

    def _walk(self, r: Reader, node: Node, depth: int) -> None:
        if depth > DEPTH:
            raise r.wrong(f"it is more than {DEPTH} deep")
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
            least = self._least[id(node)]
            while count := r.count(least):
                for _ in range(count):
                    if node.kind == "map":
                        r.string()
                    self._walk(r, node.items, depth + 1)
        elif node.kind != "null":
            _skip(r, {"float": 4, "fixed": node.size}.get(node.kind, -1))

    def _items(self, node: Node, seen: set[int]) -> None:
        """Note the fewest bytes of every array's and map's item."""
        if id(node) in seen:
            return
        seen.add(id(node))
        if node.items is not None:
            least = _least(node.items, ()) + (1 if node.kind == "map" else 0)
            if least == 0:
                raise DecodeError(
                    "schema_mismatch",
                    f"the writer's schema of {self._body.name} has an array whose items take no bytes",
                )
            self._least[id(node)] = least
        for inner in [*(field.node for field in node.fields), *node.branches, *([node.items] if node.items else [])]:
            self._items(inner, seen)


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


def _least(node: Node, inside: tuple[int, ...]) -> int:
    """The fewest bytes of a value; a record in itself counts once."""
    if node.kind == "record":
        if id(node) in inside:
            return 0
        return sum(_least(field.node, (*inside, id(node))) for field in node.fields)
    return {"null": 0, "float": 4, "double": 8, "fixed": node.size}.get(node.kind, 1)
