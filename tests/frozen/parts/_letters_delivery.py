"""What an attempt leaves on Kafka: dead letters, receipts (hub.deliveries) and parking records of one dossier."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from hub.config import DeliverySettings
from hub.connect.portal import Answer, Strategy
from hub.control.records import Filter, Subscriber
from hub.delivery import outcomes
from hub.delivery.circuit_breaker import Breaker
from hub.delivery.connection_state import ConnectionState
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Raw
from hub.delivery.event_decoder import Decoder
from hub.delivery.outcomes import Tried
from hub.delivery.parking import Wait
from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.partition.owner import PartitionDelivery, Plan, Terms
from hub.delivery.receipts import Receipts
from hub.delivery.settlement import Settlement
from hub.errors import BadRecord, Rejected, Retryable
from hub.events.canonical import state_of
from tests.frozen import reading
from tests.frozen.inputs import step
from tests.frozen.parts._core import RECORDED_MS, Bench
from tests.frozen.parts._shown import CODEC, value_as_it_came

Act = Callable[[DeliveryContext, DossierDelivery, Tried], None]
PERSONAL = ["Nguyễn Văn An"]


def _refused(reason: str) -> Act:
    text = f"HTTP 422: {PERSONAL[0]} không hợp lệ ({reason})"

    def act(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
        newest = state_of(tried.items[-1].envelope.type, tried.items[-1].data)
        outcomes.refused(context, delivery, tried, Rejected(reason, text, 422), newest)

    return act


def _retried(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
    outcomes.retry(context, delivery, tried, Retryable("busy", "HTTP 429", 30.0, 429))


def _exhausted(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
    delivery._wait = Wait(context.limits.max_attempts - 1)
    outcomes.retry(context, delivery, tried, Retryable("http_5xx", "HTTP 503: Bảo trì", None, 503))


def _unusable(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
    outcomes.unusable(context, delivery, tried.entries[0], BadRecord("truncated", "Avro body ends early"))


def _delivered(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
    outcomes.delivered(context, delivery, tried, Answer(200, f"Đã nhận của {PERSONAL[0]}"))


def _covered(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
    outcomes.covered(context, delivery, tried.entries)


def _skipped(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
    outcomes.skipped(context, delivery, tried.entries, "by order")


def _cut_off(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> None:
    outcomes.cut_off(context, delivery)


ACTS: dict[str, tuple[Strategy, int, Act]] = {
    **{reason: (Strategy.EVENT_LOG, 1, _refused(reason)) for reason in
       ("schema", "refused", "forbidden", "gone", "unsupported", "a word of the connector")},
    "refused, state": (Strategy.STATE, 1, _refused("refused")),
    "refused together": (Strategy.STATE, 2, _refused("refused")),
    "exhausted": (Strategy.EVENT_LOG, 1, _exhausted),
    "exhausted, state": (Strategy.STATE, 2, _exhausted),
    "unusable": (Strategy.EVENT_LOG, 1, _unusable),
    "delivered": (Strategy.EVENT_LOG, 1, _delivered),
    "delivered together": (Strategy.STATE, 2, _delivered),
    "busy": (Strategy.EVENT_LOG, 1, _retried),
    "covered": (Strategy.STATE, 2, _covered),
    "skipped": (Strategy.EVENT_LOG, 1, _skipped),
    "cut off": (Strategy.EVENT_LOG, 1, _cut_off),
}  # fmt: skip
"""Strategy, how many of the dossier's two events go in one call, what comes of it."""


class _Box(list[Settlement]):
    def put(self, settlement: Settlement) -> None:
        self.append(settlement)


def _context(box: _Box, strategy: Strategy, fold: int) -> DeliveryContext:
    limits = DeliverySettings()
    return DeliveryContext(
        Subscriber(name="dvcqg", kind="scripted", filter=Filter()), limits, strategy, fold, ("dossier",),
        box, Receipts("dvcqg", CODEC), None, Decoder(CODEC), Breaker(5, 1.0), ConnectionState("dvcqg"),  # type: ignore[arg-type]
    )  # fmt: skip


def _events() -> list[Raw]:
    made = Bench().chunk([step("RECEIVED", "2026-01-05 08:00", applicant={"name": PERSONAL[0]}),
                          step("IN_PROCESS", "2026-01-06 08:00")])  # fmt: skip
    return [Raw("hub.events", 0, 40 + n, RECORDED_MS, out.key, out.value, out.headers)
            for n, out in enumerate(made.records)]  # fmt: skip


def settlements() -> dict[str, Any]:
    """By act. What is written first, then what is written when that is confirmed."""
    chance = random.getstate()
    try:
        return _settlements()
    finally:
        random.setstate(chance)


def _settlements() -> dict[str, Any]:
    found = {}
    with patch("time.time", lambda: RECORDED_MS / 1000):
        for name, (strategy, fold, act) in ACTS.items():
            box = _Box()
            context = _context(box, strategy, fold)
            owner = PartitionDelivery(0, Terms("dvcqg", "life", context.receipts), Plan(start=40))
            owner.reading.begun()
            for raw in _events():
                entry = context.decoder.due_entry(raw, Filter(), ("dossier",))
                assert entry is not None
                owner._append(entry)  # without a source: no receipt of what waits behind
            delivery = owner.take()
            assert delivery is not None
            head = delivery.head(fold)
            items = [context.decoder.item(entry.record) for entry in head if entry.record is not None]
            random.seed(0)  # a retry's jitter
            act(context, delivery, Tried(head, items, 0.0, PERSONAL))
            (settled,) = box
            found[name] = {"first": [_out(*own) for own in settled.first], "then": [_out(*own) for own in settled.then]}
    return found


def _out(topic: str, key: bytes | None, value: bytes | None, headers: Any) -> dict[str, Any]:
    found = {"topic": topic, "key": (key or b"").decode(), "headers": reading.text_headers(headers),
             "sha256": reading.sha256(value)}  # fmt: skip
    if topic == "hub.deliveries":
        return found | {"value": reading.without_nulls(CODEC.decode(value)[1])}
    if topic == "hub.dead-letters":
        return found | value_as_it_came(value)
    return found | {"value": None if value is None else value.decode()}
