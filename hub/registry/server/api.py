"""The REST face, as Confluent documents it ("Schema Registry API Reference"), for Avro."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.registry.schema_log import Version
from hub.registry.server import errors, http
from hub.registry.server.errors import ApiError
from hub.registry.server.service import Registry
from hub.registry.server.state import DEFAULT_LEVEL, DEFAULT_MODE
from hub.registry.server.users import Users

Handler = Callable[[Registry, Request], Awaitable[Any]]


def app(registry: Registry, users: Users) -> Starlette:
    """The ASGI application; who may call what is for `users` to say."""

    def route(path: str, **handlers: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                method = "get" if request.method == "HEAD" else request.method.lower()
                users.admit(request, method in ("put", "delete") or handlers[method] is _register)
                http.media_types(request)
                return http.answer(await handlers[method](registry, request))
            except ApiError as error:
                return http.refusal(error)

        return Route(path, endpoint, methods=[m.upper() for m in handlers])

    async def http_error(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = error.detail if isinstance(error, HTTPException) else "Internal Server Error"
        return http.refusal(ApiError(status, status, f"HTTP {status} {detail}"))

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


# --- schemas -------------------------------------------------------------------------------------------------------


async def _root(_: Registry, __: Request) -> Any:
    return {}


async def _types(_: Registry, __: Request) -> Any:
    return ["AVRO"]


async def _schemas(registry: Registry, request: Request) -> Any:
    prefix = request.query_params.get("subjectPrefix", "")
    found = [v for v in registry.state.all(http.flag(request, "deleted")) if v.subject.startswith(prefix)]
    if http.flag(request, "latestOnly"):
        found = list({v.subject: v for v in found}.values())
    return http.page(request, [http.described(v) for v in found])


async def _by_id(registry: Registry, request: Request) -> Any:
    found = http.described(registry.state.with_id(http.schema_id(request))[0])
    out = {k: found[k] for k in ("schemaType", "references", "schema") if k in found}
    return out | ({"maxId": registry.state.max_id} if http.flag(request, "fetchMaxId") else {})


async def _text_by_id(registry: Registry, request: Request) -> Any:
    return json.loads(registry.state.with_id(http.schema_id(request))[0].schema)


async def _subjects_by_id(registry: Registry, request: Request) -> Any:
    deleted, found = http.flag(request, "deleted"), registry.state.with_id(http.schema_id(request))
    return http.page(request, sorted({v.subject for v in found if deleted or not v.deleted}))


async def _versions_by_id(registry: Registry, request: Request) -> Any:
    deleted, found = http.flag(request, "deleted"), registry.state.with_id(http.schema_id(request))
    return http.page(
        request, [{"subject": v.subject, "version": v.version} for v in found if deleted or not v.deleted]
    )  # fmt: skip


# --- subjects ------------------------------------------------------------------------------------------------------


async def _subjects(registry: Registry, request: Request) -> Any:
    state, prefix = registry.state, request.query_params.get("subjectPrefix", "")
    names = [s for s in sorted(state.subjects) if s.startswith(prefix)]
    if http.flag(request, "deletedOnly"):
        names = [s for s in names if not state.versions(s)]
    elif not http.flag(request, "deleted"):
        names = [s for s in names if state.versions(s)]
    return http.page(request, names)


async def _versions(registry: Registry, request: Request) -> Any:
    only = http.flag(request, "deletedOnly")
    found = registry.state.require(http.subject(request), only or http.flag(request, "deleted"))
    return http.page(request, [v.version for v in found if v.deleted or not only])


async def _register(registry: Registry, request: Request) -> Any:
    return {"id": await registry.register(http.subject(request), await http.body(request))}


async def _find(registry: Registry, request: Request) -> Any:
    return http.described(registry.find(http.subject(request), await http.body(request), http.flag(request, "deleted")))


def _asked_for(registry: Registry, request: Request) -> Version:
    return registry.state.get(http.subject(request), http.number(request), http.flag(request, "deleted"))


async def _version(registry: Registry, request: Request) -> Any:
    return http.described(
        registry.state.get(http.subject(request), http.number(request), http.flag(request, "deleted"))
    )


async def _version_text(registry: Registry, request: Request) -> Any:
    return json.loads(
        registry.state.get(http.subject(request), http.number(request), http.flag(request, "deleted")).schema
    )


async def _referenced_by(registry: Registry, request: Request) -> Any:
    version = registry.state.get(http.subject(request), http.number(request), deleted=True)
    users = registry.state.referenced_by(version.subject, version.version, http.flag(request, "deleted"))
    return http.page(request, sorted({v.id for v in users}))


async def _delete_subject(registry: Registry, request: Request) -> Any:
    return await registry.delete_subject(http.subject(request), http.flag(request, "permanent"))


async def _delete_version(registry: Registry, request: Request) -> Any:
    return await registry.delete_version(http.subject(request), http.number(request), http.flag(request, "permanent"))


# --- compatibility, config, mode -----------------------------------------------------------------------------------


async def _check_all(registry: Registry, request: Request) -> Any:
    subject = http.subject(request)
    return await _check(registry, request, registry.state.versions(subject))


async def _check_one(registry: Registry, request: Request) -> Any:
    """`latest` of a subject that has none is compatible with everything, as at Confluent."""
    subject, number = http.subject(request), http.number(request)
    found = [v for v in registry.state.versions(subject) if number in (-1, v.version)][-1:]
    if not found and number != -1:
        raise errors.version_not_found(number)
    return await _check(registry, request, found)


async def _check(registry: Registry, request: Request, against: list[Version]) -> Any:
    verbose = http.flag(request, "verbose")
    try:
        candidate = registry.candidate(await http.body(request))
        messages = registry.incompatibilities(candidate, http.subject(request), against)
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
    if subject not in levels and not http.flag(request, "defaultToGlobal"):
        raise errors.no_subject_config(subject)
    return {"compatibilityLevel": registry.state.level(subject)}


async def _set_level(registry: Registry, request: Request) -> Any:
    return {"compatibility": await registry.set_level(_named(request), (await http.body(request)).get("compatibility"))}


async def _unset_level(registry: Registry, request: Request) -> Any:
    subject, levels = _named(request), registry.state.levels
    if subject is not None and subject not in levels:
        raise errors.subject_not_found(subject)
    before = levels.get(subject, DEFAULT_LEVEL)
    await registry.unset("CONFIG", subject)
    return {"compatibilityLevel": before}


async def _mode(registry: Registry, request: Request) -> Any:
    subject = _named(request)
    if subject is not None and subject not in registry.state.modes and not http.flag(request, "defaultToGlobal"):
        raise errors.no_subject_mode(subject)
    return {"mode": registry.state.mode(subject)}


async def _set_mode(registry: Registry, request: Request) -> Any:
    wanted = (await http.body(request)).get("mode")
    return {"mode": await registry.set_mode(_named(request), wanted, http.flag(request, "force"))}


async def _unset_mode(registry: Registry, request: Request) -> Any:
    subject, modes = _named(request), registry.state.modes
    if subject is not None and subject not in modes:
        raise errors.subject_not_found(subject)
    before = modes.get(subject, DEFAULT_MODE)
    await registry.unset("MODE", subject)
    return {"mode": before}
