"""One HTTP call to a portal, bounded in time and size, with every way it can fail told apart.

A network fault, a silent server and a server in trouble are Retryable; an answer that speaks of this very message
(400, 413, 422 …) is Rejected; one that speaks of the connection (401, 404 …) is Retryable, for no single event is to
blame and thousands must not become dead letters because an address or a key changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from hub.errors import Rejected, Retryable

EXCERPT = 1024
"""Characters of an answer that are kept for the delivery record."""
_LONGEST_RETRY_AFTER_S = 86_400.0
_ABOUT_THE_MESSAGE = {400: "schema", 422: "schema", 413: "limit"}
_ABOUT_THE_CONNECTION = {401: "forbidden", 403: "forbidden", 404: "http_4xx", 405: "http_4xx", 407: "forbidden"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read whole. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def excerpt(self) -> str:
        return self.body[: EXCERPT * 4].decode("utf-8", "replace")[:EXCERPT]


async def send(client: httpx.AsyncClient, request: httpx.Request, timeout_s: float, max_bytes: int) -> Reply:
    """Sends once, follows no redirect. Retryable with kind timeout, connect, reset, protocol, encoding or too_large.

    timeout_s bounds the whole exchange, also an answer that trickles in byte by byte.
    """
    try:
        async with asyncio.timeout(timeout_s):
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                return Reply(response.status_code, _lower(response.headers), await _read(response, max_bytes))
            finally:
                await response.aclose()
    except (TimeoutError, httpx.TimeoutException):
        raise Retryable("timeout", f"no answer within {timeout_s:g} s from {request.url.host}") from None
    except httpx.ConnectError as error:
        raise Retryable("connect", f"cannot connect to {request.url.host}: {error}") from None
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise Retryable("reset", f"{request.url.host} broke the connection: {error}") from None
    except httpx.DecodingError as error:
        raise Retryable("encoding", f"the answer cannot be unpacked: {error}") from None
    except httpx.HTTPError as error:
        raise Retryable("protocol", f"{type(error).__name__}: {error}") from None


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > max_bytes:
            raise Retryable("too_large", f"the answer is longer than {max_bytes} bytes", status=response.status_code)
        parts.append(part)
    return b"".join(parts)


def check_status(reply: Reply) -> None:
    """Returns for 2xx; raises the verdict of any other status, with Retry-After where the portal gave one."""
    status = reply.status
    if 200 <= status < 300:
        return
    wait = retry_after(reply.headers.get("retry-after"))
    said = f"HTTP {status}: {reply.excerpt[:200]}"
    if status == 429:
        raise Retryable("busy", said, wait, status)
    if status >= 500:
        raise Retryable("http_5xx", said, wait, status)
    if status < 400:
        raise Retryable("redirect", f"HTTP {status}: redirects are not followed; set the new address", None, status)
    if status in (408, 425):
        raise Retryable("timeout", said, wait, status)
    if kind := _ABOUT_THE_CONNECTION.get(status):
        raise Retryable(kind, said, wait, status)
    raise Rejected(_ABOUT_THE_MESSAGE.get(status, "refused"), said, status)


def retry_after(value: str | None) -> float | None:
    """Seconds from now, of either form of RFC 9110 10.2.3 (seconds or an HTTP date); None when absent or nonsense."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), _LONGEST_RETRY_AFTER_S)
    try:
        wait = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), _LONGEST_RETRY_AFTER_S)
