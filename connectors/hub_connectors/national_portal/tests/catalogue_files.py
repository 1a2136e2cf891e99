"""Reads the two catalogues written by hand and the differences planted in them."""

from __future__ import annotations

import json

from hub.reconcile.catalogue import Difference
from hub.untyped import JsonObject
from hub_connectors.national_portal.tests.site import GOLDEN

FOLDER = GOLDEN / "catalogue"


def load(name: str) -> JsonObject:
    found: JsonObject = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert found["source"]
    return found


def wanted() -> list[Difference]:
    return [Difference(*one) for one in load("differences")["differences"]]
