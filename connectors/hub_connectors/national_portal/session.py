"""The session of one login (docs/field/portal.md): shared by all connections of a process, renewed by one of them.

A portal may allow one session a user; sixteen workers that each log in would then throw each other out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable

from hub.errors import Retryable

Login = Callable[[], Awaitable[str]]


class Session:
    """Holds the token; `life_s` is how long it is used before a new login. `holders`: connections that use it."""

    def __init__(self, key: Hashable, life_s: float) -> None:
        self.key = key
        self.holders = 0
        self._life_s = life_s
        self._lock = asyncio.Lock()
        self._token = ""
        self._born = 0.0
        self._failed: tuple[float, Retryable] | None = None

    async def token(self, login: Login) -> str:
        """The current token, or a new one when there is none or it is too old."""
        if self._token and time.monotonic() - self._born < self._life_s:
            return self._token
        return await self.renew(self._token, login)

    async def renew(self, seen: str, login: Login) -> str:
        """A token other than `seen`, which was found dead; one login serves all who wait."""
        asked = time.monotonic()
        async with self._lock:
            if self._token and self._token != seen:
                return self._token
            if self._failed and self._failed[0] >= asked:
                raise self._again(self._failed[1])
            try:
                self._token, self._born = await login(), time.monotonic()
            except Retryable as error:
                self._token = ""
                self._failed = (time.monotonic(), error)
                raise
            return self._token

    @staticmethod
    def _again(error: Retryable) -> Retryable:
        return Retryable(error.kind, str(error), error.retry_after, error.status)


_SHARED: dict[Hashable, Session] = {}


def join_session(key: Hashable, life_s: float) -> Session:
    """The session of that login in the running event loop, with one more holder."""
    full_key = (id(asyncio.get_running_loop()), key)
    session = _SHARED.get(full_key)
    if session is None:
        session = _SHARED[full_key] = Session(full_key, life_s)
    session.holders += 1
    return session


def leave_session(session: Session) -> None:
    """One holder less; the last one lets it go."""
    session.holders -= 1
    if session.holders == 0:
        _SHARED.pop(session.key, None)
