"""Load on the gateway: keep-alive connections, one request after another on each. Prints a JSON line at the end.

Arguments: JSON {host, port, key, source, connections, batch, seconds, first, agency}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

_STEP = {
    "step": "RECEIVED",
    "occurred_at": "2026-11-24T08:30:00+07:00",
    "procedure_name": "Đăng ký và cấp Giấy chứng nhận quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất",
    "agency_name": "Sở Nông nghiệp và Môi trường",
    "abstract": "Cấp đổi giấy chứng nhận do thay đổi thửa đất sau khi hợp thửa",
    "applicant": {
        "name": "Trần Văn Hùng",
        "kind": "CITIZEN",
        "address": "Số 12 đường Trần Hưng Đạo, phường Phan Thiết, tỉnh Lâm Đồng",
        "phone": "0900000000",
    },
}


def datum(number: int) -> dict[str, Any]:
    return {"dossier_code": f"H11.12-261124-{number:08d}"} | _STEP


def request(given: dict[str, Any], number: int) -> bytes:
    """`batch` events as one HTTP request."""
    events = [
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": given["source"],
            "type": "vn.hub.dossier.step",
            "data": datum(number * given["batch"] + place),
        }
        for place in range(given["batch"])
    ]
    body = json.dumps(events, ensure_ascii=False).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: {given['host']}\r\nAuthorization: Bearer {given['key']}\r\n"
        f"Content-Type: application/cloudevents-batch+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def connection(given: dict[str, Any], requests: list[bytes], until: float, taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection(given["host"], given["port"], limit=1 << 20)
    try:
        while requests and time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(requests.pop())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 202"):
                raise RuntimeError(f"the gateway answers {head[:200]!r}")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            taken.append(time.perf_counter() - began)
    finally:
        writer.close()


async def main(given: dict[str, Any]) -> None:
    # Made beforehand: what is measured is the gateway, and the client shares its two cores.
    requests = [request(given, given["first"] + n) for n in range(given["requests"])]
    taken: list[float] = []
    began = time.perf_counter()
    until = began + given["seconds"]
    await asyncio.gather(*(connection(given, requests, until, taken) for _ in range(given["connections"])))
    seconds = time.perf_counter() - began
    taken.sort()
    report = {"events": len(taken) * given["batch"], "seconds": seconds, "p99_ms": taken[int(len(taken) * 0.99)] * 1000}
    print(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
