"""The one place that makes the HTTP client of a connector: httpx over aiohttp, by the kept library httpx-aiohttp.

aiohttp keeps the connections and reads the answers. What stands here is how it is set up, and where it or the library
does otherwise than a delivery needs: errors told apart, no request sent twice, an address sent as it was given, no
connection left open, no answer taken that nobody asked for.

Bounds: `timeout_s` for each phase (connection, each read); `http.send` and `Links` bound the whole call and the size of
an answer. aiohttp bounds the head of an answer: 8,190 bytes a line and 128 fields.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial

import aiohttp
import httpx
from aiohttp.connector import Connection
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from hub.connect.address_guard import AddressGuard

CONNECTIONS, PER_HOST = 100, 50
"""Open connections of one client, and to one host; further calls wait for one, no longer than their time limit."""
IDLE_S = 15.0
"""A connection without a call is kept so long."""
_SPOILT = 3
"""Connections in a row on which bytes came that nobody asked for; then the call fails."""
_PIECE = 64 * 1024
"""A longer request goes out in pieces of so many bytes, as fast as the server takes them."""


@cache
def tls() -> ssl.SSLContext:
    """Made once a process: reading the certificates takes longer than a whole delivery."""
    return httpx.create_ssl_context(trust_env=False)


def make_client(
    timeout_s: float,
    guard: AddressGuard,
    transport: httpx.AsyncBaseTransport | None = None,
    trusted: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """A client that ignores the environment's proxies and follows no redirect. It must be closed.

    guard: which addresses may be called. transport replaces the network in tests. trusted: not `tls()`.
    """
    context = trusted or tls()
    return httpx.AsyncClient(
        transport=transport or _Transport(verify=context, client=partial(_session, context, guard)),
        verify=context,
        timeout=timeout_s,
        trust_env=False,
        follow_redirects=False,
    )


def _session(context: ssl.SSLContext, guard: AddressGuard) -> aiohttp.ClientSession:
    """What httpx did above it, aiohttp must not do again: cookies, headers of its own, unpacking."""
    connector = aiohttp.TCPConnector(
        ssl=context,
        resolver=guard,
        socket_factory=guard.open_socket,
        use_dns_cache=False,  # each new connection asks anew, and is checked anew
        limit=CONNECTIONS,
        limit_per_host=PER_HOST,
        keepalive_timeout=IDLE_S,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        request_class=_Request,
        response_class=_Response,
        auto_decompress=False,
        trust_env=False,
    )
    session._retry_connection = False  # it would send a GET again that the server may have had; no public switch
    return session


@dataclass(slots=True)
class _Call:
    """One call on its way. The library has no way to hand these down to a request."""

    url: URL
    connection: Connection | None = None
    wire: asyncio.Transport | None = None

    def drop(self) -> None:
        """Cuts the connection at once: a plain close would wait until a server that does not read took the rest."""
        if self.wire is not None:
            self.wire.abort()

    @property
    def ended(self) -> bool:
        """The answer was had whole, so the connection is another call's by now, or closed."""
        return self.connection is None or self.connection.transport is None


_CALL: ContextVar[_Call] = ContextVar("call")


class _Spoilt(Exception):
    """Bytes came on a kept connection that nobody asked for. Nothing was sent on it."""


class _Request(aiohttp.ClientRequest):
    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if conn.protocol is None or conn.protocol.should_close:
            raise _Spoilt("bytes that nobody asked for")  # they would be read as the answer to this request
        call = _CALL.get()
        call.connection, call.wire = conn, conn.transport
        self.url = call.url  # aiohttp writes a URL anew (%2F, %3A), which breaks the signature of a signed one
        return await super().send(conn)


class _Response(aiohttp.ClientResponse):
    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        await super().start(connection)
        if self.status == 101:
            raise aiohttp.ClientResponseError(self.request_info, (), status=101, message="another protocol")
        self.reason = None  # nobody reads it, and the library fails where it is not UTF-8
        if connection.protocol is not None and (closed := connection.protocol.closed) is not None:
            _break_off_with(closed, self.content)
        return self


def _break_off_with(closed: asyncio.Future[None], content: aiohttp.StreamReader) -> None:
    """aiohttp closes the connection at a chunk that is none, and lets who reads the body wait for ever."""
    if content.is_eof():
        return
    told = partial(_broken_off, content)
    closed.add_done_callback(told)

    def whole() -> None:
        closed.remove_done_callback(told)

    content.on_eof(whole)


def _broken_off(content: aiohttp.StreamReader, closed: asyncio.Future[None]) -> None:
    if not closed.cancelled():
        closed.exception()
    if not content.is_eof() and content.exception() is None:
        content.set_exception(aiohttp.ClientPayloadError("the body broke off"))


class _Transport(AiohttpTransport):
    """The library's, with httpx's errors as httpx means them."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        if len(content) > _PIECE:
            stream = _Pieces(content)
            request = httpx.Request(
                request.method, request.url, headers=request.headers, stream=stream, extensions=request.extensions
            )
        for _ in range(_SPOILT):
            call = _Call(URL(str(request.url), encoded=True))
            _CALL.set(call)
            try:
                response = await super().handle_async_request(request)
            except _Spoilt:  # nothing was sent, and that connection is closed: the next one is another
                continue
            except _OF_THE_LIBRARIES as error:
                call.drop()
                raise _told(error) from error
            except BaseException:
                call.drop()
                raise
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = _Body(call, response.stream)
            return response
        raise httpx.RemoteProtocolError("the server speaks before it is asked")


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _PIECE):
            yield self._content[start : start + _PIECE]


class _Body(httpx.AsyncByteStream):
    def __init__(self, call: _Call, inner: httpx.AsyncByteStream) -> None:
        self._call, self._inner = call, inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            yield part

    async def aclose(self) -> None:
        if not self._call.ended:
            self._call.drop()
        await self._inner.aclose()


_OF_THE_LIBRARIES = (httpx.TransportError, aiohttp.ClientError, ValueError)


def _told(error: Exception) -> httpx.TransportError:
    """The error as httpx means it. The library calls a lost connection a ConnectTimeout, and lets some of aiohttp's
    through as they are. The first that fits: aiohttp's are of several kinds at once."""
    cause = error.__cause__ if isinstance(error, httpx.TransportError) else error
    said = str(cause) or type(cause).__name__
    match cause:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout(said)
        case aiohttp.ServerTimeoutError():
            return httpx.ReadTimeout(said)
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(said)
        case aiohttp.InvalidURL():
            return httpx.UnsupportedProtocol(said)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return httpx.RemoteProtocolError(said)
        case aiohttp.ClientError():
            return httpx.ReadError(said)
    return httpx.LocalProtocolError(said)
