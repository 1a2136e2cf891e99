"""The owner of one partition: its deliveries, offsets, receipts, parked dossiers and orders. Pure: no I/O, no clock.

It is told what was read, what the portal answered and what the broker confirmed; it says what to send (`take`), what to
write (settlements) and what to commit. Kafka, HTTP and the time are its callers' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hub.control.requests import Request
from hub.delivery import parking
from hub.delivery.entries import Entry
from hub.delivery.partition.delivered import MOST_IDS, MOST_KEYS, Delivered
from hub.delivery.partition.dossier import DossierDelivery, Shared
from hub.delivery.partition.offsets import Commits, PartitionOffsets
from hub.delivery.partition.orders import Orders
from hub.delivery.partition.reading import Reading
from hub.delivery.partition.schedule import Schedule
from hub.delivery.partition.states import State
from hub.delivery.receipts import Receipts
from hub.delivery.settlement import Settlement
from hub.events.families import BY_STATE_TOPIC
from hub.kafka.topics import EVENTS, REQUESTS


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all partitions of one subscriber's role. life: its creation time. partitions: how many share the
    memory of what was delivered."""

    subscriber: str
    life: str
    receipts: Receipts
    partitions: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """start: offset of hub.events. receipts: offset of hub.deliveries to look back to. old_until: events before it may
    be covered by receipts that stand there. by_state: the state is sent before the log is followed, from `states`.
    fresh: nothing is committed in this subscriber's life. first_order: offset of hub.requests.
    """

    start: int = 0
    receipts: int = 0
    old_until: int = 0
    by_state: bool = False
    fresh: bool = False
    states: Mapping[str, int] = field(default_factory=dict)
    first_order: int = 0


