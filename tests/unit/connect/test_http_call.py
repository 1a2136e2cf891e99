"""What an HTTP status and Retry-After mean; bounds in time and size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.connect.http_call import Reply, check_status, retry_after, send
from hub.errors import Rejected, Retryable

RETRYABLE = {
    301: "redirect", 302: "redirect", 304: "redirect", 401: "forbidden", 403: "forbidden", 404: "http_4xx",
    405: "http_4xx", 407: "forbidden", 408: "timeout", 425: "timeout", 429: "busy", 500: "http_5xx", 503: "http_5xx",
}  # fmt: skip
REJECTED = {400: "schema", 409: "refused", 410: "refused", 413: "limit", 415: "refused", 422: "schema"}


@pytest.mark.parametrize(("status", "kind"), RETRYABLE.items())
def test_retryable(status: int, kind: str) -> None:
    with pytest.raises(Retryable) as caught:
        check_status(Reply(status, {"retry-after": "7"}, b""))
    assert (caught.value.kind, caught.value.status) == (kind, status)
    assert caught.value.retry_after == (None if kind == "redirect" else 7)


@pytest.mark.parametrize(("status", "reason"), REJECTED.items())
def test_rejected(status: int, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_status(Reply(status, {}, b"\xff why"))
    assert (caught.value.reason, caught.value.status) == (reason, status)


def test_success() -> None:
    """And the statuses next to them are none."""
    for status in (200, 201, 202, 204, 299):
        check_status(Reply(status, {}, b""))
    for status in (199, 300):
        with pytest.raises((Retryable, Rejected)):
            check_status(Reply(status, {}, b""))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17),
        (" 0 ", 0),
        ("999999999999", 86_400),
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
    ],
)
def test_retry_after_in_seconds(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    assert retry_after(formatdate(time.time() + 30, usegmt=True)) == pytest.approx(30, abs=1.5)
    assert retry_after(formatdate(0, usegmt=True)) == 0


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4,9} \d\d:\d\d:\d\d.*"))
def test_any_retry_after_is_a_wait_or_none(value: str) -> None:
    wait = retry_after(value)
    assert wait is None or 0 <= wait <= 86_400


async def _send(answer: Any, timeout_s: float = 5, max_bytes: int = 100) -> Reply:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), trust_env=False) as client:
        return await send(client, client.build_request("GET", "http://portal.test/"), timeout_s, max_bytes)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectTimeout, "timeout"), (httpx.ReadTimeout, "timeout"), (httpx.PoolTimeout, "timeout"),
        (httpx.ConnectError, "connect"), (httpx.ReadError, "reset"), (httpx.WriteError, "reset"),
        (httpx.RemoteProtocolError, "reset"), (httpx.LocalProtocolError, "protocol"), (httpx.DecodingError, "encoding"),
    ],
)  # fmt: skip
async def test_network_faults_are_told_apart(error: type[httpx.TransportError], kind: str) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    with pytest.raises(Retryable) as caught:
        await _send(fail)
    assert caught.value.kind == kind


async def test_a_packed_body_that_is_broken() -> None:
    with pytest.raises(Retryable) as caught:
        await _send(
            lambda _: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=_Trickle(0, b"nonsense"))
        )
    assert caught.value.kind == "encoding"


class _Trickle(httpx.AsyncByteStream):
    def __init__(self, wait_s: float, part: bytes, parts: int = 1) -> None:
        self._wait_s, self._part, self._parts = wait_s, part, parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._parts):
            await asyncio.sleep(self._wait_s)
            yield self._part


async def test_an_answer_that_trickles_in_is_bounded() -> None:
    began = time.monotonic()
    with pytest.raises(Retryable) as caught:
        await _send(lambda _: httpx.Response(200, stream=_Trickle(0.05, b"x", 1000)), timeout_s=0.2)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - began < 5


async def test_an_answer_without_end_is_bounded() -> None:
    with pytest.raises(Retryable) as caught:
        await _send(lambda _: httpx.Response(200, stream=_Trickle(0, b"x" * 60, 2)))
    assert caught.value.kind == "too_large"
