"""Why a record became a dead letter, and at which stage. Stable words: metric labels, headers, filters use them."""

from __future__ import annotations

STAGES = {
    "gateway": "refused at HTTP ingest after it was accepted (not used for plain 4xx answers)",
    "intake": "an agency's own topic: source or key against its right",
    "source": "a file row or outbox row that cannot become an event",
    "core": "decode, validate, lifecycle, dedupe",
    "crash": "the record crashed a step three times and was found by bisection",
    "reconcile": "a record of hub.events or hub.deliveries that cannot be read",
    "deliver": "a portal refused it for good, or tries are exhausted",
}

REASONS = {
    "envelope": "a CloudEvents attribute is missing or wrong",
    "magic_byte": "not in Confluent wire format",
    "schema_id": "the schema id is unknown to the registry",
    "schema_mismatch": "the schema is not the one of this event type",
    "truncated": "the Avro body ends early",
    "utf8": "a string is not UTF-8",
    "avro": "not a record of its schema",
    "encoding": "a file's bytes are not in the encoding that its mapping names",
    "row": "a file's row cannot be split into the cells of its header",
    "missing_field": "a field that the rule needs is empty",
    "unknown_field": "a field that the schema does not have (often a typing error)",
    "type": "a value of another type than the schema's",
    "date": "no such date, or in no known form",
    "code": "an agency, dossier, procedure or service code is not well-formed",
    "status": "an unknown status word",
    "limit": "longer, larger or other than the rule allows",
    "key": "the record's key is not its dossier, procedure or service code",
    "right": "the organisation may not write this dossier, source or family",
    "not_offered": "filed online for a procedure that is not offered online, not at that level, or no more",
    "transition": "the step fits nowhere in the dossier's history",
    "conflict": "same id with other content",
    "crash": "the step crashed on this record",
    "schema": "the portal refused the record's shape",
    "refused": "the portal refused it",
    "forbidden": "the portal does not let the hub in",
    "gone": "the portal's address is gone",
    "exhausted": "all tries are used up",
    "unsupported": "the portal has no call for this family of event",
}
