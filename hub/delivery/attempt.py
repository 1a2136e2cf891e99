"""One attempt for one dossier: read what is missing, leave out what the portal holds already, call, judge."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Sequence

from hub.avro.personal import personal_values
from hub.connect.portal import Item, Portal, Strategy
from hub.control.delivery_limits import ATTEMPT_CALLS
from hub.delivery import outcomes
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Entry, Mode, Raw
from hub.delivery.outcomes import Tried
from hub.delivery.partition.delivered import Delivered
from hub.delivery.partition.dossier import DossierDelivery
from hub.errors import BadRecord, Rejected, Retryable
from hub.events.canonical import state_of
from hub.kafka.topics import DELIVERIES
from hub.observe import metrics

log = logging.getLogger(__name__)

LINK_REASONS = frozenset({"forbidden", "gone"})
"""Refusals that tell of the connection and not of the event (a wrong key, a moved address). They are retried behind
the breaker, or one wrong secret would turn every event of the province into a dead letter."""

TOO_MANY = 429


class Hang(Retryable):
    """The whole attempt ran into its time limit; the connection must be made anew."""


class Fault(Retryable):
    """The connector itself failed on this event. It is tried again and at last a dead letter: one event never stops
    the province, and it tells nothing of the portal."""


async def attempt(context: DeliveryContext, portal: Portal, delivery: DossierDelivery) -> bool:
    """Puts one settlement for the delivery in flight. False: the portal's connection is not to be used again."""
    entries = await _loaded(context, delivery)
    if entries is None:
        context.breaker.undecided()
        return True
    items: list[Item] = []
    for entry in entries:
        assert entry.record is not None
        try:
            items.append(context.decoder.item(entry.record, delivery.newest))
        except BadRecord as error:
            if items:
                break  # those before it first
            context.breaker.undecided()
            outcomes.unusable(context, delivery, entry, error)
            return True
    return await _call(context, portal, delivery, entries[: len(items)], items)


async def _loaded(context: DeliveryContext, delivery: DossierDelivery) -> list[Entry] | None:
    """The entries to send now; None if there is nothing to send and what follows is settled."""
    entries = delivery.head(context.max_fold)
    await _read_again(context, entries)
    if entries[0].record is None:
        outcomes.skipped(context, delivery, entries[:1], "the log no longer holds this event")
        return None
    entries = _until(entries, [entry.record is None for entry in entries])
    await _remember(context, delivery, entries)
    known = [_stands_there(context, delivery, entry) for entry in entries]
    if known[0]:
        outcomes.covered(context, delivery, _until(entries, [not one for one in known]))
        return None
    return entries


async def _read_again(context: DeliveryContext, entries: Sequence[Entry]) -> None:
    wanted: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if entry.record is None:
            wanted.setdefault((entry.topic, entry.partition), []).append(entry)
    for (topic, partition), missing in wanted.items():
        found = await context.reader.pick(topic, partition, [entry.offset for entry in missing])
        for entry in missing:
            raw = found.get(entry.offset)
            if raw is not None and _is(context, raw, entry):
                entry.loaded(raw)


def _is(context: DeliveryContext, raw: Raw, entry: Entry) -> bool:
    """An order may name a wrong offset; it must not make us send another dossier's event."""
    try:
        return context.decoder.item(raw).envelope.id == entry.event_id
    except BadRecord:
        return False


async def _remember(context: DeliveryContext, delivery: DossierDelivery, entries: Sequence[Entry]) -> None:
    """Before something old is sent again: take in all receipts since it was written, or an older state could go over
    a newer one that was delivered before this process started."""
    old = [entry.record for entry in entries if entry.mode is not Mode.NEW and entry.record is not None]
    if not old or context.strategy is not Strategy.STATE:
        return
    partition = old[0].partition
    start = await context.reader.offset_at(DELIVERIES, partition, min(raw.timestamp_ms for raw in old))
    known = delivery.known
    if start < known.since:
        await take_in_receipts(context, known, partition, start, known.since)
        known.read_back_to(start)


