"""Records that were read become entries in the lanes; what is not due is finished at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition

from hub.deadletter import record as dead_letter
from hub.delivery import outcomes
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Entry, Raw
from hub.delivery.lanes import Lane, Place
from hub.delivery.offsets import DeliveryOffsets
from hub.delivery.outbox import Settlement
from hub.delivery.request_handler import RequestHandler
from hub.errors import BadRecord
from hub.events.families import BY_STATE_TOPIC
from hub.kafka.topics import REQUESTS
from hub.observe import metrics

log = logging.getLogger(__name__)


class IncomingRecords:
    """Synchronous on purpose: between a read and its entries nothing else of the loop runs."""

    def __init__(self, context: DeliveryContext, progress: DeliveryOffsets, requests: RequestHandler) -> None:
        self._context = context
        self._progress = progress
        self._requests = requests
        self._role = f"deliver:{context.name}"

    def take(self, where: TopicPartition, records: Sequence[Any]) -> None:
        """Records of one partition, in order, as aiokafka gives them."""
        raws = [Raw(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers) for r in records]
        metrics.EVENTS_IN.labels(self._role).inc(len(raws))
        metrics.LAG_SECONDS.labels(self._role, where.topic).set(max(0.0, time.time() - raws[-1].timestamp_ms / 1000))
        if where.topic == REQUESTS:
            for raw in raws:
                self._requests.take(where, raw)
            return
        self._progress.note_receipts(where, raws[0].offset, self._context.outbox.receipts_end.get(where.partition, 0))
        for raw in raws:
            self._event(where, raw)
        self._context.changed.set()

    def _event(self, where: TopicPartition, raw: Raw) -> None:
        if raw.value is None:  # a removed state
            self._progress.skip(where, raw.offset)
            return
        try:
            entry = self._context.decoder.due_entry(raw, self._context.subscriber.filter, self._context.families)
        except BadRecord as error:
            self._unusable(where, raw, error)
            return
        if entry is None:
            self._progress.skip(where, raw.offset)
            return
        entry.sources.append(self._progress.source(where, raw.offset))
        append(self._context, entry)

    def _unusable(self, where: TopicPartition, raw: Raw, error: BadRecord) -> None:
        letter = dead_letter.of_record(raw, "deliver", error, self._context.name)
        metrics.EVENTS_DEAD_LETTERED.labels("deliver", error.reason).inc()
        self._context.outbox.put(Settlement([letter], done=self._progress.source(where, raw.offset).settle))


def append(context: DeliveryContext, entry: Entry) -> None:
    """Into its lane; an event that waits there already is not put twice, its new source hangs on the one that waits."""
    lane = context.lanes.get(entry.key)
    waiting = lane.holds(entry.event_id) if lane is not None else None
    if lane is not None and _supersedes(entry, lane):
        entry.sources.extend(lane.queue[-1].sources)
        lane.queue[-1] = entry
    elif waiting is None:
        lane = context.lanes.append(entry)
        if lane.place in (Place.PARKED, Place.HELD):
            context.dirty.add(lane)
    elif waiting.sources:
        waiting.sources.extend(entry.sources)
    else:  # its parking record stands for it
        entry.settle()


def _supersedes(entry: Entry, lane: Lane) -> bool:
    """A newer state of a backfill takes the place of an older one that was not tried yet: a topic's youngest part is
    not compacted."""
    if entry.topic not in BY_STATE_TOPIC or lane.place is not Place.READY:
        return False
    last = lane.queue[-1]
    return last.topic == entry.topic and last.hub_seq < entry.hub_seq


def stow_dirty(context: DeliveryContext) -> None:
    """Once per read: parking records for all lanes that got more to wait for."""
    for lane in context.dirty:
        if context.lanes.get(lane.key) is lane and lane.place in (Place.PARKED, Place.HELD):
            outcomes.stow(context, lane)
    context.dirty.clear()
