"""The gateway's HTTP application: routes together, and every error as a problem document."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from hub.admin.acts.act import Forbidden
from hub.admin.acts.running import NotUnderWay
from hub.admin.names import NameIsTaken, NoSuchName
from hub.config import Settings
from hub.control.changes import ChangedMeanwhile
from hub.deadletter.browse import NoSuchLetter
from hub.errors import BrokerAway, ConfigError, HubError, Overloaded
from hub.gateway import acts_api, events_api
from hub.gateway.ingest import Ingest
from hub.gateway.openapi import EVENTS, SECURITY
from hub.gateway.sender import Sender
from hub.untyped import JsonObject
from hub.web.brake import opened
from hub.web.docs_page import add_docs
from hub.web.problem import Problem

ABOUT = """Agency systems publish procedures, dossiers and online services here, as CloudEvents. An event that is
answered with 202 stands in Kafka; it is delivered at least once to every portal that is due it."""

AWAY_S = 5
"""Retry-After when something behind the gateway is away."""


def build(settings: Settings, holder: events_api.Holder, ingest: Ingest, sender: Sender) -> FastAPI:
    """The application over what the role holds."""
    brake = opened("gateway")
    events = events_api.route(settings.gateway, holder, ingest, sender, brake)
    app = FastAPI(title="Hub gateway", version="1", description=ABOUT, docs_url=None, redoc_url=None, routes=[events])
    app.state.settings = settings
    app.state.brake = brake
    app.router.routes.extend(acts_api.routes(settings))
    for kind in (Problem, HubError, RequestValidationError):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)
    _declare(app, events)
    add_docs(app, "Keys go into <code>X-Api-Key</code> or\n<code>Authorization: Bearer …</code>.")
    return app


def problem_of(error: Exception) -> Problem:
    """What a caller is told of an error."""
    match error:
        case Problem():
            return error
        case Overloaded():
            return Problem("overloaded", str(error), {"Retry-After": str(error.retry_after)})
        case BrokerAway():
            return Problem("unavailable", str(error), {"Retry-After": str(error.retry_after)})
        case NoSuchName() | NoSuchLetter():
            return Problem("not_found", str(error))
        case NameIsTaken() | ChangedMeanwhile() | NotUnderWay():
            return Problem("conflict", str(error))
        case Forbidden():
            return Problem("forbidden", str(error))
        case ConfigError():
            return Problem("invalid", str(error), field=error.field)
        case RequestValidationError():
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"][1:])
            return Problem("invalid", f"{field}: {first['msg']}", field=field)
    return Problem("unavailable", str(error), {"Retry-After": str(AWAY_S)})


async def _answer(_: Request, error: Exception) -> Response:
    return problem_of(error).response()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed", 401: "unauthenticated", 403: "forbidden"}
    known = code.get(error.status_code, "invalid" if error.status_code < 500 else "unavailable")
    answer = Problem(known, str(error.detail), error.headers).response()
    answer.status_code = error.status_code
    return answer


async def _fault(_: Request, error: Exception) -> Response:
    """Starlette logs the traceback; the caller learns only that it was not their fault."""
    return Problem("internal", "the hub failed at this request; its log tells why").response()


def _declare(app: FastAPI, events: Route) -> None:
    """What `/docs` cannot see by itself: the events' route, which is not FastAPI's, and the two ways to send a key."""
    told = APIRouter()  # told of, never called
    told.add_api_route(
        events.path, events.endpoint, methods=["POST"], status_code=202, openapi_extra=EVENTS, tags=["events"],
        summary="Publish events",
    )  # fmt: skip
    told.include_router(acts_api.told())

    def openapi() -> JsonObject:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=[*told.routes, *app.routes]
            )
            document.setdefault("components", {})["securitySchemes"] = SECURITY
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
