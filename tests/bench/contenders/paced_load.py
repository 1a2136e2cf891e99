"""Events over HTTP at a given rate, one a request, whatever the answers take. Arguments as http_load, and `rate` (a
second). Prints {dossier code: Unix time at which it was accepted} as a JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from tests.bench.contenders.http_load import datum, request


async def connection(given: dict[str, Any], queue: asyncio.Queue[int | None], accepted: dict[str, float]) -> None:
    reader, writer = await asyncio.open_connection(given["host"], given["port"], limit=1 << 20)
    try:
        while (number := await queue.get()) is not None:
            writer.write(request(given, number))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 202"):
                raise RuntimeError(f"the gateway answers {head[:200]!r}")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            accepted[datum(number)["dossier_code"]] = time.time()
    finally:
        writer.close()


async def main(given: dict[str, Any]) -> None:
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    accepted: dict[str, float] = {}
    connections = [asyncio.create_task(connection(given, queue, accepted)) for _ in range(given["connections"])]
    began = time.perf_counter()
    for number in range(int(given["rate"] * given["seconds"])):
        await asyncio.sleep(max(0.0, began + number / given["rate"] - time.perf_counter()))
        queue.put_nowait(given["first"] + number)
    for _ in connections:
        queue.put_nowait(None)
    await asyncio.gather(*connections)
    print(json.dumps(accepted))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
