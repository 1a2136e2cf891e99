"""What `/docs` says of `POST /v1/events`: bodies, answers and the fields of each event, from the Avro schemas."""

from __future__ import annotations

from hub.avro.generic import Json, schema_json
from hub.events import families
from hub.ingress import cloudevents
from hub.untyped import JsonObject
from hub.web.problem import MEDIA_TYPE

_PRIMITIVES = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "double": {"type": "number"},
}
_TIME = {"type": "string", "format": "date-time", "description": "RFC 3339 with offset, or epoch milliseconds"}


def json_schema(schema: Json, named: dict[str, Json] | None = None) -> JsonObject:
    """JSON Schema of an Avro type as the gateway takes it in `data`."""
    named = {} if named is None else named
    if isinstance(schema, list):
        return {"anyOf": [json_schema(branch, named) for branch in schema if branch != "null"], "nullable": True}
    if isinstance(schema, str):
        return json_schema(named[schema], named) if schema in named else dict(_PRIMITIVES[schema])
    if "name" in schema:
        named[f"{schema['namespace']}.{schema['name']}" if "." not in schema["name"] else schema["name"]] = schema
    match schema["type"]:
        case "record":
            fields = {f["name"]: json_schema(f["type"], named) | _field(f) for f in schema["fields"]}
            required = [f["name"] for f in schema["fields"] if "default" not in f]
            return {"type": "object", "properties": fields, "required": required, "description": schema.get("doc", "")}
        case "enum":
            return {"type": "string", "enum": [s for s in schema["symbols"] if s != "UNKNOWN"]}
        case "array":
            return {"type": "array", "items": json_schema(schema["items"], named)}
    if schema.get("logicalType") == "timestamp-millis":
        return dict(_TIME)
    return json_schema(schema["type"], named)


def _field(field: Json) -> JsonObject:
    doc = field.get("doc", "") + (" (personal data)" if field.get("personal") else "")
    return {"description": doc} if doc else {}


def _event() -> JsonObject:
    datas = [
        json_schema(schema_json(family.published_record)) | {"title": family.published} for family in families.FAMILIES
    ]
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            "specversion": {"type": "string", "enum": ["1.0"]},
            "id": text | {"description": "with source the idempotency key: the same event again has the same id"},
            "source": text | {"description": "one of the organisation's sources, as urn:vn:gov:H11.12:motcua"},
            "type": text | {"enum": list(families.BY_PUBLISHED)},
            "subject": text | {"description": "the dossier, procedure or service code; may be left out"},
            "time": text | {"format": "date-time"},
            "data": {"oneOf": datas},
        },
    }


_EXAMPLE = {
    "specversion": "1.0",
    "id": "motcua-2026-000123",
    "source": "urn:vn:gov:H11.12:motcua",
    "type": families.DOSSIER.published,
    "data": {
        "dossier_code": "H11.12-261124-0001",
        "step": "RECEIVED",
        "occurred_at": "2026-11-24T08:30:00+07:00",
        "procedure_code": "1.004194",
        "agency_code": "H11.12",
    },
}
_RESULTS = {
    "type": "object",
    "properties": {
        "accepted": {"type": "integer"},
        "duplicate": {"type": "integer"},
        "rejected": {"type": "integer"},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "id": {"type": "string"},
                    "status": {"type": "string", "enum": ["accepted", "duplicate", "rejected"]},
                    "reason": {"type": "string"},
                    "field": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_BYTES = {"schema": {"type": "string", "format": "binary", "description": "Confluent wire format; ce-* headers"}}


def _answers() -> JsonObject:
    problems = {
        "400": "malformed, or every event was rejected",
        "401": "no known API key",
        "403": "no right to this source, family or agency",
        "413": "body, batch or event too large",
        "415": "another content type",
        "429": "overloaded: come again after Retry-After",
        "503": "the broker did not acknowledge: send again, with the same ids",
    }
    taken = {"application/json": {"schema": _RESULTS}}
    return {
        "202": {"description": "the broker has every event (accepted or duplicate)", "content": taken},
        "200": {"description": "a batch of which some were rejected: see results", "content": taken},
    } | {status: {"description": text, "content": {MEDIA_TYPE: {}}} for status, text in problems.items()}


EVENTS: JsonObject = {
    "security": [{"ApiKey": []}, {"Bearer": []}],
    "requestBody": {
        "required": True,
        "content": {
            cloudevents.STRUCTURED: {"schema": _event(), "example": _EXAMPLE},
            cloudevents.BATCH: {"schema": {"type": "array", "items": _event()}, "example": [_EXAMPLE]},
        }
        | dict.fromkeys(cloudevents.AVRO, _BYTES),
    },
    "responses": _answers(),
}
"""`openapi_extra` of the route."""

SECURITY = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "an organisation's key, or the operators' token"},
}
