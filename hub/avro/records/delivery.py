"""Records of the family delivery. Made by `make records` from schemas/; not edited by hand."""

from __future__ import annotations

from hub.avro.record import Int, Long, Record
from hub.avro.records.enums import DeliveryOutcome


class Delivery(Record, frozen=True, gc=False):
    """One delivery attempt and its outcome: the value in hub.deliveries, key = dossier code."""

    # name of the subscriber
    subscriber: str
    # dossier, procedure or service code
    key: str
    # DELIVERED is the receipt
    outcome: DeliveryOutcome
    # ids of all events covered by this attempt (folding)
    event_ids: tuple[str, ...]
    # their hub_seq, same order
    hub_seqs: tuple[Long, ...]
    # 1 for the first
    attempt: Int
    # when the attempt ended
    at: Long
    # of the whole attempt, all calls
    latency_ms: Int = 0
    # of the last call
    http_status: Int | None = None
    # timeout, connect, http_5xx, busy, session, schema …
    error_kind: str | None = None
    # first 1 kB of the last answer, personal data masked
    answer: str | None = None
    # with RETRY_SCHEDULED: when it will be tried again
    not_before: Long | None = None
