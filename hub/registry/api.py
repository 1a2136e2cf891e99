"""The REST face, as Confluent documents it ("Schema Registry API Reference"), for Avro."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.config import RegistrySettings
from hub.registry import errors
from hub.registry.errors import ApiError
from hub.registry.service import Registry
from hub.registry.state import DEFAULT_LEVEL, DEFAULT_MODE
from hub.wire.registry_http import CONTENT_TYPE
from hub.wire.schema_log import Version

Handler = Callable[[Registry, Request], Awaitable[Any]]
MAX_BODY_BYTES = 2 * 1_048_576
_TAKEN = (CONTENT_TYPE, "application/vnd.schemaregistry+json", "application/json", "application/octet-stream")


def app(registry: Registry, settings: RegistrySettings) -> Starlette:
    """The ASGI application; with username and password set, every call needs HTTP Basic."""

    def route(path: str, **handlers: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                _admit(request, settings)
                return answer(await handlers[request.method.lower()](registry, request))
            except ApiError as error:
                return refusal(error)

        return Route(path, endpoint, methods=[m.upper() for m in handlers])

    async def http_error(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = error.detail if isinstance(error, HTTPException) else "Internal Server Error"
        return refusal(ApiError(status, status, f"HTTP {status} {detail}"))

    return Starlette(routes=_routes(route), exception_handlers={HTTPException: http_error, 500: http_error})


def _routes(route: Callable[..., Route]) -> list[Route]:
    version = "/subjects/{subject:path}/versions/{version}"
    return [
        route("/", get=_root),
        route("/schemas", get=_schemas),
        route("/schemas/types", get=_types),
        route("/schemas/ids/{id}", get=_by_id),
        route("/schemas/ids/{id}/schema", get=_text_by_id),
        route("/schemas/ids/{id}/subjects", get=_subjects_by_id),
        route("/schemas/ids/{id}/versions", get=_versions_by_id),
        route("/compatibility/subjects/{subject:path}/versions", post=_check_all),
        route("/compatibility/subjects/{subject:path}/versions/{version}", post=_check_one),
        route("/subjects", get=_subjects),
        route("/subjects/{subject:path}/versions", get=_versions, post=_register),
        route(version, get=_version, delete=_delete_version),
        route(f"{version}/schema", get=_version_text),
        route(f"{version}/referencedby", get=_referenced_by),
        route("/subjects/{subject:path}", post=_find, delete=_delete_subject),
        route("/config", get=_level, put=_set_level, delete=_unset_level),
        route("/config/{subject:path}", get=_level, put=_set_level, delete=_unset_level),
        route("/mode", get=_mode, put=_set_mode, delete=_unset_mode),
        route("/mode/{subject:path}", get=_mode, put=_set_mode, delete=_unset_mode),
    ]


# --- what all calls have in common ---------------------------------------------------------------------------------


def answer(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), media_type=CONTENT_TYPE)


def refusal(error: ApiError) -> Response:
    body = json.dumps({"error_code": error.code, "message": error.message}, ensure_ascii=False)
    headers = {"WWW-Authenticate": 'Basic realm="schema registry"'} if error.status == 401 else None
    return Response(body, error.status, media_type=CONTENT_TYPE, headers=headers)


def _admit(request: Request, settings: RegistrySettings) -> None:
    if settings.username and settings.password:
        pair = f"{settings.username}:{settings.password.get_secret_value()}".encode()
        wanted = b"Basic " + base64.b64encode(pair)
        if not secrets.compare_digest(request.headers.get("authorization", "").encode(), wanted):
            raise ApiError(401, 401, "Unauthorized")
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent and sent not in _TAKEN:
        raise ApiError(415, 415, "HTTP 415 Unsupported Media Type")
    offered = [o.partition(";")[0].strip().lower() for o in request.headers.get("accept", "*/*").split(",")]
    if not any(o in ("*/*", "application/*", *_TAKEN[:3]) for o in offered):
        raise ApiError(406, 406, "HTTP 406 Not Acceptable")


async def _body(request: Request) -> dict[str, Any]:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MAX_BODY_BYTES:
            raise ApiError(413, 413, "HTTP 413 Request Entity Too Large")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise ApiError(400, 400, "The request body is not JSON") from None
    if not isinstance(body, dict):
        raise ApiError(422, 422, "The request body is not an object")
    return body


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def _page(request: Request, items: list[Any]) -> list[Any]:
    """`offset` and `limit`; a negative limit is none."""
    try:
        offset, limit = (int(request.query_params.get(k, d)) for k, d in (("offset", 0), ("limit", -1)))
    except ValueError:
        raise ApiError(404, 404, "HTTP 404 Not Found") from None
    return items[max(offset, 0) :][: limit if limit >= 0 else None]


def _subject(request: Request) -> str:
    return str(request.path_params["subject"])


def _number(request: Request) -> int:
    """1 to 2^31-1; -1 for `latest`. 42202."""
    text = str(request.path_params["version"])
    if text in ("latest", "-1"):
        return -1
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 2**31 - 1:
        raise errors.invalid_version(text)
    return int(text)


def _id(request: Request) -> int:
    text = str(request.path_params["id"])
    if not text.isascii() or not text.isdigit():
        raise ApiError(404, 404, "HTTP 404 Not Found")
    return int(text)


def _described(version: Version) -> dict[str, Any]:
    """A subject-version as it is shown; type and references only where they are not the default."""
    return {k: v for k, v in version.value().items() if k != "deleted"}


# --- schemas -------------------------------------------------------------------------------------------------------


async def _root(_: Registry, __: Request) -> Any:
    return {}


async def _types(_: Registry, __: Request) -> Any:
    return ["AVRO"]


async def _schemas(registry: Registry, request: Request) -> Any:
    prefix = request.query_params.get("subjectPrefix", "")
    found = [v for v in registry.state.all(_flag(request, "deleted")) if v.subject.startswith(prefix)]
    if _flag(request, "latestOnly"):
        found = list({v.subject: v for v in found}.values())
    return _page(request, [_described(v) for v in found])


async def _by_id(registry: Registry, request: Request) -> Any:
    found = _described(registry.state.with_id(_id(request))[0])
    out = {k: found[k] for k in ("schemaType", "references", "schema") if k in found}
    return out | ({"maxId": registry.state.max_id} if _flag(request, "fetchMaxId") else {})


async def _text_by_id(registry: Registry, request: Request) -> Any:
    return json.loads(registry.state.with_id(_id(request))[0].schema)


async def _subjects_by_id(registry: Registry, request: Request) -> Any:
    deleted, found = _flag(request, "deleted"), registry.state.with_id(_id(request))
    return _page(request, sorted({v.subject for v in found if deleted or not v.deleted}))


async def _versions_by_id(registry: Registry, request: Request) -> Any:
    deleted, found = _flag(request, "deleted"), registry.state.with_id(_id(request))
    return _page(
        request, [{"subject": v.subject, "version": v.version} for v in found if deleted or not v.deleted]
    )  # fmt: skip


# --- subjects ------------------------------------------------------------------------------------------------------


async def _subjects(registry: Registry, request: Request) -> Any:
    state, prefix = registry.state, request.query_params.get("subjectPrefix", "")
    names = [s for s in sorted(state.subjects) if s.startswith(prefix)]
    if _flag(request, "deletedOnly"):
        names = [s for s in names if not state.versions(s)]
    elif not _flag(request, "deleted"):
        names = [s for s in names if state.versions(s)]
    return _page(request, names)


async def _versions(registry: Registry, request: Request) -> Any:
    only = _flag(request, "deletedOnly")
    found = registry.state.require(_subject(request), only or _flag(request, "deleted"))
    return _page(request, [v.version for v in found if v.deleted or not only])


async def _register(registry: Registry, request: Request) -> Any:
    return {"id": await registry.register(_subject(request), await _body(request))}


async def _find(registry: Registry, request: Request) -> Any:
    return _described(registry.find(_subject(request), await _body(request), _flag(request, "deleted")))


async def _version(registry: Registry, request: Request) -> Any:
    return _described(registry.state.get(_subject(request), _number(request), _flag(request, "deleted")))


async def _version_text(registry: Registry, request: Request) -> Any:
    return json.loads(registry.state.get(_subject(request), _number(request), _flag(request, "deleted")).schema)


async def _referenced_by(registry: Registry, request: Request) -> Any:
    version = registry.state.get(_subject(request), _number(request), deleted=True)
    users = registry.state.referenced_by(version.subject, version.version, _flag(request, "deleted"))
    return _page(request, sorted({v.id for v in users}))


async def _delete_subject(registry: Registry, request: Request) -> Any:
    return await registry.delete_subject(_subject(request), _flag(request, "permanent"))


async def _delete_version(registry: Registry, request: Request) -> Any:
    return await registry.delete_version(_subject(request), _number(request), _flag(request, "permanent"))


# --- compatibility, config, mode -----------------------------------------------------------------------------------


async def _check_all(registry: Registry, request: Request) -> Any:
    subject = _subject(request)
    return await _check(registry, request, registry.state.versions(subject))


async def _check_one(registry: Registry, request: Request) -> Any:
    """`latest` of a subject that has none is compatible with everything, as at Confluent."""
    subject, number = _subject(request), _number(request)
    found = [v for v in registry.state.versions(subject) if number in (-1, v.version)][-1:]
    if not found and number != -1:
        raise errors.version_not_found(number)
    return await _check(registry, request, found)


async def _check(registry: Registry, request: Request, against: list[Version]) -> Any:
    verbose = _flag(request, "verbose")
    try:
        candidate = registry.candidate(await _body(request))
        messages = registry.incompatibilities(candidate, _subject(request), against)
    except ApiError as error:
        if not (verbose and error.code == 42201):
            raise
        messages = [error.message]
    return {"is_compatible": not messages} | ({"messages": messages} if verbose else {})


def _named(request: Request) -> str | None:
    return request.path_params.get("subject")


async def _level(registry: Registry, request: Request) -> Any:
    subject, levels = _named(request), registry.state.levels
    if subject is None:
        return {"compatibilityLevel": levels.get(None, DEFAULT_LEVEL)}
    if subject not in levels and not _flag(request, "defaultToGlobal"):
        raise errors.no_subject_config(subject)
    return {"compatibilityLevel": registry.state.level(subject)}


async def _set_level(registry: Registry, request: Request) -> Any:
    return {"compatibility": await registry.set_level(_named(request), (await _body(request)).get("compatibility"))}


async def _unset_level(registry: Registry, request: Request) -> Any:
    subject, levels = _named(request), registry.state.levels
    if subject is not None and subject not in levels:
        raise errors.subject_not_found(subject)
    before = levels.get(subject, DEFAULT_LEVEL)
    await registry.unset("CONFIG", subject)
    return {"compatibilityLevel": before}


async def _mode(registry: Registry, request: Request) -> Any:
    subject = _named(request)
    if subject is not None and subject not in registry.state.modes and not _flag(request, "defaultToGlobal"):
        raise errors.no_subject_mode(subject)
    return {"mode": registry.state.mode(subject)}


async def _set_mode(registry: Registry, request: Request) -> Any:
    wanted = (await _body(request)).get("mode")
    return {"mode": await registry.set_mode(_named(request), wanted, _flag(request, "force"))}


async def _unset_mode(registry: Registry, request: Request) -> Any:
    subject, modes = _named(request), registry.state.modes
    if subject is not None and subject not in modes:
        raise errors.subject_not_found(subject)
    before = modes.get(subject, DEFAULT_MODE)
    await registry.unset("MODE", subject)
    return {"mode": before}
