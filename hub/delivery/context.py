"""What the parts of one delivery role share."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from hub.config import DeliverySettings
from hub.connect.portal import Strategy
from hub.control.records import Subscriber
from hub.delivery.circuit_breaker import Breaker
from hub.delivery.connection_state import ConnectionState
from hub.delivery.event_decoder import Decoder
from hub.delivery.outbox import Outbox
from hub.delivery.partition.partitions import Partitions
from hub.delivery.receipts import Receipts
from hub.delivery.record_reader import Reader


@dataclass(eq=False)
class DeliveryContext:
    """One subscriber's context. `subscriber` and `limits` change when its control record does.

    changed: set whenever a delivery may wait for a worker, or what holds it back may have ended.
    """

    subscriber: Subscriber
    limits: DeliverySettings
    strategy: Strategy
    max_fold: int
    families: tuple[str, ...]
    outbox: Outbox
    receipts: Receipts
    reader: Reader
    decoder: Decoder
    breaker: Breaker
    link: ConnectionState
    partitions: Partitions = field(default_factory=Partitions)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return self.subscriber.name

    def portal_is_back(self) -> None:
        """After an outage nobody waits for a back-off that was counted against the outage."""
        self.partitions.hasten(time.time() + random.uniform(0, self.limits.retry_base_s))
        self.changed.set()
