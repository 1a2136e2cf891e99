"""CloudEvents 1.0 over HTTP, as posted: structured JSON, a JSON batch, and binary mode with `ce-*` headers.

Source of the rules: cloudevents/spec.md, formats/json-format.md, bindings/http-protocol-binding.md. What the hub itself
writes (`recordedtime`, `authid`, `replayof`) is not taken from a sender.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

import orjson

from hub.errors import BadRecord
from hub.events.envelope import CONTENT_TYPE, Envelope, Headers, read_headers
from hub.ingress.admission import FROM_THE_HUB
from hub.ingress.json_data import shown
from hub.ingress.times import NoTime, parse_time

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
AVRO = ("application/avro", "application/vnd.confluent.avro")
MEDIA_TYPES = (STRUCTURED, BATCH, *AVRO)

ATTRIBUTE_LIMIT = 1_024
"""Characters of one attribute; the specification lets intermediaries stop at 64 KiB for all of them."""

_NAME = re.compile(r"[a-z0-9]{1,40}")
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_REQUIRED = ("id", "source", "type", "specversion")
_DEFINED = frozenset(
    {"id", "source", "type", "subject", "time", "traceparent", "causationid"}
    | {"specversion", "datacontenttype", "dataschema"}
)


class Posted(NamedTuple):
    """One event as it came. data: what stood under `data` (any JSON), or bytes in Confluent wire format.

    `envelope.subject` may be empty; right and data are not checked yet.
    """

    envelope: Envelope
    data: Any


def malformed(detail: str) -> BadRecord:
    """The body as a whole is not what its content type says."""
    return BadRecord("malformed", detail)


def parse_json(body: bytes) -> Any:
    """BadRecord (`malformed`) for anything but JSON in UTF-8."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Only the position: the text around it may hold personal data.
        raise malformed(f"the body is not JSON in UTF-8: line {error.lineno}, column {error.colno}") from None


def structured(event: Any) -> Posted:
    """One event of the JSON format. BadRecord (`envelope`) names the attribute."""
    if not isinstance(event, dict):
        raise BadRecord("envelope", "an event must be a JSON object with CloudEvents attributes and data")
    attributes = dict(event)
    data = attributes.pop("data", None)
    if "data_base64" in attributes:
        rule = "is not taken; send JSON in data, or Avro in binary mode"
        raise BadRecord("envelope", f"data_base64 {rule}", "data_base64")
    kind = attributes.get("datacontenttype") or "application/json"
    if not isinstance(kind, str) or kind.partition(";")[0].strip().lower() != "application/json":
        raise BadRecord("envelope", "datacontenttype must be application/json or left out", "datacontenttype")
    if data is None:
        raise BadRecord("missing_field", "data: is required", "data")
    return Posted(envelope(attributes), data)


def binary(headers: Mapping[str, str], body: bytes) -> Posted:
    """One event in binary mode: attributes from `ce-*` headers (percent-encoded UTF-8), data = the body."""
    attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    return Posted(envelope(attributes), body)


def envelope(attributes: Mapping[str, Any]) -> Envelope:
    """Checked attributes. BadRecord (`envelope`, `date`, `limit`) names the one that is wrong."""
    known: dict[str, str] = {}
    extensions: dict[str, str] = {}
    for name in _REQUIRED:
        if attributes.get(name) in (None, ""):
            raise BadRecord("envelope", f"CloudEvents attribute {name} is missing", name)
    for name, given in attributes.items():
        if name in _DEFINED and type(given) is str and len(given) <= ATTRIBUTE_LIMIT and given.isprintable():
            known[name] = given  # as nearly all come
        elif given is not None and name not in FROM_THE_HUB:
            value = _text(name, given)
            (known if name in _DEFINED else extensions)[name] = value
    if attributes["specversion"] != "1.0":
        raise BadRecord("envelope", "specversion must be 1.0", "specversion")
    if "time" in known:
        _check_time(known["time"])
    return Envelope(
        known["id"],
        known["source"],
        known["type"],
        known.get("subject", ""),
        known.get("time", ""),
        traceparent=known.get("traceparent", ""),
        causationid=known.get("causationid", ""),
        content_type=CONTENT_TYPE,
        extensions=extensions,
    )


def of_kafka(headers: Headers) -> Envelope:
    """The envelope in a record's headers, as an agency wrote them."""
    found = read_headers(headers)
    own = {name: getattr(found, name) for name in ("id", "source", "type", "subject", "time", "causationid")}
    for name, value in (own | dict(found.extensions)).items():
        if name not in FROM_THE_HUB:
            _text(name, value)
    if found.time:
        _check_time(found.time)
    return found


def _check_time(given: str) -> None:
    try:
        parse_time(given)
    except NoTime as error:
        raise BadRecord("date", f"time: {error}; got {shown(given)}", "time") from None


def _text(name: str, given: Any) -> str:
    if not _NAME.fullmatch(name):
        raise BadRecord("envelope", f"attribute {name[:40]!r}: names are lower-case letters and digits, at most 40")
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int):
        raise BadRecord("envelope", f"attribute {name}: must be a string, a whole number or a boolean", name)
    value = str(given)
    if len(value) > ATTRIBUTE_LIMIT:
        raise BadRecord("limit", f"attribute {name}: at most {ATTRIBUTE_LIMIT} characters", name)
    if not value.isprintable():
        raise BadRecord("envelope", f"attribute {name}: holds control characters", name)
    return value


def traceparent(*given: str) -> str:
    """The first that is well-formed, or a new one: W3C Trace Context starts anew instead of refusing."""
    for candidate in given:
        if candidate and TRACEPARENT.fullmatch(candidate):
            return candidate
    own = os.urandom(24).hex()
    return f"00-{own[:32]}-{own[32:]}-01"
