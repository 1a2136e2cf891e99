"""The records in hub.deliveries: each attempt and decision, with every event it covers (`vn.hub.Delivery`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from hub.avro.bodies import DELIVERY
from hub.avro.codec import Codec
from hub.avro.free_text import masked
from hub.avro.records import Delivery, DeliveryOutcome
from hub.connect.portal import Answer
from hub.delivery.entries import Entry
from hub.delivery.settlement import Out
from hub.kafka.topics import DELIVERIES


class Receipts:
    """Makes the records of one subscriber; the outbox writes them. `clock` gives epoch seconds."""

    def __init__(self, subscriber: str, codec: Codec, clock: Callable[[], float] = lambda: time.time()) -> None:
        self._subscriber = subscriber
        self._clock = clock
        self._codec = codec

    def delivered(
        self, entries: Sequence[Entry], attempt: int, latency_s: float, answer: Answer, known: Iterable[str]
    ) -> Out:
        """`known`: personal values of the events, to be masked in the answer."""
        return self._record(
            "DELIVERED",
            entries,
            attempt,
            latency_s=latency_s,
            http_status=answer.status,
            answer=masked(answer.text, known) or None,
        )

    def covered(self, entries: Sequence[Entry], by: int) -> Out:
        """Not sent again: the portal already holds what `hub_seq` = `by` left there."""
        return self._record("DELIVERED", entries, 0, answer=f"covered by the delivery of hub_seq {by}")

    def retry(
        self,
        entries: Sequence[Entry],
        attempt: int,
        not_before: float,
        *,
        kind: str,
        text: str = "",
        known: Iterable[str] = (),
        status: int | None = None,
        latency_s: float = 0.0,
    ) -> Out:
        """A failed try, or events that wait behind one (then `kind` is `behind`)."""
        return self._record(
            "RETRY_SCHEDULED",
            entries,
            attempt,
            latency_s=latency_s,
            http_status=status,
            error_kind=kind,
            answer=masked(text, known) or None,
            not_before=round(not_before * 1000),
        )

    def dead_lettered(
        self, entries: Sequence[Entry], attempt: int, reason: str, text: str, known: Iterable[str], status: int | None
    ) -> Out:
        return self._record(
            "DEAD_LETTERED",
            entries,
            attempt,
            http_status=status,
            error_kind=reason,
            answer=masked(text, known) or None,
        )

    def held(self, entries: Sequence[Entry]) -> Out:
        """They wait behind a dead letter until an operator acts."""
        return self._record("HELD", entries, 0)

    def skipped(self, entries: Sequence[Entry], why: str) -> Out:
        """Given up: by an operator, or because the log no longer holds them."""
        return self._record("SKIPPED", entries, 0, answer=why)

    def _record(
        self,
        outcome: DeliveryOutcome,
        entries: Sequence[Entry],
        attempt: int,
        *,
        latency_s: float = 0.0,
        http_status: int | None = None,
        error_kind: str | None = None,
        answer: str | None = None,
        not_before: int | None = None,
    ) -> Out:
        record = Delivery(
            subscriber=self._subscriber,
            key=entries[0].key,
            outcome=outcome,
            event_ids=tuple(entry.event_id for entry in entries),
            hub_seqs=tuple(entry.hub_seq for entry in entries),
            attempt=attempt,
            at=round(self._clock() * 1000),
            latency_ms=round(latency_s * 1000),
            http_status=http_status,
            error_kind=error_kind,
            answer=answer,
            not_before=not_before,
        )
        return DELIVERIES, record.key.encode(), self._codec.write(DELIVERY, record), ()
