"""What all calls of the REST face have in common: what comes in, what goes out."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.registry.http_client import CONTENT_TYPE
from hub.registry.schema_log import Version
from hub.registry.server import errors
from hub.registry.server.errors import ApiError
from hub.untyped import JsonObject
from hub.web.json_text import is_text

MAX_BODY_BYTES = 2 * 1_048_576
_TAKEN = (CONTENT_TYPE, "application/vnd.schemaregistry+json", "application/json", "application/octet-stream")


def answer(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), media_type=CONTENT_TYPE)


def refusal(error: ApiError) -> Response:
    body = json.dumps({"error_code": error.code, "message": error.message}, ensure_ascii=False)
    headers = {"WWW-Authenticate": 'Basic realm="schema registry"'} if error.status == 401 else {}
    if error.retry_s:
        headers["Retry-After"] = str(error.retry_s)
    return Response(body, error.status, media_type=CONTENT_TYPE, headers=headers)


def media_types(request: Request) -> None:
    """ApiError 415, 406."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent and sent not in _TAKEN:
        raise ApiError(415, 415, "HTTP 415 Unsupported Media Type")
    offered = [o.partition(";")[0].strip().lower() for o in request.headers.get("accept", "*/*").split(",")]
    if not any(o in ("*/*", "application/*", *_TAKEN[:3]) for o in offered):
        raise ApiError(406, 406, "HTTP 406 Not Acceptable")


async def body(request: Request) -> JsonObject:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MAX_BODY_BYTES:
            raise ApiError(413, 413, "HTTP 413 Request Entity Too Large")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise ApiError(400, 400, "The request body is not JSON") from None
    if not is_text(body):
        raise ApiError(400, 400, "The request body holds half of a surrogate pair")
    if not isinstance(body, dict):
        raise ApiError(422, 422, "The request body is not an object")
    return body


def flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def page(request: Request, items: list[Any]) -> list[Any]:
    """`offset` and `limit`; a negative limit is none."""
    try:
        offset, limit = (int(request.query_params.get(k, d)) for k, d in (("offset", 0), ("limit", -1)))
    except ValueError:
        raise ApiError(404, 404, "HTTP 404 Not Found") from None
    return items[max(offset, 0) :][: limit if limit >= 0 else None]


def subject(request: Request) -> str:
    return str(request.path_params["subject"])


def number(request: Request) -> int:
    """1 to 2^31-1; -1 for `latest`. 42202."""
    text = str(request.path_params["version"])
    if text in ("latest", "-1"):
        return -1
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 2**31 - 1:
        raise errors.invalid_version(text)
    return int(text)


def schema_id(request: Request) -> int:
    text = str(request.path_params["id"])
    if not text.isascii() or not text.isdigit():
        raise ApiError(404, 404, "HTTP 404 Not Found")
    return int(text)


def described(version: Version) -> JsonObject:
    """A subject-version as it is shown; type and references only where they are not the default."""
    return {k: v for k, v in version.value().items() if k != "deleted"}
