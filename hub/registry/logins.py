"""The users of the embedded registry, with passwords made at its first start (`data_dir/registry/users.json`, 0600).

| user       | may                                                             |
|------------|-----------------------------------------------------------------|
| `operator` | everything: whoever runs a command                              |
| `hub`      | read, and register the hub's own records with their level       |
| `reader`   | read; for others' programs, where reading asks for credentials  |
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import httpx

from hub.config import Settings
from hub.machine import passwords

OPERATOR, HUB, READER = "operator", "hub", "reader"


def users_file(settings: Settings) -> Path:
    return settings.data_dir / "registry" / "users.json"


def made(settings: Settings) -> dict[str, str]:
    """Passwords by user; those that are missing are made. Called by the registry's own process."""
    return passwords.made(users_file(settings), (OPERATOR, HUB, READER))


class MadeLogin(httpx.Auth):
    """The credentials of the file as it is at each call: a client may be there before the registry's first start."""

    def __init__(self, settings: Settings) -> None:
        self._path = users_file(settings)
        self._user = HUB if settings.kafka.sasl_username else OPERATOR

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        password = passwords.read(self._path).get(self._user)
        if password is None:
            yield request
        else:
            yield from httpx.BasicAuth(self._user, password).auth_flow(request)
