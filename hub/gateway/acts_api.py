"""`/v1/…`: every act of operators over HTTP, as the table `hub.admin.acts.table` says. No rule stands here."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, create_model
from pydantic.fields import FieldInfo
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.admin.acts import table
from hub.admin.acts.act import Act, Http
from hub.config import Settings
from hub.control.audit import Actor
from hub.control.keys import credential
from hub.errors import ConfigError
from hub.gateway.operators import operator
from hub.untyped import Arguments, JsonObject, SettingsTable
from hub.web.brake import Brake
from hub.web.json_text import is_text
from hub.web.problem import Problem

PREVIEW = "preview"
"""`?preview=true`: only tell what would be done."""
SECURITY: list[dict[str, list[str]]] = [{"ApiKey": []}, {"Bearer": []}]


def routes(settings: Settings) -> list[Route]:
    """One for each act."""
    return [_route(settings, act) for act in table.ACTS.values()]


def _route(settings: Settings, act: Act[Any]) -> Route:
    async def endpoint(request: Request) -> Response:
        by = _allowed(request, settings)
        values, preview = await _values(request, act.http)
        if preview:
            return JSONResponse(await table.preview(settings, act.name, values, by))
        if act.long:
            record = await table.begin(settings, act.name, values, by, "http")
            return JSONResponse(record.document(), 202, {"Location": f"/v1/acts/{record.id}"})
        answer = await table.perform(settings, act.name, values, by)
        if act.http.status == 204:
            return Response(status_code=204)
        return JSONResponse(answer, act.http.status)

    return Route(act.http.path, endpoint, methods=[act.http.method])


def _allowed(request: Request, settings: Settings) -> Actor:
    """Who acts, if it is an operator. Problem (401) for anyone else, whose brake counts it."""
    address = request.client.host if request.client else ""
    brake: Brake = request.app.state.brake
    brake.check(address)
    found = operator(request.headers, settings.gateway.admin_token, address)
    if found is None:
        if credential(request.headers):
            brake.failed(address)
        raise Problem("unauthenticated", "send the operators' token", {"WWW-Authenticate": "Bearer"})
    return found


async def _values(request: Request, http: Http) -> tuple[SettingsTable, bool]:
    """(what the act is told, whether only its preview is asked for)."""
    query: SettingsTable = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    preview = query.pop(PREVIEW, ["false"])[-1] == "true"
    plain = {name: found if name == "ids" else found[-1] for name, found in query.items()}
    body = await _body(request) if http.method in ("POST", "PATCH") else {}
    return plain | body | dict(request.path_params), preview


async def _body(request: Request) -> SettingsTable:
    raw = await request.body()
    if not raw:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem("malformed", "the body is no JSON") from None
    if not is_text(found):
        raise Problem("malformed", "the body holds half of a surrogate pair, which no encoding can write")
    if not isinstance(found, dict):
        raise ConfigError("body", "must be a JSON object")
    return found


def told() -> APIRouter:
    """The same for OpenAPI: told of, never called."""
    router = APIRouter()
    for act in table.ACTS.values():
        http = act.http
        router.add_api_route(
            http.path, _described(act), methods=[http.method], status_code=http.status, summary=act.says,
            tags=[http.path.split("/")[2]], openapi_extra={"security": SECURITY},
        )  # fmt: skip
    return router


def _described(act: Act[Any]) -> Any:
    """A function whose signature is the act's input: in the path, in the query or in the body."""
    fields = act.input.model_fields
    in_path = {name for name in fields if f"{{{name}}}" in act.http.path}
    rest = {name: field for name, field in fields.items() if name not in in_path}
    parameters = [_parameter(name, fields[name].annotation) for name in sorted(in_path)]
    if rest and act.http.method in ("GET", "DELETE"):
        parameters += [
            _parameter(n, f.annotation, Query(f.default, description=f.description)) for n, f in rest.items()
        ]
    elif rest:
        parameters.append(_parameter("given", _body_model(act, rest)))
    if act.preview is not None:
        parameters.append(_parameter(PREVIEW, bool, Query(False, description="only tell what would be done")))

    def described() -> None: ...

    described.__name__ = act.http.operation
    described.__signature__ = inspect.Signature(parameters, return_annotation=_answer(act))  # type: ignore[attr-defined]
    return described


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _body_model(act: Act[Any], fields: Mapping[str, FieldInfo]) -> type[BaseModel]:
    taken: Arguments = {name: (field.annotation, field) for name, field in fields.items()}
    made: type[BaseModel] = create_model(
        act.input.__name__, __config__=ConfigDict(extra="forbid"), __doc__=act.input.__doc__, **taken
    )
    return made


def _answer(act: Act[Any]) -> Any:
    return JsonObject if act.answers is None and act.http.status != 204 else act.answers
