"""The core's step over one chunk of `hub.ingress`: decode, normalise, drop copies, judge, number, and say what follows.

For each event a canonical one in `hub.events`; for each key that changed one state record; for each record that cannot
be used a dead letter with its reason. Pure: no clock, no random ids; the same chunk on the same state gives the same
bytes. What is no BadRecord is not caught: the engine finds the record that crashes a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.avro.codec import HEAD_BYTES, Codec
from hub.avro.own_record import MarkedRecord, OwnRecord
from hub.config import Settings
from hub.core import normalise, repeated_step
from hub.core.catalogue_entry import CatalogueState
from hub.core.dossier import DossierState
from hub.core.key_state import Incoming, KeyState
from hub.core.recent_keys import Ident, RecentKeys
from hub.deadletter import record as deadletter
from hub.errors import BadRecord
from hub.events import envelope as ce
from hub.events import identity
from hub.events.families import CLOCK, CLOCK_RECORD, DEADLINE, DOSSIER, PROCEDURE, SERVICE, Family
from hub.kafka.topics import DOSSIERS, EVENTS
from hub.model.deadline_rules import rules as deadline_rules
from hub.model.derived_dates import Limit
from hub.model.times import utc_text
from hub.observe.metrics import DEADLINES_TOLD, EVENTS_DEAD_LETTERED, EVENTS_DUPLICATE
from hub.stream.stage import Out, Outputs, Record, StateView, Step, Stored

ROLE = "core"
STAGE = "core"
_DOSSIER_STEP = DOSSIER.published.encode()

Admit = Callable[[dict[str, Any]], None]
"""Raises BadRecord for a datum that may not begin a dossier."""


@dataclass(frozen=True, slots=True)
class Processor:
    """What the core does with the events of a family. published, event: the codecs of its records. normalise: mends a
    datum in place. open: the work on one key, new or stored. admit: what the first event of a key must pass besides."""

    family: Family
    published: OwnRecord
    event: OwnRecord
    normalise: Callable[[dict[str, Any], int], bool]
    open: Callable[[str, Stored | None], KeyState]
    admit: Admit | None = None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """asked: what the core's clock writes. event: what is told."""

    asked: OwnRecord
    event: OwnRecord


def processors(codec: Codec, settings: Settings, admit: Admit | None, limit: Limit | None) -> dict[str, Processor]:
    """By the CloudEvents type that agencies use."""
    keep, rules = settings.core.keep_steps, deadline_rules(settings.deadlines)
    step = MarkedRecord(codec, DOSSIER.published_record, *repeated_step.STEP_MARKS)
    dossier = MarkedRecord(codec, DOSSIER.state_record, *repeated_step.DOSSIER_MARKS)
    made = (
        Processor(
            DOSSIER, step, OwnRecord(codec, DOSSIER.event.record),
            lambda datum, at: normalise.dossier_step(datum, at, rules),
            lambda code, stored: DossierState(code, dossier, stored, keep, rules, limit), admit,
        ),
        _catalogue(codec, PROCEDURE, normalise.procedure_change),
        _catalogue(codec, SERVICE, normalise.service_change),
    )  # fmt: skip
    return {one.family.published: one for one in made}


def _catalogue(codec: Codec, family: Family, mend: Callable[[dict[str, Any], int], bool]) -> Processor:
    published, event, state = (
        OwnRecord(codec, name) for name in (family.published_record, family.event.record, family.state_record)
    )
    return Processor(family, published, event, mend, lambda code, stored: CatalogueState(family, code, state, stored))


def make_step(codec: Codec, settings: Settings, admit: Admit | None = None, limit: Limit | None = None) -> Step:
    """The step for the engine. admit: the catalogue's word on new dossiers. limit: its time limits, if they are used.

    It raises RegistryError when a schema is needed and the registry is away.
    """
    known = processors(codec, settings, admit, limit)
    told = Deadlines(OwnRecord(codec, CLOCK_RECORD), OwnRecord(codec, DEADLINE.record))

    kept = RecentKeys()

    def step(records: Sequence[Record], view: StateView) -> Outputs:
        chunk = _Chunk(known, told, view, kept)
        for record in records:
            chunk.take(record)
        return chunk.outputs()

    return step


