"""Records that were read become entries in the lanes; what is not due is finished at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition

from hub.deadletter import record as dead_letter
from hub.delivery import outcomes
from hub.delivery.desk import Desk
from hub.delivery.entries import Entry, Raw
from hub.delivery.lanes import Lane, Place
from hub.delivery.orders import Orders
from hub.delivery.outbox import Settlement
from hub.delivery.parking import FAMILY_OF_TOPIC
from hub.delivery.progress import Progress
from hub.errors import BadRecord
from hub.observe import metrics
from hub.wire.topics import REQUESTS

log = logging.getLogger(__name__)


class Inflow:
    """Synchronous on purpose: between a read and its entries nothing else of the loop runs."""

    def __init__(self, desk: Desk, progress: Progress, orders: Orders) -> None:
        self._desk = desk
        self._progress = progress
        self._orders = orders
        self._role = f"deliver:{desk.name}"

    def take(self, where: TopicPartition, records: Sequence[Any]) -> None:
        """Records of one partition, in order, as aiokafka gives them."""
        raws = [Raw(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers) for r in records]
        metrics.EVENTS_IN.labels(self._role).inc(len(raws))
        metrics.LAG_SECONDS.labels(self._role, where.topic).set(max(0.0, time.time() - raws[-1].timestamp_ms / 1000))
        if where.topic == REQUESTS:
            for raw in raws:
                self._orders.take(where, raw)
            return
        self._progress.note_receipts(where, raws[0].offset, self._desk.outbox.receipts_end.get(where.partition, 0))
        for raw in raws:
            self._event(where, raw)
        self._desk.changed.set()

    def _event(self, where: TopicPartition, raw: Raw) -> None:
        if raw.value is None:  # a removed state
            self._progress.skip(where, raw.offset)
            return
        try:
            entry = self._desk.decoder.due_entry(raw, self._desk.subscriber.filter, self._desk.families)
        except BadRecord as error:
            self._unusable(where, raw, error)
            return
        if entry is None:
            self._progress.skip(where, raw.offset)
            return
        entry.sources.append(self._progress.source(where, raw.offset))
        append(self._desk, entry)

    def _unusable(self, where: TopicPartition, raw: Raw, error: BadRecord) -> None:
        letter = dead_letter.of_record(raw, "deliver", error, self._desk.name)
        metrics.EVENTS_DEAD_LETTERED.labels("deliver", error.reason).inc()
        self._desk.outbox.put(Settlement([letter], done=self._progress.source(where, raw.offset).settle))


def append(desk: Desk, entry: Entry) -> None:
    """Into its lane; an event that waits there already is not put twice, its new source hangs on the one that waits."""
    lane = desk.lanes.get(entry.key)
    waiting = lane.holds(entry.event_id) if lane is not None else None
    if lane is not None and _supersedes(entry, lane):
        entry.sources.extend(lane.queue[-1].sources)
        lane.queue[-1] = entry
    elif waiting is None:
        lane = desk.lanes.append(entry)
        if lane.place in (Place.PARKED, Place.HELD):
            desk.dirty.add(lane)
    elif waiting.sources:
        waiting.sources.extend(entry.sources)
    else:  # its parking record stands for it
        entry.settle()


def _supersedes(entry: Entry, lane: Lane) -> bool:
    """A newer state of a backfill takes the place of an older one that was not tried yet: a topic's youngest part is
    not compacted."""
    if entry.topic not in FAMILY_OF_TOPIC or lane.place is not Place.READY:
        return False
    last = lane.queue[-1]
    return last.topic == entry.topic and last.hub_seq < entry.hub_seq


def stow_dirty(desk: Desk) -> None:
    """Once per read: parking records for all lanes that got more to wait for."""
    for lane in desk.dirty:
        if desk.lanes.get(lane.key) is lane and lane.place in (Place.PARKED, Place.HELD):
            outcomes.stow(desk, lane)
    desk.dirty.clear()
