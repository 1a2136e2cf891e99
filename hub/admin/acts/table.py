"""The table of acts, which command line, HTTP and console read; and the one way to call an act."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from hub.admin.acts import letters, organisations, others, questions, resend, running, subscribers
from hub.admin.acts.act import Act, Forbidden, Right
from hub.admin.acts.journal import ActRecord
from hub.config import Settings
from hub.control.audit import Actor, Target, acting
from hub.errors import ConfigError
from hub.untyped import JsonObject, SettingsTable

ACTS: Mapping[str, Act[Any]] = {
    act.name: act
    for act in (*letters.ACTS, *subscribers.ACTS, *questions.ACTS, *resend.ACTS, *organisations.ACTS, *others.ACTS)
}


async def perform(settings: Settings, name: str, values: SettingsTable, by: Actor) -> Any:
    """A short act: its answer. Forbidden; ConfigError: a value is wrong; else as the act says. All are in the audit."""
    act = ACTS[name]
    given = await _admitted(settings, act, values, by)
    assert act.run is not None
    return await act.run(settings, given, by)


async def begin(
    settings: Settings, name: str, values: SettingsTable, by: Actor, door: Literal["cli", "http"]
) -> ActRecord:
    """A long act, to be carried out by whoever takes it up. Errors as of `perform`."""
    act = ACTS[name]
    return await running.begin(settings, act, await _admitted(settings, act, values, by), by, door)


async def carry_out(
    settings: Settings, id: str, name: str, stop: asyncio.Event, watch: running.Watch = lambda _: None
) -> ActRecord:
    """Carries a long act out that was begun, or goes on with it; the record at its end."""
    return await running.carry_out(settings, ACTS[name], id, stop, watch)


async def preview(settings: Settings, name: str, values: SettingsTable, by: Actor) -> JsonObject:
    """What would be done, with counts; nothing changes. ConfigError: also where the act has none."""
    act = ACTS[name]
    act.allow(by)
    if act.preview is None:
        raise ConfigError("preview", f"{name} has no preview")
    return await act.preview(settings, act.read(values))


async def _admitted(settings: Settings, act: Act[Any], values: SettingsTable, by: Actor) -> Any:
    """The input of an act that may be done. What is refused here is in the audit, but for acts that only look."""
    try:
        act.allow(by)
        return act.read(values)
    except (Forbidden, ConfigError) as error:
        if act.right is not Right.SEE:
            await _tell(settings, act, by, error)
        raise


async def _tell(settings: Settings, act: Act[Any], by: Actor, error: Exception) -> None:
    """The entry of an act that was refused before it began; an audit that cannot be written hides no refusal."""
    try:
        async with acting(settings, by, act.name, Target(kind=act.name.partition(".")[0])):
            raise error
    except type(error):
        return
