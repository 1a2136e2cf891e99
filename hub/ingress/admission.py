"""The check at every door that agencies come to: who speaks, in what name, about whose dossier; and the record's key.

The same for HTTP (gateway) and an agency's own topic (intake): what passes here may stand in `hub.ingress`.
"""

from __future__ import annotations

from dataclasses import replace

from hub.avro.codec import Datum
from hub.control import rights
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.events.envelope import AUTHAGENCIES, Envelope
from hub.events.families import BY_PUBLISHED, DOSSIER, Family
from hub.kafka import clients
from hub.kafka.topics import RECORD_LIMIT
from hub.model import codes

AUTHID = "authid"
"""CloudEvents extension with the name of the organisation that spoke, as the hub knows it."""

RECORD_OVERHEAD = 1_024
"""Bytes kept free below the topic's limit for the batch's and the record's own framing."""

FROM_THE_HUB = {AUTHID, AUTHAGENCIES, "authtype", "origin", "replayof", "recordedtime"}
"""Attributes that only the hub writes; a sender's are dropped."""


def family_of(organisation: Organisation, envelope: Envelope) -> Family:
    """The family, if this organisation may publish it in that name. BadRecord (`envelope`, `right`)."""
    family = BY_PUBLISHED.get(envelope.type)
    if family is None:
        raise BadRecord("envelope", f"type {envelope.type[:80]!r} is none of {', '.join(BY_PUBLISHED)}", "type")
    rights.check_family(organisation, family.name)
    rights.check_source(organisation, envelope.source)
    return family


def admit(
    organisation: Organisation, family: Family, envelope: Envelope, datum: Datum, recorded_at: str, traceparent: str
) -> Envelope:
    """The envelope as it goes into hub.ingress: subject = code, who spoke, when the hub took it.

    BadRecord: `missing_field` or `code` (no usable code), `key` (subject is not the code), `right` (another's dossier).
    """
    code = str(datum[family.code])
    path = f"data.{family.code}"
    if not code:
        raise BadRecord("missing_field", f"{path}: is empty", path)
    if envelope.subject not in ("", code):
        raise BadRecord("key", f"subject must be {path} ({code}) or be left out", "subject")
    proof = _check_agency(organisation, family, code, datum)
    extensions = {n: v for n, v in envelope.extensions.items() if n not in FROM_THE_HUB}
    return replace(
        envelope,
        subject=code,
        recordedtime=recorded_at,
        traceparent=traceparent,
        hub_seq=0,
        extensions=extensions | {AUTHID: organisation.name} | proof,
    )


def _check_agency(organisation: Organisation, family: Family, code: str, datum: Datum) -> dict[str, str]:
    """A dossier: the agency in its code. A catalogue entry: the agency that it names, if it names one.

    Returns what the core needs to judge a step on another agency's dossier, which is let through for that only.
    """
    if family is DOSSIER:
        path = f"data.{family.code}"
        return dossier_proof(organisation, codes.dossier(code, path).agency, path)
    if agency := datum.get("agency_code"):
        rights.check_agency(organisation, agency, "data.agency_code")
    return {}


def dossier_proof(organisation: Organisation, agency: str, field: str) -> dict[str, str]:
    """Extensions for a step on a dossier of that agency. BadRecord (`right`)."""
    if organisation.joint and organisation.agencies and not rights.covers(organisation.agencies, agency):
        return {AUTHAGENCIES: " ".join(organisation.agencies)}
    rights.check_agency(organisation, agency, field)
    return {}


def refuse_oversize(key: bytes, value: bytes, headers: clients.Headers) -> None:
    """BadRecord (`limit`) for a record that the topic would refuse, before it spoils a batch."""
    size = len(key) + len(value) + sum(len(name) + len(raw) + 4 for name, raw in headers)
    if size > RECORD_LIMIT - RECORD_OVERHEAD:
        limit = RECORD_LIMIT - RECORD_OVERHEAD
        raise BadRecord("limit", f"the event has {size} bytes as a record; at most {limit} are taken", "data")
