"""What follows from an attempt: the receipts and dead letters it leaves. Where the dossier goes, its delivery says.

Every function is called for a delivery in flight and puts exactly one settlement. `tried.answered`: so many of the
first entries stand at the portal although the call failed; they get their receipt, and the failure is about the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from hub.avro.free_text import masked
from hub.connect.portal import Answer, Item, Strategy
from hub.deadletter import record as dead_letter
from hub.deadletter.reasons import REASONS
from hub.delivery.backoff import delay
from hub.delivery.context import DeliveryContext
from hub.delivery.entries import Entry
from hub.delivery.parking import Wait
from hub.delivery.partition.dossier import DossierDelivery
from hub.delivery.settlement import Out, nothing
from hub.errors import BadRecord, Rejected, Retryable
from hub.events.canonical import State
from hub.events.families import BY_STATE_TOPIC
from hub.observe import metrics

CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True)
class Tried:
    """One call to the portal: which entries, as which items, and how long it took. `personal`: values to mask.
    `answered`: of the first entries, where the call failed later."""

    entries: Sequence[Entry]
    items: Sequence[Item] = ()
    seconds: float = 0.0
    personal: Sequence[str] = ()
    answered: int = 0

    @property
    def failed(self) -> Tried:
        """What is left of it when the answered ones are taken off."""
        n = self.answered
        return replace(self, entries=self.entries[n:], items=self.items[n:], answered=0) if n else self


def delivered(context: DeliveryContext, delivery: DossierDelivery, tried: Tried, answer: Answer) -> None:
    _measure(context, tried.entries)
    attempt = delivery.wait.attempt + 1
    receipt = context.receipts.delivered(tried.entries, attempt, tried.seconds, answer, tried.personal)
    context.outbox.put(delivery.delivered(len(tried.entries), [receipt]))


def covered(context: DeliveryContext, delivery: DossierDelivery, entries: Sequence[Entry]) -> None:
    """The portal holds them already, or something newer: nothing is sent, the receipt says so."""
    receipt = context.receipts.covered(entries, delivery.known.seq(delivery.key))
    context.outbox.put(delivery.delivered(len(entries), [receipt]))


def skipped(
    context: DeliveryContext,
    delivery: DossierDelivery,
    entries: Sequence[Entry],
    why: str,
    then: Callable[[], None] = nothing,
) -> None:
    """Given up, because the log no longer holds them."""
    context.outbox.put(delivery.skipped(len(entries), [context.receipts.skipped(entries, why)], then))


def retry(context: DeliveryContext, delivery: DossierDelivery, tried: Tried, error: Retryable) -> None:
    """Parked until its next try, or a dead letter (`exhausted`) when all tries are used up."""
    failed, limits = tried.failed, context.limits
    attempt = _tries(delivery, tried) + 1
    if attempt >= limits.max_attempts:
        detail = f"{attempt} tries, the last: {error.kind}: {error}"
        _dead(context, delivery, tried, "exhausted", detail, error.status)
        return
    now = time.time()
    not_before = now + delay(attempt, limits.retry_base_s, limits.retry_cap_s, error.retry_after)
    metrics.EVENTS_RETRIED.labels(f"deliver:{context.name}").inc(len(failed.entries))
    told = _answered(context, delivery, tried)
    told.append(
        context.receipts.retry(
            failed.entries,
            attempt,
            not_before,
            kind=error.kind,
            text=str(error),
            known=tried.personal,
            status=error.status,
            latency_s=tried.seconds,
        )
    )
    wait = Wait(attempt, not_before, error.retry_after is not None, error.kind)
    context.outbox.put(delivery.retry(wait, now, len(tried.entries), told, tried.answered))


def cut_off(context: DeliveryContext, delivery: DossierDelivery) -> None:
    """The role stops and the call has not ended: whether the portal took it is unknown. Parked, due again at once."""
    tried = Tried(delivery.head(context.max_fold), answered=delivery.answered)
    attempt = min(_tries(delivery, tried) + 1, context.limits.max_attempts - 1)  # a stop makes no dead letter
    now = time.time()
    told = _answered(context, delivery, tried)
    text = "the role stopped before the portal answered"
    told.append(context.receipts.retry(tried.failed.entries, attempt, now, kind=CUT_OFF, text=text))
    wait = Wait(attempt, now, False, CUT_OFF)
    context.outbox.put(delivery.retry(wait, now, len(tried.entries), told, tried.answered))


def refused(context: DeliveryContext, delivery: DossierDelivery, tried: Tried, error: Rejected, newest: State) -> None:
    """The portal will never take it. A refused fold is taken apart first: one of its events may be the culprit."""
    failed = tried.failed
    if len(failed.entries) > 1:
        text = f"{len(failed.entries)} events refused together, now one by one: {error}"
        told = _answered(context, delivery, tried)
        told.append(
            context.receipts.retry(
                failed.entries,
                _tries(delivery, tried) + 1,
                time.time(),
                kind=error.reason,
                text=text,
                known=tried.personal,
                status=error.status,
                latency_s=tried.seconds,
            )
        )
        context.outbox.put(delivery.taken_apart(len(tried.entries), newest, told, tried.answered))
        return
    reason = error.reason if error.reason in REASONS else "refused"
    _dead(context, delivery, tried, reason, str(error), error.status)


def unusable(context: DeliveryContext, delivery: DossierDelivery, entry: Entry, error: BadRecord) -> None:
    """It cannot be decoded; nothing was sent."""
    _dead(context, delivery, Tried([entry]), error.reason, error.detail, None)


def _tries(delivery: DossierDelivery, tried: Tried) -> int:
    """Failed tries before this one. Where it got further than before, they count anew."""
    return 0 if tried.answered else delivery.wait.attempt


def _answered(context: DeliveryContext, delivery: DossierDelivery, tried: Tried) -> list[Out]:
    """The receipt of those that the portal took before the call failed."""
    entries = tried.entries[: tried.answered]
    if not entries:
        return []
    _measure(context, entries)
    metrics.EVENTS_OUT.labels(f"deliver:{context.name}").inc(len(entries))
    answer = Answer(text=f"answered, before {len(tried.entries) - len(entries)} more of the same call failed")
    return [context.receipts.delivered(entries, delivery.wait.attempt + 1, tried.seconds, answer, ())]


def _measure(context: DeliveryContext, entries: Sequence[Entry]) -> None:
    now = time.time()
    for entry in entries:
        metrics.ACCEPTED_TO_DELIVERED_SECONDS.labels(context.name).observe(max(0.0, now - entry.since_ms / 1000))


def _dead(
    context: DeliveryContext, delivery: DossierDelivery, tried: Tried, reason: str, detail: str, status: int | None
) -> None:
    failed, detail = tried.failed, masked(detail, tried.personal)
    letters = [_letter(context, entry, item, reason, detail) for entry, item in _pairs(failed)]
    metrics.EVENTS_DEAD_LETTERED.labels("deliver", reason).inc(len(letters))
    attempt = _tries(delivery, tried) + 1
    receipt = context.receipts.dead_lettered(failed.entries, attempt, reason, detail, tried.personal, status)
    first = [*_answered(context, delivery, tried), *letters, receipt]
    if context.strategy is Strategy.STATE:
        settled = delivery.dead_lettered(len(tried.entries), first, tried.answered)
    else:
        settled = delivery.held(len(tried.entries), first, reason, tried.answered)
    context.outbox.put(settled)


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
