"""`POST /v1/events`: from an HTTP request to entries, and from results to an answer.

All accepted or duplicate: 202. A batch in which some were rejected: 200, `results` tells which. None accepted: a
problem document (400, 403 if it is all for want of right, 413 if all are too large) with the same `results`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hub.config import GatewaySettings
from hub.control.keys import credential
from hub.control.records import Organisation
from hub.errors import BadRecord
from hub.gateway.ingest import ROLE, Entry, Ingest, Result, id_of
from hub.gateway.sender import Sender
from hub.ingress import cloudevents
from hub.observe import metrics
from hub.web.brake import Brake
from hub.web.own_calls import CERTIFICATE
from hub.web.problem import Problem

# API key, names in the client's certificate -> whose they are
Holder = Callable[[str, Sequence[str]], Organisation | None]

PATH = "/v1/events"
_DRAIN = 8
"""A body that is too large is read up to so many times the limit, so that the sender sees the 413, not a reset."""
_CODE = {"right": "forbidden", "limit": "too_large"}


def route(settings: GatewaySettings, holder: Holder, ingest: Ingest, sender: Sender, brake: Brake) -> Route:
    """The route, over what the role holds. Starlette's own: a request of one event costs less than FastAPI's layers."""

    async def post_events(request: Request) -> Response:
        try:
            organisation = _who(request, holder, brake)
            media_type = _media_type(request)
            with sender.reserve(_declared(request, settings.max_body_bytes), organisation.name):
                body = await _body(request, settings.max_body_bytes)
                trace = request.headers.get("traceparent", "")
                if media_type in cloudevents.AVRO:
                    results = await ingest.take(organisation, [_binary(request, body)], trace)
                else:
                    events = _events(media_type, body, settings.max_batch)
                    results = await ingest.take_json(organisation, events, trace)
            return _answer(results)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Problem as problem:
            if not problem.results:  # those are counted one by one
                metrics.EVENTS_REJECTED.labels(ROLE, problem.code).inc()
            raise

    return Route(PATH, post_events, methods=["POST"])


def most_bytes(settings: GatewaySettings) -> int:
    """Bytes of one request that may come over the wire: what is read of a body, and as much again for its form."""
    return 2 * _DRAIN * settings.max_body_bytes


def _who(request: Request, holder: Holder, brake: Brake) -> Organisation:
    """A right key passes the brake of its address, which others may share: 256 random bits are not guessed."""
    given = credential(request.headers)
    organisation = holder(given, request.scope.get("extensions", {}).get(CERTIFICATE, {}).get("names", ()))
    if organisation is None:
        if given:
            address = request.client.host if request.client else ""
            brake.check(address)
            brake.failed(address)
        detail = "send the organisation's API key as `Authorization: Bearer hub_…` or `X-Api-Key`"
        raise Problem("unauthenticated", detail, {"WWW-Authenticate": "Bearer"})
    return organisation


def _media_type(request: Request) -> str:
    given = request.headers.get("content-type", "")
    media_type = given.partition(";")[0].strip().lower()
    if media_type not in cloudevents.MEDIA_TYPES:
        accepted = ", ".join(cloudevents.MEDIA_TYPES)
        raise Problem("unsupported_media_type", f"{given[:80]!r} is none of {accepted}", {"Accept": accepted})
    return media_type


def _declared(request: Request, limit: int) -> int:
    """Bytes to expect of the body: what it declares, but no more than is read of it."""
    declared = request.headers.get("content-length", "")
    return min(int(declared[:18]), limit) if declared.isdecimal() else limit


async def _body(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > limit * _DRAIN:
            break
    if size > limit:
        raise Problem("too_large", f"the body is larger than {limit} bytes; send fewer events at once")
    return b"".join(parts)


def _events(media_type: str, body: bytes, max_batch: int) -> Sequence[Any]:
    """What a JSON body holds, unread."""
    try:
        document = cloudevents.parse_json(body)
    except BadRecord as error:
        raise Problem("malformed", error.detail) from None
    if media_type == cloudevents.STRUCTURED:
        return [document]
    if not isinstance(document, list) or not document:
        raise Problem("malformed", "a batch must be a JSON list with at least one event")
    if len(document) > max_batch:
        raise Problem("too_large", f"the batch has {len(document)} events; at most {max_batch} are taken at once")
    return document


def _binary(request: Request, body: bytes) -> Entry:
    try:
        return cloudevents.binary(request.headers, body)
    except BadRecord as error:
        return id_of(request.headers.get("ce-id")), error


def _answer(results: Sequence[Result]) -> Response:
    counts = dict.fromkeys(("accepted", "duplicate", "rejected"), 0) | Counter([result.status for result in results])
    documents = [result.document() for result in results]
    if counts["rejected"] < len(results):
        status = 202 if counts["rejected"] == 0 else 200
        return Response(orjson.dumps(counts | {"results": documents}), status, media_type="application/json")
    codes = {_CODE.get(result.reason, "rejected") for result in results}
    code = codes.pop() if len(codes) == 1 else "rejected"
    first = results[0]
    detail = first.detail if len(results) == 1 else f"all {len(results)} events were rejected; first: {first.detail}"
    raise Problem(code, detail, results=documents, reason=first.reason, field=first.field)
