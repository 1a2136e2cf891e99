"""The hub's engine: one step a chunk, outputs confirmed before the offset."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hub.avro import bodies
from hub.avro.codec import Codec
from hub.core.role import crash_letter
from hub.machine import garbage_collector
from hub.stream.engine import Engine
from hub.stream.stage import EngineConfig, Out, Outputs, Record, StateView, Step
from tests.bench.spec import Spec, from_argv, on_stop
from tests.bench.work import changed


def transform(spec: Spec) -> Step:
    codec = Codec(spec.ids, lambda schema_id: None)

    def step(records: Sequence[Record], view: StateView) -> Outputs:
        out = []
        for record in records:
            step = changed(codec.read(bodies.DOSSIER_STEP, record.value))
            out.append(Out(spec.sink, record.key, codec.write(bodies.DOSSIER_STEP, step), record.headers))
        return Outputs(out)

    return step


async def main(spec: Spec) -> None:
    garbage_collector.calm()  # as the process of every role
    config = EngineConfig(spec.group, (spec.source,), (), transform(spec), lambda stored: 0, crash_letter)
    await Engine(config, spec.settings()).run(on_stop())


if __name__ == "__main__":
    asyncio.run(main(from_argv()))
