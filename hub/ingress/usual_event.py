"""The usual event of a batch, checked and put together in one go: a dossier's step with the usual attributes.

What is the same for all events of a request (who may speak as which source, the headers of it, whose dossiers it may
write) is found out once a request. Whatever is not usual, or may be wrong, is left to the long way
(`cloudevents.structured`, then `Ingest`), which knows the reason; both make the same record, held so by the tests.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from hub.avro.codec import Codec
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.events import families
from hub.events.envelope import CONTENT_TYPE
from hub.ingress import cloudevents
from hub.ingress.acknowledged import fingerprint
from hub.ingress.admission import AUTHID, RECORD_OVERHEAD, dossier_proof, family_of
from hub.ingress.json_to_avro import Unusual, straight
from hub.ingress.validator import parse_time
from hub.kafka.batches import KeyedLine
from hub.kafka.topics import RECORD_LIMIT
from hub.model import codes

_USUAL = frozenset({"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "traceparent", "data"})
_SENT, _RECORD, _CODE = families.DOSSIER.published, families.DOSSIER.published_record, families.DOSSIER.code
_LARGE = RECORD_LIMIT - RECORD_OVERHEAD - 65_536
"""Bytes of a value above which the headers may matter for the record's limit."""

_COUNTER = re.compile(r"\d{4,}", re.ASCII)
_TRACE_BYTES = 24
"""Trace id and span id."""

Header = tuple[str, bytes]

_KIND = ("content-type", CONTENT_TYPE.encode())
_VERSION = ("ce_specversion", b"1.0")
_TYPE = ("ce_type", _SENT.encode())


@dataclass(slots=True)
class Checked:
    """An event that may stand in hub.ingress. content: tells it from another with its source and id."""

    source: str
    id: str
    line: KeyedLine
    content: int


class UsualEvents:
    """For one request. recorded_at: RFC 3339. trace: `traceparent` of the request, "" if it has none that is valid."""

    def __init__(self, organisation: Organisation, codec: Codec, recorded_at: str, trace: str) -> None:
        self._organisation = organisation
        self._write = straight(_RECORD)
        self._codec = codec
        self._recorded = ("ce_recordedtime", recorded_at.encode())
        self._trace = trace.encode()
        self._authid = (f"ce_{AUTHID}", organisation.name.encode())
        self._sources: dict[str, Header] = {}
        self._proofs: dict[str, tuple[Header, ...]] = {}
        self._random = ""

    def checked(self, event: Any) -> Checked | None:
        """The event, or None: take the long way."""
        if type(event) is not dict or not event.keys() <= _USUAL or event.get("type") != _SENT:
            return None
        get = event.get
        id, subject = get("id"), get("subject")
        if get("specversion") != "1.0" or get("datacontenttype") not in (None, "application/json"):
            return None
        if type(id) is not str or not 0 < len(id) <= cloudevents.ATTRIBUTE_LIMIT or not id.isprintable():
            return None
        source = get("source")
        if type(source) is not str:
            return None
        try:
            source_header = self._sources.get(source) or self._source(source)
            body = self._write(get("data"))
            code = event["data"][_CODE]
            if not code or (subject and subject != code) or len(body) > _LARGE:
                return None
            prefix, _, counter = code.rpartition("-")
            proof = self._proofs.get(prefix)
            if proof is None or not _COUNTER.fullmatch(counter):
                proof = self._proof(code, prefix)
            time, trace = self._time(get("time")), self._traced(get("traceparent"))
        except (BadRecord, Unusual):
            return None
        key, value = code.encode(), self._codec.with_head(_RECORD, body)
        headers = [_KIND, _VERSION, ("ce_id", id.encode()), source_header, _TYPE, ("ce_subject", key), *time]
        headers += (self._recorded, ("ce_traceparent", trace), self._authid, *proof)
        return Checked(source, id, (key, value, headers), fingerprint(key, value))

    def _source(self, source: str) -> Header:
        """BadRecord: it may not speak as this."""
        attributes = {"specversion": "1.0", "id": "-", "source": source, "type": _SENT}
        family_of(self._organisation, cloudevents.envelope(attributes))
        header = self._sources[source] = ("ce_source", source.encode())
        return header

    def _proof(self, code: str, prefix: str) -> tuple[Header, ...]:
        """BadRecord: it is no dossier code, or one of an agency whose dossiers it may not write on."""
        found = dossier_proof(self._organisation, codes.dossier(code).agency, "")
        proof = self._proofs[prefix] = tuple((f"ce_{name}", value.encode()) for name, value in found.items())
        return proof

    def _time(self, given: Any) -> tuple[Header, ...]:
        if given is None:
            return ()
        if type(given) is not str:
            raise Unusual
        parse_time(given, "")
        return (("ce_time", given.encode()),)

    def _traced(self, given: Any) -> bytes:
        if given is None:
            return self._trace or self._new_trace()
        if type(given) is not str or not cloudevents.TRACEPARENT.fullmatch(given):
            raise Unusual
        return given.encode()

    def _new_trace(self) -> bytes:
        if not self._random:
            self._random = os.urandom(_TRACE_BYTES * 64).hex()
        own, self._random = self._random[: _TRACE_BYTES * 2], self._random[_TRACE_BYTES * 2 :]
        return f"00-{own[:32]}-{own[32:]}-01".encode()
