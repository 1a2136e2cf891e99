"""The core's clock: asks in hub.ingress whether a deadline is to be told; the step answers (decision 7).

Per partition a heap of moments, made from the headers of the state when the partition is first seen, and kept by what
each chunk changes. It is a hint: each moment is held against the state before it is asked. Now and then the headers are
gone through again, since a state may also change without a chunk of ours (another owner in between). Both in pieces: a
partition may hold a hundred thousand dossiers in work, and while a tick looks at them nothing else is worked.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

from hub.avro import bodies
from hub.avro.codec import Codec
from hub.avro.records.dossier import DossierDeadline
from hub.avro.records.enums import DeadlineKind
from hub.config import DeadlineSettings
from hub.events import families
from hub.events.envelope import Envelope, derived_id, rfc3339
from hub.kafka.topics import DOSSIERS, INGRESS
from hub.model.calendar import DAY_MS
from hub.model.deadline_rules import rules
from hub.model.deadline_watch import DEADLINE, HEADER_OF, KINDS, Watch, watches_of
from hub.model.deadlines import warn_at
from hub.model.times import utc_text
from hub.observe.metrics import DEADLINES_AHEAD
from hub.stream.stage import Out, Outputs, Record, StateView, Step, Stored

SOURCE = "/hub/clock"
RESCAN_S = 300.0
MAX_PER_TICK = 1_000
"""After a long stop the rest is asked in the next ticks, so that chunks are worked in between."""
_BIT = {kind: 1 << n for kinds in KINDS.values() for n, kind in enumerate(kinds)}
LOOKED_AT_PER_TICK = 5_000
"""Dossiers, and moments that have come; about 0.2 s."""


@dataclass(slots=True)
class _Partition:
    """unseen: keys that are still to be gone through. heap: (moment, key, kind, deadline). planned: which of its dates
    (header), and key of a dossier that runs -> (deadline, since when, bits of the kinds put in the heap)."""

    view: int
    scanned_at: float
    unseen: list[bytes]
    heap: list[tuple[int, bytes, DeadlineKind, int]] = field(default_factory=list)
    planned: dict[str, dict[bytes, tuple[int, int, int]]] = field(default_factory=lambda: {name: {} for name in KINDS})


def runs(stored: Stored) -> bool:
    """Whether the clock has to look at this state (`EngineConfig.waits`): a dossier in work that has a due date, or
    whose holder has."""
    return any(watch.runs for watch in watches_of(stored.headers).values())


def _at_the_date(kind: str) -> bool:
    return kind == KINDS[HEADER_OF[kind]][1]


class Clock:
    """codec: of its questions."""

    def __init__(self, codec: Codec, settings: DeadlineSettings) -> None:
        self._codec = codec
        self._rules = rules(settings)
        self._warn_days = settings.warn_working_days
        self._catch_up_ms = settings.catch_up_days * DAY_MS
        self._partitions: dict[int, _Partition] = {}

    def watching(self, step: Step) -> Step:
        """The step, with the clock looking at what it changes."""

        def watched(records: Sequence[Record], view: StateView) -> Outputs:
            outputs = step(records, view)
            part = self._partitions.get(records[0].partition) if records else None
            if part is not None:  # else the first tick reads the whole partition
                for (store, key), stored in outputs.state.items():
                    if store == DOSSIERS and stored is not None:
                        self._plan(part, key, stored)
            return outputs

        return watched

    def tick(self, partition: int, view: StateView, now: float) -> Outputs:
        """Questions for all moments that have come; at most MAX_PER_TICK."""
        part = self._part(partition, view, now)
        out, now_ms = Outputs(), int(now * 1000)
        for _ in range(LOOKED_AT_PER_TICK):
            if not part.heap or part.heap[0][0] > now_ms or len(out.records) == MAX_PER_TICK:
                break
            at, key, kind, deadline_at = heapq.heappop(part.heap)
            stored = view.get(DOSSIERS, key)
            watch = watches_of(stored.headers).get(HEADER_OF[kind]) if stored is not None else None
            if watch is None or watch.deadline_at != deadline_at:
                continue
            overtaken = not _at_the_date(kind) and deadline_at <= now_ms  # DUE stands in the heap and says more
            if watch.open(kind) and not overtaken and now_ms - at <= self._catch_up_ms:
                out.records.append(self._question(partition, key, kind, at, watch, now))
        DEADLINES_AHEAD.labels("core").set(sum(len(own.heap) for own in self._partitions.values()))
        return out

    def _part(self, partition: int, view: StateView, now: float) -> _Partition:
        part = self._partitions.get(partition)
        if part is None or part.view != id(view):
            part = self._partitions[partition] = _Partition(id(view), now, list(view.waiting(DOSSIERS)))
        elif not part.unseen and now - part.scanned_at >= RESCAN_S:
            part.scanned_at = now
            part.unseen = list({*view.waiting(DOSSIERS), *chain.from_iterable(part.planned.values())})
        for _ in range(min(LOOKED_AT_PER_TICK, len(part.unseen))):
            key = part.unseen.pop()
            stored = view.get(DOSSIERS, key)
            if stored is not None:
                self._plan(part, key, stored)
        return part

    def _plan(self, part: _Partition, key: bytes, stored: Stored) -> None:
        watches = watches_of(stored.headers)
        for header in KINDS:
            self._plan_date(part, key, header, watches.get(header))

    def _plan_date(self, part: _Partition, key: bytes, header: str, watch: Watch | None) -> None:
        planned = part.planned[header]
        if watch is None or not watch.runs:
            planned.pop(key, None)  # its moments in the heap come to nothing, unless it runs again
            return
        deadline_at, since, bits = planned.get(key, (None, None, 0))
        if (deadline_at, since) != (watch.deadline_at, watch.since):
            bits = 0
        new = [kind for kind in KINDS[header] if not bits & _BIT[kind] and watch.open(kind)]
        if not new:
            return
        for kind in new:
            due = _at_the_date(kind)
            at = watch.deadline_at if due else warn_at(self._rules, watch.deadline_at, self._warn_days)
            if due or at > watch.since:
                heapq.heappush(part.heap, (at, key, kind, watch.deadline_at))
            bits |= _BIT[kind]
        planned[key] = (watch.deadline_at, watch.since, bits)

    def _question(self, partition: int, key: bytes, kind: DeadlineKind, at: int, watch: Watch, now: float) -> Out:
        code, date = key.decode(), str(watch.deadline_at)
        if HEADER_OF[kind] != DEADLINE:
            date = f"{watch.since}/{date}"  # two agencies may have the same
        envelope = Envelope(
            id=derived_id("deadline", code, date, kind),
            source=SOURCE,
            type=families.CLOCK,
            subject=code,
            time=utc_text(at),
            recordedtime=rfc3339(datetime.fromtimestamp(now, UTC)),
        )
        asked = DossierDeadline(
            dossier_code=code, kind=kind, occurred_at=at, due_at=watch.due_at, deadline_at=watch.deadline_at
        )
        return Out(INGRESS, key, self._codec.write(bodies.DOSSIER_DEADLINE, asked), envelope.headers(), partition)
