"""Who may say what in hub.ingress: in whose name, about whose dossier; and how large a record may be."""

from __future__ import annotations

from hub.control import rights
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.events.envelope import AUTHAGENCIES, AUTHID, NO_AGENCY, Envelope
from hub.events.families import BY_PUBLISHED, Family
from hub.kafka import clients
from hub.kafka.topics import RECORD_LIMIT

RECORD_OVERHEAD = 1_024
"""Bytes kept free below the topic's limit for the batch's and the record's own framing."""

FROM_THE_HUB = {AUTHID, AUTHAGENCIES, "authtype", "origin", "replayof", "recordedtime"}
"""Attributes that only the hub writes; a sender's are dropped."""


def family_of(organisation: Organisation | None, envelope: Envelope) -> Family:
    """The family, if this organisation may publish it in that name. None: one of the hub's own connectors, which may.

    BadRecord (`envelope`, `right`).
    """
    family = BY_PUBLISHED.get(envelope.type)
    if family is None:
        raise BadRecord("envelope", f"type {envelope.type[:80]!r} is none of {', '.join(BY_PUBLISHED)}", "type")
    if organisation is not None:
        rights.check_family(organisation, family.name)
        rights.check_source(organisation, envelope.source)
    return family


def dossier_proof(organisation: Organisation | None, agency: str, field: str) -> dict[str, str]:
    """Extensions for a step on a dossier of that agency: what the core needs to judge a step on another agency's
    dossier, which is let through for that only. BadRecord (`right`)."""
    if organisation is None:
        return {}
    if organisation.joint and organisation.agencies and not rights.covers(organisation.agencies, agency):
        return {AUTHAGENCIES: " ".join(organisation.agencies)}
    rights.check_agency(organisation, agency, field)
    return {}


def catalogue_proof(organisation: Organisation | None) -> dict[str, str]:
    """Extensions for a change of a procedure or service: what the core needs to judge whether its owner made it."""
    if organisation is None:
        return {}
    return {AUTHAGENCIES: " ".join(organisation.agencies) or NO_AGENCY}


def refuse_oversize(key: bytes, value: bytes, headers: clients.Headers) -> None:
    """BadRecord (`limit`) for a record that the topic would refuse, before it spoils a batch."""
    size = len(key) + len(value)
    for name, raw in headers:
        size += len(name) + len(raw) + 4
    if size > RECORD_LIMIT - RECORD_OVERHEAD:
        limit = RECORD_LIMIT - RECORD_OVERHEAD
        raise BadRecord("limit", f"the event has {size} bytes as a record; at most {limit} are taken", "data")
