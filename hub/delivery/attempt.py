"""One attempt for one dossier: read what is missing, leave out what the portal holds already, call, judge."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Sequence

from hub.delivery import outcomes
from hub.delivery.desk import Desk
from hub.delivery.entries import Entry, Mode, Raw
from hub.delivery.filters import STATE_FIELD
from hub.delivery.lanes import Lane
from hub.delivery.limits import ATTEMPT_CALLS
from hub.delivery.mask import personal_values
from hub.delivery.outcomes import Tried
from hub.delivery.portal import Item, Portal, Strategy
from hub.errors import BadRecord, Rejected, Retryable
from hub.observe import metrics
from hub.wire.envelope import CANONICAL_RECORDS
from hub.wire.topics import DELIVERIES

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


async def attempt(desk: Desk, portal: Portal, lane: Lane) -> bool:
    """Puts one settlement for the busy lane. False: the portal's connection is not to be used again."""
    entries = await _loaded(desk, lane)
    if entries is None:
        desk.breaker.undecided()
        return True
    items: list[Item] = []
    for entry in entries:
        assert entry.record is not None
        try:
            items.append(desk.decoder.item(entry.record, lane.newest))
        except BadRecord as error:
            if items:
                break  # those before it first
            desk.breaker.undecided()
            outcomes.unusable(desk, lane, entry, error)
            return True
    return await _call(desk, portal, lane, entries[: len(items)], items)


async def _loaded(desk: Desk, lane: Lane) -> list[Entry] | None:
    """The entries to send now; None if there is nothing to send and the lane's next step is settled."""
    entries = lane.head(desk.max_fold)
    await _read_again(desk, entries)
    if entries[0].record is None:
        outcomes.skipped(desk, lane, entries[:1], "the log no longer holds this event")
        return None
    entries = _until(entries, [entry.record is None for entry in entries])
    await _remember(desk, entries)
    known = [_stands_there(desk, entry) for entry in entries]
    if known[0]:
        outcomes.covered(desk, lane, _until(entries, [not one for one in known]))
        return None
    return entries


async def _read_again(desk: Desk, entries: Sequence[Entry]) -> None:
    wanted: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if entry.record is None:
            wanted.setdefault((entry.topic, entry.partition), []).append(entry)
    for (topic, partition), missing in wanted.items():
        found = await desk.reader.pick(topic, partition, [entry.offset for entry in missing])
        for entry in missing:
            raw = found.get(entry.offset)
            if raw is not None and _is(desk, raw, entry):
                entry.record = raw
                entry.since_ms = entry.since_ms or raw.timestamp_ms


def _is(desk: Desk, raw: Raw, entry: Entry) -> bool:
    """An order may name a wrong offset; it must not make us send another dossier's event."""
    try:
        return desk.decoder.item(raw).envelope.id == entry.event_id
    except BadRecord:
        return False


async def _remember(desk: Desk, entries: Sequence[Entry]) -> None:
    """Before something old is sent again: take in all receipts since it was written, or an older state could go over
    a newer one that was delivered before this process started."""
    old = [entry.record for entry in entries if entry.mode is not Mode.NEW and entry.record is not None]
    if not old or desk.strategy is not Strategy.STATE:
        return
    partition = old[0].partition
    start = await desk.reader.offset_at(DELIVERIES, partition, min(raw.timestamp_ms for raw in old))
    known = desk.delivered.known_since.get(partition, 0)
    if start < known:
        await take_in_receipts(desk, partition, start, known)
        desk.delivered.known_since[partition] = start


async def take_in_receipts(desk: Desk, partition: int, start: int, end: int) -> None:
    """What hub.deliveries says is delivered to this subscriber, between two offsets of a partition."""
    async for raw in desk.reader.scan(DELIVERIES, partition, start, end):
        try:
            receipt = desk.decoder.receipt(raw.value)
        except BadRecord as error:
            log.warning("hub.deliveries partition %d offset %d is unreadable: %s", partition, raw.offset, error)
            continue
        if receipt["subscriber"] == desk.name and receipt["outcome"] == "DELIVERED" and receipt["hub_seqs"]:
            desk.delivered.add(receipt["key"], receipt["hub_seqs"], receipt["event_ids"])


def _stands_there(desk: Desk, entry: Entry) -> bool:
    if desk.strategy is Strategy.STATE or entry.mode is Mode.NEW:
        return entry.hub_seq <= desk.delivered.seq(entry.key)
    return entry.mode is Mode.RESEND and desk.delivered.has(entry.event_id)


def _until(entries: list[Entry], stops: Sequence[bool]) -> list[Entry]:
    return entries[: stops.index(True)] if True in stops else entries


async def _call(desk: Desk, portal: Portal, lane: Lane, entries: list[Entry], items: list[Item]) -> bool:
    limit = desk.limits.request_timeout_s * ATTEMPT_CALLS
    began = time.monotonic()
    healthy = True
    try:
        try:
            with metrics.DELIVERY_CALLS.labels(desk.name).track_inprogress():
                async with asyncio.timeout(limit):
                    answer = await portal.deliver(items)
        except TimeoutError:
            raise Hang("hang", f"no end of the attempt within {limit:.0f} s") from None
        except Rejected as error:
            if error.reason in LINK_REASONS:
                raise Retryable(error.reason, str(error), status=error.status) from error
            raise
        except Retryable:
            raise
        except Exception as error:
            raise _fault(desk, error) from error
    except Retryable as error:
        tried = _tried(desk, entries, items, began, "retry")
        _failed(desk, error)
        outcomes.retry(desk, lane, tried, error)
        healthy = not isinstance(error, Hang | Fault)
    except Rejected as error:
        tried = _tried(desk, entries, items, began, "rejected")
        desk.breaker.success()  # it answered: the way is open
        desk.link.succeeded()
        outcomes.refused(desk, lane, tried, error, items[-1].data[STATE_FIELD[items[-1].family]])
    else:
        tried = _tried(desk, entries, items, began, "delivered")
        desk.breaker.success()
        desk.link.succeeded()
        metrics.EVENTS_OUT.labels(f"deliver:{desk.name}").inc(len(entries))
        outcomes.delivered(desk, lane, tried, answer)
    return healthy


def _failed(desk: Desk, error: Retryable) -> None:
    if isinstance(error, Fault):
        desk.breaker.undecided()
        return
    desk.breaker.failure()
    if error.status == TOO_MANY and error.retry_after:
        desk.breaker.rest(min(error.retry_after, desk.limits.retry_cap_s))
    desk.link.failed(error.kind)


def _fault(desk: Desk, error: Exception) -> Fault:
    """Named by type and place only: its message may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
    log.error("the connector %s raised %s at %s", desk.subscriber.kind, type(error).__name__, place)
    return Fault("fault", f"{type(error).__name__} in the connector at {place}")


def _tried(desk: Desk, entries: list[Entry], items: list[Item], began: float, outcome: str) -> Tried:
    seconds = time.monotonic() - began
    metrics.DELIVERY_SECONDS.labels(desk.name, outcome).observe(seconds)
    personal = [v for item in items for v in personal_values(CANONICAL_RECORDS[item.envelope.type], item.data)]
    return Tried(entries, items, seconds, personal)
