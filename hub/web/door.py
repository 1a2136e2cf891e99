"""What every HTTP door asks before its application sees a request: our own name, no page from elsewhere, no form.

A web page in an operator's browser can send a form, or `text/plain`, to any address that the browser reaches, without
asking that address first. And by DNS rebinding it can read the answers, under a name that it chose: never under an
address in digits, which is therefore taken. What programs send has neither an Origin nor a form's type.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.config import DoorSettings
from hub.web.problem import Problem
from hub.web.proxies import Proxies

FORMS = ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
"""Types that a page may send anywhere without asking; none at all is one of them."""
_READS = ("GET", "HEAD", "OPTIONS")


class Door:
    """An ASGI application around another one. hidden: paths that answer on the observation address only."""

    def __init__(self, app: ASGIApp, settings: DoorSettings, bound: str, hidden: Collection[str] = ()) -> None:
        own = socket.gethostname()
        self._app, self._hidden = app, hidden
        self._named = {_plain(name) for name in settings.hosts}
        self._names = self._named | {_plain(name) for name in ("localhost", bound, own, own.partition(".")[0])}
        self._proxies = Proxies(settings.proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            scope["client"] = self._proxies.client(scope["client"], headers.getlist("x-forwarded-for"))
            try:
                if scope["path"] in self._hidden:
                    raise Problem("not_found", "no such address")
                self._admit(scope["method"], headers)
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admit(self, method: str, headers: Headers) -> None:
        host = headers.get("host")
        if host is not None and not self._is_ours(host):  # HTTP/1.0 has none, and no browser speaks it
            raise Problem("wrong_host", "no name of this hub; names it is called by are the setting doors.hosts")
        origin = headers.get("origin")
        if origin is not None and not self._is_own_page(origin, host or ""):
            raise Problem("foreign_origin", "calls from pages of other origins are not taken")
        if method in _READS:
            return
        if headers.get("sec-fetch-site") == "cross-site":
            raise Problem("foreign_origin", "calls from pages of other sites are not taken")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if _has_body(headers) and kind in FORMS:
            raise Problem("unsupported_media_type", "send the Content-Type of the body; a form's is not taken")

    def _is_ours(self, host: str) -> bool:
        name = _host_of(f"//{host}")
        return name in self._names or _is_address(name)

    def _is_own_page(self, origin: str, host: str) -> bool:
        """The page came from the very door that it calls, or from a name of the settings (a proxy's)."""
        name = _host_of(origin)
        return bool(name) and (_authority(origin) == host.lower() or name in self._named)


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _plain(name: str) -> str:
    return name.strip("[]").rstrip(".").lower()


def _host_of(url: str) -> str:
    """ "" for what names no host."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    clean = not (parts.path or parts.query or parts.fragment or parts.username)
    return _plain(parts.hostname or "") if clean else ""


def _authority(origin: str) -> str:
    return origin.partition("://")[2].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
