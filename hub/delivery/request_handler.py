"""Carries out what hub.requests asks for, through the dossier's own lane: re-send, replay, skip."""

from __future__ import annotations

import logging

from aiokafka import TopicPartition
from pydantic import ValidationError

from hub.control.requests import Pointer, Request
from hub.delivery import outcomes
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Entry, Mode, Raw, Source
from hub.delivery.lanes import Lane, Place
from hub.delivery.offsets import DeliveryOffsets
from hub.kafka.topics import EVENTS

log = logging.getLogger(__name__)


class RequestHandler:
    """An order that finds its lane busy is tried again after the next read, its offset unfinished until then."""

    def __init__(self, context: DeliveryContext, progress: DeliveryOffsets) -> None:
        self._context = context
        self._progress = progress
        self._later: list[tuple[Request, int, Source]] = []

    def take(self, where: TopicPartition, raw: Raw) -> None:
        """One record of hub.requests. An unusable one is logged and passed: an order must never stop the data."""
        try:
            order = Request.model_validate_json(raw.value or b"")
        except ValidationError as error:
            log.error("order at %s offset %d is unusable: %s", where, raw.offset, error.errors()[0]["msg"])
            self._progress.skip(where, raw.offset)
            return
        if order.subscriber != self._context.name:
            self._progress.skip(where, raw.offset)
            return
        source = self._progress.source(where, raw.offset)
        if not self._carry_out(order, where.partition, source):
            self._later.append((order, where.partition, source))

    def retry(self) -> None:
        """Those that found their lane busy."""
        waiting, self._later = self._later, []
        for order, partition, source in waiting:
            if not self._carry_out(order, partition, source):
                self._later.append((order, partition, source))

    def forget(self, partition: int) -> None:
        self._later = [one for one in self._later if one[1] != partition]

    def _carry_out(self, order: Request, partition: int, source: Source) -> bool:
        lane = self._context.lanes.get(order.key)
        named = {pointer.event_id for pointer in order.pointers}
        waiting = lane is not None and bool(lane.queue) and lane.queue[0].event_id in named
        if order.action != "resend" and lane is not None and (waiting or not named):
            if lane.place is Place.BUSY:
                return False
            if lane.place is Place.HELD:
                self._on_held(order, lane, source)
                return True
        if order.action == "skip":
            log.info("order %s: nothing of %s is held, nothing to skip", order.id, self._context.name)
            source.settle()
            return True
        self._again(order, partition, source)
        return True

    def _on_held(self, order: Request, lane: Lane, source: Source) -> None:
        """The lane waits behind a dead letter, and the order is about that one."""
        lanes, head = self._context.lanes, lane.queue[0]
        lanes.seize(lane)
        if order.action == "skip":
            why = f"skipped by {order.who}: {order.why}"
            outcomes.skipped(self._context, lane, [head], why, then=source.settle)
            return
        head.mode, lane.attempt = Mode.REPLAY, 0
        head.sources.append(source)  # done when the attempt's outcome is confirmed
        lanes.release(lane)
        self._context.changed.set()

    def _again(self, order: Request, partition: int, source: Source) -> None:
        """Each named event at the end of its lane, unless it waits there already or is yet to be read from the log."""
        ahead = self._progress.position(TopicPartition(EVENTS, partition))
        lane = self._context.lanes.get(order.key)
        wanted = [
            pointer
            for pointer in sorted(order.pointers, key=lambda one: one.hub_seq)
            if pointer.offset < ahead and (lane is None or lane.holds(pointer.event_id) is None)
        ]
        if not wanted:
            source.settle()
            return
        shared = Source(source.settle, len(wanted))
        mode = Mode.REPLAY if order.action == "replay" else Mode.RESEND
        for pointer in wanted:
            self._append(order.key, partition, pointer, mode, shared)
        self._context.changed.set()

    def _append(self, key: str, partition: int, pointer: Pointer, mode: Mode, source: Source) -> None:
        # The family is read with the record; entries of one key are of one family.
        entry = Entry(
            key, pointer.event_id, pointer.hub_seq, "", EVENTS, partition, pointer.offset, 0, mode=mode,
            sources=[source],
        )  # fmt: skip
        lane = self._context.lanes.append(entry)
        if lane.place in (Place.PARKED, Place.HELD):
            self._context.dirty.add(lane)
