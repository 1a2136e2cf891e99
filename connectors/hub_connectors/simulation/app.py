"""The simulators' frame: faults around the portal's own application, and /_admin to steer and read them.

GET  /_admin/faults         the plan, calls and counts by kind
POST /_admin/faults         a FaultOrder as JSON
POST /_admin/down[?mode=]   from now on: reset (default), silent (no answer) or http_503
POST /_admin/up             answers again
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, get_args

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_connectors.simulation.faults import DownMode, FaultOrder, FaultPlan
from hub_connectors.simulation.server import Connections

_CUT = ("reset", "hang", "down", "unreachable_link")
_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"


class FaultyApp:
    """ASGI application: `inner` with the plan's faults before it.

    expire: what the fault expired_session does (national portal); None where there is no session. files: beginning of
    the paths under which the inner application keeps files; "" where it keeps none.
    """

    def __init__(
        self,
        inner: ASGIApp,
        plan: FaultPlan,
        connections: Connections,
        expire: Callable[[], None] | None = None,
        files: str = "",
    ) -> None:
        self.plan = plan
        self.connections = connections
        self._inner = inner
        self._expire = expire
        self._files = files
        self._admin = Starlette(
            routes=[
                Route("/_admin/faults", self._faults, methods=["GET", "POST"]),
                Route("/_admin/down", self._down, methods=["POST"]),
                Route("/_admin/up", self._up, methods=["POST"]),
            ]
        )
        self._changed = asyncio.Event()

    def let_go(self) -> None:
        """Ends every call that is held silent or hanging."""
        self._changed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/_admin/"):
            await self._admin(scope, receive, send)
            return
        kind = self.plan.draw_file() if self._files and scope["path"].startswith(self._files) else self.plan.draw()
        if kind == "expired_session" and self._expire:
            self._expire()
            kind = None
        if kind is None:
            await self._inner(scope, receive, send)
        elif kind == "partial_batch":
            await self._inner({**scope, "fault": kind}, receive, send)
        elif kind == "duplicated":
            body = await _read_body(receive)
            await self._inner(scope, _replayed(body, receive), _swallow)
            await self._inner(scope, _replayed(body, receive), send)
        elif kind == "dropped_reply":
            await self._inner(scope, receive, _swallow)
            await self._cut(scope, receive, reset=False)
        elif kind in _CUT and not (kind == "down" and self.plan.down == "http_503"):
            silent = kind == "hang" or (kind == "down" and self.plan.down == "silent")
            await _read_body(receive)
            if silent:
                await self._hold(receive, self.plan.hang_s if kind == "hang" else None)
            await self._cut(scope, receive, reset=not silent)
        else:
            await _read_body(receive)
            await self._answer(kind)(scope, receive, send)

    def _answer(self, kind: str) -> Response:
        wait = {"retry-after": str(self.plan.retry_after_s)}
        match kind:
            case "http_429":
                return PlainTextResponse("too many requests", 429, wait)
            case "http_500":
                return PlainTextResponse("Internal Server Error", 500)
            case "http_502":
                return HTMLResponse(_PAGE.format("502 Bad Gateway"), 502)
            case "html":
                return HTMLResponse(_PAGE.format("Hệ thống đang bảo trì"), 200)
            case "empty":
                return Response(b"", 200)
            case _:
                return HTMLResponse(_PAGE.format("503 Service Temporarily Unavailable"), 503, wait)

    async def _hold(self, receive: Receive, seconds: float | None) -> None:
        """Says nothing until the time is over, the caller leaves, or the portal is told to go up or stop."""
        waits = {asyncio.ensure_future(_gone(receive)), asyncio.ensure_future(self._changed.wait())}
        _, pending = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    async def _cut(self, scope: Scope, receive: Receive, reset: bool) -> None:
        self.connections.cut(scope, reset)
        await _gone(receive)

    async def _faults(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self.plan.order(FaultOrder.model_validate_json(await request.body()))
            except ValidationError as error:
                return JSONResponse({"error": str(error)}, 422)
        return JSONResponse(self.plan.report())

    async def _down(self, request: Request) -> Response:
        mode: Any = request.query_params.get("mode", "reset")
        if mode not in get_args(DownMode):
            return JSONResponse({"error": f"mode must be one of {', '.join(get_args(DownMode))}"}, 422)
        self.plan.down = mode
        return JSONResponse(self.plan.report())

    async def _up(self, request: Request) -> Response:
        self.plan.down = None
        self._changed.set()
        self._changed = asyncio.Event()
        return JSONResponse(self.plan.report())


async def _swallow(message: Message) -> None:
    """Takes the answer of a call whose reply gets lost."""


async def _read_body(receive: Receive) -> bytes:
    """Reads the request whole, as a portal does that fails only then."""
    more, parts = True, []
    while more:
        message = await receive()
        more = message["type"] == "http.request" and bool(message.get("more_body"))
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read before, then what else comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


async def _gone(receive: Receive) -> None:
    """Waits until the caller's connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
