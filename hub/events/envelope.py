"""CloudEvents 1.0 on Kafka, binary mode: the attributes are record headers, the value is Avro in Confluent wire format.

Source of the rules: cloudevents/spec.md and bindings/kafka-protocol-binding.md. `source` + `id` is the idempotency key.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from hub.errors import BadRecord

Headers = Sequence[tuple[str, bytes]]

CONTENT_TYPE = "application/avro"
# Namespace of every id that the hub derives, so that a replay makes the same one.
NAMESPACE = uuid.UUID("6f0f6c0e-7f5a-5c1c-9a54-3b8f5ad8f0aa")
_SPACE = NAMESPACE.bytes

ORIGIN = "origin"
"""Extension: the portal that an event came from, so that it is not sent back there as news."""

AUTHID = "authid"
"""Extension with the name of the organisation that spoke, as the hub knows it."""

AUTHAGENCIES = "authagencies"
"""Extension, on `hub.ingress` only: the agencies of a sender without the right to this dossier's agency, divided by
blanks. The core takes the event if one of them holds the dossier (decision 10). On a change of a procedure or service
always: the owner of what stands there decides (decision 34)."""

NO_AGENCY = "-"
"""In its stead for a sender with the right to none; no code of an agency looks so."""

HUB_SEQ = "hub_seq"
"""Header with the event's number in its dossier, decimal ASCII."""
MAX_SEQ_DIGITS = 18
"""It fits into Avro's long; Python refuses to read numbers of thousands of digits."""


def derived_id(*parts: str) -> str:
    """uuid5 of the parts (cause, kind, what tells two of one kind apart): the same parts give the same id.

    Put together here: `uuid.uuid5` takes five times as long, and the core makes one of these an event.
    """
    name = "\x1f".join(parts).encode()
    raw = bytearray(hashlib.sha1(_SPACE + name, usedforsecurity=False).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_NO_EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType({})


class Envelope(NamedTuple):
    """The attributes of one event. `subject` is the dossier, procedure or service code: also the record's key.

    A tuple, made at once: a frozen dataclass sets each field by a call, and the core makes two an event.
    """

    id: str
    source: str
    type: str
    subject: str
    time: str = ""
    recordedtime: str = ""
    traceparent: str = ""
    causationid: str = ""
    content_type: str = CONTENT_TYPE
    hub_seq: int = 0
    extensions: Mapping[str, str] = _NO_EXTENSIONS

    def headers(self) -> list[tuple[str, bytes]]:
        """Kafka headers, `ce_` before each attribute; empty ones are left out."""
        out = [
            ("content-type", self.content_type.encode()),
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_subject", self.subject.encode()),
        ]
        for name, value in (
            ("ce_time", self.time),
            ("ce_recordedtime", self.recordedtime),
            ("ce_traceparent", self.traceparent),
            ("ce_causationid", self.causationid),
        ):
            if value:
                out.append((name, value.encode()))
        out.extend((f"ce_{name}", value.encode()) for name, value in self.extensions.items())
        if self.hub_seq:
            out.append((HUB_SEQ, str(self.hub_seq).encode()))
        return out

    def caused(self, type: str, hub_seq: int, distinct: str = "") -> Envelope:
        """The event that the hub derives from this one: id by uuid5, causationid = this id, source kept."""
        return Envelope(
            derived_id(self.source, self.id, type, distinct), self.source, type, self.subject, self.time,
            self.recordedtime, self.traceparent, self.id, CONTENT_TYPE, hub_seq, self.extensions,
        )  # fmt: skip


_ATTRIBUTES = {
    f"ce_{name}": name
    for name in ("id", "source", "type", "subject", "time", "recordedtime", "traceparent", "causationid")
}
"""The header of each attribute that has a field here."""


def read_headers(headers: Headers) -> Envelope:
    """The envelope of a Kafka record. BadRecord (`envelope`) names the attribute that is missing or not UTF-8."""
    known: dict[str, str] = {}
    extensions: dict[str, str] = {}
    content_type, hub_seq, version = "", 0, ""
    for name, raw in headers:
        try:
            value = raw.decode() if raw is not None else ""
        except UnicodeDecodeError:
            raise BadRecord("envelope", f"header {name} is not UTF-8; send it as UTF-8", name) from None
        attribute = _ATTRIBUTES.get(name)
        if attribute is not None:
            known[attribute] = value
        elif name == "ce_specversion":
            version = value
        elif name.startswith("ce_"):
            extensions[name[3:]] = value
        elif name == "content-type":
            content_type = value
        elif name == HUB_SEQ:
            if not (value.isascii() and value.isdecimal() and len(value) <= MAX_SEQ_DIGITS):
                raise BadRecord("envelope", f"header {name} must be a decimal number; got {value[:32]!r}", name)
            hub_seq = int(value)
    for needed in ("id", "source", "type"):
        if not known.get(needed):
            raise BadRecord("envelope", f"CloudEvents attribute {needed} is missing; send header ce_{needed}", needed)
    if version != "1.0":
        raise BadRecord("envelope", f"specversion is {version!r}; only 1.0 is understood", "specversion")
    known.setdefault("subject", "")
    return Envelope(**known, content_type=content_type or CONTENT_TYPE, hub_seq=hub_seq, extensions=extensions)


def trace_of(source: str, event: str) -> str:
    """W3C traceparent, derived from the event's identity: sent again it is the same trace."""
    digits = derived_id("trace", source, event).replace("-", "")
    return f"00-{digits}-{digits[16:]}-01"
