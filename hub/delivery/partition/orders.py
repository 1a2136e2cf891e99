"""What `hub.requests` asks for, through the dossier's own delivery: re-send, replay, skip."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hub.control.requests import Pointer, Request
from hub.delivery.entries import Entry, Mode, Source
from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.partition.offsets import PartitionOffsets
from hub.delivery.partition.states import State
from hub.delivery.receipts import Receipts
from hub.delivery.settlement import Settlement
from hub.kafka.topics import EVENTS

log = logging.getLogger(__name__)

QUIET = frozenset({State.WAITING, State.PARKED, State.HELD})
"""Nothing of such a delivery is under way."""


class Orders:
    """An order that finds its delivery under way is tried again after the next read, its offset unfinished until then.

    find: the delivery of a dossier. append: puts an entry at the end of its dossier's delivery.
    """

    def __init__(
        self,
        partition: int,
        receipts: Receipts,
        offsets: PartitionOffsets,
        find: Callable[[str], DossierDelivery | None],
        append: Callable[[Entry], None],
    ) -> None:
        self._partition = partition
        self._receipts = receipts
        self._offsets = offsets
        self._find = find
        self._append = append
        self._later: list[tuple[Request, Source]] = []

    def take(self, order: Request, source: Source) -> list[Settlement]:
        """What is to be written."""
        self._later.append((order, source))
        return self.retry()

    def retry(self) -> list[Settlement]:
        """Those that found their delivery under way, in their order."""
        waiting, self._later = self._later, []
        out: list[Settlement] = []
        for order, source in waiting:
            if not self._carry_out(order, source, out):
                self._later.append((order, source))
        return out

    def _carry_out(self, order: Request, source: Source, out: list[Settlement]) -> bool:
        delivery = self._find(order.key)
        named = {pointer.event_id for pointer in order.pointers}
        if order.action != "resend" and delivery is not None and (not named or delivery.entries[0].event_id in named):
            if delivery.state not in QUIET:
                return False
            if delivery.state is State.HELD:
                self._on_held(order, delivery, source, out)
                return True
        if order.action == "skip":
            log.info("order %s: nothing of %s is held, nothing to skip", order.id, order.subscriber)
            source.settle()
        else:
            self._again(order, delivery, source)
        return True

    def _on_held(self, order: Request, delivery: DossierDelivery, source: Source, out: list[Settlement]) -> None:
        """The delivery waits behind a dead letter, and the order is about that one."""
        if order.action == "replay":
            delivery.replay(source)
            return
        receipt = self._receipts.skipped([delivery.entries[0]], f"skipped by {order.who}: {order.why}")
        out.append(delivery.skipped(1, [receipt], then=source.settle))

    def _again(self, order: Request, delivery: DossierDelivery | None, source: Source) -> None:
        """Each named event at the end of its delivery, unless it waits there already or is yet to be read."""
        ahead = self._offsets.position(EVENTS)
        wanted = [
            pointer
            for pointer in sorted(order.pointers, key=lambda one: one.hub_seq)
            if pointer.offset < ahead and (delivery is None or delivery.holds(pointer.event_id) is None)
        ]
        if not wanted:
            source.settle()
            return
        shared = Source(source.settle, len(wanted))
        mode = Mode.REPLAY if order.action == "replay" else Mode.RESEND
        for pointer in wanted:
            self._append(self._entry(order.key, pointer, mode, shared))

    def _entry(self, key: str, pointer: Pointer, mode: Mode, source: Source) -> Entry:
        # The family is read with the record; entries of one key are of one family.
        return Entry(
            key, pointer.event_id, pointer.hub_seq, "", EVENTS, self._partition, pointer.offset, 0, mode=mode,
            sources=[source],
        )  # fmt: skip
