"""Who may do what at the registry's door: HTTP Basic, and a right for each user, as Karapace has them."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Literal

from starlette.requests import Request

from hub.config import Settings
from hub.registry import logins
from hub.registry.client import OWN_RECORDS
from hub.registry.server.errors import ApiError
from hub.web.brake import opened

Right = Literal["all", "own records", "read"]
_RIGHTS: Mapping[str, Right] = {logins.OPERATOR: "all", logins.HUB: "own records"}


class Users:
    """passwords: by user. Open reading asks for nothing, but refuses wrong credentials too."""

    def __init__(self, passwords: Mapping[str, str], rights: Mapping[str, Right], reading_open: bool) -> None:
        self._passwords = {name: password.encode() for name, password in passwords.items()}
        self._rights = rights
        self._reading_open = reading_open
        self._brake = opened("registry")

    def admit(self, request: Request, writes: bool) -> None:
        """ApiError 401: no credentials, or wrong ones. 429: too often. 40301: the user has not this right."""
        user = self._user(request.headers.get("authorization", ""), request.client.host if request.client else "")
        if user is None and (writes or not self._reading_open):
            raise ApiError(401, 401, "Unauthorized")
        if user is not None and writes and not self._may_write(user, request):
            raise ApiError(403, 40301, f"User '{user}' may not do this here")

    def _user(self, header: str, address: str) -> str | None:
        """None without credentials."""
        if not header:
            return None
        scheme, _, rest = header.partition(" ")
        name, password = "", b""
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(rest.strip(), validate=True).partition(b":")
                name = user.decode()
            except (binascii.Error, UnicodeDecodeError):
                name = ""
        if wait := self._brake.wait_s(address, name):
            raise ApiError(429, 429, "Too many wrong credentials", wait)
        known = self._passwords.get(name)
        if not hmac.compare_digest(password, known or b"-") or known is None:
            self._brake.failed(address, name)
            raise ApiError(401, 401, "Unauthorized")
        return name

    def _may_write(self, user: str, request: Request) -> bool:
        right = self._rights.get(user, "read")
        if right != "own records":
            return right == "all"
        return (
            request.path_params.get("subject") in OWN_RECORDS
            and request.method != "DELETE"
            and not request.url.path.startswith("/mode")
        )


def users(settings: Settings) -> Users:
    """The one of the settings, who may do all; else those of the file, made if they are missing."""
    registry = settings.registry
    if registry.username and registry.password:
        known = {registry.username: registry.password.get_secret_value()}
        return Users(known, {registry.username: "all"}, registry.reading == "open")
    return Users(logins.made(settings), _RIGHTS, registry.reading != "credentials")