async def take_in_receipts(context: DeliveryContext, known: Delivered, partition: int, start: int, end: int) -> None:
    """What hub.deliveries says is delivered to this subscriber, between two offsets of a partition."""
    async for raw in context.reader.scan(DELIVERIES, partition, start, end):
        try:
            receipt = context.decoder.receipt(raw.value)
        except BadRecord as error:
            log.warning("hub.deliveries partition %d offset %d is unreadable: %s", partition, raw.offset, error)
            continue
        if receipt.subscriber == context.name and receipt.outcome == "DELIVERED" and receipt.hub_seqs:
            known.add(receipt.key, receipt.hub_seqs, receipt.event_ids)


def _stands_there(context: DeliveryContext, delivery: DossierDelivery, entry: Entry) -> bool:
    if context.strategy is Strategy.STATE or entry.mode is Mode.NEW:
        return entry.hub_seq <= delivery.known.seq(entry.key)
    return entry.mode is Mode.RESEND and delivery.known.has(entry.event_id)


def _until(entries: list[Entry], stops: Sequence[bool]) -> list[Entry]:
    return entries[: stops.index(True)] if True in stops else entries


async def _call(
    context: DeliveryContext, portal: Portal, delivery: DossierDelivery, entries: list[Entry], items: list[Item]
) -> bool:
    limit = context.limits.request_timeout_s * ATTEMPT_CALLS
    began = time.monotonic()
    healthy = True
    try:
        try:
            with metrics.DELIVERY_CALLS.labels(context.name).track_inprogress():
                async with asyncio.timeout(limit):
                    answer = await portal.deliver(items)
        except asyncio.CancelledError:
            delivery.lose_sight(_answered(portal, entries))
            raise
        except TimeoutError:
            raise Hang("hang", f"no end of the attempt within {limit:.0f} s") from None
        except Rejected as error:
            if error.reason in LINK_REASONS:
                raise Retryable(error.reason, str(error), status=error.status) from error
            raise
        except Retryable:
            raise
        except Exception as error:
            raise _fault(context, error) from error
    except Retryable as error:
        tried = _tried(context, entries, items, began, "retry", _answered(portal, entries))
        _failed(context, error)
        outcomes.retry(context, delivery, tried, error)
        healthy = not isinstance(error, Hang | Fault)
    except Rejected as error:
        tried = _tried(context, entries, items, began, "rejected", _answered(portal, entries))
        context.breaker.success()  # it answered: the way is open
        context.link.succeeded()
        outcomes.refused(context, delivery, tried, error, state_of(items[-1].envelope.type, items[-1].data))
    else:
        tried = _tried(context, entries, items, began, "delivered")
        context.breaker.success()
        context.link.succeeded()
        metrics.EVENTS_OUT.labels(f"deliver:{context.name}").inc(len(entries))
        outcomes.delivered(context, delivery, tried, answer)
    return healthy


def _failed(context: DeliveryContext, error: Retryable) -> None:
    if isinstance(error, Fault):
        context.breaker.undecided()
        return
    context.breaker.failure()
    if error.status == TOO_MANY and error.retry_after:
        context.breaker.rest(min(error.retry_after, context.limits.retry_cap_s))
    context.link.failed(error.kind)


def _fault(context: DeliveryContext, error: Exception) -> Fault:
    """Named by type and place only: its message may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
    log.error("the connector %s raised %s at %s", context.subscriber.kind, type(error).__name__, place)
    return Fault("fault", f"{type(error).__name__} in the connector at {place}")


def _answered(portal: Portal, entries: Sequence[Entry]) -> int:
    """How many of them the portal has although its call failed; never all, for the failure is about the last ones."""
    return min(portal.answered, len(entries) - 1)


def _tried(
    context: DeliveryContext, entries: list[Entry], items: list[Item], began: float, outcome: str, answered: int = 0
) -> Tried:
    seconds = time.monotonic() - began
    metrics.DELIVERY_SECONDS.labels(context.name, outcome).observe(seconds)
    personal = [value for item in items for value in personal_values(item.data)]
    return Tried(entries, items, seconds, personal, answered)
