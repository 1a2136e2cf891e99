"""Clocks over the state: a stage's `tick` per owned partition, and the check for late writers where all is quiet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from hub.stream.chunk_runner import Runner
from hub.stream.partition_state import State
from hub.stream.stage import EngineConfig

# A late writer's record is written over before the broker's cleaner takes it for the last word.
HEAL_EVERY_S = 10.0


class Ticker:
    """Everything it does is done in the partition's lane, between two chunks."""

    def __init__(self, config: EngineConfig, state: State, runner: Runner) -> None:
        self._config = config
        self._state = state
        self._runner = runner
        self._owned: frozenset[int] = frozenset()
        self._assignment = 0

    def pause(self) -> None:
        """Partitions are being taken away: what has begun goes on to its end, nothing new begins."""
        self._owned = frozenset()

    def assigned(self, partitions: frozenset[int]) -> None:
        self._owned = partitions
        self._assignment += 1

    async def run(self) -> None:
        """Until cancelled. What a tick raises ends the engine through the runner."""
        every = min(self._config.tick_s, HEAL_EVERY_S) if self._config.tick else HEAL_EVERY_S
        healed = time.monotonic()
        while True:
            await asyncio.sleep(every)
            if self._config.tick:
                await asyncio.gather(*(self._runner.in_lane(number, self._tick(number)) for number in self._owned))
            if self._config.stores and time.monotonic() - healed >= HEAL_EVERY_S:
                healed = time.monotonic()
                for partition in await self._state.overtaken() if self._owned else ():
                    await self._runner.in_lane(partition, self._heal(partition))

    async def _tick(self, partition: int) -> None:
        assert self._config.tick is not None
        part = await self._state.own(partition) if partition in self._owned else None
        if part is not None:
            outputs = self._config.tick(partition, part, time.time())
            await self._runner.write(outputs, part, self._live())

    async def _heal(self, partition: int) -> None:
        part = await self._state.own(partition) if partition in self._owned else None
        if part is not None:
            await self._runner.heal(part, self._live())

    def _live(self) -> Callable[[], bool]:
        assignment = self._assignment
        return lambda: assignment == self._assignment
