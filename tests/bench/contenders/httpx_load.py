"""Bare httpx beside the delivery role: one client a worker, POSTs of the same size. Arguments: url, workers."""

from __future__ import annotations

import asyncio
import sys
import uuid

import httpx

from tests.bench.spec import on_stop

_BODY = b"x" * 1_800


async def worker(url: str, stop: asyncio.Event) -> None:
    async with httpx.AsyncClient() as client:
        while not stop.is_set():
            (await client.post(url, content=_BODY, headers={"webhook-id": uuid.uuid4().hex})).raise_for_status()


async def main(url: str, workers: int) -> None:
    stop = on_stop()
    await asyncio.gather(*(worker(url, stop) for _ in range(workers)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
