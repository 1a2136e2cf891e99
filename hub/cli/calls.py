"""How commands call acts: a short one and its answer; a long one with a bar, Ctrl-C, and how to go on."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID

from hub import config, exit_codes
from hub.admin.acts import running, table
from hub.admin.acts.journal import ActRecord
from hub.config import Settings
from hub.control import audit
from hub.untyped import JsonObject, SettingsTable


def call(act: str, values: SettingsTable, why: str = "") -> Any:
    """The answer of a short act. What was not given (None) is left out."""
    return asyncio.run(table.perform(config.load(), act, given(values), audit.this_operator(why)))


def preview(act: str, values: SettingsTable) -> JsonObject:
    """What would be done, with counts."""
    return asyncio.run(table.preview(config.load(), act, given(values), audit.this_operator()))


def long(act: str, values: SettingsTable, why: str = "", resume: str = "") -> ActRecord:
    """Carries a long act out, or goes on with the one of that id, to its end; the record then."""
    return asyncio.run(_long(config.load(), act, given(values), audit.this_operator(why), resume))


def given(values: SettingsTable) -> SettingsTable:
    """Without what was left out."""
    return {name: value for name, value in values.items() if value is not None}


async def _long(settings: Settings, act: str, values: SettingsTable, by: audit.Actor, resume: str) -> ActRecord:
    if resume:
        record = await running.reopen(settings, resume, by, "cli")
    else:
        record = await table.begin(settings, act, values, by, "cli")
    stop = asyncio.Event()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(record.act, total=None)
        _on_interrupt(stop, progress)
        ended = await table.carry_out(settings, record.id, record.act, stop, lambda now: _show(progress, bar, now))
    if ended.state != "done":
        _tell(ended)
    return ended


def _on_interrupt(stop: asyncio.Event, progress: Progress) -> None:
    """The first Ctrl-C ends the act between two chunks, the second one ends the process."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)
        progress.console.print("stopping after this chunk; Ctrl-C once more ends at once")

    loop.add_signal_handler(signal.SIGINT, interrupted)


def _show(progress: Progress, bar: TaskID, record: ActRecord) -> None:
    progress.update(bar, completed=record.done, total=record.total)


def _tell(record: ActRecord) -> None:
    print(f"{record.act} {record.state}: {record.reason} ({record.done:,} of {record.total or 0:,})", file=sys.stderr)
    if record.state == "cancelled":
        print(f"go on with: hub acts resume {record.id}", file=sys.stderr)


def code_of(record: ActRecord) -> int:
    """The exit code of a long act that came to its end, whichever."""
    if record.state == "cancelled":
        return exit_codes.INTERRUPTED
    return exit_codes.OK if record.state == "done" else exit_codes.FAILED
