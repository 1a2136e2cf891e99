"""Rows and tables have the same columns."""

from __future__ import annotations

import pytest
from msgspec import Struct

from hub.projector.rows import DeadLetterRow, DeliveryRow, DiscrepancyRow, EventRow, SubjectRow
from hub.readmodel.tables import generation

TABLES: dict[str, type[Struct]] = {
    "dossiers": SubjectRow,
    "events": EventRow,
    "deliveries": DeliveryRow,
    "dead_letters": DeadLetterRow,
    "discrepancies": DiscrepancyRow,
}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_has_the_columns_of_its_table(name: str) -> None:
    table = getattr(generation(1), name)
    assert set(TABLES[name].__struct_fields__) == {column.name for column in table.columns}
