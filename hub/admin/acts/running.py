"""Carries long acts out: begun once, gone on with after a kill by whoever takes them up, cancelled from anywhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Literal

from hub.admin.acts.act import Act
from hub.admin.acts.journal import ActRecord, NoSuchAct, TakenOver, claimed, read
from hub.admin.acts.run import Run, Stopped, detail
from hub.config import Settings
from hub.control.audit import Actor, Target, acting, line_of
from hub.control.records import now
from hub.errors import BrokerAway, HubError, Refused, RegistryError
from hub.exit_codes import NOT_NOW, code
from hub.kafka import clients
from hub.kafka.log_faults import TopicError

log = logging.getLogger(__name__)

Watch = Callable[[ActRecord], None]


class NotUnderWay(Refused):
    """The act is over: nothing can be cancelled or gone on with."""


async def begin(settings: Settings, act: Act[Any], given: Any, by: Actor, door: Literal["cli", "http"]) -> ActRecord:
    """Writes down that it is to be carried out, with the audit entry; whoever takes it up does so."""
    entry = by.entry(act.name, act.target(given), result="begun")
    silent = now().replace(year=2000) if door == "http" else now()  # nobody carries it out yet
    record = ActRecord(
        id=entry.id, act=act.name, input=given.model_dump(mode="json"), entry=entry, door=door, at=silent
    )
    async with claimed(settings, record.id) as claim:
        await claim.write(record, [line_of(entry)])
    return record


async def carry_out(
    settings: Settings, act: Act[Any], id: str, stop: asyncio.Event, watch: Watch = lambda _: None
) -> ActRecord:
    """From where it stands to its end; the record then. stop: end between two chunks, as cancelled.

    What Kafka or the registry do by being away is raised, and the act stands as interrupted: it can be gone on with.
    Ended from outside (the task is cancelled, the process killed), it stands so, too.
    """
    async with claimed(settings, id) as claim:
        record = await claim.load()
        if record.state != "running":
            return record
        producer = clients.producer(settings)
        await producer.start()
        try:
            run = Run(settings, claim, record, producer, stop, watch)
            await run.taken()
            return await _ended(run, act)
        finally:
            await producer.stop()


async def _ended(run: Run, act: Act[Any]) -> ActRecord:
    assert act.job is not None
    try:
        await _beside(run, act.job(run, act.read(run.record.input)))
        return await run.end("done")
    except Stopped as error:
        return await run.end("cancelled", str(error))
    except TakenOver:
        return (await read(run.settings)).get(run.id, run.record)
    except (BrokerAway, TopicError):
        raise
    except Exception as error:
        if code(error) == NOT_NOW or isinstance(error, RegistryError):
            raise
        if not isinstance(error, HubError):
            log.exception("act %s failed", run.id)
        return await run.end("failed", str(error) if isinstance(error, HubError) else type(error).__name__)


async def _beside(run: Run, job: Any) -> None:
    """The job, and beside it the beat, which ends the job when the act is somebody else's."""
    working, beating = asyncio.ensure_future(job), asyncio.ensure_future(run.beat())
    try:
        await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await beating
        await working
    finally:
        for task in (working, beating):
            task.cancel()
        await asyncio.gather(working, beating, return_exceptions=True)


async def cancel(settings: Settings, id: str, by: Actor) -> ActRecord:
    """Ends it wherever it is carried out, between two chunks at the latest. NoSuchAct; NotUnderWay."""
    async with acting(settings, by, "act.cancel", Target(kind="act", name=id)):
        await _known(settings, id)
        async with claimed(settings, id) as claim:
            record = await claim.load()
            if record.state != "running":
                raise NotUnderWay(f"act {id} is {record.state} already")
            reason = f"cancelled by {by.who}"
            entry = record.entry.ended("failed", reason, detail=detail(record))
            record = record.model_copy(update={"state": "cancelled", "at": now(), "reason": reason, "entry": entry})
            await claim.write(record, [line_of(entry)])
            return record


async def reopen(settings: Settings, id: str, by: Actor, door: Literal["cli", "http"]) -> ActRecord:
    """A cancelled or interrupted act is to be gone on with. NoSuchAct; NotUnderWay: it is over."""
    async with acting(settings, by, "act.resume", Target(kind="act", name=id)):
        record = await _known(settings, id)
        if record.over:
            raise NotUnderWay(f"act {id} is {record.state}; there is nothing left of it to do")
        if record.state == "running" and not record.waits:
            raise NotUnderWay(f"act {id} is being carried out; `hub acts show {id}` tells how far it is")
        async with claimed(settings, id) as claim:
            silent = now().replace(year=2000) if door == "http" else now()
            changed = {"state": "running", "door": door, "at": silent, "reason": ""}
            record = (await claim.load()).model_copy(update=changed)
            await claim.write(record)
            return record


async def _known(settings: Settings, id: str) -> ActRecord:
    """Before it is claimed: a claim of an unknown id would leave something behind."""
    found = (await read(settings)).get(id)
    if found is None:
        raise NoSuchAct(id)
    return found
