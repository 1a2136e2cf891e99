"""Beside the gateway: takes up what was asked for over HTTP and nobody carries out, at first or after a kill."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from hub.admin.acts import table
from hub.admin.acts.journal import ActRecord, take
from hub.config import Settings
from hub.kafka.tail import opened
from hub.kafka.topics import ACTS

log = logging.getLogger(__name__)

LOOK_S = 0.5
AGAIN_S = 5.0


class Keeper:
    """Follows hub.acts. Whatever goes wrong here stops no event: it is told in the log, and tried again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, ActRecord] = {}
        self._working: dict[str, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then what is under way is left as it stands, for whoever comes next."""
        try:
            while not stop.is_set():
                try:
                    await self._follow(stop)
                except Exception as error:
                    log.warning("long acts cannot be followed: %s: %s", type(error).__name__, error)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(AGAIN_S):
                            await stop.wait()
        finally:
            for task in self._working.values():
                task.cancel()
            await asyncio.gather(*self._working.values(), return_exceptions=True)

    async def _follow(self, stop: asyncio.Event) -> None:
        async with opened(self._settings, isolation_level="read_committed") as tail:
            await tail.from_beginning(ACTS)
            async for _, records in tail.to_end():
                take(self._known, records)
            while not stop.is_set():
                self._take_up()
                for records in (await tail.poll(timeout_s=LOOK_S)).values():
                    take(self._known, records)

    def _take_up(self) -> None:
        self._working = {id: task for id, task in self._working.items() if not task.done()}
        for id, record in self._known.items():
            if record.door == "http" and record.waits and record.act in table.ACTS and id not in self._working:
                self._working[id] = asyncio.create_task(self._carry_out(record))

    async def _carry_out(self, record: ActRecord) -> None:
        log.info("act %s (%s, asked for by %s) is taken up", record.id, record.act, record.entry.who)
        try:
            ended = await table.carry_out(self._settings, record.id, record.act, asyncio.Event())
            log.info("act %s is %s: %d of %s %s", ended.id, ended.state, ended.done, ended.total, ended.reason)
        except Exception as error:
            log.warning("act %s stands, and will be gone on with: %s", record.id, type(error).__name__)
            await asyncio.sleep(AGAIN_S)
