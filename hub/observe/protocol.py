"""HTTP in: uvicorn's protocol over httptools, with a bound on everything that a client may send or hold.

httptools takes a head of any length, from anybody, at any pace. Here bytes and time are bounded until the head is
complete, then of the body, also of one that nobody reads any more; and the time that a client may take to read.
What is beyond is answered (408, 413, 431) where nothing was answered yet, and the connection closed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.observe.connection_table import ConnectionTable
from hub.observe.tls import client_names
from hub.web.own_calls import CERTIFICATE

_SAID = {400: "Invalid HTTP request received.", 408: "Too slow.", 413: "The body is too long.",
         431: "The head is too long."}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """body_bytes counts what comes over the wire, so the lengths of chunks too; it is above what an application reads.
    A client that is behind with its answer must take read_bytes in each read_s.

    Between two requests uvicorn's own limit holds (`timeout_keep_alive`, 5 s).
    """

    head_bytes: int = 65_536
    head_s: float = 10.0
    body_bytes: int = 16 * 1_048_576
    body_s: float = 60.0
    read_bytes: int = 65_536
    read_s: float = 60.0


def _parser(protocol: HttpToolsProtocol) -> httptools.HttpRequestParser:
    """Makes a parser with the same leniency as uvicorn's own."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _form(headers: list[tuple[bytes, bytes]]) -> bytes:
    """A head that says nothing but how long the body is."""
    fields = [b"%b: %b\r\n" % field for field in headers if field[0] in (b"content-length", b"transfer-encoding")]
    return b"POST / HTTP/1.1\r\n" + b"".join(fields) + b"\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """One connection. An even stage: a head is awaited or coming; an odd one: a body."""

    def __init__(self, *args: Any, limits: Limits, table: ConnectionTable, **more: Any) -> None:
        super().__init__(*args, **more)
        self._limits = limits
        self._table = table
        self._place: str | None = None
        self._named: tuple[str, ...] = ()
        self._stage = 0
        self._came = 0
        """Bytes of this stage, but for those that came together with the end of the one before."""
        self._head = 0
        """Bytes of the head's own fields; trailers count with them."""
        self._known = False
        """What the parser says of a head is known already."""
        self._status = 400
        self._due: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        self._left = 0

    # --- what comes ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._named = client_names(transport.get_extra_info("peercert"))
        self._place = self._table.enter(self.client[0] if self.client else "")
        if self._place is None:
            self.transport.abort()  # an answer would need what there is too little of
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._due, self._end, self.timeout_keep_alive_task):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        if self._place is not None:
            self._table.leave(self._place)
            self._place = None

    def data_received(self, data: bytes) -> None:
        stage = self._stage
        self._came += len(data)
        self._unset_keepalive_if_required()
        self._feed(data)
        if self._stage != stage:
            self._came = 0
            if self._due is not None:
                self._due.cancel()
                self._due = None
        if self.transport.is_closing():
            return
        in_body = self._stage % 2
        if self._came > (self._limits.body_bytes if in_body else self._limits.head_bytes):
            self._refuse(413 if in_body else 431)
        elif self._due is None and (in_body or self._came):
            self._wait()

    def _feed(self, data: bytes) -> None:
        """An offer to upgrade (Java's HttpClient makes it with every request over http) is not taken. httptools skips
        the body of such a request: it is read by a parser that knows the body's form and nothing of the offer."""
        try:
            while data:
                try:
                    self.parser.feed_data(data)
                    break
                except httptools.HttpParserUpgrade as offer:
                    data = data[offer.args[0] :]
                self.parser = _parser(self)
                self._known = True
                self.parser.feed_data(_form(self.headers))
                self._known = False
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("")

    def on_message_begin(self) -> None:
        if not self._known:
            self._head = 0
            super().on_message_begin()
            self.scope["extensions"] = {CERTIFICATE: {"names": self._named}}

    def on_url(self, url: bytes) -> None:
        if not self._known:
            self._count(len(url))
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._known:
            return
        self._count(len(name) + len(value) + 4)
        if self._stage % 2 == 0:  # else a trailer: it must not become a field of the head
            super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        if self._known:
            return
        hosts = 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and value.lower() != b"chunked":
                raise ValueError("nobody here unpacks another coding")
        if hosts > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            raise ValueError("a request names one host (RFC 9112, 3.2)")
        self._stage += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # the body comes yet
        self._stage += 1
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > self._limits.head_bytes:
            self._status = 431
            raise ValueError("the head is too long")  # the parser stops, and `send_400_response` answers

    # --- what does not come ---

    def _wait(self) -> None:
        limit = self._limits.body_s if self._stage % 2 else self._limits.head_s
        self._due = self.loop.call_later(limit, self._late)

    def _late(self) -> None:
        """Not the client's fault while its last request is worked, or nobody reads what it sends."""
        self._due = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused or (self._stage % 2 == 0 and self._working):
            self._wait()
        else:
            self._refuse(408)

    @property
    def _working(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int) -> None:
        """Tells why where that can be told, and closes."""
        self._status = status
        in_body = self._stage % 2 == 1
        if (in_body and self._working and not self.cycle.response_started) or (not in_body and self._came):
            self.send_400_response("")
        else:
            self.transport.close()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """With the status that fits; uvicorn knows one."""
        said = _SAID[self._status].encode()
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(said)
        self.transport.write(STATUS_LINE[self._status] + head + said)
        self.transport.close()

    # --- what is not read ---

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._end is not None and not self.transport.is_closing():
            self._end.cancel()
            self._end = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch()

    def _watch(self) -> None:
        """The client has yet to take what was written; a close waits for it, without end."""
        if self._end is None:
            self._left = self.transport.get_write_buffer_size()
            self._end = self.loop.call_later(self._limits.read_s, self._stuck)

    def _stuck(self) -> None:
        self._end = None
        if self._left - self.transport.get_write_buffer_size() < self._limits.read_bytes:
            self.transport.abort()
        else:
            self._watch()
