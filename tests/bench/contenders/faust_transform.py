"""Faust as its documentation shows it: an agent, an event at a time, outputs sent in the background."""

from __future__ import annotations

import asyncio
from typing import Any

import faust

from tests.bench.spec import Spec, from_argv, on_stop
from tests.bench.work import NAME, FastAvro


async def main(spec: Spec) -> None:
    stop, work = on_stop(), FastAvro(spec.ids[NAME])
    app = faust.App(
        spec.group,
        broker=f"kafka://{spec.bootstrap}",
        key_serializer="raw",
        value_serializer="raw",
        datadir=spec.folder,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_buffer_maxsize=4_096,
        consumer_auto_offset_reset="earliest",
        producer_linger=5,
        producer_max_batch_size=1_000_000,
    )
    sink = app.topic(spec.sink)

    async def transform(stream: Any) -> None:
        async for event in stream.events():
            await sink.send(key=event.message.key, value=work(event.message.value), headers=dict(event.message.headers))

    app.agent(app.topic(spec.source), name="transform")(transform)
    await app.start()
    await stop.wait()
    await app.stop()


if __name__ == "__main__":
    asyncio.run(main(from_argv()))
