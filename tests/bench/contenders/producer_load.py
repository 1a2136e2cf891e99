"""The bare producer beside the gateway: the same records, as many at a time, as many tasks. Output as http_load."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

from aiokafka import AIOKafkaProducer

from hub.avro.bodies import BODIES
from hub.avro.codec import Codec
from hub.events import families
from hub.events.envelope import Envelope
from hub.ingress.json_data import read_data
from tests.bench.contenders.http_load import datum

_NAME = "vn.hub.DossierStep"


def record(given: dict[str, Any], codec: Codec, number: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """As the gateway writes it for the same event."""
    made = datum(number)
    code = made["dossier_code"]
    moment = "2026-11-24T01:30:00.000Z"
    envelope = Envelope(
        str(uuid.uuid4()),
        given["source"],
        families.DOSSIER.published,
        code,
        moment,
        moment,
        f"00-{uuid.uuid4().hex}-{'0' * 15}1-01",
    )
    return code.encode(), codec.write(BODIES[_NAME], read_data(_NAME, made)), envelope.headers()


async def task(producer: AIOKafkaProducer, topic: str, batches: list[Any], until: float, taken: list[float]) -> None:
    while batches and time.perf_counter() < until:
        began = time.perf_counter()
        batch = batches.pop()
        sent = [await producer.send(topic, value, key=key, headers=headers) for key, value, headers in batch]
        await asyncio.gather(*sent)
        taken.append(time.perf_counter() - began)


async def main(given: dict[str, Any]) -> None:
    codec, size = Codec(given["ids"], lambda schema_id: None), given["batch"]
    numbers = range(given["first"], given["first"] + given["requests"])
    batches = [[record(given, codec, n * size + place) for place in range(size)] for n in numbers]
    taken: list[float] = []
    async with AIOKafkaProducer(
        bootstrap_servers=given["bootstrap"], acks="all", linger_ms=0, max_batch_size=1_000_000
    ) as producer:
        began, used = time.perf_counter(), time.process_time()
        until = began + given["seconds"]
        await asyncio.gather(
            *(task(producer, given["topic"], batches, until, taken) for _ in range(given["connections"]))
        )
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
    taken.sort()
    report = {
        "events": len(taken) * size,
        "seconds": seconds,
        "p99_ms": taken[int(len(taken) * 0.99)] * 1000,
        "cpu_s": cpu,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
