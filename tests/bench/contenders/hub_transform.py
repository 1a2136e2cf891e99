"""The hub's engine: one step a chunk, outputs confirmed before the offset."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hub.avro.codec import Codec
from hub.avro.own_record import OwnRecord
from hub.core.role import crash_letter
from hub.machine import garbage_collector
from hub.stream.engine import Engine
from hub.stream.stage import EngineConfig, Out, Outputs, Record, StateView, Step
from tests.bench.spec import Spec, from_argv, on_stop
from tests.bench.work import NAME, change


def transform(spec: Spec) -> Step:
    own = OwnRecord(Codec(spec.ids, lambda schema_id: None), NAME)

    def step(records: Sequence[Record], view: StateView) -> Outputs:
        out = []
        for record in records:
            datum = own.decode(record.value)
            change(datum)
            out.append(Out(spec.sink, record.key, own.with_head(own.write(datum)), record.headers))
        return Outputs(out)

    return step


async def main(spec: Spec) -> None:
    garbage_collector.calm()  # as the process of every role
    config = EngineConfig(spec.group, (spec.source,), (), transform(spec), lambda stored: 0, crash_letter)
    await Engine(config, spec.settings()).run(on_stop())


if __name__ == "__main__":
    asyncio.run(main(from_argv()))