class _Chunk:
    """Keys opened so far, and what came out."""

    def __init__(self, known: dict[str, Processor], deadlines: Deadlines, view: StateView, kept: RecentKeys) -> None:
        self._processors = known
        self._deadlines = deadlines
        self._view = view
        self._kept = kept
        self._told = known[DOSSIER.published].event
        self._open: dict[tuple[str, bytes], KeyState] = {}
        self._records: list[Out] = []
        self._duplicates = 0

    def take(self, record: Record) -> None:
        try:
            out = self._repeated(record) or self._event(record)
        except BadRecord as error:
            EVENTS_DEAD_LETTERED.labels(STAGE, error.reason).inc()
            out = dead_letter(record, STAGE, error)
        if out is not None:
            self._records.append(out)

    def outputs(self) -> Outputs:
        if self._duplicates:
            EVENTS_DUPLICATE.labels(ROLE).inc(self._duplicates)
        state: dict[Ident, Stored | None] = {}
        for ident, work in self._open.items():
            if work.changed:
                state[ident] = made = work.state()
                self._kept.put(ident, made, work)
        return Outputs(self._records, state)

    def _event(self, record: Record) -> Out | None:
        """The canonical event, None if none follows: from a copy, or a deadline that is not to be told."""
        envelope = ce.read_headers(record.headers)
        if envelope.type == CLOCK:
            return self._deadline(record, envelope)
        processor = self._processors.get(envelope.type)
        if processor is None:
            wanted = ", ".join(self._processors)
            raise BadRecord("envelope", f"type: {envelope.type!r} is none of {wanted}", "type")
        datum, places = processor.published.decode_marked(record.value)
        changed = processor.normalise(datum, record.timestamp_ms)
        code = datum[processor.family.code]
        key = _checked_key(record, envelope, processor.family.code, code)
        work = self._work(processor, code, key)
        assert record.value is not None  # decoded above
        body = record.value[HEAD_BYTES:]
        overhead = sum([len(name) + len(value or b"") for name, value in record.headers])
        incoming = Incoming(identity.identity(envelope.source, envelope.id), identity.content(body), overhead)
        if work.is_copy(incoming):
            self._duplicates += 1
            return None
        if ce.AUTHAGENCIES in envelope.extensions:
            envelope = _as_holder(envelope, work)
        if work.seq == 0 and processor.admit is not None:
            processor.admit(datum)
        if changed or not processor.published.is_own(record.value):
            body = processor.published.write(datum)
        event = work.apply(datum, body, incoming)
        if places and not changed:
            work.remember(record.value, places)
        caused = envelope.caused(processor.family.event.type, work.seq)
        if not caused.recordedtime or not caused.subject:
            recorded = caused.recordedtime or utc_text(record.timestamp_ms)
            caused = replace(caused, recordedtime=recorded, subject=code)
        return Out(EVENTS, key, processor.event.with_head(event), caused.headers())

    def _repeated(self, record: Record) -> Out | None:
        """As `_event`, of a step that repeats the facts of its dossier's last one; None if it has to be looked at."""
        key, value = record.key, record.value
        if key is None or value is None:
            return None
        ident = (DOSSIERS, key)
        work = self._open.get(ident)
        if work is None and ident in self._kept:
            work = self._work(self._processors[DOSSIER.published], key.decode(), key)
        if not isinstance(work, DossierState) or work.last is None:
            return None
        found = ce.plain(record.headers)
        if found is None or found["ce_type"] != _DOSSIER_STEP or found.get("ce_subject") != key:
            return None
        step = work.last.read(value, record.timestamp_ms)
        if step is None:
            return None
        source, id, body = found["ce_source"], found["ce_id"], value[HEAD_BYTES:]
        overhead = sum(map(len, found)) + sum(map(len, found.values()))
        incoming = Incoming(identity.identity_of(source, id), identity.content(body), overhead)
        if work.is_copy(incoming):
            return None  # to be counted
        event = work.again(step, body, incoming)
        if event is None:
            return None
        headers = ce.plain_caused(found, DOSSIER.event.type, key, work.seq)
        return Out(EVENTS, key, self._told.with_head(event), headers)

    def _deadline(self, record: Record, envelope: ce.Envelope) -> Out | None:
        """The answer to the clock's question (decision 7)."""
        asked = self._deadlines.asked.decode(record.value)
        code = asked["dossier_code"]
        key = _checked_key(record, envelope, "dossier_code", code)
        work = self._work(self._processors[DOSSIER.published], code, key)
        assert isinstance(work, DossierState)
        body = self._deadlines.asked.write(asked)
        overhead = sum([len(name) + len(value or b"") for name, value in record.headers])
        incoming = Incoming(identity.identity(envelope.source, envelope.id), identity.content(body), overhead)
        event = work.tell(asked, body, incoming)
        if event is None:
            return None
        DEADLINES_TOLD.labels(asked["kind"]).inc()
        caused = envelope.caused(DEADLINE.type, work.seq)
        return Out(EVENTS, key, self._deadlines.event.with_head(event), caused.headers())

    def _work(self, processor: Processor, code: str, key: bytes) -> KeyState:
        ident = (processor.family.state_topic, key)
        work = self._open.get(ident)
        if work is None:
            stored = self._view.get(*ident)
            work = self._open[ident] = self._kept.take(ident, stored) or processor.open(code, stored)
        return work


def _as_holder(envelope: ce.Envelope, work: KeyState) -> ce.Envelope:
    """The envelope as its event may have it, of a sender whom only holding the dossier gives the right."""
    extensions = dict(envelope.extensions)
    agencies = extensions.pop(ce.AUTHAGENCIES).split()
    if isinstance(work, DossierState):
        work.check_holder(agencies)
    return replace(envelope, extensions=extensions)


def _checked_key(record: Record, envelope: ce.Envelope, field: str, code: str) -> bytes:
    """The record's key, which must be the code, or the event would be numbered in another partition."""
    key = code.encode()
    if record.key != key:
        shown = (record.key or b"").decode(errors="replace")
        raise BadRecord(
            "key", f"{field}: is {code!r}, but the record's key is {shown!r}; send it under its code", field
        )
    if envelope.subject and envelope.subject != code:
        raise BadRecord("key", f"{field}: is {code!r}, but ce_subject is {envelope.subject!r}", field)
    return key


def dead_letter(record: Record, stage: str, error: BadRecord) -> Out:
    """The record as it came, with the reason."""
    return Out(*deadletter.of_record(record, stage, error, at_ms=record.timestamp_ms))
