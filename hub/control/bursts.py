"""Tells the audit of wrong credentials: a line for each burst, with its count (hub.web.brake)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiokafka.errors import KafkaError

from hub.config import Settings
from hub.control.audit import Actor, AuditEntry, Target, record
from hub.errors import HubError
from hub.web.brake import BRAKES, OTHERS, Burst

log = logging.getLogger(__name__)

EVERY_S = 2.0
WAIT_S = 10.0
AT_ONCE = 20
"""Lines of one look; what is beyond becomes one line: a caller may have many addresses."""
WRONG = "wrong credentials"


def entries(bursts: list[Burst]) -> list[AuditEntry]:
    """The largest each, the rest together."""
    ranked = sorted(bursts, key=lambda one: -(one.wrong + one.held))
    told, rest = ranked[:AT_ONCE], ranked[AT_ONCE:]
    if rest:
        sums = sum(one.wrong for one in rest), sum(one.held for one in rest)
        told.append(Burst(rest[0].door, f"{OTHERS}, {len(rest)}", *sums, max(one.seconds for one in rest)))
    return [_entry(one) for one in told]


def _entry(burst: Burst) -> AuditEntry:
    detail = f"{burst.wrong + burst.held} tries in {burst.seconds:.0f} s, {burst.held} of them held back unheard"
    by = Actor("nobody", role="none", where=burst.address)
    return by.entry("credentials.wrong", Target(kind="door", name=burst.door), detail).ended("refused", WRONG)


async def tell(settings: Settings, end: bool = False) -> None:
    """Whatever goes wrong with the audit stands in the log, with the count."""
    found = entries([burst for brake in BRAKES for burst in brake.bursts(end)])
    if not found:
        return
    for entry in found:
        log.warning("wrong credentials at %s from %s: %s", entry.target.name, entry.where, entry.detail)
    try:
        async with asyncio.timeout(WAIT_S):
            await record(settings, *found)
    except (KafkaError, HubError, TimeoutError) as error:
        log.error("wrong credentials could not be told to the audit (%s)", type(error).__name__)


@contextlib.asynccontextmanager
async def telling(settings: Settings) -> AsyncIterator[None]:
    """While a role runs; at its end what is left."""
    task = asyncio.create_task(_go_on(settings), name="wrong-credentials")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await tell(settings, end=True)


async def _go_on(settings: Settings) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        await tell(settings)
