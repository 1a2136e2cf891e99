"""What the gateway counts of a request, in its metrics."""

from __future__ import annotations

import asyncio
from typing import Any

from prometheus_client import REGISTRY

from hub.gateway.ingest import Ingest
from tests.support.codecs import fixed_codec
from tests.support.gateway import event, step
from tests.support.gateway_app import ORG, SOURCE, Broker


def counted() -> dict[tuple[str, str], float]:
    """By name, and reason."""
    return {
        (sample.name, sample.labels.get("reason", "")): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.labels.get("role") == "gateway" and sample.name.endswith("_total")
    }


def test_each_event_is_counted_once_by_what_became_of_it() -> None:
    good: dict[str, Any] = event(SOURCE)
    bad = [event(SOURCE, step(rating="5")), event(SOURCE, step(rating="6")), event("urn:other")]
    ingest, before = Ingest(fixed_codec(), Broker()), counted()
    asyncio.run(ingest.take_json(ORG, [good, event(SOURCE)]))
    asyncio.run(ingest.take_json(ORG, [good, event(SOURCE), *bad]))
    now = counted()
    changed = {key: value - before.get(key, 0.0) for key, value in now.items() if value != before.get(key, 0.0)}
    assert changed == {
        ("hub_events_in_total", ""): 7.0,
        ("hub_events_out_total", ""): 3.0,
        ("hub_events_duplicate_total", ""): 1.0,
        ("hub_events_rejected_total", "type"): 2.0,
        ("hub_events_rejected_total", "right"): 1.0,
    }
