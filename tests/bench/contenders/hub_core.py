"""The hub's core: hub.core's step on the engine, state and changelog, both confirmed before the offset."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any, Literal

from hub.events import families
from hub.kafka import topics
from tests.bench.spec import Spec, from_argv, on_stop


async def main(spec: Spec, instance: str = "0", store: Literal["memory", "disk"] = "memory") -> None:
    # The pipeline takes its topics' names from the catalogue when it is imported; each window has its own topics.
    topics.INGRESS, topics.EVENTS, topics.DEAD_LETTERS = spec.source, spec.sink, spec.dead
    families.DOSSIER = replace(families.DOSSIER, state_topic=spec.store)
    topics.DOSSIERS = spec.store
    from hub.avro.codec import Codec
    from hub.core.role import engine_config
    from hub.machine import garbage_collector
    from hub.stream.engine import Engine

    garbage_collector.calm()  # as the process of every role
    settings = spec.settings()
    config = engine_config(Codec(spec.ids, lambda schema_id: None), settings)
    config = replace(config, name=spec.group, stores=(spec.store,), instance=instance, store=store)
    await Engine(config, settings).run(on_stop())


if __name__ == "__main__":
    given: Any = sys.argv[2:]
    asyncio.run(main(from_argv(), *given))