class PartitionDelivery:
    """`number`: the partition. `offsets` and `known` are looked at from outside, and changed here only."""

    def __init__(self, number: int, terms: Terms, plan: Plan) -> None:
        self.number = number
        self.offsets = PartitionOffsets(terms.life, plan.start, plan.receipts, plan.old_until)
        self.offsets.begin(REQUESTS, plan.first_order)
        for topic, first in plan.states.items():
            self.offsets.begin(topic, first)
        share = max(1, terms.partitions)
        self.known = Delivered(MOST_KEYS // share, MOST_IDS // share, plan.receipts)
        self.reading = Reading(self.offsets)
        self._deliveries: dict[str, DossierDelivery] = {}
        self._schedule = Schedule()
        self._unnamed: set[DossierDelivery] = set()
        self._receipts_end = plan.receipts
        self._shared = Shared(terms.subscriber, number, terms.receipts, self.known, self._placed)
        self._orders = Orders(number, terms.receipts, self.offsets, self.get, self._append)

    def __iter__(self) -> Iterator[DossierDelivery]:
        return iter(self._deliveries.values())

    def __len__(self) -> int:
        return len(self._deliveries)

    def get(self, key: str) -> DossierDelivery | None:
        return self._deliveries.get(key)

    # --- what is read ---

    def restore(self, parked: Mapping[str, bytes]) -> None:
        """Dossiers that wait, by key, as their parking records tell. ValidationError if one is unusable."""
        for key, value in parked.items():
            delivery = DossierDelivery.restored(key, self._shared, parking.read(value))
            self._deliveries[key] = delivery
            self._placed(delivery)

    def begins(self, topic: str, offset: int) -> None:
        """Records of this topic from `offset` on are handed out now."""
        if topic == EVENTS:
            self.offsets.note_receipts(offset, self._receipts_end)

    def skip(self, topic: str, offset: int) -> None:
        """A record that is not due."""
        self.offsets.skip(topic, offset)

    def letter(self, topic: str, offset: int, settlement: Settlement) -> Settlement:
        """A record that cannot be read: it is done with when its dead letter is confirmed."""
        settlement.done = self.offsets.source(topic, offset).settle
        return settlement

    def event(self, entry: Entry) -> None:
        """An event that is due. One that waits already is not put twice, its source hangs on the one that waits."""
        entry.hang([self.offsets.source(entry.topic, entry.offset)])
        delivery = self._deliveries.get(entry.key)
        if delivery is None:
            self._append(entry)
        elif _supersedes(entry, delivery):
            delivery.supersede(entry)
        elif (waiting := delivery.holds(entry.event_id)) is None:
            if entry.hub_seq < delivery.entries[-1].hub_seq and self.known.has(entry.event_id):
                entry.settle()  # read again; behind what waits it would outlive the memory of its receipt
            else:
                self._append(entry)
        elif waiting.sources:
            waiting.hang(entry.sources)
        else:  # its parking record stands for it
            entry.settle()

    def order(self, offset: int, order: Request) -> list[Settlement]:
        """What an order leaves to be written at once."""
        return self._orders.take(order, self.offsets.source(REQUESTS, offset))

    def after_read(self, now: float) -> list[Settlement]:
        """Once per read: orders that waited, and parking records of all that got more to wait for."""
        out = self._orders.retry()
        resting, self._unnamed = self._unnamed, set()
        return out + [told for one in resting if (told := one.stow(now)) is not None]

    def receipts_confirmed(self, end: int) -> None:
        """Our receipts in hub.deliveries stand before this offset."""
        self._receipts_end = max(self._receipts_end, end)

    # --- what is sent ---

    def take(self) -> DossierDelivery | None:
        """The delivery that has waited longest, now in flight."""
        delivery = self._schedule.next_waiting() if self.reading.sends else None
        if delivery is not None:
            delivery.hand_out()
        return delivery

    def wake(self, now: float) -> None:
        """Parked deliveries whose time has come wait for a worker."""
        for delivery in self._schedule.due(now):
            delivery.wake()
            self._schedule.add(delivery)

    def next_due(self) -> float | None:
        return self._schedule.next_due()

    def hasten(self, not_before: float) -> None:
        """The portal is back: nobody waits longer than this, but those whose time the portal named."""
        for delivery in self._deliveries.values():
            if delivery.hasten(not_before):
                self._schedule.add(delivery)

    def unclear(self) -> list[DossierDelivery]:
        """Those whose call was cut off."""
        return [one for one in self._deliveries.values() if one.state is State.UNCLEAR]

    # --- what is committed, and the end ---

    def to_commit(self) -> Commits:
        return self.offsets.to_commit()

    def committed(self, offsets: Commits) -> None:
        """The broker has them."""
        self.offsets.confirm(offsets)

    def follow_log(self) -> None:
        """All state is sent and the first commit of the log is made."""
        for topic in self.reading.follow_log():
            self.offsets.forget(topic)

    def revoke(self) -> None:
        """The partition is no longer ours: what comes late of it changes nothing."""
        self.reading.close()
        for delivery in self._deliveries.values():
            delivery.revoke()
        self._deliveries.clear()

    # --- how ---

    def _append(self, entry: Entry) -> None:
        delivery = self._deliveries.get(entry.key)
        if delivery is None:
            delivery = self._deliveries[entry.key] = DossierDelivery(entry.key, self._shared)
            delivery.append(entry)
            self._schedule.add(delivery)
            return
        delivery.append(entry)
        if delivery.state in (State.PARKED, State.HELD):
            self._unnamed.add(delivery)

    def _placed(self, delivery: DossierDelivery) -> None:
        """A delivery has come to where it stays until something happens."""
        state = delivery.state
        if state is State.OVER:
            del self._deliveries[delivery.key]
            return
        if state is not State.HELD:
            self._schedule.add(delivery)
        if delivery.unnamed():
            self._unnamed.add(delivery)


def _supersedes(entry: Entry, delivery: DossierDelivery) -> bool:
    """A newer state of a backfill takes the place of an older one that was not tried yet: a topic's youngest part is
    not compacted."""
    if entry.topic not in BY_STATE_TOPIC or delivery.state is not State.WAITING:
        return False
    last = delivery.entries[-1]
    return last.topic == entry.topic and last.hub_seq < entry.hub_seq
