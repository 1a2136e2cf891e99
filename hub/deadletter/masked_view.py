"""A dead letter for people and scripts: what it is, why, and its content with personal data hidden."""

from __future__ import annotations

import base64
import hashlib

from hub.avro.bodies import BODIES
from hub.avro.codec import Codec
from hub.avro.document import document as as_document
from hub.avro.personal import initials, minimised
from hub.deadletter.reasons import REASONS, STAGES
from hub.deadletter.record import DeadLetter
from hub.errors import BadRecord, RegistryError
from hub.model.times import utc_text
from hub.untyped import JsonObject


def summary(letter: DeadLetter) -> JsonObject:
    """One line of a list. `at` in RFC 3339, UTC; `key` the dossier, procedure or service code."""
    return {
        "id": letter.id,
        "at": utc_text(letter.at_ms),
        "stage": letter.stage,
        "reason": letter.reason,
        "key": (letter.key or b"").decode(errors="replace"),
        "subscriber": letter.subscriber,
        "event_id": letter.event_id,
        "source": letter.source,
        "field": letter.field,
        "detail": letter.detail,
        "from": letter.topic if letter.offset < 0 else f"{letter.topic}/{letter.partition}@{letter.offset}",
    }


def document(letter: DeadLetter, codec: Codec, reveal: bool) -> JsonObject:
    """The whole letter. reveal: personal data in clear (the caller writes the audit entry)."""
    return summary(letter) | {
        "stage_means": STAGES.get(letter.stage, ""),
        "reason_means": REASONS.get(letter.reason, ""),
        "headers": {name: (raw or b"").decode(errors="replace") for name, raw in letter.headers},
        "content": content(letter.value, codec, reveal),
    }


def content(value: bytes | None, codec: Codec, reveal: bool) -> JsonObject:
    """{record, data} if it can be decoded; else only size and hash, and the bytes themselves with `reveal`."""
    if value is None:
        return {"bytes": 0}
    try:
        if codec.name_of(value) in BODIES:
            body, record = codec.read_any(value)
            return {"record": body.name, "data": as_document(record if reveal else minimised(record, initials))}
        name, data = codec.decode(value)
        if reveal:
            return {"record": name, "data": data}
        # A schema that is not ours says nothing of what is personal.
        return {"record": name, "bytes": len(value), "hidden": "not one of the hub's records; use --reveal"}
    except (BadRecord, RegistryError, OSError) as error:
        out = {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest(), "not_decoded": str(error)}
    if reveal:
        try:
            out["text"] = value.decode()
        except UnicodeDecodeError:
            out["base64"] = base64.b64encode(value).decode()
    return out
