"""The streaming reconciliation: accepted, due, no receipt within its time -> MISSING, healed by a re-send, closed by
the receipt.

`step` follows hub.events and hub.deliveries, `tick` is the clock. Which keys have anything open is kept in an index
beside the state, so that a tick looks at those alone; it is a hint, made anew from the state's headers now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.avro.bodies import DELIVERY
from hub.avro.codec import Codec
from hub.config import ReconcileSettings
from hub.control.records import Subscriber
from hub.control.requests import Pointer, Request
from hub.deadletter import record as deadletter
from hub.errors import BadRecord
from hub.events import discrepancy
from hub.events import envelope as ce
from hub.events.canonical import EVENT_BODIES, CanonicalRecord
from hub.events.discrepancy import Discrepancy
from hub.events.envelope import derived_id
from hub.kafka import topics
from hub.observe import metrics
from hub.reconcile import expectation as ex
from hub.reconcile.expectation import Entry, Expectation
from hub.stream.stage import Out, Outputs, Record, StateView, Stored

ROLE = "reconcile"
RESCAN_S = 60.0
# Header on a state record that has something open or a discrepancy: found again without reading the value.
OPEN = "open"

# subscriber, envelope, event -> is it due
Due = Callable[[Subscriber, ce.Envelope, CanonicalRecord], bool]


@dataclass
class _Partition:
    """What this process remembers of one partition beside its state."""

    owned_since: float
    scanned_at: float = 0.0
    keys: set[bytes] = field(default_factory=set)


class Watch:
    """`subscribers` gives those of hub.control as they stand now; `due` is the delivery rooms' own rule."""

    def __init__(
        self,
        codec: Codec,
        settings: ReconcileSettings,
        subscribers: Callable[[], Mapping[str, Subscriber]],
        due: Due,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._codec, self._settings, self._subscribers, self._due = codec, settings, subscribers, due
        self._clock = clock
        self._partitions: dict[int, _Partition] = {}
        # (partition, subscriber, kind) -> open discrepancies at the last tick
        self._opened: dict[tuple[int, str, str], int] = {}

    # --- the stream ------------------------------------------------------------------------------------------------

    def step(self, records: Sequence[Record], state: StateView) -> Outputs:
        """One chunk of hub.events or hub.deliveries."""
        out, changed, now = Outputs(), dict[bytes, Expectation](), self._clock()
        for record in records:
            try:
                if record.topic == topics.EVENTS:
                    self._event(record, state, changed, now)
                else:
                    self._delivery(record, state, changed, out, now)
            except BadRecord as error:
                out.records.append(_dead_letter(record, error))
        metrics.EVENTS_IN.labels(ROLE).inc(len(records))
        for key, found in changed.items():
            self._store(records[0].partition, key, found, out)
        return out

    def _event(self, record: Record, state: StateView, changed: dict[bytes, Expectation], now: float) -> None:
        head = ce.read_headers(record.headers)
        if record.key is None or head.type not in EVENT_BODIES:
            raise BadRecord("envelope", f"type {head.type!r} is no canonical event", "type")
        event = self._codec.read(EVENT_BODIES[head.type], record.value)
        accepted = head.recordedtime
        found = _load(record.key, state, changed)
        for name, subscriber in self._subscribers().items():
            # What was accepted before the subscriber came is its backfill's business.
            due = accepted >= ce.rfc3339(subscriber.created_at) and self._due(subscriber, head, event)
            if name not in found and not due:
                continue
            entry = found.setdefault(name, Entry())
            if ex.expect(entry, head.hub_seq, record.offset, head.id, now, due):
                changed[record.key] = found

    def _delivery(
        self, record: Record, state: StateView, changed: dict[bytes, Expectation], out: Outputs, now: float
    ) -> None:
        told = self._codec.read(DELIVERY, record.value)
        name, key = told.subscriber, told.key.encode()
        if name not in self._subscribers():
            return
        found = _load(key, state, changed)
        entry = found.setdefault(name, Entry())
        if told.outcome in ex.SETTLED:
            ex.settle(entry, told.hub_seqs)
            if entry.kind and not entry.open:
                out.records.append(_closed(record.partition, key, name, entry, now))
                metrics.DISCREPANCIES_HEALED.labels(name, entry.kind).inc()
                ex.close(entry)
        elif told.outcome == "HELD":
            ex.postpone(entry, now + ex.HELD_S)
        elif told.outcome in ex.WAITING:
            ex.postpone(entry, (told.not_before or 0) / 1000)
        changed[key] = found

    # --- the clock -------------------------------------------------------------------------------------------------

    def tick(self, partition: int, state: StateView, now: float) -> Outputs:
        """Opens and heals what has waited too long; at most `max_heals_per_tick` re-sends."""
        own = self._own(partition, state, now)
        out, heals = Outputs(), 0
        subscribers = self._subscribers()
        opened: dict[tuple[str, str], int] = {}
        for key in list(own.keys):
            stored = state.get(topics.EXPECTATIONS, key)
            if stored is None:
                own.keys.discard(key)
                continue
            found = ex.loads(stored.value)
            gone = [name for name in found if name not in subscribers]
            dirty = bool(gone)
            for name in gone:
                if found[name].kind:
                    out.records.append(_closed(partition, key, name, found[name], now))
                del found[name]
            for name, entry in found.items():
                if heals < self._settings.max_heals_per_tick and self._missing(subscribers[name], entry, own, now):
                    out.records += _heal(partition, key, name, entry, now)
                    dirty, heals = True, heals + 1
                if entry.kind:
                    opened[name, entry.kind] = opened.get((name, entry.kind), 0) + 1
            if dirty:
                self._store(partition, key, found, out)
        self._measure(partition, opened)
        return out

    def _own(self, partition: int, state: StateView, now: float) -> _Partition:
        own = self._partitions.get(partition)
        if own is None:
            own = self._partitions[partition] = _Partition(owned_since=now)
        if now - own.scanned_at > RESCAN_S:
            own.scanned_at = now
            for key in state.keys(topics.EXPECTATIONS):
                stored = state.get(topics.EXPECTATIONS, key)
                if stored is not None and any(name == OPEN for name, _ in stored.headers):
                    own.keys.add(key)
        return own

    def _missing(self, subscriber: Subscriber, entry: Entry, own: _Partition, now: float) -> bool:
        """Not within the first while of owning the partition: its receipts may stand unread in hub.deliveries."""
        after = self._settings.missing_after_s
        at = ex.deadline(entry, after)
        return at is not None and not subscriber.paused and now >= max(at, own.owned_since + after)

    def _store(self, partition: int, key: bytes, found: Expectation, out: Outputs) -> None:
        is_open = any(entry.open or entry.kind for entry in found.values())
        headers = ((OPEN, b"1"),) if is_open else ()
        out.state[topics.EXPECTATIONS, key] = Stored(ex.dumps(found), headers) if found else None
        own = self._partitions.setdefault(partition, _Partition(owned_since=self._clock()))
        if is_open:
            own.keys.add(key)
        else:
            own.keys.discard(key)

    def _measure(self, partition: int, opened: dict[tuple[str, str], int]) -> None:
        self._opened = {k: v for k, v in self._opened.items() if k[0] != partition}
        self._opened |= {(partition, *labels): count for labels, count in opened.items()}
        totals = {(name, "MISSING"): 0 for name in self._subscribers()}
        for (_, name, kind), count in self._opened.items():
            totals[name, kind] = totals.get((name, kind), 0) + count
        for (name, kind), count in totals.items():
            metrics.DISCREPANCIES_OPEN.labels(name, kind).set(count)


def _load(key: bytes, state: StateView, changed: dict[bytes, Expectation]) -> Expectation:
    found = changed.get(key)
    if found is None:
        stored = state.get(topics.EXPECTATIONS, key)
        found = ex.loads(stored.value) if stored else {}
    return found


def version(stored: Stored) -> int:
    """For the engine: the highest hub_seq judged. Among equals the later record wins, which has more receipts."""
    found = ex.loads(stored.value)
    return max((entry.seen for entry in found.values()), default=0)


def _heal(partition: int, key: bytes, name: str, entry: Entry, now: float) -> list[Out]:
    """The discrepancy (written once, when it opens) and the order to send again."""
    out = []
    if not entry.kind:
        entry.kind, entry.opened = "MISSING", now
        out.append(_discrepancy(partition, key, name, entry, None))
    entry.heals += 1
    entry.healed_at = now
    pointers = tuple(Pointer(offset=one.offset, hub_seq=one.hub_seq, event_id=one.event_id) for one in entry.open)
    request = Request(
        id=derived_id("resend", name, key.decode(), str(entry.heals), *(p.event_id for p in pointers)),
        action="resend",
        subscriber=name,
        key=key.decode(),
        pointers=pointers,
        why=f"no receipt, re-send number {entry.heals}",
    )
    out.append(Out(topics.REQUESTS, key, request.model_dump_json().encode(), (), partition))
    return out


def _closed(partition: int, key: bytes, name: str, entry: Entry, now: float) -> Out:
    return _discrepancy(partition, key, name, entry, now)


def _discrepancy(partition: int, key: bytes, name: str, entry: Entry, healed_at: float | None) -> Out:
    """Key `<code>/<subscriber>/<kind>`, kept in the dossier's own partition."""
    seqs = [one.hub_seq for one in entry.open]
    told = Discrepancy(
        key=key.decode(),
        subscriber=name,
        kind=entry.kind,
        opened_at=int(entry.opened * 1000),
        healed_at=int(healed_at * 1000) if healed_at is not None else None,
        detail=f"no receipt for hub_seq {', '.join(map(str, seqs))}" if seqs else "every receipt is there",
    )
    identity = f"{key.decode()}/{name}/{entry.kind}".encode()
    return Out(topics.DISCREPANCIES, identity, discrepancy.dumps(told), (), partition)


def _dead_letter(record: Record, error: BadRecord) -> Out:
    metrics.EVENTS_DEAD_LETTERED.labels("reconcile", error.reason).inc()
    return Out(*deadletter.of_record(record, "reconcile", error))
