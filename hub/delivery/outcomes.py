"""What follows from an attempt: the records it leaves, and where its lane goes once the broker has confirmed them.

Every function is called for a busy lane and puts exactly one settlement; the lane stays busy until that is confirmed,
so a dossier's next call never starts before the receipt of the last one is safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hub.avro.free_text import masked
from hub.connect.portal import Answer, Item, Strategy
from hub.deadletter import record as dead_letter
from hub.deadletter.reasons import REASONS
from hub.delivery import parking
from hub.delivery.backoff import delay
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Entry
from hub.delivery.lanes import Lane, Place
from hub.delivery.outbox import Out, Settlement
from hub.errors import BadRecord, Rejected, Retryable
from hub.events.canonical import State
from hub.events.families import BY_STATE_TOPIC
from hub.observe import metrics

KEEP_S = 30.0
"""Bytes of an event that waits longer than this are dropped and read again when its time comes."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One call to the portal: which entries, as which items, and how long it took. `personal`: values to mask."""

    entries: Sequence[Entry]
    items: Sequence[Item] = ()
    seconds: float = 0.0
    personal: Sequence[str] = ()


def delivered(context: DeliveryContext, lane: Lane, tried: Tried, answer: Answer) -> None:
    now = time.time()
    for entry in tried.entries:
        metrics.ACCEPTED_TO_DELIVERED_SECONDS.labels(context.name).observe(max(0.0, now - entry.since_ms / 1000))
    receipt = context.receipts.delivered(tried.entries, lane.attempt + 1, tried.seconds, answer, tried.personal)
    _over(context, lane, tried.entries, [receipt], known=True)


def covered(context: DeliveryContext, lane: Lane, entries: Sequence[Entry]) -> None:
    """The portal holds them already, or something newer: nothing is sent, the receipt says so."""
    receipt = context.receipts.covered(entries, context.delivered.seq(lane.key))
    _over(context, lane, entries, [receipt], known=True)


def skipped(
    context: DeliveryContext, lane: Lane, entries: Sequence[Entry], why: str, then: Callable[[], None] = lambda: None
) -> None:
    """Given up, by an operator's order or because the log no longer holds them."""
    _over(context, lane, entries, [context.receipts.skipped(entries, why)], then=then)


def retry(context: DeliveryContext, lane: Lane, tried: Tried, error: Retryable) -> None:
    """Parked until its next try, or a dead letter (`exhausted`) when all tries are used up."""
    if lane.attempt + 1 >= context.limits.max_attempts:
        detail = f"{lane.attempt + 1} tries, the last: {error.kind}: {error}"
        _dead(context, lane, tried, "exhausted", detail, error.status)
        return
    lane.attempt += 1
    wait = delay(lane.attempt, context.limits.retry_base_s, context.limits.retry_cap_s, error.retry_after)
    lane.not_before, lane.error, lane.patient = time.time() + wait, error.kind, error.retry_after is not None
    metrics.EVENTS_RETRIED.labels(f"deliver:{context.name}").inc(len(tried.entries))
    receipt = context.receipts.retry(
        tried.entries,
        lane.attempt,
        lane.not_before,
        kind=error.kind,
        text=str(error),
        known=tried.personal,
        status=error.status,
        latency_s=tried.seconds,
    )
    _wait(context, lane, [receipt], Place.PARKED, told=len(tried.entries))


def cut_off(context: DeliveryContext, lane: Lane) -> None:
    """The role stops and the call has not ended: whether the portal took it is unknown. Parked, due again at once."""
    entries = lane.head(context.max_fold)
    lane.attempt = min(lane.attempt + 1, context.limits.max_attempts - 1)  # a stop makes no dead letter
    lane.not_before, lane.error, lane.patient = time.time(), "cut_off", False
    text = "the role stopped before the portal answered"
    receipt = context.receipts.retry(entries, lane.attempt, lane.not_before, kind=lane.error, text=text)
    _wait(context, lane, [receipt], Place.PARKED, told=len(entries))


def refused(context: DeliveryContext, lane: Lane, tried: Tried, error: Rejected, newest: State) -> None:
    """The portal will never take it. A refused fold is taken apart first: one of its events may be the culprit."""
    if len(tried.entries) > 1:
        lane.alone, lane.newest = len(tried.entries), newest
        text = f"{len(tried.entries)} events refused together, now one by one: {error}"
        receipt = context.receipts.retry(
            tried.entries,
            lane.attempt + 1,
            time.time(),
            kind=error.reason,
            text=text,
            known=tried.personal,
            status=error.status,
            latency_s=tried.seconds,
        )
        context.outbox.put(Settlement([receipt], done=lambda: _release(context, lane)))
        return
    reason = error.reason if error.reason in REASONS else "refused"
    _dead(context, lane, tried, reason, str(error), error.status)


