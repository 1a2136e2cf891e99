"""The table of families: it agrees with the schemas, and no other module says again what stands in it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from hub.avro.generic import schema_json
from hub.events import families
from hub.kafka.topics import CATALOGUE

ROOT = Path(__file__).parents[3]
APART = ("hub/avro/", "hub/demo/checker/", "connectors/hub_connectors/simulation/")
"""Below the table and made from the schemas; or with no import from the hub at all."""


def _said(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.checkout
def test_no_other_module_writes_a_type_a_record_or_a_topic_of_a_family() -> None:
    facts = {families.CLOCK, families.CLOCK_RECORD}
    for family in families.FAMILIES:
        facts |= {family.published, family.published_record, family.state_record, family.state_topic}
    for event in families.CANONICAL:
        facts |= {event.type, event.record, event.words}
    assert len(facts) == 25
    files = {
        str(path.relative_to(ROOT)): path
        for folder in ("hub", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts and "simulator" not in path.parts
    }
    assert len(files) > 200
    found = {name: _said(path) & facts for name, path in files.items() if not name.startswith(APART)}
    assert found.pop("hub/events/families.py") == facts
    assert {name: said for name, said in found.items() if said} == {}


def test_names_are_those_of_the_type() -> None:
    assert get_args(families.FamilyName) == families.NAMES == ("dossier", "procedure", "service")
    assert families.EVENT_NAMES == ("dossier", "procedure", "service", "deadline")


def _fields(record: str) -> dict[str, object]:
    return {field["name"]: field["type"] for field in schema_json(record)["fields"]}


@pytest.mark.parametrize("family", families.FAMILIES, ids=lambda family: family.name)
def test_a_family_s_fields_stand_in_its_records(family: families.Family) -> None:
    published, state = _fields(family.published_record), _fields(family.state_record)
    assert family.code in published
    assert {family.code, family.changed_at, "hub_seq", *family.catalogue_fields} <= set(state)
    assert set(family.catalogue_fields) <= set(published)
    assert family.event.family == family.name


@pytest.mark.parametrize("event", families.CANONICAL, ids=lambda event: event.name)
def test_an_event_s_fields_stand_in_its_record(event: families.Canonical) -> None:
    assert {event.change, event.state, "hub_seq"} <= set(_fields(event.record))
    assert "UNKNOWN" in schema_json(event.words)["symbols"]


def test_each_state_topic_is_compacted_and_in_the_catalogue() -> None:
    compacted = {topic.name for topic in CATALOGUE if topic.compact}
    assert set(families.BY_STATE_TOPIC) <= compacted
