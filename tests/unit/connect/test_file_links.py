"""Links to files: which may be called, which answer, what stands behind them."""

from __future__ import annotations

import asyncio
import hashlib

import httpx
import pytest

from hub.connect.file_links import Links

FILE = b"bi\xe1\xbb\x83u m\xe1\xba\xabu"
CALLS: list[tuple[str, str]] = []


async def store(request: httpx.Request) -> httpx.Response:
    CALLS.append((request.method, request.url.path))
    match request.url.path:
        case "/there":
            return httpx.Response(200, content=FILE)
        case "/moved":
            return httpx.Response(302, headers={"location": "http://elsewhere.test/"})
        case "/no-head":
            return httpx.Response(405 if request.method == "HEAD" else 200)
        case "/hangs":
            await asyncio.sleep(30)
        case "/reset":
            raise httpx.ReadError("reset")
        case "/down":
            return httpx.Response(503)
    return httpx.Response(404)


def links() -> Links:
    CALLS.clear()
    return Links(httpx.AsyncClient(transport=httpx.MockTransport(store)), ("files.test",), 0.2)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://files.test/a", True),
        ("http://files.test:8443/a", True),
        ("https://files.test.evil.test/a", False),
        ("https://evil.test/?files.test", False),
        ("https://files.test@evil.test/", False),
        ("file:///etc/passwd", False),
        ("//files.test/a", False),
        ("http://[broken/", False),
        ("", False),
        (None, False),
    ],
)
def test_only_the_hosts_that_are_set(url: str | None, may: bool) -> None:
    assert links().allowed(url) is may


@pytest.mark.parametrize(
    ("path", "why"),
    [("there", ""), ("moved", ""), ("no-head", ""), ("gone", "http_404"), ("hangs", "timeout"), ("reset", "connect")],
)
async def test_why_a_link_does_not_answer(path: str, why: str) -> None:
    assert await links().why_unreachable(f"https://files.test/{path}") == why


async def test_what_answered_is_not_asked_again_and_what_did_not_is() -> None:
    tried = links()
    for path in ("there", "there", "gone", "gone"):
        await tried.why_unreachable(f"https://files.test/{path}")
    assert CALLS == [("HEAD", "/there"), ("HEAD", "/gone"), ("HEAD", "/gone")]


@pytest.mark.parametrize(
    ("path", "limit", "found"),
    [
        ("there", 100, (hashlib.sha256(FILE).hexdigest(), True)),
        ("there", 3, (None, True)),
        ("gone", 100, (None, True)),
        ("down", 100, (None, False)),
        ("hangs", 100, (None, False)),
        ("reset", 100, (None, False)),
    ],
)
async def test_the_hash_of_a_file(path: str, limit: int, found: tuple[str | None, bool]) -> None:
    assert await links().sha256(f"https://files.test/{path}", limit) == found
