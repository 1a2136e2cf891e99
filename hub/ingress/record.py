"""One record of hub.ingress, made in one way whichever door its event came through.

The doors: HTTP as JSON, HTTP as Avro, an agency's own topic, a source (files, a catalogue), a portal's own calls. Each
reads its own form; who may say what, the key, the headers and the limits are here.
"""

from __future__ import annotations

from typing import NamedTuple

from hub.avro.bodies import BODIES
from hub.avro.codec import Codec
from hub.avro.record import Record
from hub.avro.records import ProcedureChange, ServiceChange
from hub.control import rights
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.events.envelope import AUTHID, Envelope, trace_of
from hub.events.families import DOSSIER, Family
from hub.ingress.admission import FROM_THE_HUB, catalogue_proof, dossier_proof, family_of, refuse_oversize
from hub.ingress.cloudevents import Posted, traceparent
from hub.ingress.json_data import read_data
from hub.kafka.batches import KeyedLine
from hub.model import codes

_VERSION = ("ce_specversion", b"1.0")

Header = tuple[str, bytes]


class IngressRecord(NamedTuple):
    """An event that may stand in hub.ingress. source and id name it."""

    source: str
    id: str
    line: KeyedLine


class Builder:
    """Makes the records of one sender. What holds for all its events is asked once and kept: who may say what, and
    whose dossiers it may write.

    organisation: who speaks; None for a connector of the hub's own, which needs no right. recorded_at: RFC 3339.
    """

    def __init__(self, codec: Codec, organisation: Organisation | None, recorded_at: str) -> None:
        self._codec = codec
        self._organisation = organisation
        self._recorded = ("ce_recordedtime", recorded_at.encode())
        self._spoken = () if organisation is None else ((f"ce_{AUTHID}", organisation.name.encode()),)
        self._families: dict[tuple[str, str], Family] = {}
        self._proofs: dict[str, tuple[Header, ...]] = {}
        proof = catalogue_proof(organisation).items()
        self._catalogue_proof = tuple((f"ce_{name}", text.encode()) for name, text in proof)

    def family(self, envelope: Envelope) -> Family:
        """BadRecord (`envelope`, `right`): nobody may publish it, or not this sender in that name."""
        known = self._families.get((envelope.type, envelope.source))
        if known is None:
            known = family_of(self._organisation, envelope)
            self._families[envelope.type, envelope.source] = known
        return known

    def of_json(self, posted: Posted, trace: str) -> IngressRecord:
        """trace: `traceparent` of the request, for an event without one. BadRecord, as all of them."""
        envelope = posted.envelope
        family = self.family(envelope)
        record = read_data(family.published_record, posted.data)
        value = self._codec.write(BODIES[family.published_record], record)
        return self._made(envelope, family, record, value, traceparent(envelope.traceparent, trace))

    def of_avro(self, envelope: Envelope, record: Record, value: bytes, trace: str = "") -> IngressRecord:
        """The value goes on as it came; record: what it holds, of the family's kind."""
        family = self.family(envelope)
        return self._made(envelope, family, record, value, traceparent(envelope.traceparent, trace))

    def of_connector(self, envelope: Envelope, record: Record) -> IngressRecord:
        """The trace follows from source and id: sent again it is the same."""
        family = self.family(envelope)
        try:
            value = self._codec.write(BODIES[family.published_record], record)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # The error's own text may quote personal data.
            raise BadRecord("avro", f"no such record: {type(error).__name__}", "data") from None
        return self._made(envelope, family, record, value, trace_of(envelope.source, envelope.id))

    def _made(self, envelope: Envelope, family: Family, record: Record, value: bytes, trace: str) -> IngressRecord:
        """BadRecord: `missing_field` or `code` (no usable code), `key` (subject is not the code), `right` (another's
        dossier or entry), `limit`."""
        code: str = getattr(record, family.code)
        path = f"data.{family.code}"
        if not code:
            raise BadRecord("missing_field", f"{path}: is empty", path)
        if envelope.subject not in ("", code):
            raise BadRecord("key", f"subject must be {path} ({code}) or be left out", "subject")
        proof = self._proof(family, code, record, path)
        key = code.encode()
        headers = self._headers(envelope, key, trace.encode())
        headers += self._spoken
        headers += proof
        refuse_oversize(key, value, headers)
        return IngressRecord(envelope.source, envelope.id, (key, value, headers))

    def _headers(self, envelope: Envelope, key: bytes, trace: bytes) -> list[Header]:
        """The envelope's headers, and those that only the hub writes."""
        out = [
            ("content-type", envelope.content_type.encode()),
            _VERSION,
            ("ce_id", envelope.id.encode()),
            ("ce_source", envelope.source.encode()),
            ("ce_type", envelope.type.encode()),
            ("ce_subject", key),
        ]
        if envelope.time:
            out.append(("ce_time", envelope.time.encode()))
        out += (self._recorded, ("ce_traceparent", trace))
        if envelope.causationid:
            out.append(("ce_causationid", envelope.causationid.encode()))
        for name, text in envelope.extensions.items():
            if self._organisation is None or name not in FROM_THE_HUB:
                out.append((f"ce_{name}", text.encode()))
        return out

    def _proof(self, family: Family, code: str, record: Record, path: str) -> tuple[Header, ...]:
        """Whose dossier or entry it is, if the sender may write it. BadRecord (`code`, `right`)."""
        if family is DOSSIER:
            agency = codes.dossier(code, path).agency
            found = self._proofs.get(agency)
            if found is None:
                proof = dossier_proof(self._organisation, agency, path)
                found = self._proofs[agency] = tuple((f"ce_{name}", text.encode()) for name, text in proof.items())
            return found
        # Of a catalogue entry the agency counts that it names, if it names one.
        named = record.agency_code if isinstance(record, ProcedureChange | ServiceChange) else None
        if self._organisation is not None and named:
            rights.check_agency(self._organisation, named, "data.agency_code")
        return self._catalogue_proof
