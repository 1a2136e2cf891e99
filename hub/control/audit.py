"""Who acts, and the entry that tells of it in `hub.audit`: also of what was refused, and of what failed.

An entry stands there when its act ends, and where the act changes control records, it is committed together with them.
A long act writes one when it begins, too, with the same id: the last one of an id counts.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiokafka.errors import KafkaError
from pydantic import BaseModel, ConfigDict, Field

from hub.avro.free_text import masked
from hub.config import Settings
from hub.control.claim import Line
from hub.control.records import now
from hub.errors import BadRecord, ConfigError, HubError, Refused
from hub.kafka import clients
from hub.kafka.topics import AUDIT

log = logging.getLogger(__name__)

Result = Literal["begun", "done", "refused", "failed"]
TEXT_CHARS = 500


class Target(BaseModel):
    """On what: kind as `subscriber`, `organisation`, `dead-letters`, `dossier`; name as its users call it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.kind


class AuditEntry(BaseModel):
    """One act, or one that was refused. No value in it is personal but `who`, who answers for it.

    who:    a person (`lan@desk`), a token's name, or `hub` for what it does by itself.
    role:   by which right: `operator`, `hub`, or a right of later.
    where:  from where: the caller's address, or the terminal.
    said:   whom the caller says it is, unproved (`X-Operator`).
    action: `subscriber.pause` …
    detail: what more there is to say, as the names of the fields changed.
    reason: of what was refused or failed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    at: datetime = Field(default_factory=now)
    who: str
    role: str = "operator"
    where: str = ""
    said: str = ""
    action: str
    target: Target
    detail: str = ""
    why: str = ""
    result: Result = "done"
    reason: str = ""

    def ended(self, result: Result, reason: str = "", detail: str | None = None) -> AuditEntry:
        """The entry of the same act at its end."""
        told = {} if detail is None else {"detail": clean(detail)}
        return self.model_copy(update={"result": result, "reason": clean(reason), **told})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by which right, from where, and why; and whom the caller says it is. remote: over HTTP, not at a
    terminal of the hub's own machine."""

    who: str
    role: str = "operator"
    where: str = ""
    why: str = ""
    said: str = ""
    remote: bool = False

    def entry(self, action: str, target: Target, detail: str = "", result: Result = "done") -> AuditEntry:
        """An entry of an act that begins; what people typed is cut, and masked where it looks personal."""
        return AuditEntry(
            id=str(uuid.uuid4()),
            who=self.who[:100],
            role=self.role,
            where=self.where[:100],
            said=clean(self.said[:100]),
            action=action,
            target=target.model_copy(update={"name": clean(target.name)}),
            detail=clean(detail),
            why=clean(self.why),
            result=result,
        )


def this_operator(why: str = "") -> Actor:
    """Who sits at this terminal, as `name@machine`; `sudo` does not hide the person."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        name = f"uid-{os.getuid()}"
    return Actor(f"{name}@{socket.gethostname()}", where=_terminal(), why=why)


def _terminal() -> str:
    """`/dev/pts/3`, with the address of who came over SSH; `no terminal` for a script."""
    place = "no terminal"
    with contextlib.suppress(OSError):
        place = os.ttyname(0)
    address = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return f"{place} from {address}" if address else place


def line_of(entry: AuditEntry) -> Line:
    """The record of `hub.audit`. Its time is the act's: so long it is kept."""
    return Line(AUDIT, entry.id.encode(), entry.model_dump_json().encode(), int(entry.at.timestamp() * 1000))


async def record(settings: Settings, *entries: AuditEntry) -> None:
    """Writes entries of acts that change no control record; returns when the broker has confirmed them."""
    producer = clients.producer(settings)
    await producer.start()
    try:
        pending = [
            await producer.send(line.topic, line.value, key=line.key, timestamp_ms=line.at_ms)
            for line in map(line_of, entries)
        ]
        for one in pending:
            await one
    finally:
        await producer.stop()


class Act:
    """An act under way. `done` gives the entry for `changes.change(…, entry=…)`, which then tells of its end."""

    def __init__(self, entry: AuditEntry) -> None:
        self.entry = entry
        self.told = False

    def done(self, detail: str | None = None) -> AuditEntry:
        self.told = True
        self.entry = self.entry.ended("done", detail=detail)
        return self.entry


@contextlib.asynccontextmanager
async def acting(settings: Settings, by: Actor, action: str, target: Target, detail: str = "") -> AsyncIterator[Act]:
    """Whatever comes of what is done inside, the audit tells: done, refused or failed. The error goes on."""
    act = Act(by.entry(action, target, detail))
    try:
        yield act
    except Exception as error:
        await _tell(settings, (act.entry.ended(*outcome(error)),))
        raise
    if not act.told:
        await record(settings, act.done())


def outcome(error: Exception) -> tuple[Result, str]:
    """Refused: who asks can mend it. Failed: what it needs was away, or the hub has a fault."""
    if isinstance(error, HubError):
        return ("refused" if isinstance(error, (Refused, ConfigError, BadRecord)) else "failed"), str(error)
    return "failed", type(error).__name__


async def _tell(settings: Settings, entries: Iterable[AuditEntry]) -> None:
    """The act's own error counts, not that of its entry."""
    try:
        await record(settings, *entries)
    except (KafkaError, HubError) as error:
        log.error("the audit entry could not be written (%s)", type(error).__name__)


def clean(text: str) -> str:
    """What people typed, cut, and masked where it looks personal."""
    return masked(text[:TEXT_CHARS])
