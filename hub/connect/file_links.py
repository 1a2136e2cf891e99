"""Files travel as links: does one answer, and what stands behind it? Only hosts that are set may be called, since the
addresses come from outside and the hub stands inside the network."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from urllib.parse import urlsplit

import httpx

_REMEMBERED = 10_000
_NO_HEAD = (405, 501)


class Links:
    """hosts: names that may be called, without port. A link that answered is not asked again for `fresh_s`."""

    def __init__(
        self, http: httpx.AsyncClient, hosts: tuple[str, ...], timeout_s: float, fresh_s: float = 3_600.0
    ) -> None:
        self._http, self._hosts, self._timeout_s, self._fresh_s = http, frozenset(hosts), timeout_s, fresh_s
        self._answered: OrderedDict[str, float] = OrderedDict()

    def allowed(self, url: str | None) -> bool:
        """Whether the link may be called."""
        try:
            parts = urlsplit(url or "")
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.hostname in self._hosts

    async def why_unreachable(self, url: str) -> str:
        """ "" if it answers (2xx, or 3xx: it is not followed), else a short word: http_404, timeout, connect."""
        if time.monotonic() - self._answered.get(url, -self._fresh_s) < self._fresh_s:
            return ""
        try:
            async with asyncio.timeout(self._timeout_s):
                status = (await self._http.head(url, follow_redirects=False)).status_code
                if status in _NO_HEAD:
                    async with self._http.stream("GET", url, follow_redirects=False) as answer:
                        status = answer.status_code
        except (TimeoutError, httpx.TimeoutException):
            return "timeout"
        except (httpx.HTTPError, httpx.InvalidURL):
            return "connect"
        if status >= 400:
            return f"http_{status}"
        self._answered[url] = time.monotonic()
        self._answered.move_to_end(url)
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        return ""

    async def sha256(self, url: str, max_bytes: int) -> tuple[str | None, bool]:
        """(SHA-256 of the file, whether that is the last word). None for good: not there, or longer than max_bytes."""
        digest, size = hashlib.sha256(), 0
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.stream("GET", url, follow_redirects=False) as answer,
            ):
                if not answer.is_success:
                    return None, answer.status_code < 500 and answer.status_code != 429
                async for part in answer.aiter_bytes():
                    size += len(part)
                    if size > max_bytes:
                        return None, True
                    digest.update(part)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
            return None, False
        return digest.hexdigest(), True
