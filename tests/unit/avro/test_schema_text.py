"""Schema text as Confluent's registry stores it, and schemas that must be refused with their part named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.avro.schema_text import SchemaError, canonical, canonical_text, parse, parse_text

# (given, stored), by hand after Avro's Java `Schema.toString` (Karapace issues 411 and 422 show what happens else)
CANONICAL = {
    "plain primitive": ('{"type": "string"}', '"string"'),
    "primitive with a property": (
        '{"logicalType": "date", "type": "int"}', '{"type":"int","logicalType":"date"}'),
    "bare word": ("string", '"string"'),
    "order of properties": (
        '{"fields": [{"type": "int", "doc": "d", "name": "a"}], "name": "R", "namespace": "n", "type": "record"}',
        '{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int","doc":"d"}]}'),
    "dotted name": (
        '{"type": "record", "name": "n.R", "fields": []}',
        '{"type":"record","name":"R","namespace":"n","fields":[]}'),
    "nested in the same namespace": (
        '{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":'
        '{"type":"enum","name":"E","namespace":"n","symbols":["A"]}},{"name":"g","type":"n.E"}]}',
        '{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":'
        '{"type":"enum","name":"E","symbols":["A"]}},{"name":"g","type":"E"}]}'),
    "own properties kept": (
        '{"type":"record","name":"R","fields":[{"personal":true,"name":"a","type":["null","string"],"default":null}]}',
        '{"type":"record","name":"R","fields":[{"name":"a","type":["null","string"],"default":null,"personal":true}]}'),
    "ascending is the default order": (
        '{"type":"record","name":"R","fields":[{"name":"a","type":"int","order":"ascending"}]}',
        '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'),
    "Unicode": (
        '{"type":"enum","name":"E","doc":"th\\u1ee7 t\\u1ee5c","symbols":["A"]}',
        '{"type":"enum","name":"E","doc":"thủ tục","symbols":["A"]}'),
}  # fmt: skip


@pytest.mark.parametrize("case", CANONICAL)
def test_canonical_text(case: str) -> None:
    given, stored = CANONICAL[case]
    schema: Any = given if given == "string" else json.loads(given)
    assert canonical_text(schema) == stored
    assert canonical_text(json.loads(stored)) == stored
    parse_text(given)


INVALID = {
    "no JSON": ("{", "not JSON"),
    "unknown type": ('"strin"', "undefined name 'strin'"),
    "unknown type of a field": (
        '{"type":"record","name":"R","fields":[{"name":"a","type":"strin"}]}', "R.a: undefined name 'strin'"),
    "record without fields": ('{"type":"record","name":"R"}', "record R has no fields"),
    "field without type": ('{"type":"record","name":"R","fields":[{"name":"a"}]}', "R.a has no type"),
    "field twice": (
        '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}',
        "field a stands twice"),
    "bad name": ('{"type":"record","name":"1R","fields":[]}', "'1R' is no name"),
    "bad field name": ('{"type":"record","name":"R","fields":[{"name":"a-b","type":"int"}]}', "'a-b' is no field"),
    "name with a line break": ('{"type":"fixed","name":"F\\n","size":1}', "is no name"),
    "type defined twice": (
        '[{"type":"fixed","name":"F","size":1},{"type":"fixed","name":"F","size":2}]', "F is defined twice"),
    "union in a union": ('["null",["int"]]', "a union must not hold a union"),
    "type twice in a union": ('["int","int"]', "int stands twice"),
    "enum without symbols": ('{"type":"enum","name":"E"}', "enum E has no valid symbols"),
    "enum's symbol twice": ('{"type":"enum","name":"E","symbols":["A","A"]}', "names a symbol twice"),
    "enum's default": ('{"type":"enum","name":"E","symbols":["A"],"default":"B"}', "default 'B'"),
    "fixed without size": ('{"type":"fixed","name":"F"}', "fixed F has no size"),
    "array without items": ('{"type":"array"}', "array has no items"),
    "a number": ("7", "is no type: 7"),
    "no type": ("{}", "has no type"),
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID)
def test_invalid_is_refused_with_its_part(case: str) -> None:
    text, message = INVALID[case]
    with pytest.raises(SchemaError) as caught:
        parse_text(text)
    assert message in str(caught.value)


def test_a_reference_may_be_given() -> None:
    inner = parse({"type": "fixed", "name": "F", "namespace": "n", "size": 2})
    outer = parse({"type": "array", "items": "n.F"}, {"n.F": inner})
    assert outer.items is inner


def test_canonical_leaves_its_argument_alone() -> None:
    schema = {"type": "record", "name": "n.R", "fields": [{"name": "a", "type": {"type": "int"}}]}
    before = json.dumps(schema)
    canonical(schema)
    assert json.dumps(schema) == before
