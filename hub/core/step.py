"""The core's step over one chunk of `hub.ingress`: decode, normalise, drop copies, judge, number, and say what follows.

For each event a canonical one in `hub.events`; for each key that changed one state record; for each record that cannot
be used a dead letter with its reason. Pure: no clock, no random ids; the same chunk on the same state gives the same
bytes. What is no BadRecord is not caught: the engine finds the record that crashes a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.avro import bodies
from hub.avro.codec import HEAD_BYTES, Codec
from hub.config import Settings
from hub.core.dossier import DossierState
from hub.core.key_state import Incoming, KeyState
from hub.core.processors import Admit, P, Processor, Processors
from hub.deadletter import record as deadletter
from hub.errors import BadRecord
from hub.events import envelope as ce
from hub.events import identity
from hub.events.families import CLOCK, DEADLINE, DOSSIER
from hub.kafka.topics import EVENTS
from hub.model.derived_dates import Limit
from hub.model.times import utc_text
from hub.observe.metrics import DEADLINES_TOLD, EVENTS_DEAD_LETTERED, EVENTS_DUPLICATE
from hub.stream.stage import Out, Outputs, Record, StateView, Step, Stored

ROLE = "core"
STAGE = "core"


def make_step(codec: Codec, settings: Settings, admit: Admit | None = None, limit: Limit | None = None) -> Step:
    """The step for the engine. admit: the catalogue's word on new dossiers. limit: its time limits, if they are used.

    It raises RegistryError when a schema is needed and the registry is away.
    """
    known = Processors(codec, settings, admit, limit)

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
        given = self._known.codec.read(processor.published, record.value)
        published = processor.normalise(given, record.timestamp_ms)
        code = processor.code(published)
        key = _checked_key(record, envelope, processor.field, code)
        work = self._work(processor, code, key)
        value = record.value
        assert value is not None  # decoded above
        body = value[HEAD_BYTES:]
        incoming = _incoming(record, envelope, body)
        if work.is_copy(incoming):
            self._duplicates += 1
            return None
        if ce.AUTHAGENCIES in envelope.extensions:
            envelope, sender = _of_sender(envelope, work)
            incoming = incoming._replace(sender=sender)
        if work.seq == 0:
            processor.admit(published)
        if published is not given or not value.startswith(processor.own):
            body = processor.published.write(published)
        event = work.apply(published, body, incoming)
        caused = envelope.caused(processor.type, work.seq)
        if not caused.recordedtime or not caused.subject:
            recorded = caused.recordedtime or utc_text(record.timestamp_ms)
            caused = caused._replace(recordedtime=recorded, subject=code)
        return Out(EVENTS, key, processor.head + event, caused.headers())

    def _deadline(self, record: Record, envelope: ce.Envelope) -> Out | None:
        """The answer to the clock's question (decision 7)."""
        asked = self._known.codec.read(bodies.DOSSIER_DEADLINE, record.value)
        code = asked.dossier_code
        key = _checked_key(record, envelope, DOSSIER.code, code)
        work = self._work(self._known.dossier, code, key)
        assert isinstance(work, DossierState)
        body = bodies.DOSSIER_DEADLINE.write(asked)
        event = work.tell(asked, body, _incoming(record, envelope, body))
        if event is None:
            return None
        DEADLINES_TOLD.labels(asked.kind).inc()
        caused = envelope.caused(DEADLINE.type, work.seq)
        return Out(EVENTS, key, self._known.told + event, caused.headers())

    def _work(self, processor: Processor[P], code: str, key: bytes) -> KeyState[P]:
        ident = (processor.store, key)
        work = self._open.get(ident)
        if work is None:
            work = self._open[ident] = processor.open(code, self._view.get(*ident))
        return work


def _incoming(record: Record, envelope: ce.Envelope, body: bytes) -> Incoming:
    overhead = 0
    for name, value in record.headers:
        overhead += len(name) + len(value or b"")
    return Incoming(identity.identity(envelope.source, envelope.id), identity.content(body), overhead)


def _of_sender(envelope: ce.Envelope, work: KeyState[Any]) -> tuple[ce.Envelope, str]:
    """(the envelope as its event may have it, who sent it), of a sender whose right hangs on what stands here."""
    extensions = dict(envelope.extensions)
    agencies, sender = extensions.pop(ce.AUTHAGENCIES).split(), extensions.get(ce.AUTHID, "")
    work.check_sender(agencies, sender)
    return envelope._replace(extensions=extensions), sender


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
