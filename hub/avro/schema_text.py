"""Avro schemas as a tree, and in the text form that Confluent's registry stores and returns.

fastavro parses for reading and writing; this parser keeps what it drops (aliases, defaults, where a field stands) and
says which part is wrong. Source of the rules: Apache Avro specification 1.12, "Schema Declaration", "Names".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.untyped import JsonObject

Json = Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class SchemaError(ValueError):
    """Not a valid Avro schema; the message names the part."""


@dataclass(eq=False)
class Field:
    """A record's field. `has_default` tells a default of null from none."""

    name: str
    node: Node
    has_default: bool
    aliases: frozenset[str]
    raw: JsonObject


@dataclass(eq=False)
class Node:
    """kind: a primitive's name, record, enum, fixed, array, map or union. name: full, for named types, else "".

    fields: record. symbols, default: enum. size: fixed. items: array and map. branches: union. logical: logicalType.
    """

    kind: str
    name: str = ""
    aliases: frozenset[str] = frozenset()
    fields: list[Field] = field(default_factory=list)
    symbols: tuple[str, ...] = ()
    default: str | None = None
    size: int = 0
    items: Node | None = None
    branches: tuple[Node, ...] = ()
    logical: str = ""

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2]


def parse_text(text: str, known: Mapping[str, Node] | None = None) -> Node:
    """SchemaError if the text is no JSON or no Avro schema."""
    return parse(load(text), known)


def load(text: str) -> Json:
    """A schema's JSON; a bare primitive name (`string`, without quotes) is taken as such, as Avro's own parser does."""
    try:
        return json.loads(text)
    except ValueError:
        if text.strip() in PRIMITIVES:
            return text.strip()
        raise SchemaError("not JSON") from None


def parse(schema: Json, known: Mapping[str, Node] | None = None) -> Node:
    """The tree. `known`: named types from references, by full name."""
    return _Parser(dict(known or {})).node(schema, "", "")


def named_types(node: Node) -> dict[str, Node]:
    """Every named type that stands in the tree, by full name."""
    found: dict[str, Node] = {}
    todo = [node]
    while todo:
        n = todo.pop()
        if n.name:
            if n.name in found:
                continue
            found[n.name] = n
        todo += [f.node for f in n.fields] + list(n.branches) + ([n.items] if n.items else [])
    return found


def full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


class _Parser:
    def __init__(self, names: dict[str, Node]) -> None:
        self.names = names
        self.own: set[str] = set()

    def node(self, schema: Json, namespace: str, where: str) -> Node:
        if isinstance(schema, str):
            return self._reference(schema, namespace, where)
        if isinstance(schema, list):
            return self._union(schema, namespace, where)
        if not isinstance(schema, dict):
            raise SchemaError(f"{where or 'the schema'} is no type: {json.dumps(schema)[:80]}")
        kind = schema.get("type")
        if kind in ("record", "error", "enum", "fixed"):
            return self._named(schema, str(kind), namespace, where)
        logical = str(schema.get("logicalType", ""))
        if kind in ("array", "map"):
            key = "items" if kind == "array" else "values"
            if key not in schema:
                raise SchemaError(f"{where or kind} has no {key}")
            return Node(str(kind), items=self.node(schema[key], namespace, f"{where}[]"), logical=logical)
        if isinstance(kind, str) and kind in PRIMITIVES:
            return Node(kind, logical=logical)
        if kind is None:
            raise SchemaError(f"{where or 'the schema'} has no type")
        return self.node(kind, namespace, where)

    def _reference(self, name: str, namespace: str, where: str) -> Node:
        if name in PRIMITIVES:
            return Node(name)
        found = self.names.get(full_name(name, namespace)) or self.names.get(name)
        if found is None:
            raise SchemaError(f"{where or 'the schema'}: undefined name {name!r}")
        return found

    def _union(self, schema: list[Json], namespace: str, where: str) -> Node:
        branches = tuple(self.node(branch, namespace, where) for branch in schema)
        seen: set[str] = set()
        for branch in branches:
            if branch.kind == "union":
                raise SchemaError(f"{where}: a union must not hold a union")
            if (label := branch.name or branch.kind) in seen:
                raise SchemaError(f"{where}: {label} stands twice in a union")
            seen.add(label)
        return Node("union", branches=branches)

    def _named(self, schema: JsonObject, kind: str, namespace: str, where: str) -> Node:
        name = schema.get("name")
        if not isinstance(name, str) or not all(_NAME.match(part) for part in name.split(".")):
            raise SchemaError(f"{where or kind}: {name!r} is no name")
        full = full_name(name, schema.get("namespace", namespace))
        if full in self.own:
            raise SchemaError(f"{where or full}: {full} is defined twice")
        inner = full.rpartition(".")[0]
        node = Node("record" if kind == "error" else kind, full, logical=str(schema.get("logicalType", "")))
        node.aliases = frozenset(full_name(alias, inner) for alias in schema.get("aliases", ()))
        self.names[full] = node
        self.own.add(full)
        if node.kind == "record":
            self._fields(node, schema, inner, where or node.short)
        elif node.kind == "enum":
            self._symbols(node, schema)
        elif not isinstance(schema.get("size"), int) or schema["size"] < 0:
            raise SchemaError(f"fixed {full} has no size")
        else:
            node.size = schema["size"]
        return node

    def _fields(self, node: Node, schema: JsonObject, namespace: str, where: str) -> None:
        fields = schema.get("fields")
        if not isinstance(fields, list):
            raise SchemaError(f"record {node.name} has no fields")
        seen: set[str] = set()
        for raw in fields:
            name = raw.get("name") if isinstance(raw, dict) else None
            if not isinstance(name, str) or not _NAME.match(name):
                raise SchemaError(f"record {node.name}: {name!r} is no field name")
            if name in seen:
                raise SchemaError(f"record {node.name}: field {name} stands twice")
            if "type" not in raw:
                raise SchemaError(f"{where}.{name} has no type")
            seen.add(name)
            inner = self.node(raw["type"], namespace, f"{where}.{name}")
            node.fields.append(Field(name, inner, "default" in raw, frozenset(raw.get("aliases", ())), raw))

    def _symbols(self, node: Node, schema: JsonObject) -> None:
        symbols = schema.get("symbols")
        if not isinstance(symbols, list) or not all(isinstance(s, str) and _NAME.match(s) for s in symbols):
            raise SchemaError(f"enum {node.name} has no valid symbols")
        if len(set(symbols)) != len(symbols):
            raise SchemaError(f"enum {node.name} names a symbol twice")
        node.symbols, node.default = tuple(symbols), schema.get("default")
        if node.default is not None and node.default not in symbols:
            raise SchemaError(f"enum {node.name}: default {node.default!r} is none of its symbols")


