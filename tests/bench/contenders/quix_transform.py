"""Quix Streams: a streaming data frame from topic to topic, its default at-least-once commits."""

from __future__ import annotations

from quixstreams import Application

from tests.bench.spec import Spec, from_argv
from tests.bench.work import NAME, FastAvro


def main(spec: Spec) -> None:
    work = FastAvro(spec.ids[NAME])
    app = Application(
        broker_address=spec.bootstrap,
        consumer_group=spec.group,
        auto_offset_reset="earliest",
        state_dir=spec.folder,
        auto_create_topics=False,
        use_changelog_topics=False,
        loglevel="WARNING",
        producer_extra_config={"partitioner": "murmur2_random", "enable.idempotence": True},
    )
    source = app.topic(spec.source, key_deserializer="bytes", value_deserializer="bytes")
    sink = app.topic(spec.sink, key_serializer="bytes", value_serializer="bytes")
    app.dataframe(source).apply(work).to_topic(sink)
    app.run()


if __name__ == "__main__":
    main(from_argv())
