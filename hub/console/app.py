"""The console's pages and the read API, over the read model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from importlib import resources
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from hub.admin.letter_list import numbers, row
from hub.avro.bodies import BODIES
from hub.avro.document import document, from_document
from hub.avro.personal import initials, minimised
from hub.avro.records import Dossier, DossierStep, Handler
from hub.config import Settings
from hub.console import words
from hub.console.access import Guard
from hub.console.connections import look
from hub.console.figures import Figures, page_values, this_month
from hub.control.directory import Directory
from hub.deadletter.book import Book, Listed
from hub.deadletter.filters import Filter
from hub.errors import ConfigError
from hub.events.families import BY_NAME
from hub.readmodel.queries import CLOSED, ReadModel
from hub.untyped import JsonObject
from hub.web.docs_page import add_docs

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LETTERS_SHOWN = 100
KEYS = """The operators' token goes into <code>Authorization: Bearer …</code>, or is the password of HTTP Basic. On a
loopback address it may be left out; then personal data is masked."""


def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("hub.console"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
    env.globals["words"] = words
    return env


def hide(value: Any) -> Any:
    """Only that something stands there."""
    return "(đã che)" if value else None


def masked(subject: JsonObject) -> JsonObject:
    """The subject, a document (hub.readmodel.queries), with personal data hidden; notes and handlers of events too, as
    DossierStep marks them."""
    out = dict(subject)
    if out.get("state") and out.get("family") in BY_NAME:
        known = from_document(BODIES[BY_NAME[out["family"]].state_record].record, out["state"])
        out["state"] = document(minimised(known, initials))
        if isinstance(known, Dossier):
            out["state"]["abstract"] = hide(known.abstract)
    out["events"] = [_masked_event(event) for event in subject["events"]]
    return out


def _masked_event(event: JsonObject) -> JsonObject:
    hidden = {name: hide(event[name]) for name in DossierStep.PERSONAL if name in event}
    if event["handler"] is not None:
        hidden["handler"] = document(minimised(from_document(Handler, event["handler"]), hide))
    return event | hidden


def make_app(settings: Settings, model: ReadModel, directory: Directory, letters: Book) -> FastAPI:
    """`directory` and `letters` may be followed in the background by the caller."""
    app = FastAPI(title="Hub: read API", docs_url=None, redoc_url=None)
    may_see_personal = Depends(Guard(settings))
    figures = Figures(settings, model.engine)
    env = _environment()
    css = resources.files("hub.console").joinpath("static/hub.css").read_text(encoding="utf-8")

    def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
        html = env.get_template(name).render(now=int(time.time() * 1000), profile=settings.profile, **values)
        return HTMLResponse(html, status_code=status)

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Any]) -> Response:
        response: Response = await call_next(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)  # `/docs` has a policy of its own, as strict
        return response

    async def subject_of(code: str) -> JsonObject | None:
        found = await asyncio.to_thread(model.subject, words.composed(code))
        for letter in found["dead_letters"] if found else ():
            letter["status"] = letters.status(letter["id"])
        return found

    @app.get("/v1/dossiers/{code}")
    async def dossier(code: str, personal: bool = may_see_personal) -> JsonObject:
        """State, every event and every delivery attempt of one dossier, procedure or service. Times: epoch ms UTC."""
        found = await subject_of(code)
        if found is None:
            raise HTTPException(404, f"no dossier, procedure or service {code!r} is known")
        return found if personal else masked(found)

    @app.get("/v1/overview")
    async def overview_data(_: bool = may_see_personal) -> JsonObject:
        """What the overview page shows."""
        return await _overview(settings, model, directory, letters)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def overview(_: bool = may_see_personal) -> Response:
        return page("overview.html", **await _overview(settings, model, directory, letters))

    @app.get("/tim", response_class=HTMLResponse, include_in_schema=False)
    async def search(q: Annotated[str, Query(max_length=200)] = "", _: bool = may_see_personal) -> Response:
        text = words.composed(q)
        found = await asyncio.to_thread(model.search, text) if text else []
        if len(found) == 1:
            return RedirectResponse(f"/ho-so/{found[0]['key']}", 303)
        return page("search.html", q=text, found=found)

    @app.get("/ho-so/{code}", response_class=HTMLResponse, include_in_schema=False)
    async def subject(code: str, personal: bool = may_see_personal) -> Response:
        found = await subject_of(code)
        if found is None:
            return page("search.html", 404, q=code, found=[])
        return page("subject.html", s=found if personal else masked(found), personal=personal, closed=CLOSED)

    @app.get("/thu-loi", response_class=HTMLResponse, include_in_schema=False)
    async def dead_letters(_: bool = may_see_personal) -> Response:
        return page("dead_letters.html", letters=[_shown(one) for one in letters.newest(Filter(), LETTERS_SHOWN)])

    @app.get("/v1/figures/{month}")
    async def figures_data(month: str, agency: str = "", _: bool = may_see_personal) -> JsonObject:
        """The monthly report, `month` as 2026-10: figures, score, and the codes behind each number."""
        try:
            return await asyncio.to_thread(figures.report, month, agency)
        except ConfigError as error:
            raise HTTPException(400, str(error)) from None

    @app.get("/so-lieu", response_class=HTMLResponse, include_in_schema=False)
    async def figures_page(
        thang: Annotated[str, Query(max_length=7)] = "",
        agency: Annotated[str, Query(alias="co-quan", max_length=40)] = "",
        so: Annotated[str, Query(max_length=60)] = "",
        _: bool = may_see_personal,
    ) -> Response:
        try:
            found = await asyncio.to_thread(figures.report, thang or this_month(), agency)
        except ConfigError as error:
            raise HTTPException(400, str(error)) from None
        return page("figures.html", **page_values(found, agency, so))

    @app.get("/hub.css", include_in_schema=False)
    async def style() -> Response:
        return Response(css, media_type="text/css; charset=utf-8")

    add_docs(app, KEYS)
    return app


def _shown(one: Listed) -> JsonObject:
    """A letter as its page shows it."""
    told = row(one)
    return told | {"at_ms": one.found.letter.at_ms, "origin": told["from"]}


async def _overview(settings: Settings, model: ReadModel, directory: Directory, letters: Book) -> JsonObject:
    """{connections, roles, totals}: each subscriber with what SQL, its role and hub.control say of it."""
    now = time.time()
    seen, counted, totals = await asyncio.gather(
        look(settings.run_dir, settings.doors),
        asyncio.to_thread(model.connections),
        asyncio.to_thread(model.totals, int(now * 1000)),
    )
    by_name = {row["subscriber"]: row for row in counted}
    live: dict[str, dict[str, float]] = {}
    for role in seen:
        live |= role.connections
    connections = []
    for name in sorted({*directory.subscribers, *by_name}):
        subscriber, link = directory.subscribers.get(name), live.get(name, {})
        row = by_name.get(name, {})
        connections.append(
            {
                "name": name,
                "title": (subscriber.title if subscriber else "") or name,
                "kind": subscriber.kind if subscriber else "",
                "removed": subscriber is None,
                "paused": bool(subscriber and subscriber.paused),
                "up": None if "up" not in link else link["up"] == 1,
                "breaker_open": link.get("breaker_open") == 1,
                "oldest_undelivered": link.get("oldest_undelivered"),
                "parked": int(link.get("parked", 0)),
                "held": int(link.get("held", 0)),
                "last_success": row.get("last_success"),
                "last_error": row.get("last_error"),
                "last_error_kind": row.get("last_error_kind"),
                "attempts": row.get("attempts", 0),
                "retries": row.get("retries", 0),
                "dead_lettered": row.get("dead_lettered", 0),
            }
        )
    roles = [{"role": r.role, "ready": r.ready, "checks": r.checks} for r in seen]
    return {"connections": connections, "roles": roles, "totals": totals | {"dead_letters": numbers(letters)}}
