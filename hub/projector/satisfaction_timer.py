"""Sends the ratings of a month to the national portal when they are due (docs/figures.md), from the projector: the one
process that knows when the read model holds all that the slot is about.

Up to which slot they went stands in `hub.control`: after a stop the timer goes on from there. A crash between the
portal's answer and that record sends the same once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import date

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.config import Settings
from hub.connect.portal import make_portal
from hub.connect.satisfaction import send
from hub.control.audit import Actor, Target
from hub.control.changes import ANY, Change, change
from hub.control.directory import Directory, directory
from hub.control.records import SatisfactionSent
from hub.control.vault import vault
from hub.errors import HubError, Rejected, StartError
from hub.observe import metrics
from hub.projector.projector import Projector
from hub.reports.satisfaction import due, month_told, read_slot

log = logging.getLogger(__name__)

ACTION = "satisfaction.send"
LOOK_S = 5.0


class Timer:
    """`turn` is called by the projector's loop after each batch. now: epoch seconds."""

    def __init__(self, settings: Settings, engine: Engine, now: Callable[[], float] = time.time) -> None:
        self._settings, self._own, self._engine, self._now = settings, settings.figures, engine, now
        self._next_look = 0.0
        self._last: date | None = None
        self._ends: dict[TopicPartition, int] | None = None
        self._task: asyncio.Task[None] | None = None
        self._loaded = False

    async def turn(self, projector: Projector) -> None:
        """Starts what is due, once the read model holds all that the log held when it was found to be due."""
        if self._own.satisfaction == "off" or time.monotonic() < self._next_look:
            return
        if self._task is not None:
            if self._task.done():
                self._task = None
                self._next_look = time.monotonic() + LOOK_S
            return
        slots = due(self._own, self._last, int(self._now() * 1000))
        metrics.SATISFACTION_DUE.set(len(slots) if self._loaded else 0)
        if not slots and self._loaded:
            self._next_look = time.monotonic() + LOOK_S
            return
        try:
            if self._ends is None:
                self._ends = await projector.ends()
            if not projector.reached(self._ends):
                return
        except HubError as error:
            self._failed(str(error))
            return
        self._ends = None
        self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        """A fault of the connector, too, must not end the projection: it is told and tried again."""
        try:
            async with directory(self._settings) as copy:
                self._last, self._loaded = last_sent(copy, self._own.national), True
                for slot in due(self._own, self._last, int(self._now() * 1000)):
                    await self._send(copy, slot)
                    self._last = slot
        except (HubError, KafkaError, SQLAlchemyError) as error:
            self._failed(str(error))
        except Exception as error:
            self._failed(f"{type(error).__name__}")

    def _failed(self, why: str) -> None:
        log.error("the ratings of a month were not sent to %s, tried again later: %s", self._own.national, why)
        self._next_look = time.monotonic() + self._own.satisfaction_retry_s

    async def _send(self, copy: Directory, slot: date) -> None:
        """Raises what shall be tried again. What the portal refuses is not: `hub satisfaction` sends it by hand."""
        name, month = self._own.national, month_told(slot)
        subscriber = copy.subscribers.get(name)
        if subscriber is None or subscriber.paused:
            raise StartError(f"subscriber {name!r} is paused" if subscriber else f"there is no subscriber {name!r}")
        told = await asyncio.to_thread(read_slot, self._engine, slot, self._own.satisfaction_hour)
        outcome = "nobody rated"
        if told.total:
            try:
                answer = await send(make_portal(subscriber, vault(self._settings)), told)
                outcome = "sent" if answer is not None else "no call for it"
            except Rejected as error:
                outcome = f"refused: {error.reason}"
                log.error("%s refused the ratings of %s: %s", name, month, error)
        log.info("ratings of %s before %s for %s: %s, %d", month, slot, name, outcome, told.total)
        await _note(self._settings, name, slot, f"{outcome}, {told.total} ratings")


async def _note(settings: Settings, subscriber: str, slot: date, detail: str) -> None:
    """That the slot is over, with the entry that tells of it. A later slot takes the record's place."""
    by = Actor("hub", role="hub", where="projector")
    entry = by.entry(ACTION, Target(kind="subscriber", name=subscriber), f"{month_told(slot)} {slot}: {detail}")
    new = SatisfactionSent(subscriber=subscriber, slot=slot)
    await change(settings, Change(SatisfactionSent, subscriber, ANY, new), entry=entry)


def last_sent(copy: Directory, subscriber: str) -> date | None:
    """The last slot that is over for a subscriber."""
    sent = copy.satisfaction.get(subscriber)
    return None if sent is None else sent.slot
