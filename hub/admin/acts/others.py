"""Acts on no single thing: status, trace, audit, rebuild; and on long acts themselves: list, show, cancel, go on."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Literal

from pydantic import Field

from hub.admin import status, trace
from hub.admin.acts import journal, running
from hub.admin.acts.act import Act, Http, Input, Nothing, Right
from hub.admin.acts.fields import Since, Until
from hub.admin.acts.run import Run
from hub.admin.audit_list import Wanted, entries
from hub.config import Settings
from hub.control.audit import Actor, Target
from hub.projector.projector import rebuild
from hub.readmodel.database import open_engine
from hub.registry.client import open_codec
from hub.untyped import JsonObject


class Code(Input):
    """One dossier, procedure or service."""

    code: str = Field(description="dossier, procedure or service code, as it is the record's key")
    days: float | None = Field(None, gt=0, description="look back only so far; left out: all that Kafka keeps")


class AuditFilter(Input):
    """What is left out admits all."""

    who: str = Field("", description="a part of the name")
    action: str = Field("", description="as subscriber.pause, or subscriber. for all of them")
    target: str = Field("", description="a part of KIND/NAME, as subscriber/national")
    result: Literal["", "begun", "done", "refused", "failed"] = ""
    since: Since = 0
    until: Until = 0
    limit: int = Field(50, ge=1, description="at most so many, the newest first")


class StatusQuery(Input):
    """Of which roles."""

    here: bool = Field(False, description="judge only the roles that run on this machine")


class ActId(Input):
    """One long act."""

    id: str


async def _status(settings: Settings, given: StatusQuery, by: Actor) -> JsonObject:
    return await status.collect(settings, given.here)


async def _trace(settings: Settings, given: Code, by: Actor) -> list[JsonObject]:
    since = None if given.days is None else int((time.time() - given.days * 86_400) * 1000)
    return [asdict(hop) for hop in await trace.trace(settings, given.code, since)]


async def _audit(settings: Settings, given: AuditFilter, by: Actor) -> list[JsonObject]:
    wanted = Wanted(given.who, given.action, given.target, given.result or None, given.since, given.until)
    return [entry.model_dump(mode="json") for entry in await entries(settings, wanted, given.limit)]


async def _rebuild(run: Run, given: Nothing) -> None:
    """It has no place to go on from: taken up again, it begins anew beside the tables that are in use."""
    began, engine = time.monotonic(), open_engine(run.settings)
    try:
        generation, read = await rebuild(run.settings, engine, await open_codec(run.settings), run.shows)
    finally:
        engine.dispose()
    seconds = round(time.monotonic() - began, 2)
    run.tally.numbers |= {"generation": generation, "records": read, "seconds": seconds}
    await run.advance(read)


async def _acts(settings: Settings, given: Nothing, by: Actor) -> list[JsonObject]:
    found = await journal.read(settings)
    return [one.document() for one in sorted(found.values(), key=lambda one: one.began, reverse=True)]


async def _act(settings: Settings, given: ActId, by: Actor) -> JsonObject:
    found = (await journal.read(settings)).get(given.id)
    if found is None:
        raise journal.NoSuchAct(given.id)
    return found.document()


async def _cancel(settings: Settings, given: ActId, by: Actor) -> JsonObject:
    return (await running.cancel(settings, given.id, by)).document()


async def _go_on(settings: Settings, given: ActId, by: Actor) -> JsonObject:
    return (await running.reopen(settings, given.id, by, "http")).document()


def _of(kind: str):  # type: ignore[no-untyped-def]
    return lambda _: Target(kind=kind)


def _on_act(given: ActId) -> Target:
    return Target(kind="act", name=given.id)


ACTS: tuple[Act, ...] = (  # type: ignore[type-arg]
    Act("status", "What runs, and how each connection is", StatusQuery, Right.SEE,
        Http("GET", "/v1/status", "status"), ("status",), _of("hub"), _status),
    Act("trace", "One dossier's way through every hop, in time order", Code, Right.SEE,
        Http("GET", "/v1/trace/{code}", "trace"), ("trace",), _of("dossier"), _trace, answers=list[JsonObject]),
    Act("audit.list", "What operators did and were refused, the newest first", AuditFilter, Right.SEE,
        Http("GET", "/v1/audit", "audit"), ("audit", "list"), _of("audit"), _audit, answers=list[JsonObject]),
    Act("rebuild", "Build the read model anew from Kafka beside the old one, then swap", Nothing, Right.OPERATE,
        Http("POST", "/v1/rebuild", "rebuild", 202), ("rebuild",), _of("read-model"), job=_rebuild),
    Act("act.list", "Long acts of the last month, the newest first", Nothing, Right.SEE,
        Http("GET", "/v1/acts", "acts"), ("acts", "list"), _of("act"), _acts, answers=list[JsonObject]),
    Act("act.show", "One long act: state, done, total, rate, result", ActId, Right.SEE,
        Http("GET", "/v1/acts/{id}", "act"), ("acts", "show"), _on_act, _act),
    Act("act.cancel", "Cancel it: it ends between two chunks", ActId, Right.OPERATE,
        Http("DELETE", "/v1/acts/{id}", "cancel"), ("acts", "cancel"), _on_act, _cancel),
    Act("act.resume", "Go on with one that was cancelled or interrupted, from where it stands", ActId, Right.OPERATE,
        Http("POST", "/v1/acts/{id}/resume", "go_on", 202), ("acts", "resume"), _on_act, _go_on),
)  # fmt: skip
