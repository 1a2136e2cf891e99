"""A webhook receiver that answers every POST with 204 after a fixed time. As little work as can be: it shares the
cores with what it measures. `GET /` answers with what it has received: JSON {count, ids (distinct), connections (most
at a time)}; `GET /times` with {dossier code: Unix time of the first event of it}. Argument: milliseconds. Prints its
port.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time


class Receiver(asyncio.Protocol):
    delay_s = 0.0
    count = 0
    ids: set[bytes] = set()
    times: dict[bytes, float] = {}
    open = 0
    most = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""
        Receiver.open += 1
        Receiver.most = max(Receiver.most, Receiver.open)

    def connection_lost(self, exc: Exception | None) -> None:
        Receiver.open -= 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            if head.startswith(b"get"):
                self.tell(head.startswith(b"get /times"))
                continue
            at = body.find(b'"dossier_code":"')
            Receiver.times.setdefault(body[at + 16 : at + 48].split(b'"', 1)[0], time.time())
            Receiver.count += 1
            at = head.find(b"webhook-id:")
            Receiver.ids.add(head[at + 11 :].split(b"\r\n", 1)[0].strip())
            asyncio.get_running_loop().call_later(self.delay_s, self.answer)

    def answer(self) -> None:
        self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    def tell(self, times: bool) -> None:
        told: object = {"count": self.count, "ids": len(self.ids), "connections": self.most}
        if times:
            told = {code.decode(): at for code, at in self.times.items()}
        body = json.dumps(told).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def main(milliseconds: float) -> None:
    Receiver.delay_s = milliseconds / 1000
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
