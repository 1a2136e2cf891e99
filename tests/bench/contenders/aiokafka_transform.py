"""Plain aiokafka: fetch, send each, wait for all, commit; batches and limits as the hub's."""

from __future__ import annotations

import asyncio

from hub.kafka import clients
from tests.bench.spec import Spec, from_argv, on_stop
from tests.bench.work import NAME, FastAvro


async def main(spec: Spec) -> None:
    settings, stop, work = spec.settings(), on_stop(), FastAvro(spec.ids[NAME])
    consumer = clients.consumer(settings, spec.source, group=spec.group, max_poll_records=4_000)
    async with consumer, clients.producer(settings, enable_idempotence=True) as producer:
        while not stop.is_set():
            sent = []
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for r in records:
                    sent.append(await producer.send(spec.sink, work(r.value), key=r.key, headers=list(r.headers)))
            if sent:
                await asyncio.gather(*sent)
                await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main(from_argv()))
