"""Records that were read go to the owner of their partition; what is not due is finished at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from hub.control.requests import Request
from hub.deadletter import record as dead_letter
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Raw
from hub.delivery.partition.owner import PartitionDelivery
from hub.delivery.settlement import Settlement
from hub.errors import BadRecord
from hub.kafka.topics import REQUESTS
from hub.observe import metrics

log = logging.getLogger(__name__)


class IncomingRecords:
    """Synchronous on purpose: between a read and its entries nothing else of the loop runs."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._role = f"deliver:{context.name}"

    def take(self, owner: PartitionDelivery, topic: str, records: Sequence[Any]) -> None:
        """Records of one partition and topic, in order, as aiokafka gives them."""
        raws = [Raw(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers) for r in records]
        metrics.EVENTS_IN.labels(self._role).inc(len(raws))
        metrics.LAG_SECONDS.labels(self._role, topic).set(max(0.0, time.time() - raws[-1].timestamp_ms / 1000))
        if topic == REQUESTS:
            for raw in raws:
                self._order(owner, raw)
        else:
            owner.begins(topic, raws[0].offset)
            for raw in raws:
                self._event(owner, raw)
        self._context.changed.set()

    def after_read(self) -> None:
        """Once per read: what the owners have to write because of what came."""
        for owner in self._context.partitions:
            for settlement in owner.after_read(time.time()):
                self._context.outbox.put(settlement)

    def _event(self, owner: PartitionDelivery, raw: Raw) -> None:
        if raw.value is None:  # a removed state
            owner.skip(raw.topic, raw.offset)
            return
        try:
            entry = self._context.decoder.due_entry(raw, self._context.subscriber.filter, self._context.families)
        except BadRecord as error:
            self._unusable(owner, raw, error)
            return
        if entry is None:
            owner.skip(raw.topic, raw.offset)
        else:
            owner.event(entry)

    def _unusable(self, owner: PartitionDelivery, raw: Raw, error: BadRecord) -> None:
        letter = dead_letter.of_record(raw, "deliver", error, self._context.name)
        metrics.EVENTS_DEAD_LETTERED.labels("deliver", error.reason).inc()
        self._context.outbox.put(owner.letter(raw.topic, raw.offset, Settlement([letter])))

    def _order(self, owner: PartitionDelivery, raw: Raw) -> None:
        """One record of hub.requests. An unusable one is logged and passed: an order must never stop the data."""
        try:
            order = Request.model_validate_json(raw.value or b"")
        except ValidationError as error:
            told = error.errors()[0]["msg"]
            log.error("order at %s %d offset %d is unusable: %s", raw.topic, raw.partition, raw.offset, told)
            owner.skip(REQUESTS, raw.offset)
            return
        if order.subscriber != self._context.name:
            owner.skip(REQUESTS, raw.offset)
            return
        for settlement in owner.order(raw.offset, order):
            self._context.outbox.put(settlement)
