"""HTTP/1.1 straight over asyncio, under httpx: what a worker of a delivery role needs, and no more.

httpx's own transport (httpcore over anyio: pool, locks, traces, cancel scopes) took a third of a delivery's time. Here
a connection is an asyncio protocol and h11 reads and writes it; what httpx does above (headers, decoding) stays.
No HTTP/2, no proxy. Raises httpx's errors; `timeout` of the request's extensions is honoured for connect and read.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any, cast

import h11
import httpx

_IDLE = 2
"""Connections kept to one server while no call is under way; a worker makes one call at a time."""
_HEAD_LIMIT = 100 * 1024
"""Bytes of an answer's head."""
_AHEAD = 256 * 1024
"""Bytes of an answer that are taken in before somebody asks for them."""

_Origin = tuple[str, str, int, str]


class DirectTransport(httpx.AsyncBaseTransport):
    """`tls`: for https. An answer must be read or closed, as ever with httpx; then its connection is used again."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._idle: dict[_Origin, list[_Connection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        secure = url.scheme == "https"
        host = url.host.strip("[]")
        origin = (url.scheme, host, url.port or (443 if secure else 80), request.extensions.get("sni_hostname", host))
        times = request.extensions.get("timeout", {})
        body = await request.aread()
        connection = self._take(origin) or await self._connect(origin, times.get("connect"))
        try:
            connection.send(request, body)
            head = await connection.head(times.get("read"))
        except BaseException:
            connection.close()
            raise
        stream = _Body(self, origin, connection, times.get("read"))
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=stream)

    async def aclose(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _take(self, origin: _Origin) -> _Connection | None:
        kept = self._idle.get(origin, [])
        while kept:
            connection = kept.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    def give_back(self, origin: _Origin, connection: _Connection) -> None:
        """After an answer: kept if it may be used again."""
        kept = self._idle.setdefault(origin, [])
        if connection.renew() and len(kept) < _IDLE:
            kept.append(connection)
        else:
            connection.close()

    async def _connect(self, origin: _Origin, limit: float | None) -> _Connection:
        scheme, host, port, name = origin
        more: dict[str, Any] = {"ssl": self._tls, "server_hostname": name} if scheme == "https" else {}
        try:
            async with asyncio.timeout(limit):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(_Connection, host, port, **more)
        except TimeoutError:
            raise httpx.ConnectTimeout(f"no connection within {limit} s") from None
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection; `h11` holds what came and was not asked for yet."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._ended = False
        self._ahead = 0
        self._paused = False

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class

    def data_received(self, data: bytes) -> None:
        self._h11.receive_data(data)
        self._ahead += len(data)
        if self._ahead > _AHEAD and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = exc
        self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._h11.receive_data(b"")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- the caller's side ---

    @property
    def usable(self) -> bool:
        """Nothing came since the last answer, neither an end nor bytes that nobody asked for."""
        return not self._ended and not self._ahead and self._h11.our_state is h11.IDLE

    def send(self, request: httpx.Request, body: bytes) -> None:
        """The whole request in one write."""
        try:
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            sent = self._h11.send(head) or b""
            if body:
                sent += self._h11.send(h11.Data(data=body)) or b""
            sent += self._h11.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from None
        self._transport.write(sent)

    async def head(self, limit: float | None) -> h11.Response:
        while True:
            event = await self._next(limit)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise httpx.RemoteProtocolError("the server sent no answer to the request")

    async def body(self, limit: float | None) -> bytes | None:
        """The next part; None at the end."""
        event = await self._next(limit)
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            return None
        raise httpx.RemoteProtocolError("the server ended its answer in the middle")

    async def _next(self, limit: float | None) -> Any:
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                if self._lost is not None:
                    raise httpx.ReadError(str(self._lost)) from None
                raise httpx.RemoteProtocolError(str(error)) from None
            if event is not h11.NEED_DATA:
                return event
            self._ahead = 0
            if self._paused:
                self._paused = False
                self._transport.resume_reading()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(limit):
                    await self._waiter
            except TimeoutError:
                raise httpx.ReadTimeout(f"nothing came for {limit} s") from None
            finally:
                self._waiter = None

    def renew(self) -> bool:
        """False: it cannot be used for another call."""
        if self._ended or self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        rest, _ = self._h11.trailing_data
        if rest:  # nobody asked for it
            return False
        self._h11.start_next_cycle()
        self._ahead = 0
        return True

    def close(self) -> None:
        self._transport.abort()


class _Body(httpx.AsyncByteStream):
    def __init__(self, owner: DirectTransport, origin: _Origin, connection: _Connection, limit: float | None) -> None:
        self._owner, self._origin, self._limit = owner, origin, limit
        self._connection: _Connection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert self._connection is not None
        while (part := await self._connection.body(self._limit)) is not None:
            yield part

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._owner.give_back(self._origin, connection)
