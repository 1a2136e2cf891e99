"""Role `core`: the step on the engine. Scales by processes: each with its own `core.instance`."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path

from hub.avro.codec import Codec
from hub.config import Settings
from hub.core.catalogue_copy import beside, catalogue_copy
from hub.core.deadline_clock import Clock, runs
from hub.core.key_state import version
from hub.core.processors import Admit
from hub.core.step import dead_letter, make_step
from hub.errors import BadRecord
from hub.kafka.topics import DOSSIERS, INGRESS, PROCEDURES, SERVICES
from hub.machine import build
from hub.model.derived_dates import Limit
from hub.observe.health import HEALTH
from hub.registry.client import open_codec
from hub.stream.engine import Engine
from hub.stream.stage import EngineConfig, Out, Record

_log = logging.getLogger(__name__)


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Works hub.ingress until `stop`. StartError: topics or brokers; RegistryError: no schema ids to be had."""
    _log.info("the step runs as %s", build.state())
    HEALTH.expect("schemas", "engine")
    codec = await open_codec(settings)
    HEALTH.set_ready("schemas", True, f"{len(codec.ids)} schemas known")
    judges, counts = settings.core.online_services != "off", settings.deadlines.derive_due_at
    if not judges and not counts:
        await Engine(engine_config(codec, settings), settings).run(stop)
        return
    async with catalogue_copy(settings, codec) as (copy, follower):
        config = engine_config(codec, settings, copy.admit if judges else None, copy.due_at if counts else None)
        engine = Engine(config, settings)
        await beside(asyncio.create_task(engine.run(stop)), follower)


def engine_config(
    codec: Codec, settings: Settings, admit: Admit | None = None, limit: Limit | None = None
) -> EngineConfig:
    clock = Clock(codec, settings.deadlines)
    return EngineConfig(
        name="hub.core",
        sources=(INGRESS,),
        stores=(DOSSIERS, PROCEDURES, SERVICES),
        step=clock.watching(make_step(codec, settings, admit, limit)),
        tick=clock.tick,
        tick_s=settings.deadlines.tick_s,
        version=version,
        dead_letter=crash_letter,
        instance=settings.core.instance,
        chunk_records=settings.core.chunk_records,
        store=settings.core.store,
        fencing=settings.core.fencing,
        waits=runs,
    )


def crash_letter(record: Record, error: BaseException) -> Out:
    """For a record that crashes the step. Names the place, not the message, which may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
    detail = f"{type(error).__name__}{place} while this record was worked; replay it after the program was mended"
    return dead_letter(record, "crash", BadRecord("crash", detail))