def unusable(context: DeliveryContext, lane: Lane, entry: Entry, error: BadRecord) -> None:
    """It cannot be decoded; nothing was sent."""
    _dead(context, lane, Tried([entry]), error.reason, error.detail, None)


def stow(context: DeliveryContext, lane: Lane) -> None:
    """Events were appended to a parked or held lane: its parking record names them too."""
    new = [entry for entry in lane.queue if entry.sources]
    if not new:
        return
    told = parking.record(context.name, lane, list(lane.queue), lane.place)
    context.outbox.put(Settlement([_waits(context, lane, new, lane.place)], [told], lambda: _stored(lane, new)))


def _release(context: DeliveryContext, lane: Lane) -> None:
    context.lanes.release(lane)
    context.changed.set()


def _over(
    context: DeliveryContext,
    lane: Lane,
    entries: Sequence[Entry],
    first: list[Out],
    known: bool = False,
    then: Callable[[], None] = lambda: None,
) -> None:
    """These first entries are done with; what stands behind them is next. `known`: they stand at the portal."""
    rest = list(lane.queue)[len(entries) :]
    after: list[Out] = []
    if lane.stored:
        lane.attempt, lane.not_before, lane.patient, lane.error = 0, 0.0, False, ""
        after = [parking.record(context.name, lane, rest, Place.PARKED)]

    def done() -> None:
        if known:
            context.delivered.add(lane.key, [e.hub_seq for e in entries], [e.event_id for e in entries])
        for entry in (*entries, *(rest if lane.stored else ())):
            entry.settle()
        lane.stored = lane.stored and bool(rest)
        context.lanes.advance(lane, len(entries))
        context.changed.set()
        then()

    context.outbox.put(Settlement(first, after, done))


def _dead(context: DeliveryContext, lane: Lane, tried: Tried, reason: str, detail: str, status: int | None) -> None:
    detail = masked(detail, tried.personal)
    letters = [_letter(context, entry, item, reason, detail) for entry, item in _pairs(tried)]
    metrics.EVENTS_DEAD_LETTERED.labels("deliver", reason).inc(len(letters))
    receipt = context.receipts.dead_lettered(tried.entries, lane.attempt + 1, reason, detail, tried.personal, status)
    if context.strategy is Strategy.STATE:
        _over(context, lane, tried.entries, [*letters, receipt])  # the next full state covers it
        return
    lane.attempt, lane.error = 0, reason
    _wait(context, lane, [*letters, receipt], Place.HELD, told=len(tried.entries))


def _pairs(tried: Tried) -> Iterable[tuple[Entry, Item | None]]:
    items: Sequence[Item | None] = tried.items or [None] * len(tried.entries)
    return zip(tried.entries, items, strict=True)


def _letter(context: DeliveryContext, entry: Entry, item: Item | None, reason: str, detail: str) -> Out:
    """The event as it stands in the log; of a snapshot, which stands nowhere, what was made of the state."""
    raw = entry.record
    assert raw is not None
    made = item is not None and raw.topic in BY_STATE_TOPIC
    return dead_letter.build(
        stage="deliver",
        error=BadRecord(reason, detail),
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=item.value if made and item else raw.value,
        headers=item.envelope.headers() if made and item else raw.headers,
        subscriber=context.name,
    )


def _wait(context: DeliveryContext, lane: Lane, first: list[Out], place: Place, told: int) -> None:
    """The lane is parked or held; its record names all that is in it now, of which receipts told the first `told`."""
    whole = list(lane.queue)
    behind = [entry for entry in whole[told:] if entry.sources]
    if behind:
        first = [*first, _waits(context, lane, behind, place)]

    def done() -> None:
        _stored(lane, whole)
        if place is Place.HELD:
            context.lanes.hold(lane)
        else:
            context.lanes.park(lane)
        if any(entry.sources for entry in lane.queue):
            context.dirty.add(lane)
        context.changed.set()

    context.outbox.put(Settlement(first, [parking.record(context.name, lane, whole, place)], done))


def _waits(context: DeliveryContext, lane: Lane, entries: Sequence[Entry], place: Place) -> Out:
    if place is Place.HELD:
        return context.receipts.held(entries)
    return context.receipts.retry(entries, 0, lane.not_before, kind="behind")


def _stored(lane: Lane, entries: Sequence[Entry]) -> None:
    lane.stored = True
    far = lane.place is Place.HELD or lane.not_before - time.time() > KEEP_S
    for entry in entries:
        entry.settle()
        if far:
            entry.record = None
