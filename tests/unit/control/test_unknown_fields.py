"""What a newer hub writes besides is ignored in control records: it may be rolled back. At the doors it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from hub.avro.doors import POSTED
from hub.control import records
from hub.control.requests import Pointer, Request
from hub.delivery.parking import ParkedDossier

CONTROL = [
    kind for kind in vars(records).values()
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__ == records.__name__
]  # fmt: skip


@pytest.mark.parametrize("kind", [*CONTROL, Pointer, Request, ParkedDossier], ids=lambda kind: kind.__name__)
def test_a_control_record_ignores_what_it_does_not_know(kind: Any) -> None:
    assert kind.model_config.get("extra", "ignore") == "ignore"


def test_a_newer_subscriber_is_read() -> None:
    told = {"name": "tinh", "kind": "webhook", "later": {"x": 1}, "filter": {"agencies": ["H11.12"], "later": [1]}}
    found = records.Subscriber.model_validate(told)
    assert (found.name, found.filter.agencies) == ("tinh", ("H11.12",))


@pytest.mark.parametrize("name", POSTED)
def test_a_door_refuses_it(name: str) -> None:
    assert POSTED[name].__struct_config__.forbid_unknown_fields
    assert not POSTED[name].__bases__[0].__struct_config__.forbid_unknown_fields  # type: ignore[attr-defined]
