"""Follows the hub's topics from outside and counts: accepted, made canonical, delivered, refused, and how fast."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from aiokafka import ConsumerRecord

from hub.avro.bodies import DELIVERY
from hub.avro.codec import Codec
from hub.config import Settings
from hub.deadletter.record import DeadLetter, parse
from hub.events import families
from hub.events.envelope import read_headers
from hub.kafka.tail import opened
from hub.kafka.topics import DEAD_LETTERS, DELIVERIES, EVENTS, INGRESS

TOPICS = (INGRESS, EVENTS, DELIVERIES, DEAD_LETTERS)
Identity = tuple[str, str]


class Tally:
    """Fed by `follow`; all counts are of distinct things but `duplicates`, `retries` and `ingress`.

    canonical: what an agency sent -> id of the event that the core made of it. doubled: source -> duplicates.
    """

    def __init__(self, portals: tuple[str, ...], codec: Codec) -> None:
        self._codec = codec
        self.ingress: dict[Identity, set[bytes]] = {}
        self.doubled: Counter[str] = Counter()
        self.canonical: dict[Identity, str] = {}
        self.recorded: dict[str, int] = {}
        self.delivered: dict[str, dict[str, int]] = {portal: {} for portal in portals}
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.dead: dict[str, DeadLetter] = {}
        self.moved_at = 0.0
        self.on_change: Callable[[], None] = lambda: None

    @property
    def accepted(self) -> int:
        """Events of agencies that became canonical."""
        return len(self.canonical)

    @property
    def duplicates(self) -> int:
        """Records of hub.ingress that stood there already."""
        return self.doubled.total()

    @property
    def retries(self) -> int:
        return sum(n for (_, outcome), n in self.outcomes.items() if outcome == "RETRY_SCHEDULED")

    def reached(self, portal: str) -> int:
        """Canonical events that this portal has a receipt for."""
        return sum(event in self.recorded for event in self.delivered[portal])

    def has(self, portal: str, sent: Identity) -> bool:
        """Whether the portal has a receipt for what was sent under this source and id."""
        return self.canonical.get(sent, "") in self.delivered[portal]

    def latencies_ms(self) -> list[int]:
        """From acceptance to the first receipt, each event and portal; sorted."""
        pairs = [(event, at) for portal in self.delivered.values() for event, at in portal.items()]
        return sorted(at - self.recorded[event] for event, at in pairs if event in self.recorded)

    def take(self, record: ConsumerRecord) -> None:
        {INGRESS: self._ingress, EVENTS: self._event, DELIVERIES: self._delivery, DEAD_LETTERS: self._dead}[
            record.topic
        ](record)

    def _ingress(self, record: ConsumerRecord) -> None:
        envelope = read_headers(record.headers)
        if envelope.type == families.CLOCK:
            return
        digest = hashlib.sha256(record.value or b"").digest()
        known = self.ingress.setdefault((envelope.source, envelope.id), set())
        self.doubled[envelope.source] += digest in known
        known.add(digest)

    def _event(self, record: ConsumerRecord) -> None:
        envelope = read_headers(record.headers)
        if envelope.type == families.DEADLINE.type:  # of the hub's own clock
            return
        self.canonical.setdefault((envelope.source, envelope.causationid), envelope.id)
        recorded = datetime.fromisoformat(envelope.recordedtime)
        self.recorded.setdefault(envelope.id, round(recorded.timestamp() * 1000))

    def _delivery(self, record: ConsumerRecord) -> None:
        delivery = self._codec.read(DELIVERY, record.value)
        self.outcomes[delivery.subscriber, delivery.outcome] += 1
        if delivery.outcome == "DELIVERED" and delivery.subscriber in self.delivered:
            for event in delivery.event_ids:
                self.delivered[delivery.subscriber].setdefault(event, delivery.at)

    def _dead(self, record: ConsumerRecord) -> None:
        letter = parse(record.key, record.value, record.headers)
        self.dead.setdefault(letter.id, letter)


async def follow(settings: Settings, tally: Tally) -> None:
    """Reads the topics from their beginning until cancelled."""
    clock = asyncio.get_running_loop().time
    async with opened(settings) as tail:
        await tail.from_beginning(*TOPICS)
        async for _, records in tail.onwards(asyncio.Event()):
            for record in records:
                tally.take(record)
            tally.moved_at = clock()
            tally.on_change()
            await asyncio.sleep(0)
