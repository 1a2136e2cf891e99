"""What an entry is told apart by: every fact that the mapping knows, and none that it does not. The digests themselves
are frozen (tests/frozen, ids_catalogue)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from hub.avro.record import Record
from hub_connectors.national_portal.catalogue import mapping
from hub_connectors.national_portal.catalogue.content import FACTS, content
from hub_connectors.national_portal.catalogue.settings import CatalogueSettings
from hub_connectors.national_portal.tests.catalogue_files import load

ENTRY, _ = mapping.procedure(load("national")["LayThuTuc"]["1.004194"], 1)
OFFER = mapping.service(load("national")["LayDVC"][0], 1, CatalogueSettings())
UNMAPPED = {"ProcedureChange": {"effective_at"}, "ServiceChange": {"agency_code", "url"}}


def other(value: object) -> Any:
    """A value that is not this one. Of a list: the first item told otherwise in its first fact, or one more code."""
    if isinstance(value, tuple) and value and isinstance(value[0], Record):
        first = FACTS[type(value[0])][0]
        return (structs.replace(value[0], **{first: "otherwise"}), *value[1:])
    return (*value, "otherwise") if isinstance(value, tuple) else "otherwise"


@pytest.mark.parametrize("entry", [ENTRY, OFFER], ids=["procedure", "service"])
def test_every_fact_that_is_mapped_makes_another_content(entry: Any) -> None:
    found = {
        content(structs.replace(entry, **{name: other(getattr(entry, name))}), True) for name in FACTS[type(entry)]
    }
    assert len(found | {content(entry, True), content(entry, False)}) == len(FACTS[type(entry)]) + 2


@pytest.mark.parametrize("entry", [ENTRY, OFFER], ids=["procedure", "service"])
def test_what_is_no_fact_makes_none(entry: Any) -> None:
    """The moment and the change; and what no mapping fills, which a newer hub would otherwise tell of every entry."""
    untold = {"change", "occurred_at"} | UNMAPPED[type(entry).__name__]
    assert set(entry.__struct_fields__) == untold | set(FACTS[type(entry)])
    for name in untold:
        assert content(structs.replace(entry, **{name: 7}), True) == content(entry, True)


@pytest.mark.parametrize("name", ["time_limits", "fees", "components", "forms", "results", "legal_bases"])
def test_every_fact_of_what_a_procedure_holds_counts(name: str) -> None:
    (first, *rest) = getattr(ENTRY, name)
    changed = {
        content(structs.replace(ENTRY, **{name: (structs.replace(first, **{fact: "otherwise"}), *rest)}), True)
        for fact in first.__struct_fields__
    }
    assert len(changed | {content(ENTRY, True)}) == len(first.__struct_fields__) + 1