# --- canonical text ----------------------------------------------------------------------------------------------
# The order in which Avro's Java library writes a schema's properties; others follow in the order given.
_ORDER = {
    "record": ("type", "name", "namespace", "doc", "fields"),
    "error": ("type", "name", "namespace", "doc", "fields"),
    "enum": ("type", "name", "namespace", "doc", "symbols", "default"),
    "fixed": ("type", "name", "namespace", "doc", "size"),
    "array": ("type", "items"),
    "map": ("type", "values"),
}
_FIELD_ORDER = ("name", "type", "doc", "default", "order")


def canonical_text(schema: Json) -> str:
    """The schema as Confluent's registry stores it: compact, a plain `{"type":"string"}` as `"string"`, names short
    where the namespace is the enclosing one, docs and other properties kept."""
    return json.dumps(canonical(schema), ensure_ascii=False, separators=(",", ":"))


def canonical(schema: Json, namespace: str = "") -> Json:
    if isinstance(schema, str):
        home, _, short = schema.rpartition(".")
        return short if home and home == namespace else schema
    if isinstance(schema, list):
        return [canonical(branch, namespace) for branch in schema]
    kind = schema["type"]
    if kind not in _ORDER:
        rest = {k: v for k, v in schema.items() if k != "type"}
        return {"type": canonical(kind, namespace), **rest} if rest else canonical(kind, namespace)
    out = dict(schema)
    if "name" in schema:
        full = full_name(schema["name"], schema.get("namespace", namespace))
        inner, _, out["name"] = full.rpartition(".")
        out.pop("namespace", None)
        if inner != namespace:
            out["namespace"] = inner
        namespace = inner
    if "fields" in schema:
        out["fields"] = [_canonical_field(f, namespace) for f in schema["fields"]]
    for key in ("items", "values"):
        if kind in ("array", "map") and key in schema:
            out[key] = canonical(schema[key], namespace)
    return _ordered(out, _ORDER[kind])


def _canonical_field(raw: JsonObject, namespace: str) -> JsonObject:
    out = raw | {"type": canonical(raw["type"], namespace)}
    if out.get("order") == "ascending":
        del out["order"]
    return _ordered(out, _FIELD_ORDER)


def _ordered(value: JsonObject, order: tuple[str, ...]) -> JsonObject:
    return {k: value[k] for k in order if k in value} | {k: v for k, v in value.items() if k not in order}
