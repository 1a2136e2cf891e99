"""Role `projector`: keeps the read model current; follows a rebuild to its new generation."""

from __future__ import annotations

import asyncio

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from hub.config import Settings
from hub.observe.health import HEALTH
from hub.projector.projector import Projector
from hub.projector.satisfaction_timer import Timer
from hub.readmodel import tables
from hub.readmodel.database import open_engine
from hub.registry.client import open_codec

# How often the role looks whether `hub rebuild` has swapped the generation.
LOOK_S = 2.0


async def run(role: str, settings: Settings, stop: asyncio.Event) -> None:
    """Projects until `stop`."""
    HEALTH.expect("projector")
    codec = await open_codec(settings)
    engine = open_engine(settings)
    clock = asyncio.get_running_loop().time
    satisfaction = Timer(settings, engine)
    try:
        while not stop.is_set():
            projector = Projector(settings, engine, codec, tables.current(engine))
            try:
                await projector.start()
                looked = clock()
                while not stop.is_set():
                    await projector.poll()
                    HEALTH.set_ready("projector", True, f"follows Kafka into generation {projector.generation.number}")
                    await satisfaction.turn(projector)
                    if clock() - looked > LOOK_S:
                        looked = clock()
                        if _swapped(engine, projector):
                            break
            except DBAPIError:
                # A rebuild drops the old tables right after the swap; that is no fault.
                if not _swapped(engine, projector):
                    raise
            finally:
                await projector.close()
    finally:
        await satisfaction.close()
        engine.dispose()


def _swapped(engine: Engine, projector: Projector) -> bool:
    return tables.current(engine).number != projector.generation.number
