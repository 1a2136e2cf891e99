"""Plain confluent-kafka (librdkafka): consume many, produce, flush, commit."""

from __future__ import annotations

import signal

from confluent_kafka import Consumer, Producer

from tests.bench.spec import Spec, from_argv
from tests.bench.work import NAME, FastAvro


def main(spec: Spec) -> None:
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    work = FastAvro(spec.ids[NAME])
    consumer = Consumer(
        {
            "bootstrap.servers": spec.bootstrap,
            "group.id": spec.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": spec.bootstrap,
            "enable.idempotence": True,
            "linger.ms": 5,
            "queue.buffering.max.messages": 200_000,
            "partitioner": "murmur2_random",
        }
    )
    consumer.subscribe([spec.source])
    while not stopped:
        messages = consumer.consume(4_000, 0.1)
        for message in messages:
            producer.produce(spec.sink, work(message.value()), message.key(), headers=message.headers())
        if messages:
            if producer.flush(30):
                raise RuntimeError("not all records were confirmed")
            consumer.commit(asynchronous=False)
    consumer.close()


if __name__ == "__main__":
    main(from_argv())
