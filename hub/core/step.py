"""The core's step over one chunk of `hub.ingress`: decode, normalise, drop copies, judge, number, and say what follows.

For each event a canonical one in `hub.events`; for each key that changed one state record; for each record that cannot
be used a dead letter with its reason. Pure: no clock, no random ids; the same chunk on the same state gives the same
bytes. What is no BadRecord is not caught: the engine finds the record that crashes a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from hub.avro import bodies
from hub.avro.codec import HEAD_BYTES, Codec, head
from hub.avro.record import Record as AvroRecord
from hub.avro.records.dossier import DossierDeadline, DossierStep
from hub.avro.records.procedure import Procedure
from hub.avro.records.service import OnlineService
from hub.avro.wire_record import WireRecord
from hub.config import Settings
from hub.core import normalise
from hub.core.catalogue_entry import CatalogueState
from hub.core.dossier import DossierState
from hub.core.key_state import Incoming, KeyState
from hub.deadletter import record as deadletter
from hub.errors import BadRecord
from hub.events import envelope as ce
from hub.events import identity
from hub.events.families import CLOCK, DEADLINE, DOSSIER, PROCEDURE, SERVICE, Family
from hub.kafka.topics import EVENTS
from hub.model.deadline_rules import rules as deadline_rules
from hub.model.derived_dates import Limit
from hub.model.times import utc_text
from hub.observe.metrics import DEADLINES_TOLD, EVENTS_DEAD_LETTERED, EVENTS_DUPLICATE
from hub.stream.stage import Out, Outputs, Record, StateView, Step, Stored

ROLE = "core"
STAGE = "core"

P = TypeVar("P", bound=AvroRecord)
"""What agencies publish of a family."""

Admit = Callable[[DossierStep], None]
"""Raises BadRecord for a step that may not begin a dossier."""


@dataclass(frozen=True, slots=True)
class Processor(Generic[P]):
    """What the core does with the events of a family. published: what agencies send. code: what stands in the family's
    field with the key. normalise: mends what was published. head: of the canonical event. open: the work on one key,
    new or stored. admit: what the first event of a key must pass besides."""

    family: Family
    published: WireRecord[P]
    code: Callable[[P], str]
    normalise: Callable[[P, int], P]
    head: bytes
    open: Callable[[str, Stored | None], KeyState[P]]
    admit: Callable[[P], None] | None = None


@dataclass(frozen=True, slots=True)
class Processors:
    """by_type: by the CloudEvents type that agencies use. asked: what the core's clock writes. told: head of what is
    told of a deadline."""

    by_type: dict[str, Processor[Any]]
    dossier: Processor[DossierStep]
    asked: WireRecord[DossierDeadline]
    told: bytes


def processors(codec: Codec, settings: Settings, admit: Admit | None, limit: Limit | None) -> Processors:
    keep, rules = settings.core.keep_steps, deadline_rules(settings.deadlines)
    dossiers, procedures = WireRecord(codec, bodies.DOSSIER), WireRecord(codec, bodies.PROCEDURE)
    services = WireRecord(codec, bodies.ONLINE_SERVICE)
    dossier = Processor(
        DOSSIER, WireRecord(codec, bodies.DOSSIER_STEP), lambda step: step.dossier_code,
        lambda step, at: normalise.dossier_step(step, at, rules), head(codec.ids[DOSSIER.event.record]),
        lambda code, stored: DossierState(code, dossiers, stored, keep, rules, limit), admit,
    )  # fmt: skip
    # What was never published or withdrawn, only amended, is taken to be offered.
    procedure = Processor(
        PROCEDURE, WireRecord(codec, bodies.PROCEDURE_CHANGE), lambda change: change.procedure_code,
        normalise.procedure_change, head(codec.ids[PROCEDURE.event.record]),
        lambda code, stored: CatalogueState(PROCEDURE, procedures, Procedure(code, 0, True, 0), stored),
    )  # fmt: skip
    service = Processor(
        SERVICE, WireRecord(codec, bodies.SERVICE_CHANGE), lambda change: change.service_code,
        normalise.service_change, head(codec.ids[SERVICE.event.record]),
        lambda code, stored: CatalogueState(SERVICE, services, OnlineService(code, 0, True, 0), stored),
    )  # fmt: skip
    return Processors(
        {one.family.published: one for one in (dossier, procedure, service)},
        dossier,
        WireRecord(codec, bodies.DOSSIER_DEADLINE),
        head(codec.ids[DEADLINE.record]),
    )


def make_step(codec: Codec, settings: Settings, admit: Admit | None = None, limit: Limit | None = None) -> Step:
    """The step for the engine. admit: the catalogue's word on new dossiers. limit: its time limits, if they are used.

    It raises RegistryError when a schema is needed and the registry is away.
    """
    known = processors(codec, settings, admit, limit)

    def step(records: Sequence[Record], view: StateView) -> Outputs:
        chunk = _Chunk(known, view)
        for record in records:
            chunk.take(record)
        return chunk.outputs()

    return step


class _Chunk:
    """Keys opened so far, and what came out."""

    def __init__(self, known: Processors, view: StateView) -> None:
        self._known = known
        self._view = view
        self._open: dict[tuple[str, bytes], KeyState[Any]] = {}
        self._records: list[Out] = []
        self._duplicates = 0

    def take(self, record: Record) -> None:
        try:
            out = self._event(record)
        except BadRecord as error:
            EVENTS_DEAD_LETTERED.labels(STAGE, error.reason).inc()
            out = dead_letter(record, STAGE, error)
        if out is not None:
            self._records.append(out)

    def outputs(self) -> Outputs:
        if self._duplicates:
            EVENTS_DUPLICATE.labels(ROLE).inc(self._duplicates)
        state: dict[tuple[str, bytes], Stored | None] = {
            ident: work.state() for ident, work in self._open.items() if work.changed
        }
        return Outputs(self._records, state)

    def _event(self, record: Record) -> Out | None:
        """The canonical event, None if none follows: from a copy, or a deadline that is not to be told."""
        envelope = ce.read_headers(record.headers)
        if envelope.type == CLOCK:
            return self._deadline(record, envelope)
        processor = self._known.by_type.get(envelope.type)
        if processor is None:
            wanted = ", ".join(self._known.by_type)
            raise BadRecord("envelope", f"type: {envelope.type!r} is none of {wanted}", "type")
        return self._published(record, envelope, processor)

    def _published(self, record: Record, envelope: ce.Envelope, processor: Processor[P]) -> Out | None:
        given = processor.published.decode(record.value)
        published = processor.normalise(given, record.timestamp_ms)
        code = processor.code(published)
        key = _checked_key(record, envelope, processor.family.code, code)
        work = self._work(processor, code, key)
        assert record.value is not None  # decoded above
        body = record.value[HEAD_BYTES:]
        incoming = _incoming(record, envelope, body)
        if work.is_copy(incoming):
            self._duplicates += 1
            return None
        if ce.AUTHAGENCIES in envelope.extensions:
            envelope = _as_holder(envelope, work)
        if work.seq == 0 and processor.admit is not None:
            processor.admit(published)
        if published is not given or not processor.published.is_own(record.value):
            body = processor.published.body.write(published)
        event = work.apply(published, body, incoming)
        caused = envelope.caused(processor.family.event.type, work.seq)
        if not caused.recordedtime or not caused.subject:
            recorded = caused.recordedtime or utc_text(record.timestamp_ms)
            caused = replace(caused, recordedtime=recorded, subject=code)
        return Out(EVENTS, key, processor.head + event, caused.headers())

    def _deadline(self, record: Record, envelope: ce.Envelope) -> Out | None:
        """The answer to the clock's question (decision 7)."""
        asked = self._known.asked.decode(record.value)
        code = asked.dossier_code
        key = _checked_key(record, envelope, DOSSIER.code, code)
        work = self._work(self._known.dossier, code, key)
        assert isinstance(work, DossierState)
        body = self._known.asked.body.write(asked)
        event = work.tell(asked, body, _incoming(record, envelope, body))
        if event is None:
            return None
        DEADLINES_TOLD.labels(asked.kind).inc()
        caused = envelope.caused(DEADLINE.type, work.seq)
        return Out(EVENTS, key, self._known.told + event, caused.headers())

    def _work(self, processor: Processor[P], code: str, key: bytes) -> KeyState[P]:
        ident = (processor.family.state_topic, key)
        work = self._open.get(ident)
        if work is None:
            work = self._open[ident] = processor.open(code, self._view.get(*ident))
        return work


def _incoming(record: Record, envelope: ce.Envelope, body: bytes) -> Incoming:
    overhead = sum([len(name) + len(value or b"") for name, value in record.headers])
    return Incoming(identity.identity(envelope.source, envelope.id), identity.content(body), overhead)


def _as_holder(envelope: ce.Envelope, work: KeyState[Any]) -> ce.Envelope:
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
